//! What stored messages are, without any key: sealed or clear, to whom, with which algorithms.
//!
//! The structure of the whole bytes decides, never a label. Messages are read by a few threads ahead of the processor, in
//! batches bounded by their octets, so that memory does not grow with the mailbox.

mod batches;

use super::Selection;
use crate::cms::{AlgorithmReport, CmsError, EnvelopeReport, Input, Protection};
use crate::engine::StoreError;
use crate::mail::{Message, cut, printable};
use crate::smime::{Claim, weak_algorithms};
use crate::store::{MaildirStore, StoredMailbox, StoredMessage};
use batches::{Batch, Loaded};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::SystemTime;

/// Characters of a header field that are shown.
const SHOWN: usize = 200;

/// What a message is.
#[derive(Debug)]
pub enum State {
    /// Neither encrypted nor signed.
    Clear,
    /// Signed, and readable by anybody.
    Signed,
    /// All of it is one CMS EnvelopedData or AuthEnvelopedData. That a recipient is named does not prove that it opens.
    Sealed(Box<Sealing>),
    /// All of it is one OpenPGP message. Nobody can tell who opens it.
    OpenPgp,
    /// It begins like S/MIME or says that it is, and is none: why.
    Broken(String),
    /// It could not be read: why.
    Unreadable(String),
}

/// How a message is sealed.
#[derive(Debug)]
pub struct Sealing {
    /// To whom, and with which algorithms.
    pub envelope: EnvelopeReport,
    /// Those of them that we would not write any more.
    pub weak: Vec<AlgorithmReport>,
}

/// A message and what can be seen of it.
#[derive(Debug)]
pub struct Looked {
    /// As it was listed.
    pub stored: StoredMessage,
    /// Octets of its file; 0 if it could not be read.
    pub size: u64,
    /// Its internal date, the file's time of modification.
    pub date: SystemTime,
    /// From of the header outside, decoded, fit to be shown.
    pub from: String,
    /// Subject of the header outside, the same way.
    pub subject: String,
    /// What it is.
    pub state: State,
    /// What its field `Sealpost-Sealed` claims; nobody vouches for it.
    pub claim: Option<Claim>,
}

/// Looks at the messages of a mailbox that are selected, those with older names first (of very large mailboxes: of each
/// part of it), and shows them in batches. A message that goes away meanwhile is passed over. An error is about one file
/// ([`is_of_one_file`]) or one of the two folders, and the others are shown. What `see` fails with ends it.
///
/// [`is_of_one_file`]: crate::store::is_of_one_file
pub fn look<E>(
    store: &MaildirStore,
    mailbox: &Arc<StoredMailbox>,
    selection: &Selection,
    see: &mut dyn FnMut(Result<Vec<Looked>, StoreError>) -> Result<(), E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        // It holds nothing: one batch is looked at while the next one is read.
        let (give, take) = sync_channel::<Result<Batch, StoreError>>(0);
        scope.spawn(move || {
            for batch in batches::of(store, mailbox, selection) {
                if give.send(batch).is_err() {
                    return;
                }
            }
        });
        for batch in take {
            let all = |batch: Batch| batch.into_par_iter().filter_map(|one| looked(one, selection)).collect();
            see(batch.map(all))?;
        }
        Ok(())
    })
}

fn looked(loaded: Loaded, selection: &Selection) -> Option<Looked> {
    let Loaded { stored, size, date, bytes } = loaded;
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(reason) => {
            let state = State::Unreadable(reason);
            let (from, subject) = (String::new(), String::new());
            return Some(Looked { stored, size, date, from, subject, state, claim: None });
        }
    };
    if !selection.by_bytes(bytes.expose()) {
        return None;
    }
    let message = Message::new(bytes.expose());
    let (from, subject, claim) = (text(&message, "From"), text(&message, "Subject"), Claim::of(&message));
    Some(Looked { stored, size, date, from, subject, claim, state: state(message) })
}

fn text(message: &Message<'_>, field: &str) -> String {
    message.fields_named(field).next().map_or_else(String::new, |field| cut(&printable(&field.text()), SHOWN))
}

fn state(message: Message<'_>) -> State {
    match Input::Message(message).examine() {
        Ok(Protection::Encrypted(enveloped)) => {
            let weak = weak_algorithms(&enveloped).iter().map(AlgorithmReport::of).collect();
            State::Sealed(Box::new(Sealing { envelope: EnvelopeReport::of(*enveloped), weak }))
        }
        Ok(Protection::OpenPgp) => State::OpenPgp,
        Ok(Protection::Signed) => State::Signed,
        // Something else than a message of ours need not be broken.
        Ok(Protection::None) | Err(CmsError::NotEnveloped(_)) => State::Clear,
        Err(fault) => State::Broken(fault.to_string()),
    }
}

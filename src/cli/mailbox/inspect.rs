//! `sealpost mailbox inspect`: what stored messages are, to whom they are sealed, and what should be done about them.

mod line;
mod tally;

use super::leftovers::Leftovers;
use super::selection::{Among, SelectionOptions, told_missing};
use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure, without_error_numbers};
use crate::cli::output::{self, Output};
use crate::cli::{inspect, words};
use crate::cms::{Holder, RecipientId, RecipientReport};
use crate::directory::SqliteDirectory;
use crate::engine::StoreError;
use crate::mail::{self, MailboxName};
use crate::mailbox::{Looked, Selection, State, look};
use crate::store::{MaildirStore, StoredMailbox, is_of_one_file};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tally::Tally;

/// Recipients whom nobody here knows are remembered up to this number.
const MOST_KNOWN: usize = 100_000;

/// Show what stored messages are: sealed or clear, to whom, and how; no key needed
///
/// A line a message, and what it comes to: how many lie in the clear, on retired keys, on weak algorithms, sealed to nobody
/// here. From and Subject are those of the header outside. That a certificate is named does not prove that its key opens.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox inspect --all-accounts --summary
  sealpost mailbox inspect --account anna@north.example --mailbox INBOX --since 30d
  sealpost mailbox inspect --domain north.example --sealed-to 1f8a0c3d --json")]
pub(super) struct Inspect {
    #[command(flatten)]
    targets: Targets,
    /// One mailbox; without it all are looked at
    #[arg(long, value_name = "BOX", value_parser = MailboxName::parse)]
    mailbox: Option<MailboxName>,
    /// Only what it comes to, without the lines
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    selection: SelectionOptions,
}

impl Inspect {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let store = context.store(&config)?;
        let owners = self.targets.owners(&directory)?;
        let mailbox = self.mailbox.as_ref();
        let among = Among { config: &config, directory: &directory, store: &store, owners: &owners, mailbox };
        let selection = self.selection.to_look(&among)?;
        let mut sight = Sight {
            holders: Holders { directory: &directory, known: HashMap::new() },
            tally: Tally::default(),
            lines: !self.summary,
            shown: false,
            out,
        };
        let mut listed = Vec::new();
        for mailbox in among.mailboxes()? {
            if sight.mailbox(&store, &mailbox, &selection)? {
                listed.push(mailbox);
            }
        }
        sight.end(&selection, &Leftovers::of(&listed)?)
    }
}

/// Who holds the certificates that recipients name, as far as it was asked.
struct Holders<'a> {
    directory: &'a SqliteDirectory,
    known: HashMap<RecipientId, Vec<Holder>>,
}

impl Holders<'_> {
    /// Asks for those of all messages at once.
    fn fill(&mut self, messages: &mut [Looked]) -> Result<(), Failure> {
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        let mut recipients: Vec<_> = messages.iter_mut().flat_map(recipients_of).collect();
        let named = recipients.iter().filter_map(|to| to.id.as_ref());
        let unknown: HashSet<&RecipientId> = named.filter(|id| !self.known.contains_key(*id)).collect();
        let unknown: Vec<&RecipientId> = unknown.into_iter().collect();
        if !unknown.is_empty() {
            let answers = inspect::holders(self.directory, &unknown)?;
            self.known.extend(unknown.into_iter().cloned().zip(answers));
        }
        for recipient in &mut recipients {
            let holders = recipient.id.as_ref().and_then(|id| self.known.get(id));
            recipient.holders = holders.cloned().unwrap_or_default();
        }
        Ok(())
    }
}

fn recipients_of(message: &mut Looked) -> &mut [RecipientReport] {
    match &mut message.state {
        State::Sealed(sealing) => &mut sealing.envelope.recipients,
        _ => &mut [],
    }
}

struct Sight<'a> {
    holders: Holders<'a>,
    tally: Tally,
    /// Is each message told of?
    lines: bool,
    /// Was one?
    shown: bool,
    out: &'a mut Output,
}

impl Sight<'_> {
    /// Says whether the mailbox could be listed.
    fn mailbox(
        &mut self,
        store: &MaildirStore,
        mailbox: &Arc<StoredMailbox>,
        selection: &Selection,
    ) -> Result<bool, Failure> {
        let keywords = mailbox.keywords().unwrap_or_default();
        let (mut headed, mut is_listed) = (false, true);
        look(store, mailbox, selection, &mut |messages| {
            let mut messages = match messages {
                Ok(messages) => messages,
                Err(error) => {
                    is_listed &= is_of_one_file(&error);
                    self.fault(mailbox, error);
                    return Ok(());
                }
            };
            self.holders.fill(&mut messages)?;
            messages.iter().for_each(|message| self.tally.count(message));
            if !self.lines || messages.is_empty() {
                return Ok(());
            }
            if !std::mem::replace(&mut headed, true) {
                self.head(mailbox)?;
            }
            line::show(&messages, &keywords, self.out)
        })?;
        self.tally.unlisted += usize::from(!is_listed);
        Ok(is_listed)
    }

    /// A file whose name cannot be read, or a folder.
    fn fault(&mut self, mailbox: &StoredMailbox, error: StoreError) {
        if is_of_one_file(&error) {
            self.tally.count_unnamed();
        }
        let reason = without_error_numbers(&Failure::from(error).text);
        output::warn(&format!("{} of {}: {reason}", mail::printable(&mailbox.name), mailbox.owner));
    }

    fn head(&mut self, mailbox: &StoredMailbox) -> Result<(), Failure> {
        let before = if std::mem::replace(&mut self.shown, true) { "\n" } else { "" };
        self.out.line(format!("{before}{}, {}", mailbox.owner, mail::printable(&mailbox.name)))
    }

    fn end(self, selection: &Selection, leftovers: &Leftovers) -> Result<(), Failure> {
        if self.shown {
            self.out.line("")?;
        }
        self.tally.show(leftovers, self.out)?;
        told_missing(selection)?;
        let (unread, unlisted) = (self.tally.unreadable, self.tally.unlisted);
        if unread + unlisted == 0 {
            return Ok(());
        }
        let mut parts = Vec::new();
        parts.extend((unread > 0).then(|| words::counted(unread, "message")));
        parts.extend((unlisted > 0).then(|| match unlisted {
            1 => "1 mailbox".to_owned(),
            more => format!("{more} mailboxes"),
        }));
        Err(Failure::new(Code::No, format!("{} could not be looked at", parts.join(" and "))))
    }
}

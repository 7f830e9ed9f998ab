//! `sealpost mailbox show`: one message, opened.

use super::keys::KeyOptions;
use super::one::{One, Site};
use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::Output;
use crate::cms::{CmsError, Input, Protection};
use crate::crypto::SecretBytes;
use crate::mailbox::{self, Clear, LoadError, MessageName, Selection};
use crate::smime;
use crate::store::{StoredMailbox, StoredMessage};
use std::sync::Arc;

/// Names of messages that are listed where one name means several.
const NAMED: usize = 10;

/// Show one stored message, opened, byte for byte
///
/// What is sealed is opened with the account's vault (--password-file, or a person is asked) or with --key, retired keys
/// too, and comes as it was before it was sealed; what is not as it was is said. A message that is clear, or encrypted with
/// OpenPGP, comes as it is; one whose encryption is broken does not come at all: mailbox export without a key gives it.
/// Nothing in the mailbox changes, no flag either.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox show --account anna@north.example --password-file anna.password uid:17
  sealpost mailbox show --account anna@north.example --mailbox Archive --key old.p12 1795664462.M1P2Q0
  sealpost mailbox show --account anna@north.example '<20261126.1@north.example>' > message.eml")]
pub(super) struct Show {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    keys: KeyOptions,
    /// Which: a file's name or the first 8 characters of it at least, uid:NUMBER, or a <Message-ID>
    #[arg(value_name = "MESSAGE")]
    message: MessageName,
}

impl Show {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let targets = Targets::one(self.one.account.clone());
        let given = self.keys.read(&targets)?;
        let site = self.one.site(context)?;
        let bytes = site.stored(&self.message)?;
        let input = Input::of(bytes.expose());
        match input.examine() {
            Ok(Protection::None | Protection::Signed) | Err(CmsError::NotEnveloped(_)) => {
                return out.bytes(bytes.expose());
            }
            Ok(Protection::OpenPgp) => {
                out.note("it is encrypted with OpenPGP, and comes as it is");
                return out.bytes(bytes.expose());
            }
            Ok(Protection::Encrypted(_)) => {}
            Err(error) => return Err(broken(&error)),
        }
        let keys = Arc::new(given.unlock(context, &site.directory, &targets)?);
        let keys = keys.of(&site.directory, &site.account)?;
        let opened = smime::open(bytes.expose(), &keys.opening_keys()?)?;
        let Clear { message, notes } = Clear::of(&input, opened);
        notes.iter().for_each(|note| out.note(note));
        out.bytes(message.expose())
    }
}

/// Not shown: what is asked for is an opened message.
fn broken(error: &CmsError) -> Failure {
    Failure::new(Code::Data, format!("the message cannot be opened: {error}"))
        .hint("as it is stored, without a key: sealpost mailbox export")
}

impl Site {
    /// The bytes of the one message that is meant.
    fn stored(&self, name: &MessageName) -> Result<SecretBytes, Failure> {
        let mailbox = self.mailbox()?;
        let selection = Selection::all().named([name.clone()]);
        let selection = selection.resolve(&self.store, std::slice::from_ref(&mailbox))?;
        // Between the listing and the opening a client may set a flag: then it is listed again.
        for _ in 0..TRIES {
            match self.matching(&mailbox, &selection)?.as_slice() {
                [] => break,
                [one] => {
                    if let Some(bytes) = mailbox::load(one, self.config.settings.max_message)? {
                        return Ok(bytes);
                    }
                }
                several => return Err(ambiguous(name, several)),
            }
        }
        let text = format!("no message in {} of {} is called {name}", mailbox.name, mailbox.owner);
        Err(Failure::new(Code::NotFound, text).hint("see: sealpost mailbox inspect"))
    }

    fn matching(
        &self,
        mailbox: &Arc<StoredMailbox>,
        selection: &Selection,
    ) -> Result<Vec<StoredMessage>, Failure> {
        let mut found = Vec::new();
        for stored in self.store.messages(mailbox) {
            let stored = stored?;
            if selection.by_name(&stored) {
                found.push(stored);
            }
        }
        Ok(found)
    }
}

/// How often a message that moves is looked for.
const TRIES: usize = 20;

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        match error {
            LoadError::Store(error) => error.into(),
            error => Failure::new(Code::No, error.to_string()),
        }
    }
}

fn ambiguous(name: &MessageName, several: &[StoredMessage]) -> Failure {
    let names = several.iter().take(NAMED).map(|stored| format!("{}\n", stored.base()));
    Failure::new(Code::No, format!("{name} means {} messages", several.len()))
        .hint(format!("name one of them:\n{}", names.collect::<String>()))
}

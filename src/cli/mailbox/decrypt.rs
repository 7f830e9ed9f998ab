//! `sealpost mailbox decrypt`: sealed messages to what they were before.

use super::keys::{AccountKeys, KeyOptions, Keys};
use super::operation::{Operation, Place, Prepared, Site};
use super::report::Words;
use super::task::Task;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::engine::Account;
use crate::mailbox::{self, Made, Read, Work};
use std::sync::Arc;

/// Put stored messages back into the clear, byte for byte as they were before they were sealed
///
/// Each sealed message that a key at hand opens is written in the clear beside the old one, synced and read back; then the
/// sealed file is removed. Flags, keywords and date stay; to mail programs it is a new message. A message that is
/// sealed to no key at hand is reported and stays as it is. Clear text is written to the disk because you ask for it here:
/// what is read there by backups, indexes and snapshots from now on is not taken back by sealing again.
/// The password is asked for once. A wrong one is refused before any message is touched.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox decrypt --account anna@north.example --password-file anna.password --all
  sealpost mailbox decrypt --account anna@north.example --mailbox Archive --key old.p12 --all
  sealpost mailbox decrypt --domain north.example --domain-key --all --dry-run")]
pub(super) struct Decrypt {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    keys: KeyOptions,
}

impl Decrypt {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let given = self.keys.read(&self.place.targets)?;
        let site = Site::open(context)?;
        let keys = Arc::new(given.unlock(context, &site.directory, &self.place.targets)?);
        self.place.run(&site, &Opening { site: &site, keys }, out)
    }
}

/// With which keys.
struct Opening<'s> {
    site: &'s Site,
    keys: Arc<Keys>,
}

impl Operation for Opening<'_> {
    fn words(&self) -> Words {
        Words { verb: "decrypt", done: "decrypted", hides: false }
    }

    /// What is clear is clear, whichever key opened it.
    fn describe(&self, _: &mut Task) {}

    fn describe_account(&self, _: &Account, _: &mut Task) -> Result<(), Failure> {
        Ok(())
    }

    fn prepare(&self, account: &Account) -> Result<Prepared<'_>, Failure> {
        let keys = self.keys.of(&self.site.directory, account)?;
        Ok(Prepared { work: Box::new(Opener { keys }), warnings: Vec::new() })
    }
}

/// The work for one account, with all that it needs.
struct Opener {
    keys: AccountKeys,
}

impl Work for Opener {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        match self.keys.opening_keys() {
            Ok(keys) => mailbox::Decrypt { keys: &keys }.make(batch),
            Err(failure) => all_failed(batch, &failure),
        }
    }
}

/// The same reason for each.
pub(super) fn all_failed(batch: &[Read<'_>], failure: &Failure) -> Vec<Made> {
    let reason = failure.in_one_line();
    batch.iter().map(|_| Made::Fail(reason.clone())).collect()
}

//! `sealpost mailbox rekey`: sealed messages for the certificates of today.

use super::decrypt::all_failed;
use super::keys::{AccountKeys, KeyOptions, Keys};
use super::operation::{Operation, Place, Prepared, Site};
use super::readers::KnownReaders;
use super::report::Words;
use super::task::Task;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{outlook, words};
use crate::engine::{Account, Prospect};
use crate::mail::Address;
use crate::mailbox::{self, Made, Read, Work};
use crate::system::SystemEntropy;
use std::sync::Arc;

/// Hand stored messages to the certificates that new mail is sealed to
///
/// An old key opens the content key of each sealed message, which is sealed to the active certificates of the mailbox's
/// owner instead. Another account that the message names keeps its copy if it has the right to store into that mailbox
/// (sealpost acl grant) or is named by --keep; anybody else whom the message names falls away. The summary says who. A name
/// in a message proves nothing: whoever can write to the file can add one. The encrypted content stays octet for octet. The new file is written beside the old
/// one, synced and read back; then the old file is removed. Flags, keywords and date stay.
/// The content key is still the same, and nothing wipes the blocks of the old files, nor backups and snapshots that hold
/// them: whoever has an old key and an old copy can read it.
/// The password is asked for once. A wrong one is refused before any message is touched.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox rekey --account anna@north.example --password-file anna.password --all
  sealpost mailbox rekey --account anna@north.example --key old.key.pem --old-cert old.pem --all
  sealpost mailbox rekey --domain north.example --domain-key --all
  sealpost mailbox rekey --account hr@north.example --domain-key --all --keep anna@north.example
  sealpost mailbox rekey --account anna@north.example --key old.p12 --all --dry-run --json")]
pub(super) struct Rekey {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    keys: KeyOptions,
    /// An account that keeps its copy of each message that names it, without a right on the mailbox; repeat it for several
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    keep: Vec<Address>,
}

impl Rekey {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let given = self.keys.read(&self.place.targets)?;
        let site = Site::open(context)?;
        let keep = self.keep.iter().map(|address| Ok(site.directory.account(address)?.address));
        let keep = keep.collect::<Result<Vec<_>, Failure>>()?;
        let keys = Arc::new(given.unlock(context, &site.directory, &self.place.targets)?);
        self.place.run(&site, &Handing { site: &site, keep, keys }, out)
    }
}

/// With which keys.
struct Handing<'s> {
    site: &'s Site,
    keep: Vec<Address>,
    keys: Arc<Keys>,
}

impl Handing<'_> {
    fn readers(&self) -> KnownReaders<'_> {
        KnownReaders { site: self.site, keep: &self.keep }
    }

    fn prospect(&self, owner: &Account) -> Result<Prospect, Failure> {
        outlook::of_owner(&self.site.directory, owner, None, &self.site.config)
    }
}

impl Operation for Handing<'_> {
    fn words(&self) -> Words {
        Words { verb: "rekey", done: "rekeyed", hides: false }
    }

    /// To whom a message is handed does not depend on the key that opens it.
    fn describe(&self, _: &mut Task) {}

    fn describe_account(&self, account: &Account, task: &mut Task) -> Result<(), Failure> {
        task.prospect(&self.prospect(account)?);
        self.readers().describe(&account.address, task)
    }

    fn prepare(&self, account: &Account) -> Result<Prepared<'_>, Failure> {
        let mut prospect = self.prospect(account)?;
        let warnings = std::mem::take(&mut prospect.warnings);
        let keys = self.keys.of(&self.site.directory, account)?;
        Ok(Prepared { work: Box::new(Hander { prospect, keys, readers: self.readers() }), warnings })
    }
}

/// The work for one account, with all that it needs.
struct Hander<'s> {
    prospect: Prospect,
    keys: AccountKeys,
    readers: KnownReaders<'s>,
}

impl Work for Hander<'_> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        match self.keys.opening_keys() {
            Ok(keys) => mailbox::Rekey::new(&keys, &self.prospect, &self.readers, &SystemEntropy).make(batch),
            Err(failure) => all_failed(batch, &failure),
        }
    }
}

//! `sealpost mailbox encrypt`: clear messages to sealed ones.

use super::operation::{Operation, Place, Prepared, Site};
use super::report::Words;
use super::task::Task;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{outlook, words};
use crate::cms::RecipientId;
use crate::engine::{Account, Choice, Clock, OpenPgp, Prospect, SealedToOthers};
use crate::mail::Address;
use crate::mailbox::{self, Made, Read, Work};
use crate::system::{SystemClock, SystemEntropy};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Seal messages that are stored already, as new mail for their mailbox is sealed
///
/// Each message is sealed to the active certificates of the mailbox's owner (and of --acting), written beside the old one,
/// synced and read back; then the old file is removed. Flags, keywords and date stay; to mail programs it is a new
/// message. What is sealed so already, or to them and others, is passed over, what is sealed to other keys of the owner is
/// left for `mailbox rekey`, and what its sender encrypted with OpenPGP is kept or sealed as
/// new mail is (openpgp).
/// Nothing wipes the blocks of the old files on the disk, nor backups and snapshots that hold them.
/// A run that was stopped (Ctrl-C, a crash) goes on where it was when the same command is given again.
/// With --json: one JSON object a line.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox encrypt --account anna@north.example --all
  sealpost mailbox encrypt --account anna@north.example --mailbox Archive/2019 --all --dry-run
  sealpost mailbox encrypt --account hr@north.example --mailbox Payroll --acting anna@north.example --all
  sealpost mailbox encrypt --domain north.example --all --json")]
pub(super) struct Encrypt {
    #[command(flatten)]
    place: Place,
    /// Seal to this account besides: whoever stored the messages in a mailbox of another account keeps its copy so
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    acting: Option<Address>,
    /// A message that is sealed to others only: leave it, or wrap it once more [default: as the setting says]
    #[arg(long, value_name = "WAY", value_parser = words::choice::<SealedToOthers>())]
    sealed_to_others: Option<SealedToOthers>,
}

impl Encrypt {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let site = Site::open(context)?;
        let acting = self.acting.map(|acting| site.directory.account(&acting)).transpose()?;
        let settings = &site.config.settings;
        let sealing = Sealing {
            site: &site,
            acting,
            others: self.sealed_to_others.unwrap_or(settings.sealed_to_others),
            openpgp: settings.openpgp,
            at: SystemClock.now(),
        };
        self.place.run(&site, &sealing, out)
    }
}

/// To whom and how.
struct Sealing<'s> {
    site: &'s Site,
    acting: Option<Account>,
    others: SealedToOthers,
    openpgp: OpenPgp,
    at: OffsetDateTime,
}

impl Sealing<'_> {
    fn prospect(&self, owner: &Account) -> Result<Prospect, Failure> {
        outlook::of_owner(&self.site.directory, owner, self.acting.as_ref(), &self.site.config)
    }
}

impl Operation for Sealing<'_> {
    fn words(&self) -> Words {
        Words { verb: "encrypt", done: "sealed", hides: true }
    }

    fn describe(&self, task: &mut Task) {
        task.take(
            "acting",
            self.acting.as_ref().map_or_else(String::new, |acting| acting.address.to_string()),
        );
        task.take("sealed-to-others", self.others.name());
        task.take("openpgp", self.openpgp.name());
    }

    fn describe_account(&self, account: &Account, task: &mut Task) -> Result<(), Failure> {
        task.prospect(&self.prospect(account)?);
        Ok(())
    }

    fn prepare(&self, account: &Account) -> Result<Prepared<'_>, Failure> {
        let mut prospect = self.prospect(account)?;
        let warnings = std::mem::take(&mut prospect.warnings);
        let work = Box::new(Sealer {
            prospect,
            own: own(account),
            others: self.others,
            openpgp: self.openpgp,
            at: self.at,
        });
        Ok(Prepared { work, warnings })
    }
}

/// What messages call the certificates of an account, those of the past too.
pub(super) fn own(account: &Account) -> HashSet<RecipientId> {
    let certificates = account.certificates.iter().map(|held| &held.certificate);
    certificates.flat_map(|certificate| certificate.recipient_ids()).collect()
}

/// The work for one account, with all that it needs.
struct Sealer {
    prospect: Prospect,
    own: HashSet<RecipientId>,
    others: SealedToOthers,
    openpgp: OpenPgp,
    at: OffsetDateTime,
}

impl Work for Sealer {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        let Sealer { prospect, own, others, openpgp, at } = self;
        let (others, openpgp, at) = (*others, *openpgp, *at);
        mailbox::Encrypt { prospect, own, at, others, weak: others, openpgp, entropy: &SystemEntropy }
            .make(batch)
    }
}

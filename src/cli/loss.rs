//! Losing a key is hard: what would never be opened again is counted and said before.

use super::context::Context;
use super::failure::{Code, Failure};
use super::holder::Holder;
use super::output::Output;
use super::words::{self, FingerprintPrefix, counted};
use crate::cms::{Input, RecipientId, front_recipients, inspect};
use crate::directory::SqliteDirectory;
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint};
use crate::store::MaildirStore;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Octets of a message that are read first: they name its recipients nearly always.
const FRONT: u64 = 64 * 1024;

/// A message that must be looked at as a whole is read up to this size.
const WHOLE: u64 = 256 * 1024 * 1024;

/// Mailboxes that are named; of more their number is said.
const NAMED: usize = 8;

/// What somebody says who is ready to lose a key.
#[derive(clap::Args)]
pub(super) struct Consent {
    /// The fingerprint of a key, to confirm that it is lost; repeat it for several
    #[arg(long, value_name = "FINGERPRINT")]
    forget: Vec<FingerprintPrefix>,
    /// How many messages can never be opened again then: the number that is shown without it
    #[arg(long, value_name = "NUMBER", requires = "forget")]
    messages: Option<u64>,
}

/// What goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The keys that are named.
    Keys,
    /// The holder with every key.
    Holder,
}

impl Consent {
    /// The keys that were named, if what is lost with them was named too; otherwise an error that says what it is.
    pub(super) fn confirm(
        &self,
        context: &Context,
        directory: &SqliteDirectory,
        out: &Output,
        (holder, held): (&Holder, &[Fingerprint]),
        extent: Extent,
    ) -> Result<Confirmed, Failure> {
        let forgotten = words::forgotten(&self.forget, held)?;
        if held.is_empty() {
            return Ok(Confirmed { forgotten, messages: 0 });
        }
        out.working(&format!("looking for mail that is sealed to the keys of {holder}"));
        let sealed = SealedMail::count(context, directory, (holder, held))?;
        if forgotten.is_empty() {
            return Err(sealed.not_confirmed(holder, held, extent));
        }
        if let Some(unknown) = sealed.unknown().strip_prefix("; ") {
            out.note(unknown);
        }
        let lost = sealed.lost_with(&forgotten);
        match lost.total() {
            0 => Ok(Confirmed { forgotten, messages: 0 }),
            total if self.messages == Some(total) => Ok(Confirmed { forgotten, messages: total }),
            _ => Err(sealed.not_counted(holder, &forgotten, &lost)),
        }
    }
}

/// What is lost on purpose.
pub(super) struct Confirmed {
    /// Keys.
    pub(super) forgotten: Vec<Fingerprint>,
    /// Messages that only they open.
    pub(super) messages: u64,
}

/// How many messages of which mailbox.
#[derive(Default)]
struct Lost(BTreeMap<String, u64>);

impl Lost {
    fn add(&mut self, mailbox: String, number: u64) {
        *self.0.entry(mailbox).or_default() += number;
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// `3 messages`
    fn number(&self) -> String {
        counted(usize::try_from(self.total()).unwrap_or(usize::MAX), "message")
    }

    /// `Archive 1, INBOX 2`
    fn mailboxes(&self) -> String {
        let mut named =
            words::texts(self.0.iter().take(NAMED).map(|(mailbox, number)| format!("{mailbox} {number}")));
        if self.0.len() > NAMED {
            named.push(format!("and {} more mailboxes", self.0.len() - NAMED));
        }
        named.join(", ")
    }
}

/// Which keys of the holder the messages in its mailboxes are sealed to.
struct SealedMail {
    /// By mailbox, and by all the keys that open a message.
    counts: BTreeMap<(String, BTreeSet<Fingerprint>), u64>,
    /// Messages that are too large to look for their recipients.
    large: Lost,
    /// Messages that cannot be read.
    unread: Lost,
}

impl SealedMail {
    fn count(
        context: &Context,
        directory: &SqliteDirectory,
        (holder, held): (&Holder, &[Fingerprint]),
    ) -> Result<SealedMail, Failure> {
        let store = context.store(&context.config()?)?;
        let certificates = named(directory, holder)?;
        let accounts = owners(directory, &store, holder)?;
        let known = names(&certificates, held);
        let mut found =
            SealedMail { counts: BTreeMap::new(), large: Lost::default(), unread: Lost::default() };
        for account in &accounts {
            let of_many = matches!(holder, Holder::Domain(_));
            store.visit(account, &mut |mailbox, file| {
                let name = if of_many { format!("{account} {mailbox}") } else { mailbox.to_owned() };
                found.look_at(name, file, &known);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// One that cannot be read keeps nobody from counting the others.
    fn look_at(&mut self, mailbox: String, file: &Path, known: &HashMap<RecipientId, Fingerprint>) {
        match recipients(file) {
            Err(_) => self.unread.add(mailbox, 1),
            Ok(None) => self.large.add(mailbox, 1),
            Ok(Some(named)) => {
                let keys: BTreeSet<Fingerprint> =
                    named.iter().filter_map(|id| known.get(id).copied()).collect();
                if !keys.is_empty() {
                    *self.counts.entry((mailbox, keys)).or_default() += 1;
                }
            }
        }
    }

    /// Messages that none of the other keys opens.
    fn lost_with(&self, forgotten: &[Fingerprint]) -> Lost {
        let mut lost = Lost::default();
        for ((mailbox, keys), number) in &self.counts {
            if keys.iter().all(|key| forgotten.contains(key)) {
                lost.add(mailbox.clone(), *number);
            }
        }
        lost
    }

    fn not_confirmed(&self, holder: &Holder, held: &[Fingerprint], extent: Extent) -> Failure {
        let lost: Vec<_> = held.iter().map(|key| (key, self.lost_with(&[*key]))).collect();
        let told = lost.iter().map(|(key, lost)| match lost.total() {
            0 => format!("{key}: no message"),
            _ => format!("{key}: {} ({})", lost.number(), lost.mailboxes()),
        });
        let vouched = match holder {
            Holder::Account(_) => "",
            Holder::Domain(_) => {
                "what a key issued is vouched for by nobody without it, and its certificates go with it; "
            }
        };
        let text = format!(
            "{vouched}what is sealed to a key can never be opened without it; {holder} has {}{}",
            words::texts(told).join(", "),
            self.unknown()
        );
        let named = match extent {
            Extent::Keys => held.get(..1).unwrap_or_default(),
            Extent::Holder => held,
        };
        let lost = self.lost_with(named).total();
        let number = if lost == 0 { String::new() } else { format!(" --messages {lost}") };
        let keep = if lost == 0 { String::new() } else { keep_first(holder, named) };
        let options = words::texts(named.iter().map(|key| format!("--forget {key}"))).join(" ");
        Failure::new(Code::No, text).hint(format!("{keep}to lose it say which: {options}{number}"))
    }

    fn not_counted(&self, holder: &Holder, forgotten: &[Fingerprint], lost: &Lost) -> Failure {
        let keys = words::texts(forgotten).join(", ");
        let (number, mailboxes) = (lost.number(), lost.mailboxes());
        let text =
            format!("{number} can never be opened again without {keys}: {mailboxes}{}", self.unknown());
        let keep = keep_first(holder, forgotten);
        let hint = format!("{keep}to lose them all the same say how many: --messages {}", lost.total());
        Failure::new(Code::No, text).hint(hint)
    }

    fn unknown(&self) -> String {
        let why = [(&self.large, "too large"), (&self.unread, "not to be read")];
        let why = why.into_iter().filter(|(lost, _)| lost.total() > 0);
        let told = why.map(|(lost, why)| {
            let (number, mailboxes) = (lost.total(), lost.mailboxes());
            let they = if number == 1 { "it is" } else { "they are" };
            format!("; {number} more could not be looked into, because {they} {why}: {mailboxes}")
        });
        told.collect()
    }
}

/// What keeps mail readable, a line each.
fn keep_first(holder: &Holder, keys: &[Fingerprint]) -> String {
    let Holder::Account(account) = holder else { return "keep it first: sealpost backup FILE\n".to_owned() };
    let export = format!("sealpost key export --account {account} --key");
    let each = keys
        .iter()
        .map(|key| format!("keep it first, with its owner: {export} {} --output FILE\n", words::short(key)));
    each.collect()
}

/// The certificates by which messages may name keys of the holder: those of today, and all that were.
fn named(directory: &SqliteDirectory, holder: &Holder) -> Result<Vec<Certificate>, Failure> {
    Ok(match holder {
        Holder::Account(address) => {
            directory.account(address)?.certificates.into_iter().map(|held| held.certificate).collect()
        }
        Holder::Domain(name) => {
            let held = directory.domain_certificates(name)?.into_iter().map(|held| held.certificate);
            let replaced = directory.retired_keys(name)?.into_iter().map(|held| held.certificate);
            held.chain(replaced).collect()
        }
    })
}

/// Those whose mail may be sealed to the holder's keys; of a domain also those whose accounts were removed. Each once: a folder
/// knows nothing of capital letters.
fn owners(
    directory: &SqliteDirectory,
    store: &MaildirStore,
    holder: &Holder,
) -> Result<Vec<Address>, Failure> {
    let name = match holder {
        Holder::Account(address) => return Ok(vec![directory.account(address)?.address]),
        Holder::Domain(name) => name,
    };
    let mut owners = BTreeMap::new();
    for account in directory.all_accounts(Some(name))? {
        owners.insert(account.address.folded(), account.address);
    }
    let domain = directory.domain(name)?;
    for name in domain.aliases.iter().chain([&domain.name]) {
        for owner in store.owners(name)? {
            owners.entry(owner.folded()).or_insert(owner);
        }
    }
    Ok(owners.into_values().collect())
}

/// How messages call each key that is held. One that is gone already opens nothing.
fn names(certificates: &[Certificate], held: &[Fingerprint]) -> HashMap<RecipientId, Fingerprint> {
    let of = |certificate: &Certificate| {
        let key = certificate.key_fingerprint().ok().filter(|key| held.contains(key));
        key.map(|key| (certificate.recipient_ids(), key))
    };
    let each = certificates.iter().filter_map(of);
    each.flat_map(|(ids, key)| ids.into_iter().map(move |id| (id, key))).collect()
}

/// Whom a message names; nothing if it is too large to say. One that was moved or removed names nobody.
fn recipients(file: &Path) -> io::Result<Option<Vec<RecipientId>>> {
    let mut source = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(Vec::new())),
        opened => opened?,
    };
    let mut octets = Zeroizing::new(Vec::new());
    source.by_ref().take(FRONT).read_to_end(&mut octets)?;
    if (octets.len() as u64) < FRONT {
        return Ok(Some(all_recipients(&octets)));
    }
    if let Some(found) = front_recipients(&octets) {
        return Ok(Some(found));
    }
    if source.metadata()?.len() > WHOLE {
        return Ok(None);
    }
    source.take(WHOLE).read_to_end(&mut octets)?;
    Ok(Some(all_recipients(&octets)))
}

/// Those of every layer that can be seen.
fn all_recipients(octets: &[u8]) -> Vec<RecipientId> {
    let mut found = Vec::new();
    let mut report = inspect(&Input::of(crate::mail::without_mbox_line(octets)));
    let _ = report.match_recipients(|ids| {
        found = ids.iter().map(|id| (*id).clone()).collect();
        Ok::<_, std::convert::Infallible>(Vec::new())
    });
    found
}

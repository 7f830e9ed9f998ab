//! north.example with bob and ada, a clock that a test sets, and an engine over a disk or a store in memory.

use crate::support::{EngineParts, issued};
use sealpost::config::Config;
use sealpost::crypto::{Entropy, EntropyError, SecretBytes, Seed};
use sealpost::directory::{NewAccount, NewDomain, SqliteDirectory};
use sealpost::engine::{
    Batch, Clock, Engine, InFlight, Load, Mailstore, Outcome, Parcel, Recipient, Settings,
};
use sealpost::mail::{Address, MailboxName};
use sealpost::pki::{Certificate, UnlockedKey, Validity};
use sealpost::rules::Source;
use sealpost::smime::{OpeningKey, open};
use sealpost::store::MaildirStore;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use time::{Duration, OffsetDateTime};

pub(crate) const TEMPLATE: &str = "mail/{domain}/{local}/Maildir";

/// Seconds since the begin of the certificate.
#[derive(Default)]
pub(crate) struct Hand(pub(crate) AtomicI64);

pub(crate) fn begin() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap()
}

impl Clock for Hand {
    fn now(&self) -> OffsetDateTime {
        begin() + Duration::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The first seed is 1, the second 2.
#[derive(Default)]
pub(crate) struct Counted(AtomicU64);

impl Entropy for Counted {
    fn seed(&self) -> Result<Seed, EntropyError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Ok(Seed::from_bytes(&mut bytes))
    }
}

pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) directory: SqliteDirectory,
    key: UnlockedKey,
    pub(crate) certificate: Certificate,
    pub(crate) clock: Hand,
    pub(crate) settings: Settings,
}

/// The certificate lasts so many seconds.
pub(crate) const LASTS: i64 = 1_000;

impl House {
    pub(crate) fn new() -> House {
        House::until(Validity::lasting(begin(), Duration::seconds(LASTS)))
    }

    /// With a certificate that is good by the clock of the machine.
    pub(crate) fn lasting() -> House {
        House::until(Validity::lasting(OffsetDateTime::now_utc() - Duration::DAY, Duration::days(30)))
    }

    fn until(validity: Validity) -> House {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("store")).unwrap();
        directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
        let (key, certificate) = issued(&["bob", "ada", "eve"].map(address), validity);
        let (settings, clock) = (Config::default().settings, Hand(AtomicI64::new(10)));
        let house = House { folder, directory, key, certificate, clock, settings };
        ["bob", "ada"].into_iter().for_each(|local| house.add(local));
        house
    }

    /// With an account more.
    pub(crate) fn add(&self, local: &str) {
        let address = address(local);
        self.directory.add_account(&NewAccount { address: address.clone(), aliases: Vec::new() }).unwrap();
        self.directory.add_certificate(&address, &self.certificate, "test").unwrap();
    }

    /// Installs rules by the command, in another process.
    pub(crate) fn rules(&self, holder: &str, text: &str) {
        let file = self.folder.path().join("rules.toml");
        std::fs::write(&file, text).unwrap();
        let install = ["rules", "install", crate::support::path(&file)];
        self.run(&[&install[..], &holder.split(' ').collect::<Vec<_>>()].concat());
    }

    /// Runs a command in another process.
    pub(crate) fn run(&self, words: &[&str]) {
        let root = self.folder.path().join("store");
        let command = crate::support::Program::sealpost().args(["--root", crate::support::path(&root)]);
        command.args(words).run().ok();
    }

    pub(crate) fn disk(&self) -> Disk {
        let root = tempfile::tempdir().unwrap();
        Disk { store: MaildirStore::new(root.path(), TEMPLATE).unwrap(), root }
    }

    pub(crate) fn engine<'e>(&'e self, store: &'e dyn Mailstore, parts: &'e Parts) -> Engine<'e> {
        let Parts { entropy, beside } = parts;
        let (clock, settings) = (&self.clock, &self.settings);
        Engine { clock, entropy, settings, ..beside.engine(&self.directory, store) }
    }

    /// One call after the other.
    pub(crate) fn one_by_one(&self, store: &dyn Mailstore, parcels: Vec<Parcel>) -> Vec<Outcome> {
        let parts = Parts::default();
        let engine = self.engine(store, &parts);
        parcels.iter().map(|parcel| engine.deliver(&parcel.request())).collect()
    }

    /// In one batch.
    pub(crate) fn together(
        &self,
        store: &dyn Mailstore,
        parcels: Vec<Parcel>,
        in_flight: InFlight,
    ) -> Vec<Outcome> {
        let parts = Parts::default();
        let batch = Batch { engine: self.engine(store, &parts), in_flight, stop: &AtomicBool::new(false) };
        let told = Mutex::new(Vec::new());
        batch.run(parcels.into_iter().enumerate(), |number, _, outcome| {
            told.lock().unwrap().push((number, outcome))
        });
        let told = told.into_inner().unwrap();
        assert!(told.iter().enumerate().all(|(at, (number, _))| at == *number), "each, in order");
        told.into_iter().map(|(_, outcome)| outcome).collect()
    }

    pub(crate) fn opened(&self, bytes: &[u8]) -> Vec<u8> {
        let opening = OpeningKey { key: &self.key, certificate: Some(&self.certificate) };
        open(bytes, &[opening]).unwrap().message.expose().to_vec()
    }

    /// The subjects of a mailbox, in the order in which readers number its messages.
    pub(crate) fn subjects(&self, disk: &Disk, owner: &str, mailbox: &str) -> Vec<String> {
        let folder = disk.store.folder(&address(owner), &MailboxName::parse(mailbox).unwrap());
        let mut files = [list(&folder.join("new")), list(&folder.join("cur"))].concat();
        files.sort_by_key(|file| moment(file));
        files.iter().map(|file| subject(&self.opened(&std::fs::read(file).unwrap()))).collect()
    }
}

/// What an engine takes beside the house.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) entropy: Counted,
    pub(crate) beside: EngineParts,
}

pub(crate) struct Disk {
    pub(crate) root: tempfile::TempDir,
    pub(crate) store: MaildirStore,
}

/// Seconds and microseconds of a name.
fn moment(file: &Path) -> (u64, u64) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let (seconds, rest) = name.split_once(".M").unwrap();
    (seconds.parse().unwrap(), rest.split('P').next().unwrap().parse().unwrap())
}

fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .map(|found| found.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default()
}

pub(crate) fn address(local: &str) -> Address {
    Address::parse(&format!("{local}@north.example")).unwrap()
}

/// From carol, with this subject.
pub(crate) fn parcel(recipients: &[&str], subject: &str) -> Parcel {
    let to = |address: &&str| Recipient { address: Address::parse(address).unwrap(), original: None };
    let message = format!("From: carol@far.example\r\nSubject: {subject}\r\n\r\nThe body of {subject}.\r\n");
    Parcel {
        message: Load::Held(SecretBytes::new(message.into_bytes())),
        sender: Some("carol@far.example".into()),
        recipients: recipients.iter().map(to).collect(),
        source: Source::Pipe,
        client: None,
        queue_id: None,
        known_by_content: false,
        until: None,
    }
}

pub(crate) const BOB: &str = "bob@north.example";
pub(crate) const ADA: &str = "ada@north.example";

/// Subjects for so many messages.
pub(crate) fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:04}")).collect()
}

/// What is told of each, for comparisons.
pub(crate) fn lines(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(|outcome| outcome.disposition.line()).collect()
}

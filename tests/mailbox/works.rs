//! What becomes of stored messages: encrypt, decrypt and rekey, apart from the disk.

mod decrypt;
mod encrypt;
mod peers;
mod proofs;
mod rekey;
mod vectors;

use crate::laws::people::{Person, XENIA, now};
use sealpost::cms::RecipientId;
use sealpost::config::Config;
use sealpost::crypto::{Entropy, EntropyError, Seed};
use sealpost::engine::{
    Account, AccountOverrides, BuiltIn, BuiltInError, CertificateState, Domain, DomainMode, DomainOverrides,
    DomainTrust, HeldCertificate, OpenPgp, Prospect, SealedToOthers, foresee,
};
use sealpost::mail::{Address, MailboxName};
use sealpost::mailbox::{
    Decrypt, Encrypt, Left, Made, NamedAccount, NamedReader, Read, Readers, Rekey, Share, Work,
};
use sealpost::pki::Certificate;
use sealpost::smime::OpeningKey;
use sealpost::store::{MaildirStore, StoredMailbox, StoredMessage};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const MESSAGE: &[u8] = b"From: Anna <anna@north.example>\nSubject: figures\n\nxyzzy-plugh-4711\n";

/// Where the messages say that they lie; no work looks at it.
fn stored() -> &'static StoredMessage {
    static STORED: OnceLock<StoredMessage> = OnceLock::new();
    STORED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = MaildirStore::new(folder.path(), "mail/{domain}/{local}/Maildir").unwrap();
        let owner = address("ella");
        store.create(&owner, &MailboxName::parse("INBOX").unwrap()).unwrap();
        let inbox = store.stored_mailboxes(&owner).unwrap().remove(0);
        std::fs::write(inbox.folder().join("new/1.M1P1.host"), MESSAGE).unwrap();
        store.messages(&inbox).next().unwrap().unwrap()
    })
}

fn made(work: &dyn Work, messages: &[&[u8]]) -> Vec<Made> {
    let batch: Vec<Read<'_>> =
        messages.iter().map(|message| Read { stored: stored(), bytes: message }).collect();
    let made = work.make(&batch);
    assert_eq!(made.len(), messages.len(), "one answer for each");
    made
}

fn made_of(work: &dyn Work, message: &[u8]) -> Made {
    made(work, &[message]).remove(0)
}

/// The bytes that take the place of a message, which are proved, and what is noted.
fn replaced(made: Made) -> (Vec<u8>, Vec<String>) {
    match made {
        Made::Replace(content, proof, notes) => {
            let bytes = content.bytes().to_vec();
            assert!(proof.holds(&bytes), "what was made is not proved");
            (bytes, notes.texts)
        }
        Made::Leave(left) => panic!("it stays: {left:?}"),
        Made::Fail(reason) => panic!("it failed: {reason}"),
    }
}

fn left(made: Made) -> Left {
    match made {
        Made::Leave(left) => left,
        Made::Replace(..) => panic!("it is replaced"),
        Made::Fail(reason) => panic!("it failed: {reason}"),
    }
}

fn failed(made: Made) -> String {
    match made {
        Made::Fail(reason) => reason,
        Made::Replace(..) => panic!("it is replaced"),
        Made::Leave(left) => panic!("it stays: {left:?}"),
    }
}

/// One message encrypted with OpenPGP: a session key for somebody, and data.
pub(super) fn openpgp() -> Vec<u8> {
    let packets = [&[0xc1, 12, 3][..], &[7; 11], &[0xd2, 3, 1, 2, 3]].concat();
    let text = encodify::base64::STANDARD.encode(packets);
    format!("A: b\n\n-----BEGIN PGP MESSAGE-----\n\n{text}\n-----END PGP MESSAGE-----\n").into_bytes()
}

/// Other seeds each time, and the same ones in each test.
#[derive(Default)]
struct Seeds(AtomicUsize);

impl Entropy for Seeds {
    fn seed(&self) -> Result<Seed, EntropyError> {
        let mut bytes = [7; 32];
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Ok(Seed::from_bytes(&mut bytes))
    }
}

/// The generator of a machine that has none.
struct NoSeeds;

impl Entropy for NoSeeds {
    fn seed(&self) -> Result<Seed, EntropyError> {
        Err(EntropyError("no device".into()))
    }
}

struct Nobody;

impl BuiltIn for Nobody {
    fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError> {
        Ok(Arc::default())
    }
}

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@north.example")).unwrap()
}

/// An account of the name of the first, with the certificates of all of them.
fn account(people: &[&Person]) -> Account {
    let held = |person: &&Person| HeldCertificate {
        certificate: person.certificate().clone(),
        state: CertificateState::Active,
        revoked: None,
    };
    let domain = Domain {
        name: "north.example".into(),
        aliases: Vec::new(),
        mode: DomainMode::Enabled,
        catch_all: None,
        overrides: DomainOverrides::default(),
        authorities: Vec::new(),
        trust: DomainTrust::default(),
        sealing: None,
        recovery: None,
    };
    Account {
        address: address(people[0].name),
        aliases: people[1..].iter().map(|person| address(person.name)).collect(),
        overrides: AccountOverrides::default(),
        certificates: people.iter().map(held).collect(),
        domain,
    }
}

/// What mail for an account that has all of these certificates is sealed to, under these settings.
fn prospect(settings: &str, people: &[&Person]) -> Prospect {
    let settings = Config::parse("test", settings).unwrap().settings;
    foresee(&[&account(people)], &settings, &[], &Nobody, now()).unwrap().unwrap()
}

fn encrypt<'a>(prospect: &'a Prospect, seeds: &'a Seeds) -> Encrypt<'a> {
    let (others, openpgp) = (SealedToOthers::Leave, OpenPgp::Keep);
    Encrypt { prospect, own: own(prospect), at: now(), others, weak: others, openpgp, entropy: seeds }
}

/// What messages call what it seals to, and the certificate of Xenia, whose owner had it before.
fn own(prospect: &Prospect) -> &'static HashSet<RecipientId> {
    let certificates = prospect.recipients.iter().map(|to| to.certificate()).chain([XENIA.certificate()]);
    Box::leak(Box::new(certificates.flat_map(Certificate::recipient_ids).collect()))
}

/// The message as a run would store it for these people.
fn encrypted(message: &[u8], settings: &str, people: &[&Person]) -> Vec<u8> {
    let (prospect, seeds) = (prospect(settings, people), Seeds::default());
    replaced(made_of(&encrypt(&prospect, &seeds), message)).0
}

fn decrypted(sealed: &[u8], person: &Person) -> (Vec<u8>, Vec<String>) {
    replaced(made_of(&Decrypt { keys: &[person.opening()] }, sealed))
}

/// A directory: accounts, with the people by whose certificates messages may name them and those whom mail is sealed to.
#[derive(Default)]
struct Directory {
    accounts: Vec<(&'static str, Vec<&'static Person>, Vec<&'static Person>)>,
    unfit: Vec<(&'static Person, &'static str)>,
    /// They have no right on the mailbox.
    without_right: Vec<&'static str>,
    asked: AtomicUsize,
    broken: bool,
}

impl Directory {
    fn with(
        mut self,
        name: &'static str,
        named: &[&'static Person],
        active: &[&'static Person],
    ) -> Directory {
        self.accounts.push((name, named.to_vec(), active.to_vec()));
        self
    }

    fn answer(&self, id: &RecipientId) -> NamedReader {
        let names = |person: &&Person| person.certificate().recipient_ids().contains(id);
        if let Some((_, reason)) = self.unfit.iter().find(|(person, _)| names(person)) {
            return named("rosa", Share::Unfit((*reason).into()));
        }
        let found: Vec<_> = self.accounts.iter().filter(|(_, named, _)| named.iter().any(names)).collect();
        if found.is_empty() {
            return NamedReader::Stranger;
        }
        let share = |name: &str, active: &[&Person]| match self.without_right.contains(&name) {
            true => Share::Falls,
            false => Share::Stays(crate::laws::people::validated(active)),
        };
        let account = |(name, _, active): &&(&str, _, Vec<&Person>)| NamedAccount {
            address: address(name),
            share: share(name, active),
        };
        NamedReader::Accounts(found.iter().map(account).collect())
    }
}

fn named(name: &str, share: Share) -> NamedReader {
    NamedReader::Accounts(vec![NamedAccount { address: address(name), share }])
}

impl Readers for Directory {
    fn find(&self, _: &StoredMailbox, named: &[RecipientId]) -> Result<Vec<NamedReader>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.broken {
            return Err("the directory is busy".into());
        }
        Ok(named.iter().map(|id| self.answer(id)).collect())
    }
}

/// Hands a message on, with the key of one person, to all these.
fn rekeyed(message: &[u8], key: &Person, people: &[&Person], directory: &Directory) -> Made {
    let (prospect, seeds) = (prospect("", people), Seeds::default());
    let keys: [OpeningKey<'_>; 1] = [key.opening()];
    made_of(&Rekey::new(&keys, &prospect, directory, &seeds), message)
}

//! Some 3 000 public messages, many malformed: what is sealed opens to what came in, byte for byte.
//!
//! `SEALPOST_FULL=1 cargo nextest run --release vectors` lets OpenSSL open every one and delivers all of SpamAssassin's
//! 2 500 through the hook; without it a sample goes that way, and all go through the library.

use crate::support::{Identity, Program, Store, crlf, path, tools, vectors};
use rayon::prelude::*;
use sealpost::crypto::{Entropy, Profile};
use sealpost::pki::{
    Certificate, MINIMUM_RSA_BITS, SealingCheck, UnlockedKey, ValidatedCertificate, read_private_key,
};
use sealpost::smime::{Mark, OpeningKey, SealJob, open, seal_many};
use sealpost::system::SystemEntropy;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Messages sealed side by side.
const BATCH: usize = 256;

fn is_full() -> bool {
    std::env::var_os("SEALPOST_FULL").is_some()
}

/// One in so many, unless all are asked for.
fn sample<T>(every: usize, all: Vec<T>) -> Vec<T> {
    let every = if is_full() { 1 } else { every };
    all.into_iter().step_by(every).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}

/// Every message of the vectors, the MTA's line in front taken off.
fn messages(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).unwrap();
        (file, sealpost::mail::without_mbox_line(&bytes).to_vec())
    };
    files(&folder.join("mail")).into_iter().map(read).collect()
}

struct Reader {
    key: UnlockedKey,
    certificate: Certificate,
    recipients: [ValidatedCertificate; 1],
}

impl Reader {
    fn new(person: &Identity) -> Reader {
        let certificate = Certificate::from_pem(&std::fs::read(&person.certificate).unwrap()).unwrap();
        let check = SealingCheck::by_itself(&[], OffsetDateTime::now_utc(), MINIMUM_RSA_BITS);
        let recipients = [ValidatedCertificate::for_sealing(&certificate, &check).unwrap()];
        let key = read_private_key(&std::fs::read(&person.key).unwrap(), None).unwrap();
        Reader { key, certificate, recipients }
    }

    fn seal(&self, messages: &[(PathBuf, Vec<u8>)], profile: Profile) -> Vec<Vec<u8>> {
        let jobs = messages.iter().map(|(_, message)| self.job(message, profile)).collect();
        seal_many(jobs).into_iter().map(|sealed| sealed.unwrap().bytes().to_vec()).collect()
    }

    fn job<'a>(&'a self, message: &'a [u8], profile: Profile) -> SealJob<'a> {
        let mark =
            Mark { at: OffsetDateTime::UNIX_EPOCH, rule: None, marked: Vec::new(), edited: Vec::new() };
        SealJob {
            message,
            recipients: &self.recipients,
            form: profile.into(),
            mark,
            seed: SystemEntropy.seed().unwrap(),
        }
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let key = OpeningKey { key: &self.key, certificate: Some(&self.certificate) };
        open(sealed, &[key]).unwrap().message.expose().to_vec()
    }
}

fn openssl(person: &Identity, sealed: &[u8]) -> Vec<u8> {
    let args = ["-recip", path(&person.certificate), "-inkey", path(&person.key)];
    Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
}

/// Does it begin otherwise than with a header field, or with our marker? Then a marker field goes in front, and
/// OpenSSL, which knows nothing of it, shows it.
fn needs_marker(message: &[u8]) -> bool {
    let line = message.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let colon = line.iter().position(|byte| *byte == b':');
    // RFC 5322 4.5: the obsolete form has white space before the colon.
    let name = line.get(..colon.unwrap_or(0)).unwrap_or(&[]).trim_ascii_end();
    let is_field = colon.is_some() && !name.is_empty() && name.iter().all(|byte| (33..127).contains(byte));
    !is_field || name.to_ascii_lowercase().starts_with(b"sealpost-")
}

/// Might it carry forged protection, which is renamed inside?
fn mentions_protection(message: &[u8]) -> bool {
    let lower = message.to_ascii_lowercase();
    [b"hp-outer".as_slice(), b"hp="]
        .iter()
        .any(|text| lower.windows(text.len()).any(|window| window == *text))
}

#[test]
fn every_message_opens_to_itself() {
    let Some(folder) = vectors().filter(|_| tools(&["openssl"])) else { return };
    let home = tempfile::tempdir().unwrap();
    let bob = crate::support::Authority::new(home.path()).rsa("bob");
    let reader = Reader::new(&bob);
    let messages = messages(&folder);
    assert!(messages.len() > 3000, "only {} messages", messages.len());
    for profile in [Profile::Compatible, Profile::Modern] {
        for batch in messages.chunks(BATCH) {
            let sealed = reader.seal(batch, profile);
            batch.par_iter().zip(&sealed).for_each(|((file, message), sealed)| {
                assert!(reader.open(sealed) == crlf(message), "{profile:?}, {}", file.display());
            });
        }
    }
}

#[test]
fn openssl_opens_the_messages() {
    let Some(folder) = vectors().filter(|_| tools(&["openssl"])) else { return };
    let home = tempfile::tempdir().unwrap();
    let bob = crate::support::Authority::new(home.path()).rsa("bob");
    let reader = Reader::new(&bob);
    let messages = sample(12, messages(&folder));
    for profile in [Profile::Compatible, Profile::Modern] {
        let sealed = reader.seal(&messages, profile);
        let differing = messages.par_iter().zip(&sealed).filter(|((file, message), sealed)| {
            let differs = openssl(&bob, sealed) != crlf(message);
            let expected = needs_marker(message) || (differs && mentions_protection(message));
            assert_eq!(
                differs,
                expected,
                "{profile:?}, {}: is what OpenSSL sees the message?",
                file.display()
            );
            differs
        });
        let differing = differing.count();
        println!(
            "{profile:?}: OpenSSL opened {}, {differing} with our marker or forged protection",
            messages.len()
        );
    }
}

/// Delivered by the hook under a rule file, one process a message; each opens with OpenSSL to what came in.
#[test]
fn real_mail_goes_through_the_hook() {
    let Some(folder) = vectors().filter(|_| tools(&["openssl"])) else { return };
    let store = Store::new();
    store.rules(
        "[[rule]]\nname = \"Lists\"\npriority = 5\nwhen = [[\"Header Field\", \"is\", \"List-Id: *\"]]\n\
         then = [[\"Store Encrypted in\", \"Lists\"], [\"Discard\"]]\n",
    );
    let files = sample(50, files(&folder.join("mail/spamassassin/easy-ham-1")));
    let begin = Instant::now();
    let mut expected: Vec<Vec<u8>> = Vec::new();
    for file in &files {
        let message = std::fs::read(file).unwrap();
        let ended = store.deliver(&message);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{}: {}",
            file.display(),
            ended.text()
        );
        expected.push(crlf(sealpost::mail::without_mbox_line(&message)));
    }
    let hooks = begin.elapsed();
    let is_mail = |file: &PathBuf| file.parent().and_then(Path::file_name).is_some_and(|name| name == "new");
    let stored: Vec<Vec<u8>> =
        store.stored().into_iter().filter(|(file, _)| is_mail(file)).map(|(_, bytes)| bytes).collect();
    assert_eq!(stored.len(), files.len());
    let mut opened: Vec<Vec<u8>> = stored.par_iter().map(|sealed| store.open(sealed)).collect();
    expected.sort();
    opened.sort();
    assert!(expected == opened, "what was stored opens to something else");
    report(&store, &files, hooks);
}

/// How long the hook took, and how much of that was sealing.
fn report(store: &Store, files: &[PathBuf], hooks: Duration) {
    let reader = Reader::new(&store.bob);
    let messages: Vec<(PathBuf, Vec<u8>)> =
        files.iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
    let begin = Instant::now();
    for message in messages.chunks(1) {
        reader.seal(message, Profile::Compatible);
    }
    let sealing = begin.elapsed();
    let share = 100.0 * sealing.as_secs_f64() / hooks.as_secs_f64();
    println!(
        "{} messages delivered in {hooks:.1?}; sealing is {sealing:.1?} of it ({share:.0} %)",
        files.len()
    );
}

//! What runs over stored messages cost: by their number, and against one message after the other. `cargo bench --bench mailbox [-- --publish]`
//!
//! The disk decides: `SEALPOST_BENCH_FOLDER` names a folder on the one that is meant (default: beside the build).
//! `SEALPOST_BENCH_MESSAGES` is the largest number of messages (default 100000), of 4 KiB each. Runs are those of the program, in
//! processes of their own, so that their peak memory is theirs; one after the other is the library's, on one thread.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark stops where its setup fails, and prints a table"
)]

mod measure;
mod sample;

use measure::curve::Curve;
use measure::machine::Machine;
use measure::{memory, publish, record};
use sample::site::{OWNER, Person, Site, text_of};
use sealpost::cms::RecipientId;
use sealpost::config::Config;
use sealpost::directory::{SqliteDirectory, StepMark};
use sealpost::engine::{Account, Prospect, foresee};
use sealpost::mail::Address;
use sealpost::mailbox::{Encrypt, Made, NamedReader, Read, Readers, Rekey, Work};
use sealpost::pki::{Certificate, UnlockedKey, read_certificates, read_key_file};
use sealpost::smime::OpeningKey;
use sealpost::store::{MaildirStore, Replaced, Replacement, RunId, StoredMailbox, StoredMessage};
use sealpost::system::SystemEntropy;
use std::collections::HashSet;
use std::io::Read as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Says the largest number of messages.
const VARIABLE: &str = "SEALPOST_BENCH_MESSAGES";
const DEFAULT_MOST: usize = 100_000;
/// Of a message, octets.
const SIZE: usize = 4 << 10;
/// One after the other: each waits for the disk several times.
const ALONE: usize = 1000;
/// Rounds of which the median counts, where a round is short.
const ROUNDS: usize = 3;

/// What a verb took.
#[derive(Clone, Copy)]
struct Took {
    time: Duration,
    /// The most memory, MiB.
    memory: f64,
}

impl Took {
    fn rate(self, messages: usize) -> f64 {
        messages as f64 / self.time.as_secs_f64()
    }
}

/// A mailbox full of clear messages, with nobody's certificate yet.
fn full(messages: usize) -> Site {
    let site = Site::new();
    site.fill(messages, SIZE);
    site
}

/// Runs the program and watches.
fn watch(site: &Site, words: &[&str]) -> Took {
    let begin = Instant::now();
    let (memory, went_well) = memory::of_program(site.program().args(words));
    assert!(went_well, "{words:?}");
    Took { time: begin.elapsed(), memory }
}

fn key_of(person: &Person) -> UnlockedKey {
    let read = read_key_file(&std::fs::read(&person.key).expect("a file"), None);
    read.expect("a key").keys.into_iter().next().expect("a key")
}

fn certificate_of(person: &Person) -> Certificate {
    let read = read_certificates(&std::fs::read(&person.certificate).expect("a file"));
    read.expect("certificates").into_iter().next().expect("a certificate")
}

/// Messages one after the other, each with a batch, a sync and a record of its own.
struct Alone<'a> {
    store: &'a MaildirStore,
    journal: &'a SqliteDirectory,
}

impl Alone<'_> {
    fn all(&self, owner: &Address, work: &dyn Work) -> usize {
        let mut done = 0;
        for mailbox in self.store.stored_mailboxes(owner).expect("mailboxes") {
            let messages: Vec<_> = self.store.messages(&mailbox).collect();
            for stored in messages {
                self.one(&stored.expect("a message"), work);
                done += 1;
            }
        }
        done
    }

    fn one(&self, stored: &StoredMessage, work: &dyn Work) {
        let (mut file, data) = stored.open().expect("a message").expect("it is there");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("a message");
        let made = work.make(&[Read { stored, bytes: &bytes }]).into_iter().next();
        let Some(Made::Replace(content, proof, _)) = made else { return };
        let staged = self.store.stage_replacement((stored, &data), RunId(1), &content).expect("staged");
        assert!(proof.holds(staged.read_back().expect("it is there").expose()));
        let step = staged.step();
        let mark = StepMark {
            account: step.mailbox.owner.clone(),
            mailbox: step.mailbox.name.clone(),
            old: step.old,
            new: step.new,
            letters: step.letters,
            file: step.file.as_text().to_owned(),
        };
        self.journal.remember_steps(&[], std::slice::from_ref(&mark)).expect("remembered");
        let replaced = Replacement::commit_all(vec![staged]).into_iter().next().expect("one");
        assert_eq!(replaced.expect("committed"), Replaced::Done);
        self.journal.remember_steps(&[mark], &[]).expect("remembered");
    }
}

/// What the library needs of a site.
struct Inside {
    config: Config,
    directory: SqliteDirectory,
    store: MaildirStore,
    owner: Address,
}

impl Inside {
    fn of(site: &Site) -> Inside {
        let config = Config::load(&site.root).expect("a configuration");
        let directory = SqliteDirectory::open(&site.root).expect("a directory");
        let store = MaildirStore::new(&site.root, &config.mail_root).expect("a store");
        Inside { config, directory, store, owner: Address::parse(OWNER).expect("an address") }
    }

    fn account(&self) -> Account {
        self.directory.account(&self.owner).expect("the account")
    }

    fn prospect(&self) -> Prospect {
        let (settings, bundle) = (&self.config.settings, &self.config.trust_bundle);
        let found = foresee(&[&self.account()], settings, &[], bundle, OffsetDateTime::now_utc());
        found.expect("it can be sealed").expect("to a certificate")
    }

    fn alone(&self, work: &(impl Work + Send)) -> Took {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let alone = Alone { store: &self.store, journal: &self.directory };
        let begin = Instant::now();
        let done = alone.all(&self.owner, &InPool { pool: &pool, work });
        let time = begin.elapsed();
        assert_eq!(done, ALONE);
        Took { time, memory: memory::status("self", "VmHWM:") as f64 / 1024.0 }
    }

    fn encrypt_alone(&self) -> Took {
        let (prospect, settings) = (self.prospect(), &self.config.settings);
        self.alone(&Encrypt {
            prospect: &prospect,
            own: &HashSet::new(),
            at: OffsetDateTime::now_utc(),
            others: settings.sealed_to_others,
            weak: settings.sealed_to_others,
            openpgp: settings.openpgp,
            entropy: &SystemEntropy,
        })
    }

    fn rekey_alone(&self, before: &Person) -> Took {
        let (key, certificate, prospect) = (key_of(before), certificate_of(before), self.prospect());
        let keys = [OpeningKey { key: &key, certificate: Some(&certificate) }];
        self.alone(&Rekey::new(&keys, &prospect, &Nobody, &SystemEntropy))
    }
}

/// A work on the threads of a pool.
struct InPool<'a, W> {
    pool: &'a rayon::ThreadPool,
    work: &'a W,
}

impl<W: Work + Send> Work for InPool<'_, W> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        self.pool.install(|| self.work.make(batch))
    }
}

/// Messages name the owner and nobody else.
struct Nobody;

impl Readers for Nobody {
    fn find(&self, _: &StoredMailbox, named: &[RecipientId]) -> Result<Vec<NamedReader>, String> {
        Ok(named.iter().map(|_| NamedReader::Stranger).collect())
    }
}

const ENCRYPT: [&str; 5] = ["mailbox", "encrypt", "--account", OWNER, "--all"];

/// Encrypt, inspect, rekey of so many.
fn runs(messages: usize) -> [Took; 3] {
    let site = full(messages);
    let before = site.certify("before");
    let encrypt = watch(&site, &ENCRYPT);
    let inspect = watch(&site, &["mailbox", "inspect", "--account", OWNER, "--all", "--json"]);
    site.retire();
    site.certify("now");
    let keys = ["--key", text_of(&before.key), "--old-cert", text_of(&before.certificate)];
    let rekey = watch(&site, &[&["mailbox", "rekey", "--account", OWNER, "--all"][..], &keys].concat());
    [encrypt, inspect, rekey]
}

/// The middle one of the rounds.
fn median(messages: usize) -> [Took; 3] {
    let rounds = if messages > 10_000 { 1 } else { ROUNDS };
    let all: Vec<[Took; 3]> = (0..rounds).map(|_| runs(messages)).collect();
    std::array::from_fn(|verb| {
        let mut of_verb: Vec<Took> = all.iter().filter_map(|round| round.get(verb)).copied().collect();
        of_verb.sort_by_key(|took| took.time);
        *of_verb.get(of_verb.len() / 2).expect("a round")
    })
}

fn row(name: &str, messages: usize, took: Took, beside: &str) {
    let (time, rate, memory) = (took.time.as_secs_f64(), took.rate(messages), took.memory);
    println!("{name:<18}{messages:>9}{time:>10.2}{rate:>12.0}{memory:>9.0}   {beside}");
}

fn main() -> ExitCode {
    let most: usize =
        std::env::var(VARIABLE).map_or(DEFAULT_MOST, |number| number.parse().expect("a number"));
    println!("{:<18}{:>9}{:>10}{:>12}{:>9}", "verb", "messages", "seconds", "messages/s", "MiB");
    let site = full(ALONE);
    let before = site.certify("before");
    let alone_encrypt = Inside::of(&site).encrypt_alone();
    row("encrypt, alone", ALONE, alone_encrypt, "one after the other");
    site.retire();
    site.certify("now");
    let alone_rekey = Inside::of(&site).rekey_alone(&before);
    row("rekey, alone", ALONE, alone_rekey, "one after the other");
    drop(site);
    let numbers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].into_iter().filter(|number| *number <= most);
    let names = [
        ("mailbox encrypt", Some(alone_encrypt)),
        ("mailbox inspect", None),
        ("mailbox rekey", Some(alone_rekey)),
    ];
    let mut curves =
        names.map(|(name, _)| Curve { name, of: "stored messages of 4 KiB", points: Vec::new(), note: "" });
    for messages in numbers {
        for (((name, alone), took), curve) in names.into_iter().zip(median(messages)).zip(&mut curves) {
            let ratio = alone.map(|alone| took.rate(messages) / alone.rate(ALONE));
            let ratio = ratio.map(|ratio| format!("{ratio:.1} x one after the other"));
            row(name, messages, took, &ratio.unwrap_or_default());
            curve.points.push((messages as f64, took.time.as_secs_f64() * 1000.0));
        }
    }
    println!();
    curves.iter().for_each(Curve::print);
    let command = "cargo bench --bench mailbox";
    let machine = Machine::here(&match most {
        DEFAULT_MOST => command.to_owned(),
        most => format!("{VARIABLE}={most} {command}"),
    });
    let file = record::write("mailbox.json", &machine, "curves", curves.iter().map(Curve::json).collect());
    println!("written to {}", file.display());
    if std::env::args().any(|word| word == "--publish") {
        publish::curves("mailbox");
    }
    if curves.iter().all(Curve::is_straight) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

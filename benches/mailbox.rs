//! What runs over stored messages cost: by their number, and against one message after the other. `cargo bench --bench mailbox`
//!
//! The disk decides: `SEALPOST_BENCH_FOLDER` names a folder on the one that is meant (default: beside the build).
//! `SEALPOST_BENCH_MESSAGES` is the largest number of messages (default 100000), of 4 KiB each. Runs are those of the program, in
//! processes of their own, so that their peak memory is theirs; one after the other is the library's, on one thread.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark stops where its setup fails, and prints a table"
)]

mod sample;

use sample::message;
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
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Of a message, octets.
const SIZE: usize = 4 << 10;
/// One after the other: each waits for the disk several times.
const ALONE: usize = 1000;
/// Rounds of which the median counts, where a round is short.
const ROUNDS: usize = 3;
const OWNER: &str = "bob@north.example";

/// What a verb took.
#[derive(Clone, Copy)]
struct Took {
    time: Duration,
    /// The most memory, KiB.
    memory: u64,
}

impl Took {
    fn rate(self, messages: usize) -> f64 {
        messages as f64 / self.time.as_secs_f64()
    }
}

/// A store with a mailbox full of clear messages, and two people of one address: of before and of now.
struct Site {
    root: PathBuf,
    folder: tempfile::TempDir,
}

struct Person {
    certificate: PathBuf,
    key: PathBuf,
}

impl Site {
    fn new(messages: usize) -> Site {
        let place = std::env::var_os("SEALPOST_BENCH_FOLDER");
        let place = place.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        let folder = tempfile::tempdir_in(place).expect("a folder");
        let site = Site { root: folder.path().join("store"), folder };
        site.run(&["init"]);
        site.run(&["domain", "add", "north.example"]);
        site.run(&["account", "add", OWNER]);
        site.fill(messages);
        site
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        program.env_remove("SEALPOST_ROOT").arg("--root").arg(&self.root).stdout(Stdio::null());
        program
    }

    fn run(&self, words: &[&str]) {
        assert!(self.program().args(words).status().expect("it starts").success(), "{words:?}");
    }

    /// Runs and watches.
    fn watch(&self, words: &[&str]) -> Took {
        let begin = Instant::now();
        let mut child = self.program().args(words).stderr(Stdio::null()).spawn().expect("it starts");
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0;
        while child.try_wait().expect("it is ours").is_none() {
            memory = memory.max(high_water(&status));
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(child.wait().expect("it is ours").success(), "{words:?}");
        Took { time: begin.elapsed(), memory }
    }

    fn maildir(&self) -> PathBuf {
        self.root.join("mail/north.example/bob/Maildir")
    }

    fn fill(&self, messages: usize) {
        let maildir = self.maildir();
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(maildir.join(part)).expect("a folder");
        }
        // What a message takes besides its attachment, so that the whole has the size that is meant.
        let bytes = message(SIZE.saturating_sub(message(0).len()));
        for number in 0..messages {
            let name = format!(
                "{}.M1P1Q{number}.mx,S={},W={}:2,S",
                1_000_000_000 + number,
                bytes.len(),
                bytes.len()
            );
            std::fs::write(maildir.join("cur").join(name), &bytes).expect("a message");
        }
        let synced = Command::new("sync").arg("-f").arg(&maildir).status();
        assert!(synced.expect("it starts").success());
    }

    /// Makes a key with a certificate, gives the directory the certificate, and retires what was there.
    fn certify(&self, name: &str) -> Person {
        let [certificate, key, config] =
            ["pem", "key", "cnf"].map(|kind| self.folder.path().join(format!("{name}.{kind}")));
        let text = format!(
            "[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=person\n[name]\nCN=Bob\n[person]\nbasicConstraints=critical,CA:FALSE\n\
             keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=emailProtection\nsubjectAltName=email:{OWNER}\n"
        );
        std::fs::write(&config, text).expect("a file");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config"]);
        openssl.arg(&config).arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
        assert!(openssl.status().expect("openssl starts").success());
        if name != "before" {
            self.run(&["cert", "retire", "--account", OWNER]);
        }
        self.run(&["cert", "add", "--account", OWNER, "--file", text_of(&certificate)]);
        Person { certificate, key }
    }
}

impl Person {
    fn key(&self) -> UnlockedKey {
        let read = read_key_file(&std::fs::read(&self.key).expect("a file"), None);
        read.expect("a key").keys.into_iter().next().expect("a key")
    }

    fn certificate(&self) -> Certificate {
        let read = read_certificates(&std::fs::read(&self.certificate).expect("a file"));
        read.expect("certificates").into_iter().next().expect("a certificate")
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

fn high_water(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
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
        Took { time, memory: high_water("/proc/self/status") }
    }

    fn encrypt_alone(&self) -> Took {
        let (prospect, settings) = (self.prospect(), &self.config.settings);
        self.alone(&Encrypt {
            prospect: &prospect,
            own: &HashSet::new(),
            at: OffsetDateTime::now_utc(),
            others: settings.sealed_to_others,
            openpgp: settings.openpgp,
            entropy: &SystemEntropy,
        })
    }

    fn rekey_alone(&self, before: &Person) -> Took {
        let (key, certificate, prospect) = (before.key(), before.certificate(), self.prospect());
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
    let site = Site::new(messages);
    let before = site.certify("before");
    let encrypt = site.watch(&ENCRYPT);
    let inspect = site.watch(&["mailbox", "inspect", "--account", OWNER, "--all", "--json"]);
    site.certify("now");
    let keys = ["--key", text_of(&before.key), "--old-cert", text_of(&before.certificate)];
    let rekey = site.watch(&[&["mailbox", "rekey", "--account", OWNER, "--all"][..], &keys].concat());
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
    let (time, rate, memory) = (took.time.as_secs_f64(), took.rate(messages), took.memory / 1024);
    println!("{name:<18}{messages:>9}{time:>10.2}{rate:>12.0}{memory:>9}   {beside}");
}

fn main() {
    let most: usize =
        std::env::var("SEALPOST_BENCH_MESSAGES").map_or(100_000, |number| number.parse().expect("a number"));
    println!("{:<18}{:>9}{:>10}{:>12}{:>9}", "verb", "messages", "seconds", "messages/s", "MiB");
    let site = Site::new(ALONE);
    let before = site.certify("before");
    let alone_encrypt = Inside::of(&site).encrypt_alone();
    row("encrypt, alone", ALONE, alone_encrypt, "one after the other");
    site.certify("now");
    let alone_rekey = Inside::of(&site).rekey_alone(&before);
    row("rekey, alone", ALONE, alone_rekey, "one after the other");
    drop(site);
    let numbers: Vec<usize> =
        [1000, 10_000, 100_000, 1_000_000].into_iter().filter(|number| *number <= most).collect();
    let mut last: Option<(usize, [Took; 3])> = None;
    for messages in numbers {
        let took = median(messages);
        let names = [("encrypt", Some(alone_encrypt)), ("inspect", None), ("rekey", Some(alone_rekey))];
        for (at, ((name, alone), took_here)) in names.into_iter().zip(took).enumerate() {
            let ratio = alone.map(|alone| {
                format!("{:.1} x one after the other", took_here.rate(messages) / alone.rate(ALONE))
            });
            let slope = last
                .and_then(|(fewer, before)| Some(slope((fewer, *before.get(at)?), (messages, took_here))));
            let slope = slope.map(|slope| format!("slope {slope:.2}"));
            row(
                name,
                messages,
                took_here,
                &[ratio, slope].into_iter().flatten().collect::<Vec<_>>().join(", "),
            );
        }
        last = Some((messages, took));
    }
}

/// How time grows with the number: 1 is a straight line.
fn slope((fewer, before): (usize, Took), (more, after): (usize, Took)) -> f64 {
    (after.time.as_secs_f64() / before.time.as_secs_f64()).ln() / (more as f64 / fewer as f64).ln()
}

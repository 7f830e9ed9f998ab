//! How cost grows with recipients, rules, size and accounts: points, and the slope of their logarithms, which is to be at
//! most 1.1. `cargo bench --bench growth [-- --publish]`; how it grows with stored messages says `--bench mailbox`.
//!
//! The figures are written to `target/growth.json`.

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
use measure::heap::Heap;
use measure::machine::Machine;
use measure::{Clock, Plan, Side, publish, record, rounds};
use sample::rules::{Asked, envelope, judge, program, travelled};
use sample::{everybody, holder_of, job, message_of, now, reader, seal_to};
use sealpost::config::Config;
use sealpost::crypto::Profile;
use sealpost::directory::{NewAccount, NewDomain, SqliteDirectory};
use sealpost::engine::{
    Clock as WallClock, Disposition, DomainMode, Engine, NoHelpers, NoOutbox, Recipient, Request, RuleCache,
};
use sealpost::mail::{Address, Span};
use sealpost::pki::{Certificate, KeyType, ValidatedCertificate};
use sealpost::rules::Source;
use sealpost::smime::{LargeMessage, SealJob, seal_large, seal_many};
use sealpost::store::MemoryStore;
use sealpost::system::SystemEntropy;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use time::OffsetDateTime;

/// Rounds enough for a median; the long ones take the fewest.
const PLAN: Plan =
    Plan { clock: Clock::Processor, slice: Duration::from_millis(3), budget: Duration::from_secs(10) };

fn main() -> ExitCode {
    let wants_publishing = std::env::args().any(|word| word == "--publish");
    let machine = Machine::here("cargo bench --bench growth");
    println!("{}\n", machine.text());
    Heap::Grown.set();
    let curves = [recipients, rules, size, batch, accounts].map(|measure| {
        let curve = measure();
        curve.print();
        curve
    });
    let file = record::write("growth.json", &machine, "curves", curves.iter().map(Curve::json).collect());
    println!("written to {}", file.display());
    if wants_publishing {
        publish::curves("growth");
    }
    if curves.iter().all(Curve::is_straight) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All points of a curve in interleaved rounds, as everywhere.
fn points<'a>(numbers: &[usize], work: impl Fn(usize) -> Box<dyn FnMut() + 'a>) -> Vec<(f64, f64)> {
    let mut sides: Vec<Side<'a>> = numbers.iter().map(|number| Side::new("", work(*number))).collect();
    let figures = rounds(&mut sides, PLAN).figures(1);
    numbers.iter().zip(figures).map(|(number, figure)| (*number as f64, figure.median / 1000.0)).collect()
}

/// Each with an RSA key of its own.
fn recipients() -> Curve {
    let numbers = [1, 2, 3, 5, 10, 20, 30];
    let people: Vec<_> = (0..30).map(|number| holder_of(KeyType::Rsa2048, 3 + 2 * number)).collect();
    let message = message_of(4 << 10);
    let points = points(&numbers, |number| {
        let to = everybody(people.get(..number).expect("so many"));
        let message = message.clone();
        Box::new(move || drop(black_box(seal_to(&message, &to, Profile::Compatible).expect("it seals"))))
    });
    Curve { name: "seal 4 KiB", of: "recipients", points, note: "" }
}

/// Of three conditions each, all of them asked.
fn rules() -> Curve {
    let mail = travelled(75 << 10);
    let points = points(&[1, 3, 10, 30, 100, 300, 1000], |number| {
        let (program, mail, envelope) = (program(number, Asked::All), mail.clone(), envelope());
        Box::new(move || drop(black_box(judge(&program, &mail, &envelope))))
    });
    Curve { name: "judge 75 KiB", of: "rules", points, note: "" }
}

/// As the product does it: above the default of `memory-limit` as a stream, whose pieces go to a file.
fn size() -> Curve {
    let numbers = [1 << 10, 16 << 10, 256 << 10, 4 << 20, 32 << 20, 256 << 20];
    let limit = usize::try_from(Config::default().memory_limit).expect("a size");
    let holder = holder_of(KeyType::Rsa2048, 3);
    let points = points(&numbers, |number| {
        let (message, to) = (message_of(number), everybody(std::slice::from_ref(&holder)));
        if number > limit {
            return Box::new(move || stream(&message, &to));
        }
        Box::new(move || drop(black_box(seal_to(&message, &to, Profile::Compatible).expect("it seals"))))
    });
    let note = "above 32 MiB as a stream, as the product does";
    Curve { name: "seal", of: "octets", points, note }
}

fn stream(message: &[u8], to: &[ValidatedCertificate]) {
    let large = LargeMessage::survey(Span::of(&message)).expect("it can be read twice");
    let SealJob { form, mark, seed, .. } = job(message, to, Profile::Compatible);
    let sealed = seal_large(&large, to, form, &mark, seed).expect("it seals");
    let written = sealed.write(&mut |piece| {
        black_box(piece);
        Ok(())
    });
    written.expect("all of it");
}

/// On one thread.
fn batch() -> Curve {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let (holder, message) = (holder_of(KeyType::Rsa2048, 3), message_of(4 << 10));
    let (pool, message) = (&pool, &message);
    let points = points(&[1, 10, 100, 1000, 10_000], |number| {
        let to = everybody(std::slice::from_ref(&holder));
        Box::new(move || {
            let jobs = (0..number).map(|_| job(message, &to, Profile::Compatible)).collect();
            drop(black_box(pool.install(|| seal_many(jobs))));
        })
    });
    Curve { name: "seal_many of 4 KiB", of: "messages", points, note: "" }
}

/// When the certificates are good.
struct Then;

impl WallClock for Then {
    fn now(&self) -> OffsetDateTime {
        now()
    }
}

/// From the request to the sealed message in memory, the directory asked.
fn accounts() -> Curve {
    let numbers = [1, 10, 100, 1000, 10_000, 100_000];
    let (holder, message) = (holder_of(KeyType::Rsa2048, 3), message_of(4 << 10));
    let certificate = &holder.certificate;
    let (config, rules) = (Config::default(), RuleCache::default());
    let (config, rules, message) = (&config, &rules, &message);
    let points = points(&numbers, |number| {
        let folder = in_memory();
        let root = folder.path().join("store");
        fill(&root, number, certificate);
        let directory = SqliteDirectory::open_for_reading(&root).expect("a directory");
        Box::new(move || {
            let _keep = &folder;
            let store = MemoryStore::default();
            let engine = Engine {
                directory: &directory,
                store: &store,
                clock: &Then,
                entropy: &SystemEntropy,
                built_in: &config.trust_bundle,
                outbox: &NoOutbox,
                helpers: &NoHelpers,
                rules,
                settings: &config.settings,
            };
            let outcome = engine.deliver(&request(message));
            assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
        })
    });
    Curve { name: "deliver 4 KiB", of: "accounts in the directory", points, note: "" }
}

fn request(message: &[u8]) -> Request<'_> {
    Request {
        large: None,
        message,
        sender: Some("bo@north.example".into()),
        recipients: vec![Recipient { address: reader(), original: None }],
        source: Source::Pipe,
        client: None,
        queue_id: None,
        known_by_content: false,
        until: None,
    }
}

/// Each account is a transaction that is synced: on a disk the setup alone would take minutes.
fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// So many accounts with a certificate each, the reader's among them. Whose name stands in the certificate is asked when
/// something is sealed to it.
fn fill(root: &Path, number: usize, certificate: &Certificate) {
    let directory = SqliteDirectory::create(root).expect("a directory");
    let domain = NewDomain { name: "north.example".into(), aliases: Vec::new(), mode: DomainMode::Enabled };
    directory.add_domain(&domain).expect("a domain");
    let others = (1..number).map(|number| Address::parse(&format!("user{number}@north.example")));
    for address in others.chain([Ok(reader())]) {
        let address = address.expect("an address");
        let new = NewAccount { address: address.clone(), aliases: Vec::new() };
        directory.add_account(&new).expect("an account");
        directory.add_certificate(&address, certificate, "bench").expect("a certificate");
    }
}

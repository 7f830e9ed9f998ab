//! One message of 25 MiB, and one that is larger than the memory limit.

use super::one::{OURS, people};
use super::race_on_both_heaps;
use crate::measure::record::{Figure, Row, Target};
use crate::measure::table::digits;
use crate::measure::{Plan, Side, memory as peak};
use crate::peers::crates::{self, Crates};
use crate::peers::openssl::{ALONE, BEST, OpenSsl, header_of};
use crate::sample::site::{OWNER, Site, folder};
use crate::sample::{everybody, holder_of, message_of, seal_to};
use sealpost::crypto::Profile;
use sealpost::pki::KeyType;
use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

const SIZE: usize = 25 << 20;
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn seal(name: &'static str) -> Row {
    let (people, message) = (people(1), message_of(SIZE));
    let (ours, all) = (everybody(&people), people.iter().collect::<Vec<_>>());
    let (openssl, mut crates) = (OpenSsl::cbc(&all), Crates::new(&all));
    let small = seal_to(&message_of(4 << 10), &ours, Profile::Compatible).expect("it seals");
    let header = header_of(small.bytes());
    let row = race_on_both_heaps(
        name,
        Target::times(2.4, 2.8),
        Plan::LONG,
        &mut [
            Side::new(OURS, || drop(black_box(seal_to(&message, &ours, Profile::Compatible)))),
            Side::new(ALONE, || drop(black_box(openssl.seal(&message)))),
            Side::new(BEST, || drop(black_box(openssl.seal_with_encodify(&message, header)))),
            Side::new(crates::NAME, || drop(black_box(crates.seal(&message, header)))),
        ],
    );
    let heap = row.note.clone().unwrap_or_default();
    row.with_note(format!("{heap}; {}", first_of_a_process()))
}

/// Our room for a large message is kept for the next; a process that seals one never gets it back.
fn first_of_a_process() -> String {
    let (folder, message) = (folder(), message_of(SIZE));
    let file = folder.path().join("message");
    std::fs::write(&file, &message).expect("a file");
    let median = |name| {
        let mut micros: Vec<f64> = (0..9).map(|_| peak::of(name, &file).micros).collect();
        micros.sort_by(f64::total_cmp);
        micros.get(4).copied().unwrap_or(f64::NAN)
    };
    let ours = median(OURS);
    let against = [ALONE, BEST].map(|name| {
        let peer = median(name);
        format!("{name} {} ({} ×)", digits(peer), digits(peer / ours))
    });
    format!("the first of a process {} µs against {}", digits(ours), against.join(" and "))
}

/// What sealing adds to a process that holds the message: the output counts, the message does not.
pub(crate) fn memory(name: &'static str) -> Row {
    let (folder, message) = (folder(), message_of(SIZE));
    let file = folder.path().join("message");
    std::fs::write(&file, &message).expect("a file");
    let message = message.len() as f64 / MIB;
    let target = Target::memory(message * 1.4 + 4.0, 16.0);
    let figure = |name: &str| Figure::once(name, peak::of(name, &file).mib);
    let (ours, peers) = (figure(OURS), [ALONE, BEST, crates::NAME].map(figure).into());
    let reached = Some(ours.median);
    let row = Row { name, unit: "MiB", ours: Some(ours), peers, reached, target, note: None };
    row.with_note(format!(
        "to be at most 1.4 times the message of {message:.1} MiB and 4 MiB, its output included"
    ))
}

/// The other side of [`memory`]: the process that does nothing else.
pub(crate) fn alone(who: &str, file: &Path) {
    let (message, holder) = (std::fs::read(file).expect("the message"), holder_of(KeyType::Rsa2048, 3));
    let (openssl, mut crates) = (OpenSsl::cbc(&[&holder]), Crates::new(&[&holder]));
    let seal = |message: &[u8]| seal_to(message, &holder.recipients, Profile::Compatible).expect("it seals");
    let small = message_of(4 << 10);
    let sealed = seal(&small);
    let header = header_of(sealed.bytes());
    // What each makes once is made now.
    drop((openssl.seal(&small), openssl.seal_with_encodify(&small, header), crates.seal(&small, header)));
    match who {
        OURS => peak::print_cost(|| seal(&message)),
        ALONE => peak::print_cost(|| openssl.seal(&message)),
        BEST => peak::print_cost(|| openssl.seal_with_encodify(&message, header)),
        crates::NAME => peak::print_cost(|| crates.seal(&message, header)),
        who => unreachable!("nobody is called {who}"),
    }
}

/// Whole processes that work on a message larger than the memory limit: the one that takes most counts, the program's own pages
/// with it. Beside it `openssl cms -stream`.
pub(crate) fn memory_above(name: &'static str) -> Row {
    let target = Target::memory(16.0, 16.0);
    let site = Site::new();
    let person = site.certify("now");
    let in_folder = |name: &str| site.folder.path().join(name);
    let (file, sealed) = (in_folder("large"), in_folder("sealed"));
    // `max-message` takes 256 MiB and not an octet more.
    let message = message_of((256 << 20) - (1 << 20));
    std::fs::write(&file, &message).expect("a file");
    drop(message);
    let reads = |program: &mut Command, file: &Path| {
        peak::of_program(program.stdin(File::open(file).expect("the message")))
    };
    let deliver = || {
        let mut deliver = site.program();
        deliver.args(["deliver", "--sender=bo@north.example"]).arg(format!("--recipient={OWNER}"));
        deliver
    };
    let by = |verb: &str, to: &Path| {
        let mut program = site.program();
        program.arg(verb).arg("--cert").arg(&person.certificate).arg("--output").arg(to);
        program
    };
    let ours = [
        ("deliver", reads(&mut deliver(), &file)),
        ("deliver from a pipe", piped(&mut deliver(), &file)),
        ("seal", reads(&mut by("seal", &sealed), &file)),
        ("open", reads(by("open", &in_folder("opened")).arg("--key").arg(&person.key), &sealed)),
    ];
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-encrypt", "-stream", "-binary", "-aes-256-cbc", "-in"]).arg(&file);
    openssl.arg("-out").arg(in_folder("theirs")).arg(&person.certificate).stdin(Stdio::null());
    let (theirs, _) = peak::of_program(&mut openssl);
    if let Some((name_of_ours, _)) = ours.iter().find(|(_, (_, went_well))| !went_well) {
        return Row::missing(name, "MiB", target, &format!("{name_of_ours} took no message of 255 MiB"));
    }
    let most = ours.iter().map(|(_, (mib, _))| *mib).fold(0.0, f64::max);
    let each = ours.map(|(name, (mib, _))| format!("{name} {} MiB", digits(mib)));
    let peers = vec![Figure::once("openssl cms -stream", theirs)];
    let ours = Some(Figure::once(OURS, most));
    Row { name, unit: "MiB", ours, peers, reached: Some(most), target, note: None }.with_note(format!(
        "whole processes with the pages of their program, of a message of 255 MiB: {}",
        each.join(", ")
    ))
}

/// The same with the file coming through a pipe.
fn piped(program: &mut Command, file: &Path) -> (f64, bool) {
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().expect("cat starts");
    let took = peak::of_program(program.stdin(cat.stdout.take().expect("a pipe")));
    let _ = cat.wait();
    took
}

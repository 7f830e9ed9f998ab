//! What hostile structures cost: memory by the process that reads them, time by the processor's clock of this thread.

use super::case::{Case, cases};
use super::swollen::{SWELLINGS, Swelling};
use crate::hostile::memory::{TIMES, assert_bounded};
use crate::laws::people::ELLA;
use crate::laws::structure::mail;
use crate::support::{Ended, Program, path};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use std::path::PathBuf;

/// One for each profile, sealed to one key: what is swollen.
fn lean() -> impl Iterator<Item = &'static Case> {
    cases().iter().filter(|case| case.name.ends_with("-ella as ella"))
}

/// Files with Ella's key and certificate.
struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    fn new() -> Keys {
        let keys = Keys { folder: tempfile::tempdir().unwrap() };
        std::fs::write(keys.file("key"), ELLA.key().to_pkcs8().unwrap().expose()).unwrap();
        std::fs::write(keys.file("cert"), ELLA.certificate().to_pem().unwrap()).unwrap();
        keys
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, verb: &str, message: &[u8]) -> Ended {
        let (key, cert) = (self.file("key"), self.file("cert"));
        let own = if verb == "rekey" { "--old-cert" } else { "--cert" };
        let mut args = vec![verb, "--key", path(&key), own, path(&cert)];
        args.extend(if verb == "rekey" { vec!["--cert", path(&cert)] } else { vec![] });
        Program::sealpost().args(args).input(message).run()
    }
}

/// What opens but for what it is swollen by is within the bound as well as the structures of `hostile`.
#[test]
fn swollen_structures_take_little_memory() {
    // Nearly as many elements as are taken at all.
    const SIZE: usize = 1_900_000;
    let keys = Keys::new();
    for (case, verb) in lean().zip(["open", "rekey"].into_iter().cycle()) {
        let good = keys.run(verb, &mail(&case.octets));
        assert_eq!(good.code, Some(0), "{} is well", case.name);
        for swelling in &SWELLINGS {
            let message = mail(&(swelling.swell)(case, SIZE));
            let ended = keys.run(verb, &message);
            let what = format!("{verb} {} {}", case.name, swelling.name);
            assert!(ended.peak_memory > message.len() as u64, "{what}: the memory was not seen");
            assert_bounded(&what, &ended, good.peak_memory, message.len(), TIMES);
        }
    }
}

/// Microseconds that this thread has worked.
fn worked() -> i64 {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().num_microseconds()
}

/// The less of two, because other programs disturb the caches.
pub(super) fn cost<T>(mut work: impl FnMut() -> T) -> i64 {
    let once = |_| {
        let begin = worked();
        drop(work());
        worked() - begin
    };
    (0..2).map(once).min().unwrap_or_default()
}

fn cost_of_opening(case: &Case, swelling: &Swelling, size: usize) -> i64 {
    let message = mail(&(swelling.swell)(case, size));
    cost(|| case.outcome_of_mail(&message))
}

/// Eight times the octets take eight times the time, not sixty-four times; half as much again, and the time for new pages,
/// is left for what happens beside.
#[test]
fn time_grows_with_the_size_and_not_faster() {
    const SMALL: usize = 48 << 10;
    for case in lean() {
        for swelling in &SWELLINGS {
            let (small, large) =
                (cost_of_opening(case, swelling, SMALL), cost_of_opening(case, swelling, 8 * SMALL));
            println!("{} {}: {small} us, {large} us", case.name, swelling.name);
            assert!(large < 12 * small + 5_000, "{} {}: {small} us, {large} us", case.name, swelling.name);
        }
    }
}

//! `sealpost bench`: what this machine does.

mod figures;
mod folder;
mod people;
mod rounds;
mod sealing;
mod steps;
mod storing;

use super::context::Context;
use super::failure::Failure;
use super::output::{Output, tell_terminal};
use super::progress;
use crate::directory::SqliteDirectory;
use crate::system::Interrupt;
use figures::{Figures, Machine};
use folder::Folder;
use people::{Holder, holders};
use rounds::Rounds;
use sealing::Pools;
use std::path::PathBuf;
use std::time::Duration;
use storing::Shelf;

/// What is measured of a message, by its bytes as it comes in.
#[derive(Debug, Clone, Copy)]
struct Size {
    name: &'static str,
    bytes: usize,
    /// The most that are sealed in one call.
    batch: usize,
}

const SIZES: [Size; 3] = [
    Size { name: "4 KiB", bytes: 4 << 10, batch: 512 },
    Size { name: "75 KiB", bytes: 75 << 10, batch: 128 },
    Size { name: "1 MiB", bytes: 1 << 20, batch: 32 },
];
/// How long it measures if nothing is said.
const SECONDS: u64 = 20;
/// Of those that are stored: what most mail is, and what fills disks.
const STORED: [Size; 2] = [SIZES[0], SIZES[1]];

/// Measure what this machine does: sealing, opening, storing
///
/// Messages of three sizes are sealed under each profile, many in one call, on one core and on all, and opened again;
/// sealed messages are stored as a delivery stores them, each synced before it counts, one after the other and many at
/// once. A last table says where the time of one delivery goes: the microseconds of each step, and its share in percent.
/// Keys are made for it and stay in memory; no store, no certificate and no root is needed.
/// It stores in a folder of its own, which goes away again: below --store-in, or below the root if there is a store,
/// or else where temporary files are. Name a folder on the disk that will hold the mail: where temporary files are
/// often lies in memory, and nothing is synced there. Some hundred megabytes are written at most.
/// Figures are medians. A machine that others use too gives other figures each time: compare what was measured in one
/// run (a profile with another, one core with all) rather than the figures of two days.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost bench
  sealpost bench --seconds 5 --json > today.json
  sealpost bench --store-in /srv/mail

MB are millions of bytes of the messages as they come in. Many messages are sealed in one call,
as whole mailboxes and full queues are; a message alone takes as long as the last table says.")]
pub(super) struct Bench {
    /// About how long to measure; a slow machine takes up to twice as long
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Store below this folder, on the disk that is to be measured
    #[arg(long, value_name = "DIR")]
    store_in: Option<PathBuf>,
}

impl Bench {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let interrupt = Interrupt::listen(|| tell_terminal("ending"))
            .map_err(|error| Failure::io("listen for", "signals", &error))?;
        let place = self.place(context)?;
        let folder = Folder::make(&place)?;
        let (holders, pools) = (holders()?, Pools::new()?);
        let planned = planned(holders.len());
        let each = Duration::from_secs(self.seconds) / u32::try_from(planned).unwrap_or(u32::MAX);
        let rounds = Rounds::new(each, interrupt.flag(), progress::bar(out, planned));
        let figures = measure(&rounds, &holders, &pools, &folder)?;
        rounds.finish();
        let machine = Machine::new(&pools, folder.is_in_memory(), place);
        folder.remove()?;
        figures.show(&machine, out)
    }

    /// Below which folder it stores.
    fn place(&self, context: &Context) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.store_in {
            return Ok(folder.clone());
        }
        if !SqliteDirectory::exists(context.root()) {
            return Ok(std::env::temp_dir());
        }
        context.become_owner().map_err(|failure| failure.hint("--store-in DIR names another folder"))?;
        Ok(context.root().to_owned())
    }
}

/// How many measurements there are.
fn planned(holders: usize) -> usize {
    let sealed = holders * SIZES.len() * Pools::MEASURED;
    sealed + STORED.len() * (Shelf::MEASURED + steps::MEASURED) + steps::SHARED
}

fn measure(
    rounds: &Rounds<'_>,
    holders: &[Holder],
    pools: &Pools,
    folder: &Folder,
) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for holder in holders {
        for size in SIZES {
            figures.sealing.push(sealing::measure(rounds, pools, holder, size)?);
        }
    }
    let holder = holders.first().ok_or_else(people::nobody)?;
    let shelf = Shelf::new(folder.path())?;
    for size in STORED {
        figures.storing.push(shelf.measure(rounds, holder, size)?);
    }
    figures.steps = steps::measure(rounds, holder, &figures.storing)?;
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressBar;
    use std::cell::Cell;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    /// So nothing is measured besides what the time is divided by. It is over as soon as it has begun.
    #[test]
    fn every_measurement_is_one_of_those_that_share_the_time() {
        let (begin, has_begun, stop) = (Instant::now(), Cell::new(false), AtomicBool::new(false));
        let clock = || if has_begun.replace(true) { begin + Duration::from_secs(3600) } else { begin };
        let rounds = Rounds::by(&clock, Duration::from_millis(1), &stop, ProgressBar::hidden());
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::make(place.path()).ok().unwrap();
        let holders = holders().ok().unwrap();
        measure(&rounds, &holders, &Pools::new().ok().unwrap(), &folder).ok().unwrap();
        assert_eq!(rounds.made() as usize, planned(holders.len()));
    }

    /// What a slow machine may take leaves a quarter of a minute for keys and the last round.
    #[test]
    fn it_ends_within_a_minute() {
        assert!(SECONDS * u64::from(rounds::LATE) <= 45);
    }
}

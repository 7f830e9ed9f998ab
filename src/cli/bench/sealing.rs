//! Sealing and opening, on one core and on all.

use super::super::failure::{Code, Failure};
use super::Size;
use super::people::{Holder, Recipients, letter, seal_all};
use super::rounds::{Rounds, timed};
use crate::smime::open;
use rayon::{ThreadPool, ThreadPoolBuilder, current_num_threads};
use std::thread::available_parallelism;

/// One core, and all of them.
pub(super) struct Pools {
    one: ThreadPool,
    all: ThreadPool,
    cores: usize,
}

impl Pools {
    /// Measurements of one size.
    pub(super) const MEASURED: usize = 3;

    pub(super) fn new() -> Result<Pools, Failure> {
        Pools::of(available_parallelism().map_or(1, usize::from))
    }

    fn of(cores: usize) -> Result<Pools, Failure> {
        Ok(Pools { one: pool(1)?, all: pool(cores)?, cores })
    }

    /// How many this process may use.
    pub(super) fn cores(&self) -> usize {
        self.cores
    }
}

fn pool(threads: usize) -> Result<ThreadPool, Failure> {
    let made = ThreadPoolBuilder::new().num_threads(threads).build();
    made.map_err(|error| Failure::new(Code::TryAgain, format!("no threads could be started: {error}")))
}

/// Of one size under one profile.
pub(super) struct Sealing {
    pub(super) profile: &'static str,
    pub(super) key: &'static str,
    pub(super) size: Size,
    /// Messages in one call.
    pub(super) batch: usize,
    pub(super) one_core: Side,
    pub(super) all_cores: Side,
    /// Messages a second.
    pub(super) opened: f64,
}

/// What so many threads seal.
pub(super) struct Side {
    pub(super) threads: usize,
    /// Messages.
    pub(super) per_second: f64,
}

pub(super) fn measure(
    rounds: &Rounds<'_>,
    pools: &Pools,
    holder: &Holder,
    size: Size,
) -> Result<Sealing, Failure> {
    let (message, profile) = (letter(size.bytes), holder.profile.name());
    let (one, _) = timed(|| holder.sealed(&message, 1))?;
    let batch = rounds.fitting(one, size.batch);
    rounds.begin(format!("sealing {}, {profile}", size.name));
    let [one_core, all_cores] =
        [&pools.one, &pools.all].map(|pool| sealing(rounds, pool, holder, (&message, batch)));
    rounds.begin(format!("opening {}, {profile}", size.name));
    let opened = opening(rounds, holder, &message)?;
    Ok(Sealing {
        profile,
        key: holder.kind.words(),
        size,
        batch,
        one_core: one_core?,
        all_cores: all_cores?,
        opened,
    })
}

/// So many in one call, on the threads of the pool.
fn sealing(
    rounds: &Rounds<'_>,
    pool: &ThreadPool,
    holder: &Holder,
    (message, batch): (&[u8], usize),
) -> Result<Side, Failure> {
    let mut threads = 0;
    let seal = |jobs| {
        let (on, sealed) = pool.install(|| (current_num_threads(), seal_all(jobs)));
        threads = on;
        sealed
    };
    let seconds = rounds.median(|| holder.jobs(message, batch, Recipients::One), seal)?;
    Ok(Side { threads, per_second: batch as f64 / seconds })
}

/// How many a second, one after the other.
fn opening(rounds: &Rounds<'_>, holder: &Holder, message: &[u8]) -> Result<f64, Failure> {
    let (sealed, keys) = (holder.sealed(message, 1)?, [holder.opening()]);
    let open_one =
        |()| sealed.iter().map(|sealed| open(sealed.bytes(), &keys)).collect::<Result<Vec<_>, _>>();
    let seconds = rounds.median(|| Ok(()), |()| Ok(open_one(())?))?;
    Ok(1.0 / seconds)
}

#[cfg(test)]
mod tests {
    use super::super::SIZES;
    use super::super::people::holders;
    use super::*;
    use indicatif::ProgressBar;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    #[test]
    fn one_core_is_one_thread_and_all_are_as_many_as_there_are_cores() {
        let (stop, pools) = (AtomicBool::new(false), Pools::of(3).ok().unwrap());
        let rounds = Rounds::new(Duration::ZERO, &stop, ProgressBar::hidden());
        let measured = measure(&rounds, &pools, &holders().ok().unwrap()[0], SIZES[0]).ok().unwrap();
        let threads = [measured.one_core, measured.all_cores].map(|side| side.threads);
        assert_eq!((threads, pools.cores()), ([1, 3], 3));
        let cores = Pools::new().ok().unwrap().cores();
        assert_eq!(cores, available_parallelism().unwrap().get());
    }
}

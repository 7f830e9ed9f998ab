//! Sealing and opening, on one core and on all.

use super::super::failure::{Code, Failure};
use super::Size;
use super::people::{Holder, Recipients, letter, seal_all};
use super::rounds::{Rounds, timed};
use crate::smime::open;
use rayon::{ThreadPool, ThreadPoolBuilder};
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
        let cores = available_parallelism().map_or(1, usize::from);
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
    /// Messages a second.
    pub(super) one_core: f64,
    pub(super) all_cores: f64,
    pub(super) opened: f64,
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
    let jobs = || holder.jobs(&message, batch, Recipients::One);
    rounds.begin(format!("sealing {}, {profile}", size.name));
    let one_core = rounds.median(jobs, |jobs| pools.one.install(|| seal_all(jobs)))?;
    let all_cores = rounds.median(jobs, |jobs| pools.all.install(|| seal_all(jobs)))?;
    rounds.begin(format!("opening {}, {profile}", size.name));
    let opened = opening(rounds, holder, &message)?;
    let rate = |seconds: f64| batch as f64 / seconds;
    Ok(Sealing {
        profile,
        key: holder.kind.words(),
        size,
        batch,
        one_core: rate(one_core),
        all_cores: rate(all_cores),
        opened,
    })
}

/// How many a second, one after the other.
fn opening(rounds: &Rounds<'_>, holder: &Holder, message: &[u8]) -> Result<f64, Failure> {
    let (sealed, keys) = (holder.sealed(message, 1)?, [holder.opening()]);
    let open_one =
        |()| sealed.iter().map(|sealed| open(sealed.bytes(), &keys)).collect::<Result<Vec<_>, _>>();
    let seconds = rounds.median(|| Ok(()), |()| Ok(open_one(())?))?;
    Ok(1.0 / seconds)
}

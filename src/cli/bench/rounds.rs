//! The same work again and again, until its time is up.

use super::super::failure::{Code, Failure};
use indicatif::ProgressBar;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Rounds at least: fewer have no median worth the name.
const LEAST: usize = 3;

/// How long each measurement may take, who may end it, and how far they have come.
pub(super) struct Rounds<'a> {
    each: Duration,
    stop: &'a AtomicBool,
    bar: ProgressBar,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(each: Duration, stop: &'a AtomicBool, bar: ProgressBar) -> Rounds<'a> {
        Rounds { each, stop, bar }
    }

    /// Says what is measured next.
    pub(super) fn begin(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// The bar goes away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// How many of this work fit into a round, if one takes `one`.
    pub(super) fn fitting(&self, one: Duration, most: usize) -> usize {
        let rounds = self.each / LEAST as u32;
        let fitting = rounds.as_nanos() / one.as_nanos().max(1);
        usize::try_from(fitting).unwrap_or(most).clamp(1, most.max(1))
    }

    /// The median of the seconds that `work` takes over what `prepare` makes. Neither that nor what becomes of the result
    /// counts.
    pub(super) fn median<T, U>(
        &self,
        prepare: impl FnMut() -> Result<T, Failure>,
        work: impl FnMut(T) -> Result<U, Failure>,
    ) -> Result<f64, Failure> {
        self.median_of(usize::MAX, prepare, work)
    }

    /// The same of so many rounds at most.
    pub(super) fn median_of<T, U>(
        &self,
        most: usize,
        mut prepare: impl FnMut() -> Result<T, Failure>,
        mut work: impl FnMut(T) -> Result<U, Failure>,
    ) -> Result<f64, Failure> {
        let end = Instant::now() + self.each;
        let mut taken = Vec::new();
        while taken.len() < LEAST || (taken.len() < most && Instant::now() < end) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failure::new(Code::No, "ended before everything was measured"));
            }
            let prepared = prepare()?;
            taken.push(timed(|| work(prepared))?.0);
        }
        self.bar.inc(1);
        Ok(median(taken))
    }
}

/// How long it takes, with what comes out.
pub(super) fn timed<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(Duration, T), Failure> {
    let begin = Instant::now();
    let made = work()?;
    Ok((begin.elapsed(), made))
}

fn median(mut taken: Vec<Duration>) -> f64 {
    taken.sort_unstable();
    taken.get(taken.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(stop: &AtomicBool, each: Duration) -> Rounds<'_> {
        Rounds::new(each, stop, ProgressBar::hidden())
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([9, 1, 2].map(Duration::from_secs).into()), 2.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn there_are_three_rounds_at_least_and_as_many_as_are_wanted_at_most() {
        let stop = AtomicBool::new(false);
        let mut count = 0;
        let mut once = |_| {
            count += 1;
            Ok(())
        };
        rounds(&stop, Duration::ZERO).median(|| Ok(()), &mut once).unwrap();
        rounds(&stop, Duration::from_secs(60)).median_of(5, || Ok(()), &mut once).unwrap();
        assert_eq!(count, 3 + 5);
    }

    #[test]
    fn whoever_wants_it_to_end_is_heard_before_the_next_round() {
        let stop = AtomicBool::new(false);
        let mut count = 0;
        let ended = rounds(&stop, Duration::from_secs(60)).median(
            || Ok(()),
            |()| {
                count += 1;
                stop.store(true, Ordering::Relaxed);
                Ok(())
            },
        );
        assert_eq!((ended.unwrap_err().code, count), (Code::No, 1));
    }

    #[test]
    fn a_round_takes_a_third_of_the_time() {
        let stop = AtomicBool::new(false);
        let rounds = rounds(&stop, Duration::from_millis(30));
        assert_eq!(rounds.fitting(Duration::from_millis(2), 512), 5);
        assert_eq!(rounds.fitting(Duration::from_millis(2), 4), 4);
        assert_eq!(rounds.fitting(Duration::from_secs(2), 4), 1);
        assert_eq!(rounds.fitting(Duration::ZERO, 4), 4);
    }
}

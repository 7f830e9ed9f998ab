//! The same work again and again, until its time is up.

use super::super::failure::{Code, Failure};
use indicatif::ProgressBar;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Rounds at least: fewer have no median worth the name.
const LEAST: usize = 3;
/// On a slow machine all of it may take so many times as long as is wanted: whatever comes after its time then has one round.
pub(super) const LATE: u32 = 2;

/// How long each measurement may take, who may end it, and how far they have come.
pub(super) struct Rounds<'a> {
    each: Duration,
    stop: &'a AtomicBool,
    bar: ProgressBar,
    clock: &'a dyn Fn() -> Instant,
    begin: Instant,
    /// Measurements that were made.
    made: Cell<u32>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(each: Duration, stop: &'a AtomicBool, bar: ProgressBar) -> Rounds<'a> {
        Rounds::by(&Instant::now, each, stop, bar)
    }

    /// By another clock.
    pub(super) fn by(
        clock: &'a dyn Fn() -> Instant,
        each: Duration,
        stop: &'a AtomicBool,
        bar: ProgressBar,
    ) -> Rounds<'a> {
        Rounds { each, stop, bar, clock, begin: clock(), made: Cell::new(0) }
    }

    /// Says what is measured next.
    pub(super) fn begin(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// The bar goes away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// How many measurements were made.
    #[cfg(test)]
    pub(super) fn made(&self) -> u32 {
        self.made.get()
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
        let (end, latest) = ((self.clock)() + self.each, self.latest());
        let mut taken = Vec::new();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Failure::new(Code::No, "ended before everything was measured"));
            }
            let prepared = prepare()?;
            taken.push(timed(|| work(prepared))?.0);
            let now = (self.clock)();
            let wants_more = taken.len() < LEAST || (taken.len() < most && now < end);
            if !wants_more || now >= latest {
                break;
            }
        }
        self.made.set(self.made.get() + 1);
        self.bar.inc(1);
        Ok(median(taken))
    }

    /// When the measurement that comes next ends, though it had fewer rounds than it should: not even one after the other
    /// makes those late that follow.
    fn latest(&self) -> Instant {
        self.begin + self.each * LATE * (self.made.get() + 1)
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

    /// How long so many measurements take, of which each round takes what the function says, and the fewest rounds of one.
    fn all(measurements: u32, each: Duration, round: impl Fn(u32) -> Duration) -> (Duration, usize) {
        let (begin, passed, stop) = (Instant::now(), Cell::new(Duration::ZERO), AtomicBool::new(false));
        let clock = || begin + passed.get();
        let rounds = Rounds::by(&clock, each, &stop, ProgressBar::hidden());
        let mut fewest = usize::MAX;
        for number in 0..measurements {
            let mut count = 0;
            let work = |()| {
                count += 1;
                passed.set(passed.get() + round(number) / 2);
                Ok(())
            };
            // Half of it to prepare it.
            let prepare = || {
                passed.set(passed.get() + round(number) / 2);
                Ok(())
            };
            rounds.median(prepare, work).unwrap();
            fewest = fewest.min(count);
        }
        (passed.get(), fewest)
    }

    #[test]
    fn a_slow_machine_takes_twice_the_time_and_a_round_at_most() {
        const EACH: Duration = Duration::from_millis(500);
        let slow = |most: u64, of: fn(u32) -> u64| {
            let (took, fewest) =
                all(40, EACH, |number| Duration::from_millis((most * of(number) / 40).max(1)));
            let limit = EACH * 40 * LATE + Duration::from_millis(most);
            assert!(took <= limit && fewest >= 1, "{took:?} of rounds of {most} ms, {fewest} at least");
            (took, fewest)
        };
        for most in [1, 100, 400, 900, 1000] {
            slow(most, |_| 40);
            slow(most, |number| u64::from(number) + 1);
            slow(most, |number| 40 - u64::from(number));
            slow(most, |number| if number % 2 == 0 { 40 } else { 0 });
        }
        let (took, fewest) = slow(100, |_| 40);
        assert!(took < EACH * 40 + Duration::from_secs(4) && fewest >= LEAST, "{took:?}");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([9, 1, 2].map(Duration::from_secs).into()), 2.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn there_are_three_rounds_at_least_and_as_many_as_are_wanted_at_most() {
        let [each, round] = [10, 6].map(Duration::from_millis);
        assert_eq!(all(1, each, |_| round), (round * 3, 3));
        let (stop, mut count) = (AtomicBool::new(false), 0);
        let once = |_| {
            count += 1;
            Ok(())
        };
        rounds(&stop, Duration::from_secs(60)).median_of(5, || Ok(()), once).unwrap();
        assert_eq!(count, 5);
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

//! Measuring side by side: in each round every side works for a moment, one after the other, so that what disturbs the
//! machine disturbs all of them; the ratio is the median of the rounds' ratios.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

pub(crate) mod curve;
pub(crate) mod heap;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod picture;
pub(crate) mod publish;
pub(crate) mod record;
pub(crate) mod table;

use nix::time::{ClockId, clock_gettime};
use record::Figure;
use std::time::{Duration, Instant};

/// Who works, and how long so many calls of it take.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut(Clock, u32) -> Duration + 'a>,
}

impl<'a> Side<'a> {
    pub(crate) fn new(name: &'static str, mut run: impl FnMut() + 'a) -> Side<'a> {
        Side { name, run: Box::new(move |clock, calls| clock.time(|| (0..calls).for_each(|_| run()))) }
    }

    /// Of a work that takes something over, which is made anew each time and is not measured.
    pub(crate) fn given<T: 'a>(
        name: &'static str,
        mut make: impl FnMut() -> T + 'a,
        mut run: impl FnMut(T) + 'a,
    ) -> Side<'a> {
        let mut once = move |clock: Clock| {
            let given = make();
            clock.time(|| run(given))
        };
        Side { name, run: Box::new(move |clock, calls| (0..calls).map(|_| once(clock)).sum()) }
    }

    /// Of a work that has something around it which is not measured: it says itself how long it took.
    pub(crate) fn timed(name: &'static str, mut run: impl FnMut() -> Duration + 'a) -> Side<'a> {
        Side { name, run: Box::new(move |_, calls| (0..calls).map(|_| run()).sum()) }
    }
}

/// What a clock counts.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// The processor's time of this process: for work of one thread that waits for nothing. Others on the machine take
    /// nothing from it.
    Processor,
    /// The time that passes: for several threads, other processes, and the disk.
    Wall,
}

impl Clock {
    fn now(self) -> Duration {
        let clock = match self {
            Clock::Processor => ClockId::CLOCK_PROCESS_CPUTIME_ID,
            Clock::Wall => ClockId::CLOCK_MONOTONIC,
        };
        clock_gettime(clock).expect("a clock").into()
    }

    pub(crate) fn time(self, work: impl FnOnce()) -> Duration {
        let begin = self.now();
        work();
        self.now() - begin
    }
}

/// How long a row is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) clock: Clock,
    /// Each side works about so long in a round: enough for the clock, and short beside what disturbs.
    pub(crate) slice: Duration,
    /// All rounds together; at least [`FEWEST`] are made.
    pub(crate) budget: Duration,
}

/// Of fewer rounds a median says nothing.
const FEWEST: usize = 7;
const MOST: usize = 301;

impl Plan {
    /// Microseconds of work on one thread.
    pub(crate) const QUICK: Plan =
        Plan { clock: Clock::Processor, slice: Duration::from_millis(4), budget: Duration::from_secs(4) };
    /// Milliseconds and more.
    pub(crate) const LONG: Plan =
        Plan { slice: Duration::ZERO, budget: Duration::from_secs(8), ..Plan::QUICK };
    /// What waits for somebody else.
    pub(crate) const WAITING: Plan = Plan { clock: Clock::Wall, ..Plan::LONG };
}

/// The seconds of one call, of each round and each side.
pub(crate) struct Rounds {
    names: Vec<&'static str>,
    seconds: Vec<Vec<f64>>,
}

/// Measures. The sides begin in turns: none is always the first behind another.
pub(crate) fn rounds(sides: &mut [Side<'_>], plan: Plan) -> Rounds {
    let calls: Vec<u32> = sides.iter_mut().map(|side| calls(side, plan)).collect();
    let names = sides.iter().map(|side| side.name).collect();
    let mut seconds = vec![Vec::new(); sides.len()];
    let begin = Instant::now();
    for round in 0..MOST {
        if round >= FEWEST && begin.elapsed() > plan.budget {
            break;
        }
        for turn in 0..sides.len() {
            let at = (round + turn) % sides.len();
            let (Some(side), Some(calls), Some(seconds)) =
                (sides.get_mut(at), calls.get(at), seconds.get_mut(at))
            else {
                continue;
            };
            let took = (side.run)(plan.clock, *calls);
            seconds.push(took.as_secs_f64() / f64::from(*calls));
        }
    }
    Rounds { names, seconds }
}

/// So many calls fill a slice. They warm up as well.
fn calls(side: &mut Side<'_>, plan: Plan) -> u32 {
    (side.run)(plan.clock, 1);
    let once = (side.run)(plan.clock, 1).as_secs_f64().max(1e-9);
    ((plan.slice.as_secs_f64() / once) as u32).max(1)
}

impl Rounds {
    /// What each side took for one call, divided by `of`: the pieces of work in a call.
    pub(crate) fn figures(&self, of: usize) -> Vec<Figure> {
        let figure = |(side, (name, seconds)): (usize, (&&'static str, &Vec<f64>))| {
            let micro = |seconds: f64| seconds * 1e6 / of as f64;
            let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
            let (median, least) = (micro(median(seconds.clone())), micro(least));
            Figure { name: (*name).to_owned(), median, least, lead: Some(self.over_first(side)) }
        };
        self.names.iter().zip(&self.seconds).enumerate().map(figure).collect()
    }

    /// How many times as long as the first side did this one take: the median of the rounds.
    pub(crate) fn over_first(&self, side: usize) -> f64 {
        let (Some(first), Some(other)) = (self.seconds.first(), self.seconds.get(side)) else {
            return f64::NAN;
        };
        median(first.iter().zip(other).map(|(first, other)| other / first).collect())
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

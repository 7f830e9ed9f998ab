//! What a second thread brings.

use super::race;
use crate::measure::record::{Row, Target};
use crate::measure::table::digits;
use crate::measure::{Clock, Plan, Side};
use crate::sample::{everybody, job, message_of};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sealpost::crypto::Profile;
use sealpost::pki::ValidatedCertificate;
use sealpost::smime::{SealJob, seal_many};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// They are sealed right before.
const FEW: usize = 32;

/// What is sealed, and to whom.
struct Batch {
    messages: Vec<Vec<u8>>,
    to: Vec<ValidatedCertificate>,
}

/// `seal_many` alone, in a process that is at work, and each thread on a core of its own; in the note with all around it. Nobody
/// else may be at work on the machine.
///
/// Two cores of a machine that is lent out are not alike at every time. So one thread works on the one and then on the other, and
/// counts as what both would do in the mean: whichever is the slower one makes the ratio neither better nor worse.
pub(crate) fn two_over_one(name: &'static str) -> Row {
    let target = Target::times(1.9, 1.95);
    let cores = cores();
    let Some(cores) = cores.get(..2) else {
        return Row::missing(name, "µs", target, "this machine has one core");
    };
    let people = super::one::people(1);
    let batch = Arc::new(Batch { messages: vec![message_of(75 << 10); 512], to: everybody(&people) });
    let two = Crew::new(&batch, cores);
    let ones: Vec<Crew> = cores.chunks(1).map(|core| Crew::new(&batch, core)).collect();
    let pieces = batch.messages.len();
    let one = || mean_speed(&ones.iter().map(Crew::seals).collect::<Vec<_>>());
    let sides = &mut [Side::timed("2 threads", || two.seals()), Side::timed("1 thread", one)];
    let row = race(name, target, Plan::WAITING, pieces, sides);
    let [one, two] = [1, 2].map(|threads| builder(threads).build().expect("threads"));
    let sides =
        &mut [Side::new("2 threads", || batch.whole(&two)), Side::new("1 thread", || batch.whole(&one))];
    let whole = race(name, target, Plan::WAITING, pieces, sides);
    row.with_note(format!(
        "where the kernel places the threads, from waking them to giving all back {} ×",
        digits(whole.reached.unwrap_or(f64::NAN))
    ))
}

impl Batch {
    fn jobs(&self, count: usize) -> Vec<SealJob<'_>> {
        self.messages.iter().take(count).map(|message| job(message, &self.to, Profile::Compatible)).collect()
    }

    /// By the clock on the wall, and the second batch of two: neither what draws the seeds and gives the messages back, nor the
    /// waking of a core, which takes as long as two messages, nor what others left in the caches.
    fn seal(&self) -> Duration {
        let count = self.messages.len();
        let [first, few, all] = [count, FEW, count].map(|count| self.jobs(count));
        drop(seal_many(first));
        let mut sealed = seal_many(few);
        let took = Clock::Wall.time(|| sealed.extend(black_box(seal_many(all))));
        assert!(sealed.len() == FEW + count && sealed.iter().all(Result::is_ok));
        took
    }

    fn whole(&self, pool: &ThreadPool) {
        pool.install(|| drop(black_box(seal_many(self.jobs(self.messages.len())))));
    }
}

/// Threads of which the first is the one that calls, as in a program where somebody has a batch to seal.
struct Crew {
    begin: Sender<()>,
    ends: Receiver<Duration>,
}

impl Crew {
    /// Each on one of these cores: a kernel that thinks the machine is busy lets two threads share one for milliseconds, with the
    /// other idle.
    fn new(batch: &Arc<Batch>, cores: &[usize]) -> Crew {
        let ((begin, begins), (end, ends)) = (channel(), channel());
        let (batch, cores, threads) = (Arc::clone(batch), cores.to_vec(), cores.len());
        thread::spawn(move || {
            let place = move |number: usize| cores.get(number).into_iter().for_each(|core| stay_on(*core));
            place(0);
            let pool = builder(threads).use_current_thread().start_handler(place).build().expect("threads");
            for () in begins {
                // Until whoever asked sleeps.
                thread::sleep(Duration::from_millis(1));
                end.send(pool.install(|| batch.seal())).expect("somebody waits");
            }
        });
        Crew { begin, ends }
    }

    fn seals(&self) -> Duration {
        self.begin.send(()).expect("the crew waits");
        self.ends.recv().expect("it seals")
    }
}

/// What work takes that goes on at the mean of the speeds of those that take so long for it.
fn mean_speed(times: &[Duration]) -> Duration {
    let speeds: f64 = times.iter().map(|time| time.as_secs_f64().recip()).sum();
    Duration::from_secs_f64(times.len() as f64 / speeds)
}

fn builder(threads: usize) -> ThreadPoolBuilder {
    ThreadPoolBuilder::new().num_threads(threads)
}

/// Those that this process may use.
fn cores() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("the cores of this process");
    (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect()
}

/// The calling thread.
fn stay_on(core: usize) {
    let mut only = CpuSet::new();
    only.set(core).expect("a core");
    sched_setaffinity(Pid::from_raw(0), &only).expect("a core of this process");
}

//! Many messages at once: every thread takes some of those that are left, the longest first, and has as many of them under
//! way as the processor encrypts side by side.

use super::chain::{Chain, Chunk, advance};
use super::queue::Queue;
use super::settle::{Framed, Settled, settle};
use super::{SealError, SealJob, whole};
use crate::crypto::algorithm::Mode;
use crate::crypto::lanes;
use crate::crypto::rsa_public::encrypt_all;
use crate::smime::Sealed;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::VecDeque;

type Outcome = Result<Sealed, SealError>;

pub(super) fn seal_all(jobs: Vec<SealJob<'_>>) -> Vec<Outcome> {
    let count = jobs.len();
    // Who asks rayon how many threads it has starts them: a hook with one message does not.
    let threads = if count < 2 { 1 } else { rayon::current_num_threads() };
    let queue = Queue::new(jobs.into_iter().map(|job| (job.message.len(), job)), threads);
    if count < 2 {
        return Worker::new(&queue, 0).outcomes().into_iter().map(|(_, outcome)| outcome).collect();
    }
    let workers = (0..threads.min(count)).into_par_iter();
    let made: Vec<_> = workers.map(|number| Worker::new(&queue, number).outcomes()).collect();
    in_order(count, made.into_iter().flatten())
}

/// Each to its place: nothing is compared, and every outcome is moved once.
fn in_order(count: usize, made: impl Iterator<Item = (usize, Outcome)>) -> Vec<Outcome> {
    let never_made = || Err(SealError::Primitive("sealing"));
    let mut outcomes: Vec<Outcome> = std::iter::repeat_with(never_made).take(count).collect();
    for (place, outcome) in made {
        if let Some(slot) = outcomes.get_mut(place) {
            *slot = outcome;
        }
    }
    outcomes
}

/// One thread's work.
struct Worker<'q, 'a> {
    queue: &'q Queue<SealJob<'a>>,
    number: usize,
    /// As many are encrypted side by side at most.
    width: usize,
    /// Settled, and waiting for a lane.
    waiting: VecDeque<(usize, Framed<'a>)>,
    places: Vec<usize>,
    chains: Vec<Chain<'a>>,
    /// Buffers of messages that are done, for those that come: a call needs no more of them than lanes.
    spare: Vec<Chunk>,
    outcomes: Vec<(usize, Outcome)>,
}

impl<'q, 'a> Worker<'q, 'a> {
    fn new(queue: &'q Queue<SealJob<'a>>, number: usize) -> Worker<'q, 'a> {
        let (waiting, places, chains) = (VecDeque::new(), Vec::new(), Vec::new());
        let (spare, outcomes) = (Vec::new(), Vec::new());
        Worker { queue, number, width: lanes::width(), waiting, places, chains, spare, outcomes }
    }

    fn outcomes(mut self) -> Vec<(usize, Outcome)> {
        self.run();
        self.outcomes
    }

    /// Until nothing is left.
    fn run(&mut self) {
        loop {
            self.queue.tell(self.number, self.held());
            while self.chains.len() < self.width
                && let Some((place, framed)) = self.next()
            {
                self.start(place, framed);
            }
            if self.chains.is_empty() {
                return;
            }
            advance(&mut self.chains);
            self.collect();
        }
    }

    /// Octets that are not encrypted yet.
    fn held(&self) -> usize {
        let waiting = self.waiting.iter().map(|(_, framed)| framed.envelope.length);
        waiting.chain(self.chains.iter().map(Chain::left)).sum()
    }

    fn next(&mut self) -> Option<(usize, Framed<'a>)> {
        while self.waiting.is_empty() {
            // What was sealed as a whole or failed is in no hand any more: whoever has nothing left is given something, so that
            // nobody goes while jobs are queued.
            self.queue.tell(self.number, self.held());
            let jobs = self.queue.take(self.number);
            if jobs.is_empty() {
                return None;
            }
            self.prepare(jobs);
        }
        self.waiting.pop_front()
    }

    /// All that comes before the content, with the RSA operations of all of them side by side.
    fn prepare(&mut self, jobs: Vec<(usize, SealJob<'a>)>) {
        let mut settled: Vec<(usize, Settled<'a>)> = Vec::with_capacity(jobs.len());
        for (place, job) in jobs {
            match settle(job) {
                Ok(one) => settled.push((place, one)),
                Err(error) => self.outcomes.push((place, Err(error))),
            }
        }
        let padded: Vec<_> = settled.iter_mut().map(|(_, one)| one.take_padded()).collect();
        let counts: Vec<usize> = padded.iter().map(Vec::len).collect();
        let keys = encrypt_all(padded.into_iter().flatten().collect());
        let mut keys = keys.as_slice();
        for ((place, one), count) in settled.into_iter().zip(counts) {
            // Too few are refused by whom they are for.
            let (own, others) = keys.split_at_checked(count).unwrap_or((keys, &[]));
            keys = others;
            self.dispatch(place, one.frame(own));
        }
    }

    fn dispatch(&mut self, place: usize, framed: Result<Framed<'a>, SealError>) {
        match framed {
            Ok(framed) if framed.envelope.algorithm.cipher.mode == Mode::Cbc => {
                self.waiting.push_back((place, framed))
            }
            framed => self.outcomes.push((place, framed.and_then(whole::seal))),
        }
    }

    fn start(&mut self, place: usize, framed: Framed<'a>) {
        let chunk = self.spare.pop().unwrap_or_else(Chunk::new);
        match Chain::new(framed, chunk) {
            Ok(chain) => {
                self.places.push(place);
                self.chains.push(chain);
            }
            Err(error) => self.outcomes.push((place, Err(error))),
        }
    }

    /// Takes those out that are done.
    fn collect(&mut self) {
        let mut at = 0;
        while let Some(chain) = self.chains.get(at) {
            if !chain.is_done() {
                at += 1;
                continue;
            }
            let (sealed, chunk) = self.chains.swap_remove(at).finish();
            self.spare.push(chunk);
            self.outcomes.push((self.places.swap_remove(at), Ok(sealed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Profile;
    use crate::smime::tests::{alice, job};

    #[test]
    fn buffers_of_those_that_are_done_are_for_those_that_come() {
        let recipients = [alice().validated()];
        let jobs =
            (0..60).map(|number| job(b"Subject: x\n\nhello\n", &recipients, Profile::Compatible, number));
        let queue = Queue::new(jobs.map(|job| (job.message.len(), job)), 1);
        let mut worker = Worker::new(&queue, 0);
        worker.run();
        assert_eq!(worker.outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count(), 60);
        assert_eq!(
            worker.spare.len(),
            worker.width,
            "every one that was made is there, and there are no more"
        );
    }
}

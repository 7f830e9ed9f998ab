//! A memory of what was asked lately, bounded by forgetting what was not.

use std::collections::HashMap;
use std::hash::Hash;

/// Answers by their questions. Two sweeps with no question for one between them forget it: what is asked all the time stays, however
/// many others are asked once.
#[derive(Debug)]
pub(super) struct Recent<Q, A> {
    /// Learned or asked since the last sweep.
    young: HashMap<Q, A>,
    /// Not yet asked since then.
    old: HashMap<Q, A>,
}

impl<Q, A> Default for Recent<Q, A> {
    fn default() -> Recent<Q, A> {
        Recent { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<Q: Eq + Hash, A> Recent<Q, A> {
    /// The answer, if it is known; it stays over the next sweep.
    pub(super) fn ask(&mut self, question: &Q) -> Option<&A> {
        if !self.young.contains_key(question) {
            let (question, answer) = self.old.remove_entry(question)?;
            self.young.insert(question, answer);
        }
        self.young.get(question)
    }

    /// It takes the place of an older answer.
    pub(super) fn learn(&mut self, question: Q, answer: A) {
        self.young.insert(question, answer);
    }

    /// Forgets what was not asked since the last sweep, once so many others were.
    pub(super) fn sweep(&mut self, enough: usize) {
        if self.young.len() >= enough {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Recent::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(recent: &Recent<u32, u32>) -> usize {
        recent.young.len() + recent.old.len()
    }

    #[test]
    fn what_is_asked_between_two_sweeps_outlives_them() {
        let mut recent = Recent::default();
        for number in 0..100 {
            recent.learn(number, number);
            assert_eq!(recent.ask(&0), Some(&0), "asked all the time");
            recent.sweep(10);
            assert!(known(&recent) <= 20, "{number}");
        }
        assert_eq!(recent.ask(&99), Some(&99));
        assert_eq!(recent.ask(&1), None, "asked once");
    }

    #[test]
    fn a_sweep_waits_until_there_is_enough_to_forget() {
        let mut recent = Recent::default();
        recent.learn(1, 1);
        (0..3).for_each(|_| recent.sweep(2));
        assert_eq!(recent.ask(&1), Some(&1));
        recent.learn(2, 2);
        (0..3).for_each(|_| recent.sweep(2));
        assert_eq!(recent.ask(&1), Some(&1), "one sweep forgets nothing");
        assert_eq!(recent.ask(&2), Some(&2));
    }

    #[test]
    fn the_newer_answer_counts_and_nothing_outlives_a_clear() {
        let mut recent = Recent::default();
        recent.learn(1, 1);
        recent.sweep(1);
        recent.learn(1, 2);
        assert_eq!(recent.ask(&1), Some(&2));
        recent.sweep(1);
        recent.clear();
        assert_eq!(recent.ask(&1), None);
        assert_eq!(known(&recent), 0);
    }
}

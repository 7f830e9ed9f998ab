//! Where the time of one delivery goes. What cannot be measured by itself is told by what more of it takes.

use super::people::{Holder, Recipients, letter, seal_all};
use super::rounds::Rounds;
use super::storing::Storing;
use super::{Failure, Size};

/// Measurements of one size.
pub(super) const MEASURED: usize = 1;
/// Those that all sizes share.
pub(super) const SHARED: usize = 2;

/// Of a message that is sealed alone, in seconds.
pub(super) struct Steps {
    pub(super) size: Size,
    /// Encrypting the content key to one more recipient.
    pub(super) key: f64,
    /// What grows with the message: line ends, encryption, base64.
    pub(super) content: f64,
    /// What an empty message takes besides.
    pub(super) rest: f64,
    /// Writing and syncing.
    pub(super) store: f64,
}

impl Steps {
    pub(super) fn total(&self) -> f64 {
        self.key + self.content + self.rest + self.store
    }

    /// Of the total, in percent.
    pub(super) fn share(&self, seconds: f64) -> f64 {
        if self.total() > 0.0 { seconds / self.total() * 100.0 } else { 0.0 }
    }
}

pub(super) fn measure(
    rounds: &Rounds<'_>,
    holder: &Holder,
    storing: &[Storing],
) -> Result<Vec<Steps>, Failure> {
    rounds.begin("the steps of a delivery");
    let sealing = |bytes: usize, recipients: Recipients| {
        let message = letter(bytes);
        rounds.median(|| holder.jobs(&message, 1, recipients), seal_all)
    };
    let (empty, two) = (sealing(0, Recipients::One)?, sealing(0, Recipients::Two)?);
    let key = (two - empty).clamp(0.0, empty);
    let steps = |storing: &Storing| {
        let content = (sealing(storing.size.bytes, Recipients::One)? - empty).max(0.0);
        Ok(Steps { size: storing.size, key, content, rest: empty - key, store: 1.0 / storing.in_turn })
    };
    storing.iter().map(steps).collect()
}

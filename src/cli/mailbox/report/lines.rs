//! Lines for a person while a run works: not a flood.

use crate::cli::output::Output;
use indicatif::ProgressBar;
use std::collections::BTreeMap;

/// Lines that give one reason; of what comes after only the number is said.
const SAME: u64 = 10;
/// Reasons that are told apart.
const REASONS: usize = 100;

/// So many lines are shown.
pub(super) struct Lines {
    left: usize,
    reasons: BTreeMap<String, u64>,
    /// So many more were not.
    pub(super) hidden: u64,
}

impl Lines {
    pub(super) fn of(number: usize) -> Lines {
        Lines { left: number, reasons: BTreeMap::new(), hidden: 0 }
    }

    /// Shows one of them, or counts it under its reason.
    pub(super) fn show_reason(
        &mut self,
        bar: &ProgressBar,
        out: &Output,
        reason: &str,
        text: impl FnOnce() -> String,
    ) {
        if self.reasons.len() < REASONS || self.reasons.contains_key(reason) {
            let seen = self.reasons.entry(reason.to_owned()).or_default();
            *seen += 1;
            if *seen > SAME {
                return;
            }
        }
        self.show(bar, out, text);
    }

    /// The reasons that were given again and again, with the number of lines that were not shown.
    pub(super) fn repeated(&self) -> impl Iterator<Item = (&str, u64)> {
        let repeated = self.reasons.iter().filter(|(_, seen)| **seen > SAME);
        repeated.map(|(reason, seen)| (reason.as_str(), seen - SAME))
    }

    /// Shows one of them, or counts it.
    pub(super) fn show(&mut self, bar: &ProgressBar, out: &Output, text: impl FnOnce() -> String) {
        if !out.is_text() {
            return;
        }
        if self.left == 0 {
            self.hidden += 1;
            return;
        }
        self.left -= 1;
        bar.suspend(|| out.note(&text()));
    }
}

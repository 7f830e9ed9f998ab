//! Lines for a person while a run works: not a flood.

use crate::cli::output::Output;
use indicatif::ProgressBar;

/// So many lines are shown.
pub(super) struct Lines {
    left: usize,
    /// So many more were not.
    pub(super) hidden: u64,
}

impl Lines {
    pub(super) fn of(number: usize) -> Lines {
        Lines { left: number, hidden: 0 }
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

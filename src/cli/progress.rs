//! How far long work has come, for a person at a terminal.

use super::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of so many steps on standard error. Nothing is drawn where that is no terminal, or where a program reads along.
pub(super) fn bar(out: &Output, steps: usize) -> ProgressBar {
    let target = if out.is_text() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}, {eta} to go  {msg}");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

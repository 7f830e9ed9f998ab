//! How far long work has come, for a person at a terminal.

use super::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;

/// A bar of so many steps on standard error. Nothing is drawn where that is no terminal, or where a program reads along.
pub(super) fn bar(out: &Output, steps: usize) -> ProgressBar {
    drawn(out, steps as u64, "{bar:40} {pos}/{len}, {eta} to go  {msg}")
}

/// The same for very many quick steps, whose number comes later: it also shows how many a second there are.
pub(super) fn rate(out: &Output) -> ProgressBar {
    drawn(out, 0, "{bar:40} {human_pos}/{human_len}, {rate}, {eta} to go")
}

/// The same where their number never comes.
pub(super) fn count(out: &Output) -> ProgressBar {
    drawn(out, 0, "{human_pos}, {rate}")
}

/// The same over the octets of a file, whose number may not be known.
pub(super) fn octets(out: &Output, length: Option<u64>) -> ProgressBar {
    let template = match length {
        Some(_) => "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} to go",
        None => "{bytes}, {bytes_per_sec}",
    };
    drawn(out, length.unwrap_or_default(), template)
}

fn drawn(out: &Output, steps: u64, template: &str) -> ProgressBar {
    let target = if out.is_text() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    let style = ProgressStyle::with_template(template);
    match style {
        Ok(style) => bar.with_style(style.with_key("rate", whole_rate)),
        Err(_) => bar,
    }
}

/// `195/s`; what it is written to is a line in memory.
fn whole_rate(state: &ProgressState, line: &mut dyn Write) {
    let _ = write!(line, "{:.0}/s", state.per_sec());
}

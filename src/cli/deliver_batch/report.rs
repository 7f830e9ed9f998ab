//! What became of the messages, for a person or a program.

use super::source::Place;
use crate::cli::failure::{Code, Failure, without_error_numbers};
use crate::cli::output::{Output, Table};
use crate::cli::progress;
use crate::cli::words::counted;
use crate::engine::{CopyReport, Disposition, Outcome, Request};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Of more failures only the number is said.
const LINES: u64 = 100;

/// Counts, tells of failures as they come, and concludes.
pub(super) struct Report<'o> {
    out: &'o mut Output,
    bar: ProgressBar,
    begin: Instant,
    skipped: usize,
    stored: u64,
    /// Stored nowhere, because rules say so.
    discarded: u64,
    refused: u64,
    to_try_again: u64,
    sealed: u64,
    kept: u64,
    clear: u64,
    octets: u64,
    /// Why it did not come to its end.
    broken_off: Option<Failure>,
    unsaid: Option<Failure>,
}

/// For the threads of a batch.
pub(super) fn lock<'r, 'o>(report: &'r Mutex<Report<'o>>) -> MutexGuard<'r, Report<'o>> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'o> Report<'o> {
    pub(super) fn new(out: &'o mut Output, files: Option<usize>, skipped: usize) -> Report<'o> {
        let bar = match files {
            Some(files) => {
                let bar = progress::rate(out);
                bar.set_length(files as u64);
                bar
            }
            None => progress::count(out),
        };
        Report {
            out,
            bar,
            begin: Instant::now(),
            skipped,
            stored: 0,
            discarded: 0,
            refused: 0,
            to_try_again: 0,
            sealed: 0,
            kept: 0,
            clear: 0,
            octets: 0,
            broken_off: None,
            unsaid: None,
        }
    }

    /// A delivery, and why its file could not be moved.
    pub(super) fn see(
        &mut self,
        place: &Place,
        request: &Request<'_>,
        outcome: &Outcome,
        unmoved: Option<String>,
    ) {
        if outcome.disposition == Disposition::Delivered {
            self.octets += request.size();
            self.discarded += u64::from(outcome.copies.is_empty());
        }
        for copy in &outcome.copies {
            *match (copy.plain_source, copy.kept_as_is) {
                (Some(_), _) => &mut self.clear,
                (None, true) => &mut self.kept,
                (None, false) => &mut self.sealed,
            } += 1;
        }
        let reason = outcome.cause.as_deref().map(without_error_numbers);
        let sealed_to: BTreeSet<String> = outcome.copies.iter().flat_map(to).collect();
        let warnings: Vec<&String> =
            outcome.copies.iter().flat_map(|copy| &copy.warnings).chain(&outcome.warnings).collect();
        self.count(place, &outcome.disposition, reason.as_deref());
        self.event(
            place,
            &outcome.disposition,
            json!({
                "reason": reason, "bytes": request.size(), "copies": outcome.copies.len(),
                "sealed_to": sealed_to, "warnings": warnings,
            }),
        );
        if let Some(text) = unmoved {
            self.note(place, &text);
            self.broken_off(
                Failure::new(Code::Io, "a file could not be moved, and would be stored again")
                    .hint("move it away before the same command is given again"),
            );
        }
    }

    /// A message that was not handed over.
    pub(super) fn see_undelivered(&mut self, place: &Place, disposition: &Disposition, reason: &str) {
        let reason = without_error_numbers(reason);
        self.count(place, disposition, Some(&reason));
        self.event(
            place,
            disposition,
            json!({
                "reason": reason, "bytes": null, "copies": 0, "sealed_to": [], "warnings": [],
            }),
        );
    }

    /// Nothing more can be read.
    pub(super) fn break_off(&mut self, failure: Failure) {
        self.broken_off(failure);
    }

    fn broken_off(&mut self, failure: Failure) {
        self.broken_off.get_or_insert(failure);
    }

    fn count(&mut self, place: &Place, disposition: &Disposition, reason: Option<&str>) {
        self.bar.inc(1);
        let (counter, what) = match disposition {
            Disposition::Delivered => {
                self.stored += 1;
                return;
            }
            Disposition::Reject { .. } => (&mut self.refused, "refused"),
            Disposition::Retry { .. } => (&mut self.to_try_again, "to be tried again"),
        };
        *counter += 1;
        if self.refused + self.to_try_again <= LINES {
            let why = reason.map_or_else(|| disposition.line(), str::to_owned);
            self.note(place, &format!("{what}: {why}"));
        }
    }

    fn note(&self, place: &Place, text: &str) {
        self.bar.suspend(|| self.out.note(&format!("{place}: {text}")));
    }

    fn event(&mut self, place: &Place, disposition: &Disposition, more: Value) {
        if !self.out.is_json() {
            return;
        }
        let (file, number, offset) = match place {
            Place::File(path, _) => (Some(path.to_string_lossy().into_owned()), None, None),
            Place::Mbox { number, offset } => (None, Some(number), Some(offset)),
        };
        let outcome = match disposition {
            Disposition::Delivered => "stored",
            Disposition::Reject { .. } => "refused",
            Disposition::Retry { .. } => "try-again",
        };
        let event = json!({
            "event": "message", "file": file, "number": number, "offset": offset, "outcome": outcome,
            "status": disposition.enhanced_code(),
        });
        let more = more.as_object().cloned().unwrap_or_default();
        let more = more.iter().map(|(name, value)| (name.as_str(), value.clone()));
        if let Err(failure) = self.out.json(crate::cli::output::with(event, more)) {
            self.unsaid.get_or_insert(failure);
        }
    }

    /// The report; 0, 1 or 75.
    pub(super) fn conclude(
        mut self,
        was_stopped: bool,
        moved: Result<(), Failure>,
    ) -> Result<ExitCode, Failure> {
        self.bar.finish_and_clear();
        let whole = !was_stopped && self.broken_off.is_none();
        self.summary(whole, self.begin.elapsed())?;
        if let Some(failure) = self.broken_off.take().or(self.unsaid.take()) {
            return Err(failure);
        }
        moved?;
        if was_stopped {
            return Err(Failure::new(Code::TryAgain, "stopped: what was not begun is not stored"));
        }
        Ok(ExitCode::from(match (self.to_try_again, self.refused) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => Disposition::doubt("").exit_code(),
        }))
    }

    fn summary(&mut self, whole: bool, took: Duration) -> Result<(), Failure> {
        let failed = self.refused + self.to_try_again;
        if failed > LINES {
            let more = usize::try_from(failed - LINES).unwrap_or(usize::MAX);
            self.out.note(&format!("and {}, which --json names", counted(more, "more failure")));
        }
        if self.skipped > 0 {
            let what = if self.skipped == 1 { "entry" } else { "entries" };
            self.out.note(&format!("{} {what} left out: links, folders, hidden files", self.skipped));
        }
        let rate = (self.stored as f64 / took.as_secs_f64().max(0.001)).round() as u64;
        let mut table = Table::new(&["messages", "number"], "");
        let copies = [
            ("  copies sealed", self.sealed),
            ("  copies left as their senders sealed them", self.kept),
            ("  copies in the clear", self.clear),
            ("  discarded by rules", self.discarded),
        ];
        table.row(["stored".to_owned(), self.stored.to_string()]);
        for (label, number) in copies.into_iter().filter(|(_, number)| *number > 0) {
            table.row([label.to_owned(), number.to_string()]);
        }
        for (label, number) in
            [("refused", self.refused), ("to be tried again", self.to_try_again), ("stored a second", rate)]
        {
            table.row([label.to_owned(), number.to_string()]);
        }
        self.out.table(&table)?;
        self.out.json(json!({
            "event": "summary", "operation": "deliver", "whole": whole, "stored": self.stored,
            "discarded": self.discarded, "refused": self.refused, "to_try_again": self.to_try_again,
            "sealed": self.sealed, "kept_as_is": self.kept, "clear": self.clear, "left_out": self.skipped,
            "bytes": self.octets, "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }))
    }
}

/// Who can open a copy.
fn to(copy: &CopyReport) -> impl Iterator<Item = String> {
    copy.sealed_to.iter().map(ToString::to_string)
}

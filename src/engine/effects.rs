//! What a delivery does beside copies: commands before the first commit, mail and memory after the last.

use super::deliver::Case;
use super::mails::mails;
use super::plan::Effect;
use super::remember::remembered;
use super::runs::{Run, runs};
use super::{CopyName, Engine, EngineError, Held, OutgoingMail, Remembered, Request};
use time::OffsetDateTime;

/// Ready to be done, each at its time.
pub(super) struct Effects<'a> {
    runs: Vec<Run<'a>>,
    mails: Vec<OutgoingMail>,
    /// What is not sent, and why.
    unsent: Vec<String>,
    remembered: Vec<Remembered>,
    at: OffsetDateTime,
}

/// Makes everything that can be made before a copy is written.
pub(super) fn prepare<'a>(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &'a Case<'_>,
    effects: &[Effect<'a>],
    at: OffsetDateTime,
) -> Result<Effects<'a>, EngineError> {
    let mails = mails(engine, request, case, effects, at)?;
    let (runs, unsent) = (runs(request, case, effects), mails.warnings());
    Ok(Effects { runs, mails: mails.mails, unsent, remembered: remembered(case, effects), at })
}

impl Effects<'_> {
    /// Runs the commands, after all copies are staged and before the first becomes visible.
    pub(super) fn run(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        self.runs.iter().try_for_each(|run| run.run(engine))
    }

    /// Enqueues the mails; they wait for [`Effects::finish`].
    pub(super) fn hold(&mut self, engine: &Engine<'_>, copies: &[CopyName]) -> Result<Held, EngineError> {
        match std::mem::take(&mut self.mails) {
            none if none.is_empty() => Ok(Held::default()),
            mails => Ok(engine.outbox.hold(mails, copies, self.at)?),
        }
    }

    /// Lets the mails go, and remembers: the copies are visible. Gives what failed without consequences.
    pub(super) fn finish(&self, engine: &Engine<'_>, held: &Held) -> Result<Vec<String>, EngineError> {
        if !held.0.is_empty() {
            engine.outbox.release(held, self.at, engine.settings.outgoing.answered_since(self.at))?;
        }
        let mut warnings = self.unsent.clone();
        if self.remembered.is_empty() {
            return Ok(warnings);
        }
        let remembered = engine.directory.remember(&self.remembered);
        let failed = |error| format!("stored, but what a rule was to remember is not remembered: {error}");
        warnings.extend(remembered.err().map(failed));
        Ok(warnings)
    }
}

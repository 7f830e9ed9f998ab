//! What a delivery does beside copies: mail is held and commands run before the first commit; mail goes and memory is kept
//! after the last.

use super::deliver::Case;
use super::mails::mails;
use super::plan::Effect;
use super::remember::remembered;
use super::runs::{Run, runs};
use super::{
    CopyName, Engine, EngineError, Fired, Held, OutgoingMail, PlannedMailReport, Remembered, Request,
};
use time::OffsetDateTime;

/// Ready to be done, each at its time.
pub(super) struct Effects<'a> {
    runs: Vec<Run<'a>>,
    mails: Vec<OutgoingMail>,
    /// What is not sent, and why.
    unsent: Vec<String>,
    /// One for each mail, and for each that is not sent.
    pub(super) reports: Vec<PlannedMailReport>,
    remembered: Vec<Remembered>,
    at: OffsetDateTime,
    /// See [`Request`].
    until: Option<OffsetDateTime>,
}

/// Makes everything that can be made before a copy is written, and asks whether it could be done: no command runs for a
/// delivery that cannot come to an end, and who only asks is told what a delivery would be told.
pub(super) fn prepare<'a>(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &'a Case<'_>,
    effects: &[Effect<'a>],
    at: OffsetDateTime,
) -> Result<Effects<'a>, EngineError> {
    let mails = mails(engine, request, case, effects, at)?;
    let (runs, unsent) = (runs(request, case, effects), mails.warnings());
    let remembered = remembered(case, effects);
    let (mails, reports, until) = (mails.mails, mails.reports, request.until);
    let effects = Effects { runs, mails, unsent, reports, remembered, at, until };
    effects.check(engine)?;
    Ok(effects)
}

impl Effects<'_> {
    /// What will be done, by the names of rules and actions.
    pub(super) fn acts(&self) -> Vec<Fired> {
        let mails = self.mails.iter().map(|mail| Fired {
            account: mail.account.as_ref().map(ToString::to_string),
            rule: mail.rule.clone(),
            action: mail.action.to_owned(),
        });
        self.runs.iter().map(Run::act).chain(mails).collect()
    }

    fn check(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        self.runs.iter().try_for_each(|run| run.check(engine))?;
        match self.mails.as_slice() {
            [] => Ok(()),
            mails => Ok(engine.outbox.may_send(mails)?),
        }
    }

    /// Runs the commands, after all copies are staged and all mails held, and before the first becomes visible.
    pub(super) fn run(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        self.runs.iter().try_for_each(|run| {
            self.check_time(engine)?;
            run.run(engine, self.until.map(|until| until - engine.clock.now()))
        })
    }

    /// May what is staged still become visible?
    pub(super) fn check_time(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        engine.check_time(self.until)
    }

    /// Enqueues the mails; they wait for [`Effects::finish`].
    pub(super) fn hold(&mut self, engine: &Engine<'_>, copies: &[CopyName]) -> Result<Held, EngineError> {
        match std::mem::take(&mut self.mails) {
            none if none.is_empty() => Ok(Held::default()),
            mails => Ok(engine.outbox.hold(mails, copies, self.at)?),
        }
    }

    /// Nothing became visible. If this fails too, whoever runs the queue finds no copy and drops the mails.
    pub(super) fn withdraw(&self, engine: &Engine<'_>, held: &Held) {
        if !held.0.is_empty() {
            let _ = engine.outbox.withdraw(held);
        }
    }

    /// Lets the mails go, and remembers: the copies are visible. Gives what failed without consequences.
    pub(super) fn finish(&self, engine: &Engine<'_>, held: &Held) -> Result<Vec<String>, EngineError> {
        if !held.0.is_empty() {
            let since = engine.settings.outgoing.answered_since(self.at);
            engine.outbox.release(held, self.at, since).map_err(EngineError::Unreleased)?;
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

//! Messages that are too large to be held: rules see their begin, and copies are made while they are stored.

use super::certificates::Reader;
use super::deliver::{Planned, outcome};
use super::effects::prepare;
use super::execute::{Stored, store, without_stored};
use super::programs::{Programs, Told, Verdicts, Watch};
use super::seal::{
    MadeCopy, ReadyCopy, Way, blank_report, kept_headers, made, report_headers, report_kept, report_sealed,
};
use super::{Content, Engine, EngineError, Outcome, PlainConsent, Request};
use crate::cms::{self, wrapping_large};
use crate::mail::HeaderEdits;
use crate::pki::Certificate;
use crate::rules::{Action, Beyond, Verdict};
use crate::smime::{LargeError, LargeMessage, LargeSealed, Mark, Sink, recognise_large, seal_large};
use time::OffsetDateTime;

impl Engine<'_> {
    /// Delivers a message of which `request` holds the begin ([`Request::of_large`]). Nothing was done, and there is nothing
    /// to tell, if what the rules want takes all of it: then it must be held.
    pub fn deliver_large(&self, request: &Request<'_>) -> Option<Outcome> {
        let large = request.large?;
        let mut told = Told::default();
        match self.try_deliver_large(request, large, &mut told) {
            Err(EngineError::TakesWhole) => None,
            stored => Some(outcome(stored, told.fired)),
        }
    }

    fn try_deliver_large(
        &self,
        request: &Request<'_>,
        large: &LargeMessage<'_>,
        told: &mut Told,
    ) -> Result<Stored, EngineError> {
        let case = self.judge(request, Watch::Silent, told)?;
        let Planned { copies, effects, warnings } = self.plan(request, &case)?;
        let remaining = without_stored(self, request, copies)?;
        let (copies, identities): (Vec<_>, Vec<_>) = remaining.copies.into_iter().unzip();
        let at = self.clock.now();
        let versions = LargeVersions::of(large, &copies);
        let made = make(self, &versions, copies, at)?;
        let effects = prepare(self, request, &case, &effects, at)?;
        let mut stored = store(self, made.into_iter().zip(identities).collect(), remaining.found, effects)?;
        stored.warnings.splice(0..0, warnings);
        Ok(stored)
    }
}

/// Does what the rules want take no more of the message than its begin? A filter was not asked: it would have seen the whole.
pub(super) fn check_streamed(verdicts: &Verdicts) -> Result<(), EngineError> {
    let wants_begin = |verdict: &Verdict| verdict.steps.iter().all(|step| is_of_begin(&step.action));
    if std::iter::once(&verdicts.server).chain(&verdicts.accounts).all(wants_begin) {
        Ok(())
    } else {
        Err(EngineError::TakesWhole)
    }
}

/// Each action by name, so that a new one must be thought of here.
fn is_of_begin(action: &Action) -> bool {
    match action {
        Action::Mark(_)
        | Action::StoreEncrypted(..)
        | Action::Store(_)
        | Action::AddHeader(_)
        | Action::TagSubject(_)
        | Action::Remember(_)
        | Action::Reject(_)
        | Action::Discard
        | Action::Stop => true,
        Action::CopyAttachments(_)
        | Action::PassOn(..)
        | Action::Reply(..)
        | Action::Execute(_)
        | Action::Filter(_) => false,
    }
}

/// What conditions see of the rest.
pub(super) fn beyond(large: &LargeMessage<'_>, programs: &Programs) -> Result<Beyond, EngineError> {
    let asked =
        std::iter::once(&programs.server).chain(&programs.accounts).any(|program| program.needs().owner_ids);
    let wrapping = match wrapping_large(large.whole()) {
        Ok(wrapping) => wrapping,
        Err(cms::LargeError::Source(error)) => return Err(EngineError::Source(error)),
        Err(_) if asked => return Err(EngineError::TakesWhole),
        Err(_) => Default::default(),
    };
    Ok(Beyond { size: large.len(), wrapping })
}

/// The message once for each way in which rules edited its header: only its begin differs.
struct LargeVersions<'m> {
    arrived: &'m LargeMessage<'m>,
    edited: Vec<(HeaderEdits, LargeMessage<'m>)>,
}

impl<'m> LargeVersions<'m> {
    fn of(arrived: &'m LargeMessage<'m>, copies: &[ReadyCopy<'_>]) -> LargeVersions<'m> {
        let mut versions = LargeVersions { arrived, edited: Vec::new() };
        for edits in copies.iter().map(|copy| &copy.plan.edits) {
            if !edits.is_empty() && versions.edited.iter().all(|(known, _)| known != edits) {
                versions.edited.push((edits.clone(), arrived.edited(edits)));
            }
        }
        versions
    }

    fn message(&self, copy: &ReadyCopy<'_>) -> &LargeMessage<'_> {
        let made = self.edited.iter().find(|(known, _)| *known == copy.plan.edits);
        made.map_or(self.arrived, |(_, message)| message)
    }
}

/// Settles all copies but their content.
fn make<'v>(
    engine: &Engine<'_>,
    versions: &'v LargeVersions<'_>,
    copies: Vec<ReadyCopy<'_>>,
    at: OffsetDateTime,
) -> Result<Vec<MadeCopy<'v>>, EngineError> {
    copies.into_iter().map(|copy| make_one(engine, versions.message(&copy), copy, at)).collect()
}

fn make_one<'v>(
    engine: &Engine<'_>,
    message: &'v LargeMessage<'v>,
    ReadyCopy { plan, way, .. }: ReadyCopy<'_>,
    at: OffsetDateTime,
) -> Result<MadeCopy<'v>, EngineError> {
    let mut report = blank_report(&plan, message.len());
    report.warnings.extend(message.undecided().map(str::to_owned));
    let content = match way {
        Way::Plain(consent) => {
            report.plain_source = Some(consent.source());
            LargeContent::Plain(message, consent)
        }
        Way::Seal(readers, recipients, form) => {
            let active: Vec<&[Certificate]> = readers.iter().map(|reader| reader.active.as_slice()).collect();
            let kept = recognise_large(message, &active, engine.settings.openpgp);
            LargeContent::Sealed(match kept {
                Some(sealed) => {
                    report_kept(&mut report, &readers, sealed.facts());
                    report_headers(&mut report, kept_headers(form));
                    sealed
                }
                None => {
                    let marked = readers.iter().filter_map(Reader::marked).collect();
                    let mark = Mark { at, rule: plan.rule.as_deref(), marked, edited: plan.edits.names() };
                    let sealed = seal_large(message, &recipients, form, &mark, engine.entropy.seed()?);
                    let mailbox = || plan.full_mailbox();
                    let sealed = sealed.map_err(|source| EngineError::Seal { mailbox: mailbox(), source })?;
                    report_sealed(&mut report, &readers, sealed.facts());
                    sealed
                }
            })
        }
    };
    Ok(made(plan, Content::Large(content), report))
}

/// What may be stored and is made while it is: sealed, or clear with a consent.
pub enum LargeContent<'a> {
    /// Sealed, or recognised as sealed by its sender.
    Sealed(LargeSealed<'a>),
    /// Clear.
    Plain(&'a LargeMessage<'a>, PlainConsent),
}

impl LargeContent<'_> {
    /// How many octets it will have.
    pub fn len(&self) -> u64 {
        match self {
            LargeContent::Sealed(sealed) => sealed.len(),
            LargeContent::Plain(message, _) => message.len(),
        }
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many octets it would have with canonical lines.
    pub fn crlf_len(&self) -> u64 {
        match self {
            LargeContent::Sealed(sealed) => sealed.crlf_len(),
            LargeContent::Plain(message, _) => message.line_tally().crlf_len(),
        }
    }

    /// Hands it over piece by piece. After an error nothing of it is to be used.
    pub fn write(&self, sink: Sink<'_>) -> Result<(), LargeError> {
        match self {
            LargeContent::Sealed(sealed) => sealed.write(sink),
            LargeContent::Plain(message, _) => message.write(sink),
        }
    }
}

//! What a delivery would do, without doing it.

use super::certificates::Reader;
use super::deliver::{Case, Engine, Planned};
use super::effects::prepare;
use super::outcome::chain;
use super::planned::{PlannedEffectReport, effects};
use super::programs::{Told, Watch};
use super::seal::{ReadyCopy, Way};
use super::{Disposition, EngineError, Fired, Place, PlannedMailReport, Request, SealedToReport};
use crate::mail::Flag;
use crate::rules::Trace;
use crate::smime;
use serde::Serialize;

/// Files of one name that are counted on the way to a free one; a store gives up about there.
const MOST_NUMBERED: usize = 200;

/// What would be done, and why.
#[derive(Debug)]
pub struct Explanation {
    /// What the hook would be told, as far as it is known before anything is sealed or written.
    pub disposition: Disposition,
    /// The whole chain of errors, if something would fail.
    pub cause: Option<String>,
    /// What to do about it, where the cause does not say so.
    pub hint: Option<String>,
    /// The rules that fire, in their order.
    pub fired: Vec<Fired>,
    /// Every rule and condition, the server's program first.
    pub programs: Vec<ProgramTrace>,
    /// The copies that would be stored.
    pub copies: Vec<PlannedCopyReport>,
    /// What would be done beside copies and mails, in the order of the actions.
    pub effects: Vec<PlannedEffectReport>,
    /// What would be left undone without consequences.
    pub warnings: Vec<String>,
    /// The mails that would be sent, and those that would not be for a reason.
    pub mails: Vec<PlannedMailReport>,
}

/// What the rules of one level did.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramTrace {
    /// For whom they act; absent: the server.
    pub account: Option<String>,
    /// Rule by rule.
    pub trace: Trace,
}

/// A copy that would be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedCopyReport {
    /// Whose mailbox.
    pub owner: String,
    /// Which; of a file the folder among the account's files.
    pub mailbox: String,
    /// As marked, in the words of rules.
    pub flags: Vec<String>,
    /// The name that the file would get, if it is an attachment that is copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The rule that asks for it; absent: the INBOX copy.
    pub rule: Option<String>,
    /// Who will be able to open it; empty for a clear copy.
    pub sealed_to: Vec<SealedToReport>,
    /// By which profile; absent for a clear copy.
    pub profile: Option<&'static str>,
    /// What of its header would stay readable, if the message allows it; absent for a clear copy.
    pub headers: Option<&'static str>,
    /// Who consented to a clear copy.
    pub plain_source: Option<&'static str>,
    /// What would be let pass.
    pub warnings: Vec<String>,
}

/// What a plan comes to.
struct Foreseen {
    copies: Vec<PlannedCopyReport>,
    mails: Vec<PlannedMailReport>,
    warnings: Vec<String>,
}

impl Engine<'_> {
    /// Runs rules and planning as [`Engine::deliver`] does; reads the directory and writes nothing.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let mut told = Told::default();
        let foreseen = self
            .judge(request, Watch::Traced, &mut told)
            .and_then(|case| Ok((self.foresee(request, &case)?, effects(&case))));
        let Told { fired, programs } = told;
        match foreseen {
            Err(error) => failed(&error, fired, programs),
            Ok((Foreseen { copies, mails, warnings }, effects)) => Explanation {
                disposition: Disposition::Delivered,
                cause: None,
                hint: None,
                fired,
                programs,
                copies,
                effects,
                warnings,
                mails,
            },
        }
    }

    fn foresee(&self, request: &Request<'_>, case: &Case<'_>) -> Result<Foreseen, EngineError> {
        let Planned { copies, effects, warnings } = self.plan(request, case)?;
        // In the order of a delivery: seal, prepare, stage.
        copies.iter().try_for_each(check_form)?;
        let mails = prepare(self, request, case, &effects, self.clock.now())?.reports;
        copies.iter().try_for_each(|copy| self.check_mailbox(copy))?;
        Ok(Foreseen { copies: self.reports(&copies)?, mails, warnings })
    }

    fn reports(&self, copies: &[ReadyCopy<'_>]) -> Result<Vec<PlannedCopyReport>, EngineError> {
        let mut reports: Vec<PlannedCopyReport> = Vec::with_capacity(copies.len());
        for copy in copies {
            let file = self.file_name(copy, &reports)?;
            reports.push(PlannedCopyReport { file, ..report(copy) });
        }
        Ok(reports)
    }

    /// The name that a file would get beside those that are there and those before it.
    fn file_name(
        &self,
        copy: &ReadyCopy<'_>,
        before: &[PlannedCopyReport],
    ) -> Result<Option<String>, EngineError> {
        let Place::File(folder, wanted) = &copy.plan.place else { return Ok(None) };
        let owner = &copy.plan.owner.address;
        for number in 1..=MOST_NUMBERED {
            let name = wanted.numbered(number);
            let promised = before.iter().any(|other| {
                other.file.as_deref() == Some(&name)
                    && other.mailbox == folder.as_str()
                    && other.owner == owner.to_string()
            });
            if !promised && !self.store.holds_file(owner, folder, &name).map_err(EngineError::Stage)? {
                return Ok(Some(name));
            }
        }
        Ok(Some(wanted.marked("…")))
    }

    /// What staging would say.
    fn check_mailbox(&self, copy: &ReadyCopy<'_>) -> Result<(), EngineError> {
        let plan = &copy.plan;
        let (owner, Some(mailbox)) = (&plan.owner.address, plan.place.mailbox()) else { return Ok(()) };
        if plan.create || self.store.exists(owner, mailbox).map_err(EngineError::Stage)? {
            return Ok(());
        }
        let acting = plan.acting.map(|acting| &acting.address);
        Err(EngineError::no_mailbox(plan.rule.as_deref(), (owner, mailbox.as_str()), acting))
    }
}

/// What sealing would say of the recipients.
fn check_form(copy: &ReadyCopy<'_>) -> Result<(), EngineError> {
    let Way::Seal(_, recipients, form) = &copy.way else { return Ok(()) };
    let mailbox = copy.plan.full_mailbox();
    smime::check_recipients(recipients, *form).map_err(|source| EngineError::Seal { mailbox, source })
}

fn failed(error: &EngineError, fired: Vec<Fired>, programs: Vec<ProgramTrace>) -> Explanation {
    let (disposition, cause, hint) = (error.disposition(), Some(chain(error)), error.hint());
    let (copies, effects, mails, warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Explanation { disposition, cause, hint, fired, programs, copies, effects, warnings, mails }
}

/// As `Mark` has it.
fn word(flag: &Flag) -> String {
    flag.to_string().trim_start_matches('\\').to_owned()
}

fn report(copy: &ReadyCopy<'_>) -> PlannedCopyReport {
    let (readers, form, plain_source) = match &copy.way {
        Way::Plain(consent) => (&[][..], None, Some(consent.source())),
        Way::Seal(readers, _, form) => (readers.as_slice(), Some(form), None),
    };
    PlannedCopyReport {
        owner: copy.plan.owner.address.to_string(),
        mailbox: copy.plan.place.name().to_owned(),
        flags: copy.plan.flags.iter().map(word).collect(),
        file: None,
        rule: copy.plan.rule.clone(),
        sealed_to: readers.iter().flat_map(Reader::reports).collect(),
        profile: form.map(|form| form.profile.name()),
        headers: form.map(|form| form.headers.name()),
        plain_source,
        warnings: readers.iter().flat_map(|reader| reader.warnings.iter().cloned()).collect(),
    }
}

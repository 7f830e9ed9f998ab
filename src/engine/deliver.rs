//! The one road of a delivery: look up, judge, plan, check rights and certificates, seal, stage, commit.

use super::addressee::{Addressees, resolve};
use super::attached::attached;
use super::certificates::Certificates;
use super::discards::overrule;
use super::effects::prepare;
use super::execute::{Stored, store, without_stored};
use super::large::check_streamed;
use super::owners::Owners;
use super::plan::{Effect, Plan, PlannedCopy, Planner};
use super::programs::{Programs, Told, Verdicts, Watch};
use super::prospect::issuers;
use super::seal::{ReadyCopy, Versions, Way, make, ready};
use super::settle::settle;
use super::{
    Account, BuiltIn, Clock, Directory, Disposition, EngineError, Fired, Helpers, Mailstore, Outbox, Outcome,
    Request, RuleCache, Settings,
};
use crate::crypto::Entropy;
use crate::mail::Message;
use crate::rules::{Ending, Verdict};
use time::OffsetDateTime;

/// Delivers messages with the parts of the world that it is given.
#[derive(Clone, Copy)]
pub struct Engine<'e> {
    /// Domains, accounts, certificates, rules, rights.
    pub directory: &'e dyn Directory,
    /// Where copies go.
    pub store: &'e dyn Mailstore,
    /// The time of certificates and marks.
    pub clock: &'e dyn Clock,
    /// One seed a copy.
    pub entropy: &'e dyn Entropy,
    /// Whom everybody trusts.
    pub built_in: &'e dyn BuiltIn,
    /// Where mail waits that leaves the site.
    pub outbox: &'e dyn Outbox,
    /// Programs that rules call.
    pub helpers: &'e dyn Helpers,
    /// Rules that were compiled already.
    pub rules: &'e RuleCache,
    /// The site's policy.
    pub settings: &'e Settings,
}

/// A message that was looked up and judged, and of which nothing is planned yet.
pub(super) struct Case<'m> {
    pub(super) message: &'m [u8],
    pub(super) addressees: Addressees,
    pub(super) verdicts: Verdicts,
    pub(super) owners: Owners,
    /// What the rules want and do not get, without consequences.
    pub(super) warnings: Vec<String>,
}

/// Copies with their certificates, and what is done besides.
#[derive(Default)]
pub(super) struct Planned<'a> {
    pub(super) copies: Vec<ReadyCopy<'a>>,
    pub(super) effects: Vec<Effect<'a>>,
    /// What is left undone without consequences.
    pub(super) warnings: Vec<String>,
}

impl Case<'_> {
    /// Makes plans from the verdicts.
    pub(super) fn planner<'s>(&self, settings: &'s Settings) -> Planner<'s, '_> {
        let server_domain = self.addressees.domain();
        Planner { settings, owners: &self.owners, server_domain }
    }

    /// Those whose rules ran, in the order of their verdicts.
    fn acting(&self) -> Vec<&Account> {
        self.addressees.known.iter().map(|known| &known.account).collect()
    }

    /// Everybody whose certificates may be looked at.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        let known = self.addressees.known.iter().map(|known| &known.account);
        known.chain(self.owners.accounts())
    }
}

impl Engine<'_> {
    /// Delivers to all recipients or to none; never panics on what the message holds.
    pub fn deliver(&self, request: &Request<'_>) -> Outcome {
        let mut told = Told::default();
        let stored = self.try_deliver(request, &mut told);
        outcome(stored, told.fired)
    }

    fn try_deliver(&self, request: &Request<'_>, told: &mut Told) -> Result<Stored, EngineError> {
        let case = self.judge(request, Watch::Silent, told)?;
        let Planned { copies, effects, warnings } = self.plan(request, &case)?;
        let remaining = without_stored(self, request, copies)?;
        let (copies, identities): (Vec<_>, Vec<_>) = remaining.copies.into_iter().unzip();
        let at = self.clock.now();
        let versions = Versions::of(case.message, &copies);
        let made = make(self, &versions, copies, at)?;
        let effects = prepare(self, request, &case, &effects, at)?;
        let mut stored = store(self, made.into_iter().zip(identities).collect(), remaining.found, effects)?;
        stored.warnings.splice(0..0, warnings);
        stored.done.splice(0..0, case.verdicts.asked);
        Ok(stored)
    }

    /// Looks everything up and runs the rules.
    pub(super) fn judge<'m>(
        &self,
        request: &Request<'m>,
        watch: Watch,
        told: &mut Told,
    ) -> Result<Case<'m>, EngineError> {
        let addressees = self.look_up(request)?;
        let programs = Programs::load(self, &addressees)?;
        self.judge_by(&programs, request, addressees, watch, told)
    }

    /// Whom the message is for.
    pub(super) fn look_up(&self, request: &Request<'_>) -> Result<Addressees, EngineError> {
        if request.recipients.is_empty() {
            return Err(EngineError::NoRecipient);
        }
        self.check_time(request.until)?;
        let addressees = resolve(self, request)?;
        self.check_size(request)?;
        Ok(addressees)
    }

    /// Runs the rules.
    pub(super) fn judge_by<'m>(
        &self,
        programs: &Programs,
        request: &Request<'m>,
        addressees: Addressees,
        watch: Watch,
        told: &mut Told,
    ) -> Result<Case<'m>, EngineError> {
        let message = request.octets();
        let verdicts = programs.run(self, &Message::new(message), request, &addressees, watch, told)?;
        if request.large.is_some() {
            check_streamed(&verdicts)?;
        }
        let acting: Vec<&Account> = addressees.known.iter().map(|known| &known.account).collect();
        told.fired = list_fired(&verdicts, &acting);
        let owners = Owners::load(self, &verdicts, addressees.domain(), &acting)?;
        let mut case = Case { message, addressees, verdicts, owners, warnings: Vec::new() };
        overrule(self, request, &mut case)?;
        told.fired = list_fired(&case.verdicts, &case.acting());
        Ok(case)
    }

    /// Does its sender still wait?
    pub(super) fn check_time(&self, until: Option<OffsetDateTime>) -> Result<(), EngineError> {
        if until.is_some_and(|until| self.clock.now() >= until) { Err(EngineError::Late) } else { Ok(()) }
    }

    fn check_size(&self, request: &Request<'_>) -> Result<(), EngineError> {
        let (size, limit) = (request.size(), self.settings.max_message);
        if size > limit { Err(EngineError::TooLarge { size, limit }) } else { Ok(()) }
    }

    /// The copies of all recipients with their certificates.
    pub(super) fn plan<'c>(
        &self,
        request: &Request<'_>,
        case: &'c Case<'_>,
    ) -> Result<Planned<'c>, EngineError> {
        let lists = self.directory.revocation_lists(&issuers(case.accounts()))?;
        let (settings, at, built_in) = (self.settings, self.clock.now(), self.built_in);
        self.plan_with(&Certificates { settings, at, lists: &lists, built_in, judged: None }, request, case)
    }

    /// The same; the server's copies come first, because only they are known again when the sender has to come back.
    pub(super) fn plan_with<'c>(
        &self,
        certificates: &Certificates<'_>,
        request: &Request<'_>,
        case: &'c Case<'_>,
    ) -> Result<Planned<'c>, EngineError> {
        let planner = case.planner(self.settings);
        let server = planner.server(&case.verdicts.server).map_err(|error| match error {
            rejected @ EngineError::RuleRejects { .. } => rejected.of_server_if(case.verdicts.server_is_same),
            error => error,
        })?;
        let prepare = |plan: Plan<'c>| {
            self.check_rights(&plan.copies)?;
            let mut planned = attached(&planner, certificates, case.message, &plan.effects)?;
            for copy in plan.copies {
                planned.copies.push(ready(copy, certificates)?);
            }
            Ok(Planned { effects: plan.effects, ..planned })
        };
        let unknown = case.addressees.unknown.iter().cloned().map(EngineError::UnknownUser);
        let mut results: Vec<Result<Planned<'c>, EngineError>> = unknown.map(Err).collect();
        for (known, verdict) in case.addressees.known.iter().zip(&case.verdicts.accounts) {
            results.push(if server.discarded {
                Ok(Planned::default())
            } else {
                planner.account(verdict, &known.account, &server.inherited).and_then(&prepare)
            });
        }
        let accounts = settle(results)?;
        let mut planned = prepare(server.plan).map_err(EngineError::never_rejected)?;
        planned.copies = without_doubles(request, planned.copies);
        planned.warnings.splice(0..0, case.warnings.iter().cloned());
        for account in accounts {
            planned.copies.extend(account.copies);
            planned.effects.extend(account.effects);
            planned.warnings.extend(account.warnings);
        }
        Ok(planned)
    }

    /// One batch for all foreign mailboxes.
    fn check_rights(&self, copies: &[PlannedCopy<'_>]) -> Result<(), EngineError> {
        let foreign: Vec<_> =
            copies.iter().filter_map(|copy| copy.needs_right().map(|actor| (copy, actor))).collect();
        if foreign.is_empty() {
            return Ok(());
        }
        let question = |(copy, actor): &(&PlannedCopy<'_>, &Account)| {
            let mailbox = copy.place.mailbox()?.clone();
            Some((copy.owner.address.clone(), mailbox, actor.address.clone()))
        };
        let asked: Vec<_> = foreign.iter().filter_map(question).collect();
        let mut answers = self.directory.may_insert(&asked)?.into_iter();
        match foreign.iter().find(|_| answers.next() != Some(true)) {
            None => Ok(()),
            Some((copy, actor)) => Err(EngineError::NoRight {
                rule: copy.rule.clone().unwrap_or_default(),
                mailbox: copy.full_mailbox(),
                actor: actor.address.clone(),
            }),
        }
    }
}

/// All that there is to say.
pub(super) fn outcome(stored: Result<Stored, EngineError>, fired: Vec<Fired>) -> Outcome {
    match stored {
        Err(error) => Outcome::failed(&error, fired),
        Ok(Stored { reports, done, warnings }) => {
            let disposition = Disposition::Delivered;
            let is_divisible = false;
            Outcome { disposition, cause: None, fired, copies: reports, done, warnings, is_divisible }
        }
    }
}

/// A server rule that stores twice in one mailbox makes one sealed and one clear copy at most when they have marks.
fn without_doubles<'a>(request: &Request<'_>, copies: Vec<ReadyCopy<'a>>) -> Vec<ReadyCopy<'a>> {
    if !request.is_known_again() {
        return copies;
    }
    let mut kept: Vec<ReadyCopy<'a>> = Vec::with_capacity(copies.len());
    for copy in copies {
        let same = |other: &ReadyCopy<'_>| {
            other.plan.rule == copy.plan.rule
                && other.plan.owner.address == copy.plan.owner.address
                && other.plan.place == copy.plan.place
                && matches!(other.way, Way::Plain(_)) == matches!(copy.way, Way::Plain(_))
        };
        if !kept.iter().any(same) {
            kept.push(copy);
        }
    }
    kept
}

fn list_fired(verdicts: &Verdicts, acting: &[&Account]) -> Vec<Fired> {
    let mut fired = Vec::new();
    add_fired(&verdicts.server, None, &mut fired);
    if verdicts.server.ending.goes_on() {
        for (verdict, account) in verdicts.accounts.iter().zip(acting) {
            add_fired(verdict, Some(account.address.to_string()), &mut fired);
        }
    }
    fired
}

fn add_fired(verdict: &Verdict, account: Option<String>, fired: &mut Vec<Fired>) {
    let mut add = |rule: &str, action: String| {
        fired.push(Fired { account: account.clone(), rule: rule.to_owned(), action });
    };
    verdict.steps.iter().for_each(|step| add(&step.rule, step.action.to_string()));
    if let Some(rule) = &verdict.ended_by {
        let action = match &verdict.ending {
            Ending::Inbox => "Stop Processing",
            Ending::Discard => "Discard",
            Ending::Overruled => "Discard (overruled)",
            Ending::Reject(_) => "Reject with",
        };
        add(rule, action.to_owned());
    }
}

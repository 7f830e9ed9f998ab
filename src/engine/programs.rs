//! From installed rule files to verdicts.

use super::addressee::{Addressee, Addressees};
use super::gathered::Gathered;
use super::large::beyond;
use super::{Account, Engine, EngineError, Fired, InstalledRules, ProgramTrace, Request};
use crate::mail::{Address, HeaderEdits, Message};
use crate::rules::{Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Verdict};

/// The rules that run for one call.
pub(super) struct Programs {
    pub(super) server: Program,
    /// In the order of the addressees.
    pub(super) accounts: Vec<Program>,
}

/// What all rules want, and why if it was asked.
pub(super) struct Verdicts {
    /// The server's rules, which run once.
    pub(super) server: Verdict,
    /// In the order of the addressees.
    pub(super) accounts: Vec<Verdict>,
    /// The filters that were asked, without their names.
    pub(super) asked: Vec<Fired>,
    /// The server's rules say the same of the message to any of its recipients.
    pub(super) server_is_same: bool,
}

/// What is known of the rules, whether they came to a verdict or not.
#[derive(Default)]
pub(super) struct Told {
    /// Those that fired, if there is a verdict.
    pub(super) fired: Vec<Fired>,
    /// Those that were watched, the server's first, as far as they came.
    pub(super) programs: Vec<ProgramTrace>,
}

/// How closely an evaluation is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// A verdict and nothing else.
    Silent,
    /// With a trace of each rule and condition.
    Traced,
}

impl Programs {
    /// Reads and merges the rules of the server and of everybody whom the message is for.
    pub(super) fn load(engine: &Engine<'_>, addressees: &Addressees) -> Result<Programs, EngineError> {
        let addresses: Vec<Address> =
            addressees.known.iter().map(|addressee| addressee.account.address.clone()).collect();
        let installed = engine.directory.rules(&addresses)?;
        let compiled = installed.iter().map(|rules| {
            let compiled = engine.rules.compiled(rules);
            compiled.map_err(|error| error.of_server_if(rules.scope == ScopeKind::Server))
        });
        let compiled = compiled.collect::<Result<Vec<_>, _>>()?;
        let of = |wanted: &dyn Fn(&InstalledRules) -> bool| {
            let sets = installed.iter().zip(&compiled).filter(|(rules, _)| wanted(rules));
            Program::new(sets.map(|(rules, set)| (rules.scope, RuleSet::clone(set))).collect())
        };
        let server = of(&|rules| rules.scope == ScopeKind::Server);
        let account = |addressee: &Addressee| of(&|rules| governs(rules, &addressee.account));
        Ok(Programs { server, accounts: addressees.known.iter().map(account).collect() })
    }

    /// May what they want depend on what becomes of the message before, beyond what is planned: do they ask filters, or look
    /// which mailboxes there are?
    pub(super) fn look_around(&self) -> bool {
        let mut all = std::iter::once(&self.server).chain(&self.accounts);
        all.any(|program| program.asks_filters() || program.needs().mailboxes)
    }

    /// Do the server's rules say the same of the message, to whichever of its recipients it goes?
    fn server_is_same(&self) -> bool {
        let needs = self.server.needs();
        !needs.recipients && !needs.routes
    }

    /// Runs the server's rules over the whole envelope, then each account's over its own part.
    pub(super) fn run(
        &self,
        engine: &Engine<'_>,
        message: &Message<'_>,
        request: &Request<'_>,
        addressees: &Addressees,
        watch: Watch,
        told: &mut Told,
    ) -> Result<Verdicts, EngineError> {
        let asking = Asking { engine, message, request, watch };
        let mut facts = Gathered::new(engine, self, addressees)?;
        if let Some(large) = request.large {
            let beyond = beyond(large, self)?;
            facts
                .accounts
                .iter_mut()
                .chain([&mut facts.server])
                .for_each(|facts| facts.beyond = Some(beyond.clone()));
        }
        let everybody = request.recipients.iter().map(super::Recipient::as_sent).collect();
        let nothing = HeaderEdits::default();
        let side = Side { account: None, recipients: everybody, facts: &facts.server, edits: &nothing };
        let server_is_same = self.server_is_same();
        let server = asking.judge(&self.server, side, told).map_err(|error| match error {
            failed @ EngineError::Helper { .. } => failed.of_server_if(server_is_same),
            error => error,
        })?;
        let mut asked = fired(&server.asked, None);
        let mut accounts = Vec::with_capacity(addressees.known.len());
        for ((program, addressee), facts) in self.accounts.iter().zip(&addressees.known).zip(&facts.accounts)
        {
            let (account, recipients) = (Some(&addressee.account.address), addressee.as_sent.clone());
            let side = Side { account, recipients, facts, edits: &server.edits };
            let judged = asking.judge(program, side, told)?;
            asked.extend(fired(&judged.asked, account.map(Address::to_string)));
            accounts.push(judged.verdict);
        }
        Ok(Verdicts { server: server.verdict, accounts, asked, server_is_same })
    }
}

/// The message that is judged, and by whom.
struct Asking<'c> {
    engine: &'c Engine<'c>,
    message: &'c Message<'c>,
    request: &'c Request<'c>,
    watch: Watch,
}

/// For whom rules act, and what they see of the world.
struct Side<'c> {
    /// Absent: the server.
    account: Option<&'c Address>,
    recipients: Vec<String>,
    facts: &'c Facts,
    edits: &'c HeaderEdits,
}

/// What one program wants.
struct Judged {
    verdict: Verdict,
    /// The rules that asked a filter, once for each question.
    asked: Vec<String>,
    edits: HeaderEdits,
}

impl Asking<'_> {
    fn judge(&self, program: &Program, side: Side<'_>, told: &mut Told) -> Result<Judged, EngineError> {
        let Side { account, recipients, facts, edits } = side;
        let (request, message) = (self.request, self.message);
        let (sender, client) = (request.sender.clone(), request.client.clone());
        let envelope = Envelope { sender, recipients, source: request.source, client };
        let input = Input { message, envelope: &envelope, facts, edits };
        let mut evaluation = match self.watch {
            Watch::Silent => Evaluation::new(program, input),
            Watch::Traced => Evaluation::traced(program, input),
        };
        let mut asked = Vec::new();
        let verdict = self.finish(&mut evaluation, &envelope, &mut asked);
        let edits = evaluation.edits().clone();
        if self.watch == Watch::Traced {
            let (account, trace) = (account.map(Address::to_string), evaluation.into_trace());
            told.programs.push(ProgramTrace { account, trace });
        }
        Ok(Judged { verdict: verdict?, asked, edits })
    }

    /// Asks whom the rules ask, up to their end.
    fn finish(
        &self,
        evaluation: &mut Evaluation<'_>,
        envelope: &Envelope,
        asked: &mut Vec<String>,
    ) -> Result<Verdict, EngineError> {
        loop {
            match evaluation.run() {
                Progress::Done(verdict) => return Ok(verdict),
                // Whoever is asked sees the whole message.
                Progress::Ask(_) if self.request.large.is_some() => return Err(EngineError::TakesWhole),
                Progress::Ask(question) => {
                    self.engine.check_time(self.request.until)?;
                    let edited = evaluation.edits().apply(self.message);
                    let answer = self.engine.helpers.ask(&question.filter, &edited, envelope);
                    let rule = question.rule;
                    asked.push(rule.clone());
                    evaluation.answer(answer.map_err(|source| EngineError::Helper { rule, source })?);
                }
            }
        }
    }
}

fn fired(asked: &[String], account: Option<String>) -> Vec<Fired> {
    let filter = |rule: &String| {
        let (account, rule) = (account.clone(), rule.clone());
        Fired { account, rule, action: "ExternalFilter".to_owned() }
    };
    asked.iter().map(filter).collect()
}

/// Do rules of a domain or an account run for this account?
fn governs(rules: &InstalledRules, account: &Account) -> bool {
    match rules.scope {
        ScopeKind::Server => false,
        ScopeKind::Domain => rules.holder.eq_ignore_ascii_case(&account.domain.name),
        ScopeKind::Account => rules.holder.eq_ignore_ascii_case(&account.address.to_string()),
    }
}

//! From installed rule files to verdicts.

use super::addressee::{Addressee, Addressees};
use super::gathered::Gathered;
use super::{Account, Engine, EngineError, Fired, InstalledRules, Request};
use crate::mail::{Address, HeaderEdits, Message};
use crate::rules::{
    Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Trace, Verdict,
};

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
    /// The server's first; each empty unless the programs were explained.
    pub(super) traces: Vec<Trace>,
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
        let compiled = installed.iter().map(|rules| engine.rules.compiled(rules));
        let compiled = compiled.collect::<Result<Vec<_>, _>>()?;
        let of = |wanted: &dyn Fn(&InstalledRules) -> bool| {
            let sets = installed.iter().zip(&compiled).filter(|(rules, _)| wanted(rules));
            Program::new(sets.map(|(rules, set)| (rules.scope, RuleSet::clone(set))).collect())
        };
        let server = of(&|rules| rules.scope == ScopeKind::Server);
        let account = |addressee: &Addressee| of(&|rules| governs(rules, &addressee.account));
        Ok(Programs { server, accounts: addressees.known.iter().map(account).collect() })
    }

    /// Runs the server's rules over the whole envelope, then each account's over its own part.
    pub(super) fn run(
        &self,
        engine: &Engine<'_>,
        message: &Message<'_>,
        request: &Request<'_>,
        addressees: &Addressees,
        watch: Watch,
    ) -> Result<Verdicts, EngineError> {
        let asking = Asking { engine, message, request, watch };
        let facts = Gathered::new(engine, self, addressees)?;
        let everybody = request.recipients.iter().map(super::Recipient::as_sent).collect();
        let nothing = HeaderEdits::default();
        let mut server = asking.judge(&self.server, everybody, &facts.server, &nothing)?;
        let mut traces = vec![std::mem::take(&mut server.trace)];
        let mut asked = fired(&server.asked, None);
        let mut accounts = Vec::with_capacity(addressees.known.len());
        for ((program, addressee), facts) in self.accounts.iter().zip(&addressees.known).zip(&facts.accounts)
        {
            let judged = asking.judge(program, addressee.as_sent.clone(), facts, &server.edits)?;
            asked.extend(fired(&judged.asked, Some(addressee.account.address.to_string())));
            accounts.push(judged.verdict);
            traces.push(judged.trace);
        }
        Ok(Verdicts { server: server.verdict, accounts, asked, traces })
    }
}

/// The message that is judged, and by whom.
struct Asking<'c> {
    engine: &'c Engine<'c>,
    message: &'c Message<'c>,
    request: &'c Request<'c>,
    watch: Watch,
}

/// What one program wants.
struct Judged {
    verdict: Verdict,
    /// The rules that asked a filter, once for each question.
    asked: Vec<String>,
    trace: Trace,
    edits: HeaderEdits,
}

impl Asking<'_> {
    fn judge(
        &self,
        program: &Program,
        recipients: Vec<String>,
        facts: &Facts,
        edits: &HeaderEdits,
    ) -> Result<Judged, EngineError> {
        let (request, message) = (self.request, self.message);
        let (sender, client) = (request.sender.clone(), request.client.clone());
        let envelope = Envelope { sender, recipients, source: request.source, client };
        let input = Input { message, envelope: &envelope, facts, edits };
        let mut evaluation = match self.watch {
            Watch::Silent => Evaluation::new(program, input),
            Watch::Traced => Evaluation::traced(program, input),
        };
        let mut asked = Vec::new();
        loop {
            match evaluation.run() {
                Progress::Done(verdict) => {
                    let edits = evaluation.edits().clone();
                    return Ok(Judged { verdict, asked, trace: evaluation.into_trace(), edits });
                }
                Progress::Ask(question) => {
                    let edited = evaluation.edits().apply(message);
                    let answer = self.engine.helpers.ask(&question.filter, &edited, &envelope);
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

//! From installed rule files to verdicts.

use super::addressee::{Addressee, Addressees};
use super::{Account, CertificateState, Engine, EngineError, InstalledRules, Request};
use crate::mail::{Address, Message};
use crate::rules::{Envelope, Facts, Program, RuleSet, ScopeKind, Trace, Verdict, evaluate, explain};

/// The rules that run for one call.
pub(super) struct Programs {
    server: Program,
    /// In the order of the addressees.
    accounts: Vec<Program>,
}

/// What all rules want, and why if it was asked.
pub(super) struct Verdicts {
    /// The server's rules, which run once.
    pub(super) server: Verdict,
    /// In the order of the addressees.
    pub(super) accounts: Vec<Verdict>,
    /// The server's first; empty unless the programs were explained.
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

struct Compiled<'i> {
    installed: &'i InstalledRules,
    rules: RuleSet,
}

impl Programs {
    /// Reads and merges the rules of the server and of everybody whom the message is for.
    pub(super) fn load(engine: &Engine<'_>, addressees: &Addressees) -> Result<Programs, EngineError> {
        let addresses: Vec<Address> =
            addressees.known.iter().map(|addressee| addressee.account.address.clone()).collect();
        let installed = engine.directory.rules(&addresses)?;
        let compiled = installed.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let of = |wanted: &dyn Fn(&InstalledRules) -> bool| {
            let sets = compiled.iter().filter(|set| wanted(set.installed));
            Program::new(sets.map(|set| (set.installed.scope, set.rules.clone())).collect())
        };
        let server = of(&|rules| rules.scope == ScopeKind::Server);
        let account = |addressee: &Addressee| of(&|rules| governs(rules, &addressee.account));
        Ok(Programs { server, accounts: addressees.known.iter().map(account).collect() })
    }

    /// Runs the server's rules over the whole envelope, then each account's over its own part.
    pub(super) fn run(
        &self,
        message: &Message<'_>,
        request: &Request<'_>,
        addressees: &Addressees,
        watch: Watch,
    ) -> Verdicts {
        let mut traces = Vec::new();
        let mut judge = |program: &Program, recipients: Vec<String>, facts: &Facts| {
            let envelope = Envelope { sender: request.sender.clone(), recipients, source: request.source };
            if watch == Watch::Silent {
                return evaluate(program, message, &envelope, facts);
            }
            let (verdict, trace) = explain(program, message, &envelope, facts);
            traces.push(trace);
            verdict
        };
        let everybody = request.recipients.iter().map(super::Recipient::as_sent).collect();
        let server = judge(&self.server, everybody, &Facts::default());
        let each = self.accounts.iter().zip(&addressees.known);
        let accounts = each
            .map(|(program, addressee)| judge(program, addressee.as_sent.clone(), &facts(&addressee.account)))
            .collect();
        Verdicts { server, accounts, traces }
    }
}

fn compile(installed: &InstalledRules) -> Result<Compiled<'_>, EngineError> {
    match RuleSet::from_toml(&installed.file, &installed.text, installed.scope) {
        Ok(rules) => Ok(Compiled { installed, rules }),
        Err(faults) => {
            let holder = if installed.holder.is_empty() { "the server" } else { &installed.holder };
            Err(EngineError::BrokenRules {
                holder: holder.into(),
                file: installed.file.clone(),
                faults: Box::new(faults),
            })
        }
    }
}

/// Do rules of a domain or an account run for this account?
fn governs(rules: &InstalledRules, account: &Account) -> bool {
    match rules.scope {
        ScopeKind::Server => false,
        ScopeKind::Domain => rules.holder.eq_ignore_ascii_case(&account.domain.name),
        ScopeKind::Account => rules.holder.eq_ignore_ascii_case(&account.address.to_string()),
    }
}

fn facts(account: &Account) -> Facts {
    let active = account.certificates.iter().filter(|held| held.state == CertificateState::Active);
    Facts { owner_ids: active.flat_map(|held| held.certificate.recipient_ids()).collect() }
}

//! `Discard` in the place of a mail that does not leave: the message would be nowhere, and so it is not discarded.

use super::deliver::Case;
use super::mails::leaves;
use super::plan::Plan;
use super::{Engine, EngineError, Request};
use crate::rules::{Action, Ending, Verdict};

/// A `Discard` that would lose the message.
struct Loss {
    /// The place among the accounts; absent: the server.
    account: Option<usize>,
    warning: String,
}

/// Overrules each `Discard` beside which no copy is planned and nothing leaves of what was to be sent on.
pub(super) fn overrule(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &mut Case<'_>,
) -> Result<(), EngineError> {
    for Loss { account, warning } in losses(engine, request, case)? {
        let verdict = match account {
            None => Some(&mut case.verdicts.server),
            Some(at) => case.verdicts.accounts.get_mut(at),
        };
        verdict.into_iter().for_each(|verdict| verdict.ending = Ending::Overruled);
        case.warnings.push(warning);
    }
    Ok(())
}

/// What cannot be planned fails the delivery, and is told where the plan is made: here it is no loss.
fn losses(engine: &Engine<'_>, request: &Request<'_>, case: &Case<'_>) -> Result<Vec<Loss>, EngineError> {
    let verdicts = &case.verdicts;
    let mut losses = Vec::new();
    if !std::iter::once(&verdicts.server).chain(&verdicts.accounts).any(sends_in_its_place) {
        return Ok(losses);
    }
    let planner = case.planner(engine.settings);
    let Ok(server) = planner.server(&verdicts.server) else { return Ok(losses) };
    if server.discarded {
        let Some(rules) = stopped(engine, request, case, &server.plan)? else { return Ok(losses) };
        losses.push(Loss { account: None, warning: warning(&rules, "the message goes on to the accounts") });
    }
    for (at, (verdict, known)) in verdicts.accounts.iter().zip(&case.addressees.known).enumerate() {
        if !sends_in_its_place(verdict) {
            continue;
        }
        let Ok(plan) = planner.account(verdict, &known.account, &server.inherited) else { continue };
        if let Some(rules) = stopped(engine, request, case, &plan)? {
            losses.push(Loss { account: Some(at), warning: warning(&rules, "the INBOX copy follows") });
        }
    }
    Ok(losses)
}

fn sends_in_its_place(verdict: &Verdict) -> bool {
    let passes_on = |action: &Action| matches!(action, Action::PassOn(..));
    verdict.ending == Ending::Discard && verdict.steps.iter().any(|step| passes_on(&step.action))
}

/// The rules that send the message on, if it is stored nowhere and nothing of that leaves. Files of its attachments are not
/// the message.
fn stopped(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &Case<'_>,
    plan: &Plan<'_>,
) -> Result<Option<Vec<String>>, EngineError> {
    if !plan.copies.is_empty() {
        return Ok(None);
    }
    let mut rules: Vec<String> = Vec::new();
    for effect in plan.effects.iter().filter(|effect| matches!(effect.action, Action::PassOn(..))) {
        if leaves(engine, request, case, effect)? {
            return Ok(None);
        }
        let named = format!("rule \"{}\"", effect.rule);
        if !rules.contains(&named) {
            rules.push(named);
        }
    }
    Ok((!rules.is_empty()).then_some(rules))
}

fn warning(rules: &[String], consequence: &str) -> String {
    let rules = rules.join(" and ");
    format!("nothing of what {rules} sends on leaves, so {consequence} in spite of \"Discard\"")
}

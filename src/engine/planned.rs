//! What a delivery would do beside copies, for people who ask. Attachments that are copied are
//! among the copies, and what is sent is among the mails.

use super::deliver::Case;
use crate::rules::{Action, Verdict};
use serde::Serialize;

/// An action that neither stores a copy nor sends a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedEffectReport {
    /// The account that the rule acts for; absent for the server.
    pub account: Option<String>,
    /// The rule's name.
    pub rule: String,
    /// The action's name.
    pub action: &'static str,
    /// What it is given: header lines, a tag, a dataset, a command.
    pub parameter: String,
}

/// All of them in their order, the server's first.
pub(super) fn effects(case: &Case<'_>) -> Vec<PlannedEffectReport> {
    let verdicts = &case.verdicts;
    let mut effects = of_verdict(&verdicts.server, None);
    if verdicts.server.ending.goes_on() {
        for (known, verdict) in case.addressees.known.iter().zip(&verdicts.accounts) {
            effects.extend(of_verdict(verdict, Some(known.account.address.to_string())));
        }
    }
    effects
}

fn of_verdict(verdict: &Verdict, account: Option<String>) -> Vec<PlannedEffectReport> {
    let report = |step: &crate::rules::Step| {
        let action = name(&step.action)?;
        let whole = step.action.to_string();
        let parameter = whole.strip_prefix(action).unwrap_or(&whole).trim().to_owned();
        Some(PlannedEffectReport { account: account.clone(), rule: step.rule.clone(), action, parameter })
    };
    verdict.steps.iter().filter_map(report).collect()
}

fn name(action: &Action) -> Option<&'static str> {
    match action {
        Action::AddHeader(_) => Some("Add Header"),
        Action::TagSubject(_) => Some("Tag Subject"),
        Action::Remember(_) => Some("Remember 'From' in"),
        Action::Execute(_) => Some("Execute"),
        _ => None,
    }
}

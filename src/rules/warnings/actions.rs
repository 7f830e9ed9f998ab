//! Actions that do nothing, or too much.

use super::{Warning, warn};
use crate::rules::model::PlannedAction;
use crate::rules::{Action, Rule};

/// All that is odd in the actions of one rule.
pub(super) fn odd(rule: &Rule) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(idle(rule));
    warnings.extend(dead(rule));
    warnings.extend(void(rule));
    warnings.extend(twice(rule));
    warnings.extend(clear_beside_sealed(rule));
    warnings.extend(without_effect(rule));
    warnings
}

fn idle(rule: &Rule) -> Option<Warning> {
    rule.actions.is_empty().then(|| warn(rule, rule.line, "the rule has no action"))
}

/// Actions behind one that ends.
fn dead(rule: &Rule) -> Option<Warning> {
    let mut actions = rule.actions.iter();
    let end = actions.find(|planned| planned.action.is_end())?;
    let dead = actions.next()?;
    let text = format!("\"{}\" never runs: \"{}\" before it ends the rules", dead.action, end.action);
    Some(warn(rule, dead.line, text))
}

/// The actions that run.
fn living(rule: &Rule) -> &[PlannedAction] {
    let end = rule.actions.iter().position(|planned| planned.action.is_end());
    end.and_then(|end| rule.actions.get(..=end)).unwrap_or(&rule.actions)
}

fn end(rule: &Rule) -> Option<&Action> {
    living(rule).last().map(|planned| &planned.action).filter(|action| action.is_end())
}

/// What stands in front of a rejection.
fn void(rule: &Rule) -> Option<Warning> {
    let first = rule.actions.first().filter(|first| !first.action.is_end())?;
    matches!(end(rule)?, Action::Reject(_)).then(|| {
        let text = format!("\"{}\" is void: the rule rejects, so nothing is stored", first.action);
        warn(rule, first.line, text)
    })
}

/// The same action once more.
fn twice(rule: &Rule) -> Vec<Warning> {
    let actions = living(rule);
    let again = |(at, planned): (usize, &PlannedAction)| {
        let first = actions.get(..at)?.iter().find(|first| first.action == planned.action)?;
        let text = format!("\"{}\" stands in line {} already: it is done twice", planned.action, first.line);
        Some(warn(rule, planned.line, text))
    };
    actions.iter().enumerate().filter_map(again).collect()
}

/// A clear copy beside a sealed one, in the INBOX or in the same mailbox.
fn clear_beside_sealed(rule: &Rule) -> Option<Warning> {
    let pair = |planned: &'_ PlannedAction| {
        let Action::Store(clear) = &planned.action else { return None };
        let beside = |other: &&PlannedAction| matches!(&other.action, Action::StoreEncrypted(sealed, _) if clear.name.is_inbox() || sealed == clear);
        let sealed = living(rule).iter().find(beside)?;
        let what =
            if clear.name.is_inbox() { "a clear INBOX copy" } else { "a clear copy in the same mailbox" };
        let text =
            format!("\"{}\" leaves {what} beside the sealed one of \"{}\"", planned.action, sealed.action);
        Some(warn(rule, planned.line, text))
    };
    living(rule).iter().find_map(pair)
}

/// Flags and header lines for copies that never come.
fn without_effect(rule: &Rule) -> Option<Warning> {
    let end = end(rule).filter(|end| matches!(end, Action::Discard))?;
    let edits =
        |action: &Action| matches!(action, Action::Mark(_) | Action::AddHeader(_) | Action::TagSubject(_));
    let last = living(rule).iter().rev().find(|planned| !planned.action.is_end())?;
    let text = || format!("\"{}\" has no effect: no copy is stored between it and \"{end}\"", last.action);
    edits(&last.action).then(|| warn(rule, last.line, text()))
}

/// A sealed copy of its own in the INBOX, and then the INBOX copy.
pub(super) fn second_inbox_copy(rule: &Rule) -> Option<Warning> {
    let ends_it = matches!(end(rule), Some(Action::Discard | Action::Reject(_)));
    if rule.priority == 0 || ends_it || clear_beside_sealed(rule).is_some() {
        return None;
    }
    let own_inbox = |planned: &&PlannedAction| match &planned.action {
        Action::StoreEncrypted(mailbox, _) | Action::Store(mailbox) => {
            mailbox.owner.is_none() && mailbox.name.is_inbox()
        }
        _ => false,
    };
    let copy = living(rule).iter().find(own_inbox)?;
    let text = format!(
        "\"{}\" is one INBOX copy, and another one follows: end the rule with \"Discard\"",
        copy.action
    );
    Some(warn(rule, copy.line, text))
}

/// A sealed copy, and then the INBOX copy, which is clear where this is asked.
pub(super) fn clear_copy_follows(rule: &Rule) -> Option<Warning> {
    let is_sealed = |planned: &&PlannedAction| matches!(planned.action, Action::StoreEncrypted(..));
    let sealed = living(rule).iter().find(is_sealed)?;
    let ends_it = matches!(end(rule), Some(Action::Discard | Action::Reject(_)));
    let text = format!(
        "a clear INBOX copy follows beside the sealed one of \"{}\", because inbox is plain here: end the rule \
         with \"Discard\"",
        sealed.action
    );
    (!ends_it).then(|| warn(rule, sealed.line, text))
}

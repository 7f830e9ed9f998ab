//! What active rules reach beyond the message: mailboxes, and people who get mail.

use super::model::PlannedAction;
use super::{Action, ReplyText, Rule, RuleSet};
use crate::mail::{Address, MailboxRef};

/// A copy that a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'r> {
    /// The rule's name.
    pub rule: &'r str,
    /// Where the action stands, counted from 1.
    pub line: usize,
    /// Into which mailbox.
    pub mailbox: &'r MailboxRef,
    /// Has the rule no condition?
    pub is_for_all: bool,
}

/// Mail that a rule sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<'r> {
    /// The rule's name.
    pub rule: &'r str,
    /// Where the action stands, counted from 1.
    pub line: usize,
    /// The action's name.
    pub action: &'static str,
    /// In whose name, if its text says so.
    pub from: Option<Address>,
}

impl RuleSet {
    /// The copies of its active rules, in the order of the file.
    pub fn stores(&self) -> impl Iterator<Item = Stored<'_>> {
        self.living().filter_map(|(rule, planned)| match &planned.action {
            Action::Store(mailbox) | Action::StoreEncrypted(mailbox, _) => Some(Stored {
                rule: &rule.name,
                line: planned.line,
                mailbox,
                is_for_all: rule.conditions.is_empty(),
            }),
            _ => None,
        })
    }

    /// The mail of its active rules, in the order of the file.
    pub fn mails(&self) -> impl Iterator<Item = Sent<'_>> {
        self.living().filter_map(|(rule, planned)| {
            let from = match &planned.action {
                Action::PassOn(..) => None,
                Action::Reply(_, text) => author(text),
                _ => return None,
            };
            Some(Sent { rule: &rule.name, line: planned.line, action: planned.name, from })
        })
    }

    /// The actions that may run.
    fn living(&self) -> impl Iterator<Item = (&Rule, &PlannedAction)> {
        let active = self.rules().filter(|rule| rule.priority > 0);
        active.flat_map(|rule| {
            let before_end = rule.actions.iter().take_while(|planned| !planned.action.is_end());
            before_end.map(move |planned| (rule, planned))
        })
    }
}

fn author(text: &str) -> Option<Address> {
    let from = ReplyText::parse(text).ok()?.from?;
    Address::parse(&from.address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ScopeKind;

    fn set(text: &str) -> RuleSet {
        RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn actions_that_may_run_are_told() {
        let set = set(r#"
[[rule]]
name = "a"
priority = 1
then = [
  ["Store in", "~hr/Box"],
  ["Reply with", "+From: x@far.example\n\nhi"],
  ["Redirect to", "y@far.example"],
  ["Discard"],
  ["Store in", "Never"],
]
[[rule]]
name = "off"
priority = 0
then = [["Store in", "Off"], ["Forward to", "y@far.example"]]
[[rule]]
name = "b"
priority = 2
when = [["Human Generated"]]
then = [["Store Encrypted in", "Vault"]]
"#);
        let stores: Vec<_> =
            set.stores().map(|one| (one.rule, one.line, one.mailbox.to_string(), one.is_for_all)).collect();
        assert_eq!(stores, [("a", 6, "~hr/Box".to_owned(), true), ("b", 20, "Vault".to_owned(), false)]);
        let from = Some(Address::parse("x@far.example").unwrap());
        let expected = [
            Sent { rule: "a", line: 7, action: "Reply with", from },
            Sent { rule: "a", line: 8, action: "Redirect to", from: None },
        ];
        assert_eq!(set.mails().collect::<Vec<_>>(), expected);
    }
}

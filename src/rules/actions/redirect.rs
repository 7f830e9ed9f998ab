//! `Redirect to`: the message goes on to other addresses, sent again by the account (RFC 5322 3.6.6).
//!
//! In front of it stand a `Received` and a `Delivered-To` field, and `Resent-Date`, `Resent-From`, `Resent-To` and
//! `Resent-Message-ID`; nothing else changes but that `Return-Path` and `Bcc` go. The envelope's sender is the account, so that
//! what servers further on cannot deliver comes home; of a message with the null sender it stays null. It leaves in the clear, as it came: that
//! an INBOX is sealed says nothing about what a rule sends away.

use super::ActionWord;
use super::addresses::{PARAMETER, pass_on};
use crate::rules::{Class, PassOn, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Redirect to",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Sends the message on as the actions before it left it, resent by the account: what a server further on cannot \
          deliver comes back to the account, and what the submission server refuses stays in the queue as failed.",
    example: r#"["Redirect to", "anna.private@far.example"]"#,
    parse: |arguments| pass_on(arguments, PassOn::Redirect),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending, PassOn};

    #[test]
    fn sends_on_and_goes_on() {
        let verdict = verdict(r#"then = [["Redirect to", "carol@far.example"], ["Mark", "Seen"]]"#, "\n");
        assert_eq!((verdict.ending, verdict.steps.len()), (Ending::Inbox, 2));
        assert!(matches!(&verdict.steps[0].action, Action::PassOn(PassOn::Redirect, to) if to.len() == 1));
        assert_eq!(verdict.steps[0].action.to_string(), "Redirect to carol@far.example");
    }
}

//! `Mirror to`: the message goes on to other addresses as if it had been sent there, its sender kept.
//!
//! In front of it stand a `Received`, a `Delivered-To` and an `X-Mirrored-By` field; nothing else changes but that `Return-Path`
//! and `Bcc` go. Servers that check who may send for a domain (SPF) may refuse it: `Redirect to` is for these. It leaves in the
//! clear.

use super::ActionWord;
use super::addresses::{PARAMETER, pass_on};
use crate::rules::{Class, PassOn, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Mirror to",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Sends the message on with the envelope sender that it came with; but for what `Add Header` and `Tag Subject` did before \
          it, nothing but trace fields is added.",
    example: r#"["Mirror to", "archive@far.example"]"#,
    parse: |arguments| pass_on(arguments, PassOn::Mirror),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending, PassOn};

    #[test]
    fn sends_on_and_goes_on() {
        let verdict = verdict(r#"then = [["Mirror to", "carol@far.example"], ["Mark", "Seen"]]"#, "\n");
        assert_eq!((verdict.ending, verdict.steps.len()), (Ending::Inbox, 2));
        assert!(matches!(&verdict.steps[0].action, Action::PassOn(PassOn::Mirror, to) if to.len() == 1));
        assert_eq!(verdict.steps[0].action.to_string(), "Mirror to carol@far.example");
    }
}

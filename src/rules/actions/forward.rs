//! `Forward to`: a new mail of the account, with the message attached (RFC 2046 5.2.1).
//!
//! From the account, `Subject: Fwd: …`, `Auto-Submitted: auto-generated`; the message stands in a part `message/rfc822`, so that
//! its own header and its signatures stay whole. The envelope's sender is that of `Redirect to`. It leaves in the clear.

use super::ActionWord;
use super::addresses::{PARAMETER, pass_on};
use crate::rules::{Class, PassOn, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Forward to",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Sends a new mail of the account with the message attached.",
    example: r#"["Forward to", ["desk@far.example", "anna@far.example"]]"#,
    parse: |arguments| pass_on(arguments, PassOn::Forward),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending, PassOn};

    #[test]
    fn sends_on_and_goes_on() {
        let verdict = verdict(r#"then = [["Forward to", "carol@far.example"], ["Mark", "Seen"]]"#, "\n");
        assert_eq!((verdict.ending, verdict.steps.len()), (Ending::Inbox, 2));
        assert!(matches!(&verdict.steps[0].action, Action::PassOn(PassOn::Forward, to) if to.len() == 1));
        assert_eq!(verdict.steps[0].action.to_string(), "Forward to carol@far.example");
    }
}

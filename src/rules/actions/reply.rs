//! `Reply with`: an automatic answer to the sender (RFC 3834).
//!
//! It goes to the sender of the envelope (RFC 3834 4) and not, as elsewhere, to `Reply-To` or `From`: these are words of the
//! message, by which a stranger could have anybody written to. Whom it never goes to: `engine/mails/silence.rs`.

use super::ActionWord;
use super::replies::{PARAMETER, reply};
use crate::rules::{Class, ReplyKind, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Reply with",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Answers the sender with that text, once in an interval; never a list, a program or the null sender.",
    example: r#"["Reply with", "I am away until Monday.\n\nYour mail ^S waits for me."]"#,
    parse: |arguments| reply(arguments, ReplyKind::Reply),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{faults, verdict};
    use crate::rules::{Action, Ending, ReplyKind};

    #[test]
    fn keeps_the_text_and_goes_on() {
        let verdict = verdict(r#"then = [["Reply with", "+Subject: x\n\n^S"], ["Mark", "Seen"]]"#, "\n");
        assert_eq!((verdict.ending, verdict.steps.len()), (Ending::Inbox, 2));
        let expected = Action::Reply(ReplyKind::Reply, "+Subject: x\n\n^S".to_owned());
        assert_eq!(verdict.steps[0].action, expected);
    }

    #[test]
    fn faults_of_the_header_are_said_all_at_once() {
        let faults = faults(r#"then = [["Reply with", "+Date: x\nSender: a@b.example\n\nx"]]"#);
        let texts: Vec<&str> = faults.faults().iter().map(|fault| fault.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "the field \"Date\" is written by Sealpost itself",
                "the field \"Sender\" is not allowed in an automatic mail"
            ]
        );
    }
}

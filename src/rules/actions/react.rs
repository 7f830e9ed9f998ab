//! `React with`: a new mail about the message, to those whom the text names.
//!
//! Who gets it stands in the rule and never in the message. What is never answered is not reacted to either, but for addresses that
//! nobody reads and for messages that name others in `To`.

use super::ActionWord;
use super::replies::{PARAMETER, reply};
use crate::rules::{Class, ReplyKind, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "React with",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Sends that text to those whom its own fields To, Cc and Bcc name; else as Reply with.",
    example: r#"["React with", "+To: desk@north.example\nSubject: Mail from ^F\n\n^F wrote: ^S"]"#,
    parse: |arguments| reply(arguments, ReplyKind::React),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{faults, verdict};
    use crate::rules::{Action, ReplyKind};

    #[test]
    fn somebody_must_get_it() {
        let verdict = verdict(r#"then = [["React with", "+Bcc: a@b.example\n\nx"]]"#, "\n");
        assert!(matches!(verdict.steps[0].action, Action::Reply(ReplyKind::React, _)));
        for text in ["x", "+Subject: x\\n\\nx", "To: a@b.example\\n\\nx"] {
            let faults = faults(&format!("then = [[\"React with\", \"{text}\"]]"));
            assert_eq!(faults.faults()[0].text, "\"React with\" does not say who gets the mail");
        }
    }
}

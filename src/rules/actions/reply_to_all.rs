//! `Reply to All with`: an automatic answer to the sender and to everybody in To and Cc.

use super::ActionWord;
use super::replies::{PARAMETER, reply};
use crate::rules::{Class, ReplyKind, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Reply to All with",
    parameter: PARAMETER,
    scopes: ScopeKind::ALL,
    class: Class::Mail,
    doc: "Answers the sender and everybody in To and Cc but the account itself; else as Reply with.",
    example: r#"["Reply to All with", "This address has moved: write to desk@north.example."]"#,
    parse: |arguments| reply(arguments, ReplyKind::ReplyToAll),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, ReplyKind};

    #[test]
    fn keeps_the_text() {
        let verdict = verdict(r#"then = [["Reply to All with", "moved"]]"#, "\n");
        assert_eq!(verdict.steps[0].action, Action::Reply(ReplyKind::ReplyToAll, "moved".to_owned()));
    }
}

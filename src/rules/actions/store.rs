//! `Store in`: a clear copy.

use super::{Action, ActionWord};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Store in",
    parameter: "mailbox",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Stores a copy in that mailbox in the clear; the INBOX copy still follows.",
    example: r#"["Store in", "Lists/Rust"]"#,
    parse: |arguments| arguments.mailbox().map(Action::Store),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending};

    #[test]
    fn asks_for_a_copy_and_goes_on() {
        let verdict = verdict(r#"then = [["Store in", "Lists/Rust"]]"#, "\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.ended_by, None);
        let Action::Store(mailbox) = &verdict.steps[0].action else { panic!("{verdict:?}") };
        assert_eq!(mailbox.name.as_str(), "Lists/Rust");
    }
}

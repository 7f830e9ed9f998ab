//! `Stop Processing`: no further rules.

use super::{Action, ActionWord};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Stop Processing",
    parameter: "",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Ends the rules; the INBOX copy follows.",
    example: r#"["Stop Processing"]"#,
    parse: |_| Some(Action::Stop),
};

#[cfg(test)]
mod tests {
    use crate::rules::Ending;
    use crate::rules::evaluate::testing::verdict;

    #[test]
    fn ends_with_the_inbox_copy() {
        let verdict = verdict(r#"then = [["Stop Processing"], ["Discard"]]"#, "\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.ended_by.as_deref(), Some("r"));
    }
}

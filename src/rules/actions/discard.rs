//! `Discard`: no INBOX copy.

use super::{Action, ActionWord};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Discard",
    parameter: "",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Ends the rules without an INBOX copy; copies that were asked for before stay. Where there is none, and mail that was to go \
          on to others cannot leave, the INBOX copy follows all the same.",
    example: r#"["Discard"]"#,
    parse: |_| Some(Action::Discard),
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending};

    #[test]
    fn ends_at_once_and_keeps_the_copies() {
        let verdict = verdict(r#"then = [["Store in", "A"], ["Discard"], ["Store in", "B"]]"#, "\n");
        assert_eq!(verdict.ending, Ending::Discard);
        assert_eq!(verdict.ended_by.as_deref(), Some("r"));
        assert_eq!(verdict.steps.len(), 1);
        assert!(matches!(verdict.steps[0].action, Action::Store(_)));
    }
}

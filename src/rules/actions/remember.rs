//! `Remember 'From' in`: the author's address becomes a member of a dataset.

use super::{Action, ActionWord};
use crate::rules::{Class, ScopeKind, dataset_name_fault};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Remember 'From' in",
    parameter: "dataset",
    scopes: &[ScopeKind::Domain, ScopeKind::Account],
    class: Class::Filter,
    doc: "Adds the addresses of From to a dataset of the account, once the message is stored.",
    example: r#"["Remember 'From' in", "Correspondents"]"#,
    parse: |arguments| {
        let (name, span) = arguments.text("the name of a dataset")?;
        match dataset_name_fault(name) {
            None => Some(Action::Remember(name.to_owned())),
            Some(reason) => {
                let hint = "a name like \"Friends\"; conditions ask for its members with \"#Friends\"";
                let text = format!("\"{name}\" is no name of a dataset: {reason}");
                arguments.faults.add(span, text, hint.to_owned());
                None
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{faults, verdict};
    use crate::rules::{Action, Ending, RuleSet, ScopeKind};

    #[test]
    fn goes_on_and_remembers() {
        let verdict = verdict(r#"then = [["Remember 'From' in", "Friends"]]"#, "\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.steps[0].action, Action::Remember("Friends".into()));
    }

    #[test]
    fn the_name_is_checked() {
        let faults = faults(r##"then = [["Remember 'From' in", "#Friends"]]"##);
        let expected =
            "\"#Friends\" is no name of a dataset: the # belongs to lists of pictures; a name has none";
        assert_eq!(faults.faults()[0].text, expected);
    }

    #[test]
    fn the_server_has_no_datasets() {
        let text = "[[rule]]\nname = \"a\"\npriority = 1\nthen = [[\"Remember 'From' in\", \"A\"]]\n";
        assert!(RuleSet::from_toml("f.toml", text, ScopeKind::Server).is_err());
    }
}

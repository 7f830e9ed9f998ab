//! `Copy Attachments into`: the attachments as files of the account.

use super::{Action, ActionWord};
use crate::mail::FolderName;
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Copy Attachments into",
    parameter: "folder of the account's files",
    class: Class::Mail,
    scopes: &[ScopeKind::Domain, ScopeKind::Account],
    doc: "Copies each attachment into a folder of the account's files, sealed unless the account consents to plain files.",
    example: r#"["Copy Attachments into", "Invoices/2026"]"#,
    parse: |arguments| {
        let (name, span) = arguments.text("a folder of the account's files")?;
        match FolderName::parse(name) {
            Ok(folder) => Some(Action::CopyAttachments(folder)),
            Err(error) => {
                let hint = "a name like \"Invoices\" or \"Invoices/2026\"".to_owned();
                arguments.faults.add(span, error.to_string(), hint);
                None
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{faults, verdict};
    use crate::rules::{Ending, RuleSet, ScopeKind};

    #[test]
    fn goes_on_with_a_folder() {
        let verdict = verdict(r#"then = [["Copy Attachments into", "Invoices/2026"]]"#, "\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.steps[0].action.to_string(), "Copy Attachments into Invoices/2026");
    }

    #[test]
    fn folders_that_lead_out_are_refused() {
        let faults = faults(r#"then = [["Copy Attachments into", "../x"]]"#);
        let expected = "\"../x\" is no folder name: a level begins with a dot: \"..\" would lead out, and others are hidden";
        assert_eq!(faults.faults()[0].text, expected);
    }

    #[test]
    fn the_server_has_no_files() {
        let text = "[[rule]]\nname = \"a\"\npriority = 1\nthen = [[\"Copy Attachments into\", \"A\"]]\n";
        assert!(RuleSet::from_toml("f.toml", text, ScopeKind::Server).is_err());
    }
}

//! `Store Encrypted in`: a copy sealed to the owner of the mailbox.

use super::{Action, ActionWord, Arguments};
use crate::crypto::Profile;
use crate::rules::words::{LATER, nearest, quoted};
use crate::rules::{ScopeKind, StoreOptions};
use toml::Spanned;
use toml::de::DeValue;

pub(super) static WORD: ActionWord = ActionWord {
    name: "Store Encrypted in",
    parameter: "mailbox, then options if any: {profile = \"modern\"}",
    scopes: ScopeKind::ALL,
    doc: "Stores a copy in that mailbox, sealed to the mailbox's owner; the INBOX copy still follows.",
    example: r#"["Store Encrypted in", "Vault/Payroll", {profile = "modern"}]"#,
    parse: |arguments| {
        let mailbox = arguments.mailbox();
        let options = options(arguments);
        Some(Action::StoreEncrypted(mailbox?, options?))
    },
};

fn options(arguments: &mut Arguments<'_, '_, '_>) -> Option<StoreOptions> {
    let mut options = Some(StoreOptions::default());
    for (key, value) in arguments.options()? {
        match key.get_ref().as_ref() {
            "profile" => {
                let profile = profile(arguments, &value);
                options = options.filter(|_| profile.is_some()).map(|_| StoreOptions { profile });
            }
            "headers" => {
                let hint = "headers are kept outside as they are".to_owned();
                arguments.faults.add(key.span(), format!("the option \"headers\" is {LATER}"), hint);
                options = None;
            }
            other => {
                let text = format!("\"{}\" has no option \"{other}\"", arguments.word);
                let hint = "the option is: \"profile\"".to_owned();
                arguments.faults.add_near(key.span(), text, nearest(other, ["profile"]), hint);
                options = None;
            }
        }
    }
    options
}

fn profile(arguments: &mut Arguments<'_, '_, '_>, value: &Spanned<DeValue<'_>>) -> Option<Profile> {
    let name = value.get_ref().as_str().unwrap_or_default();
    if let Some(profile) = Profile::parse(name) {
        return Some(profile);
    }
    let names = || Profile::ALL.iter().map(|profile| profile.name());
    let text = format!("{} is no profile", arguments.faults.source(&value.span()));
    let hint = format!("the profiles are: {}", quoted(names()));
    arguments.faults.add_near(value.span(), text, nearest(name, names()), hint);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::verdict;

    #[test]
    fn the_profile_is_optional() {
        let verdict = verdict(
            r#"then = [["Store Encrypted in", "A"], ["Store Encrypted in", "B", {profile = "compatible"}]]"#,
            "\n",
        );
        let options: Vec<_> = verdict.steps.iter().map(|step| &step.action).collect();
        let [Action::StoreEncrypted(_, none), Action::StoreEncrypted(_, compatible)] = options.as_slice()
        else {
            panic!("{verdict:?}")
        };
        assert_eq!(none.profile, None);
        assert_eq!(compatible.profile, Some(Profile::Compatible));
    }
}

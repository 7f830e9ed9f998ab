//! `Store Encrypted in`: a copy sealed to the owner of the mailbox.

use super::{Action, ActionWord, Arguments};
use crate::crypto::Profile;
use crate::mail::HeaderPolicy;
use crate::rules::datum::Node;
use crate::rules::words::{nearest, quoted};
use crate::rules::{Class, ScopeKind, StoreOptions};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Store Encrypted in",
    parameter: "mailbox, then options if any: {profile = \"modern\", headers = \"hide-subject\"}",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Stores a copy in that mailbox, sealed to the mailbox's owner; the INBOX copy still follows.",
    example: r#"["Store Encrypted in", "Vault/Payroll", {profile = "modern"}]"#,
    parse: |arguments| {
        let mailbox = arguments.mailbox();
        let options = options(arguments);
        Some(Action::StoreEncrypted(mailbox?, options?))
    },
};

const OPTIONS: [&str; 2] = ["profile", "headers"];

fn options(arguments: &mut Arguments<'_, '_>) -> Option<StoreOptions> {
    let (mut options, mut faults) = (StoreOptions::default(), 0);
    for (key, value) in arguments.options()? {
        let read = match key.name.as_str() {
            "profile" => profile(arguments, value).map(|profile| options.profile = Some(profile)),
            "headers" => headers(arguments, value).map(|headers| options.headers = Some(headers)),
            other => {
                let text = format!("\"{}\" has no option \"{other}\"", arguments.word);
                let hint = format!("the options are: {}", quoted(OPTIONS));
                arguments.faults.add_near(key.span.clone(), text, nearest(other, OPTIONS), hint);
                None
            }
        };
        faults += usize::from(read.is_none());
    }
    (faults == 0).then_some(options)
}

fn profile(arguments: &mut Arguments<'_, '_>, value: &Node) -> Option<Profile> {
    let name = value.as_text().unwrap_or_default();
    if let Some(profile) = Profile::parse(name) {
        return Some(profile);
    }
    let names = || Profile::ALL.iter().map(|profile| profile.name());
    let text = format!("{} is no profile", arguments.faults.source(&value.span));
    let hint = format!("the profiles are: {}", quoted(names()));
    arguments.faults.add_near(value.span.clone(), text, nearest(name, names()), hint);
    None
}

fn headers(arguments: &mut Arguments<'_, '_>, value: &Node) -> Option<HeaderPolicy> {
    let name = value.as_text().unwrap_or_default();
    if let Some(policy) = HeaderPolicy::parse(name) {
        return Some(policy);
    }
    let names = || HeaderPolicy::ALL.iter().map(|policy| policy.name());
    let text = format!("{} is no policy for headers", arguments.faults.source(&value.span));
    let hint = format!("the policies are: {}", quoted(names()));
    arguments.faults.add_near(value.span.clone(), text, nearest(name, names()), hint);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::verdict;

    #[test]
    fn options_are_optional() {
        let verdict = verdict(
            r#"then = [["Store Encrypted in", "A"], ["Store Encrypted in", "B", {profile = "compatible"}],
                       ["Store Encrypted in", "C", {headers = "hide-most", profile = "modern"}]]"#,
            "\n",
        );
        let options = verdict.steps.iter().map(|step| match &step.action {
            Action::StoreEncrypted(_, options) => (options.profile, options.headers),
            other => panic!("{other:?}"),
        });
        let expected = [
            (None, None),
            (Some(Profile::Compatible), None),
            (Some(Profile::Modern), Some(HeaderPolicy::HideMost)),
        ];
        assert_eq!(options.collect::<Vec<_>>(), expected);
    }
}

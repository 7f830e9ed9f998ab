//! `Mark`: flags for the copies that are stored from here on.

use super::{Action, ActionWord, Arguments};
use crate::mail::Flag;
use crate::rules::words::nearest;
use crate::rules::{Class, ScopeKind};
use std::ops::Range;

pub(super) static WORD: ActionWord = ActionWord {
    name: "Mark",
    parameter: "flags: Seen, Flagged, Answered, Draft, Deleted, or keywords",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Sets flags on every copy that is stored from here on.",
    example: r#"["Mark", ["Seen", "$Payroll"]]"#,
    parse: |arguments| {
        let texts = arguments.texts("a flag or a list of flags")?;
        let flags: Vec<_> = texts.into_iter().map(|(text, span)| flag(arguments, text, &span)).collect();
        flags.into_iter().collect::<Option<_>>().map(Action::Mark)
    },
};

/// Other words for flags, as CommuniGate Pro has them. Array text is read with them; in TOML they are keywords, and a remark
/// names the flag.
const OTHER_WORDS: [(&str, &str); 1] = [("Read", "Seen")];

/// Words that take a flag away from a message that has it.
const NEGATIVE: [&str; 11] = [
    "Unread",
    "Unseen",
    "Unanswered",
    "Unflagged",
    "Undraft",
    "Undeleted",
    "NotRedirected",
    "NotMDNSent",
    "NotHidden",
    "NotService",
    "NotMedia",
];

/// The flag that another word stands for.
pub(in crate::rules) fn other_word(text: &str) -> Option<&'static str> {
    OTHER_WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, flag)| *flag)
}

fn flag(arguments: &mut Arguments<'_, '_>, text: &str, span: &Range<usize>) -> Option<Flag> {
    if let Some(word) = NEGATIVE.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        let fault =
            format!("the flag \"{word}\" is refused: flags can only be set, and no copy has one before");
        arguments.faults.add(span.clone(), fault, "leave it out".to_owned());
        return None;
    }
    let near = other_word(text).or_else(|| nearest(text, Flag::SYSTEM.iter().map(|(name, _)| *name)));
    match (Flag::parse(text), near) {
        (Ok(flag), near) => {
            let name = near.filter(|_| matches!(flag, Flag::Keyword(_)));
            name.inspect(|name| {
                arguments.note(span, format!("the keyword \"{text}\" looks like the flag \"{name}\""));
            });
            Some(flag)
        }
        (Err(error), near) => {
            let hint = "Seen, Flagged, Answered, Draft, Deleted, or a keyword of your own".to_owned();
            arguments.faults.add_near(span.clone(), error.to_string(), near, hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::{faults, verdict};

    #[test]
    fn one_flag_or_a_list_in_any_case() {
        let verdict = verdict(r#"then = [["Mark", "seen"], ["Mark", ["Flagged", "$Payroll"]]]"#, "\n");
        assert_eq!(verdict.steps[0].action, Action::Mark(vec![Flag::Seen]));
        let keyword = Flag::Keyword("$Payroll".into());
        assert_eq!(verdict.steps[1].action, Action::Mark(vec![Flag::Flagged, keyword]));
    }

    #[test]
    fn what_takes_a_flag_away_is_refused_by_name() {
        let faults = faults(r#"then = [["Mark", ["Seen", "unread"]]]"#);
        let told = "the flag \"Unread\" is refused: flags can only be set, and no copy has one before";
        assert_eq!(faults.faults()[0].text, told);
    }

    #[test]
    fn what_is_no_atom_is_refused() {
        for wrong in ["", "a b", "Seen,Flagged(", "\\\\Recent", "größe", "a*"] {
            let faults = faults(&format!("then = [[\"Mark\", \"{wrong}\"]]"));
            assert!(faults.to_string().contains(" is no flag"), "{wrong}: {faults}");
        }
    }
}

//! `Mark`: flags for the copies that are stored from here on.

use super::{Action, ActionWord, Arguments};
use crate::mail::Flag;
use crate::rules::ScopeKind;
use crate::rules::words::nearest;
use std::ops::Range;

pub(super) static WORD: ActionWord = ActionWord {
    name: "Mark",
    parameter: "flags: Seen, Flagged, Answered, Draft, Deleted, or keywords",
    scopes: ScopeKind::ALL,
    doc: "Sets flags on every copy that is stored from here on.",
    example: r#"["Mark", ["Seen", "$Payroll"]]"#,
    parse: |arguments| {
        let texts = arguments.texts("a flag or a list of flags")?;
        let flags: Vec<_> = texts.into_iter().map(|(text, span)| flag(arguments, text, &span)).collect();
        flags.into_iter().collect::<Option<_>>().map(Action::Mark)
    },
};

const SYSTEM: &[(&str, Flag)] = &[
    ("Seen", Flag::Seen),
    ("Flagged", Flag::Flagged),
    ("Answered", Flag::Answered),
    ("Draft", Flag::Draft),
    ("Deleted", Flag::Deleted),
];

fn flag(arguments: &mut Arguments<'_, '_, '_>, text: &str, span: &Range<usize>) -> Option<Flag> {
    if let Some((_, flag)) = SYSTEM.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some(flag.clone());
    }
    let near = nearest(text, SYSTEM.iter().map(|(name, _)| *name));
    if !is_atom(text) {
        let hint =
            "Seen, Flagged, Answered, Draft, Deleted, or a keyword: letters, digits and most signs, no space";
        arguments.faults.add_near(span.clone(), format!("{text:?} is no flag"), near, hint.to_owned());
        return None;
    }
    if let Some(name) = near {
        arguments.note(span, format!("the keyword \"{text}\" looks like the flag \"{name}\""));
    }
    Some(Flag::Keyword(text.to_owned()))
}

/// An atom of IMAP (RFC 9051 section 9).
fn is_atom(text: &str) -> bool {
    let special = |byte: u8| b"(){%*\"\\] ".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !special(byte))
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
    fn what_is_no_atom_is_refused() {
        for wrong in ["", "a b", "Seen,Flagged(", "\\\\Seen", "größe", "a*"] {
            let faults = faults(&format!("then = [[\"Mark\", \"{wrong}\"]]"));
            assert!(faults.to_string().contains(" is no flag"), "{wrong}: {faults}");
        }
    }
}

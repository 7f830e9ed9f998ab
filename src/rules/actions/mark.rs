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

fn flag(arguments: &mut Arguments<'_, '_>, text: &str, span: &Range<usize>) -> Option<Flag> {
    let near = nearest(text, Flag::SYSTEM.iter().map(|(name, _)| *name));
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
    fn what_is_no_atom_is_refused() {
        for wrong in ["", "a b", "Seen,Flagged(", "\\\\Recent", "größe", "a*"] {
            let faults = faults(&format!("then = [[\"Mark\", \"{wrong}\"]]"));
            assert!(faults.to_string().contains(" is no flag"), "{wrong}: {faults}");
        }
    }
}

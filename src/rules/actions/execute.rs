//! `Execute`: a program of the site looks at the message before it is stored.

use super::{Action, ActionWord, Arguments};
use crate::rules::{Class, Command, Prefix, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Execute",
    parameter: "[FILE] [STDERR] [RETPATH] [RCPT] and a command: a path with a leading /, then arguments",
    scopes: ScopeKind::ALL,
    doc: "Runs a command that the site lists, with the message on standard input, before any copy becomes visible; if it \
          fails, nothing is stored and the sender tries again.",
    example: r#"["Execute", "[RETPATH] /usr/local/bin/notify --box \"New mail\""]"#,
    class: Class::Execute,
    parse,
};

fn parse(arguments: &mut Arguments<'_, '_>) -> Option<Action> {
    let (text, span) = arguments.text("a command")?;
    match Command::parse(text) {
        Ok(command) => {
            let odd: Vec<String> = command.shell_words().map(|word| format!("\"{word}\"")).collect();
            if !odd.is_empty() {
                let text = format!("there is no shell: the command gets {} as it stands", odd.join(", "));
                arguments.note(&span, text);
            }
            Some(Action::Execute(command))
        }
        Err(error) => {
            let prefixes: Vec<String> = Prefix::ALL.iter().map(|(word, _)| format!("[{word}]")).collect();
            let hint = format!(
                "write {} or none of them, then a path with a leading / and arguments; blanks stand in double quotes",
                prefixes.join(" ")
            );
            arguments.faults.add(span, error.to_string(), hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::verdict;
    use crate::rules::{Action, Ending, RuleSet, ScopeKind};

    #[test]
    fn asks_for_a_command_and_goes_on() {
        let verdict = verdict(r#"then = [["Execute", "[FILE] /bin/a 'b ^S"]]"#, "Subject: x\n\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        let Action::Execute(command) = &verdict.steps[0].action else { panic!("{verdict:?}") };
        assert_eq!((command.program(), command.arguments()), ("/bin/a", &["'b".to_owned(), "^S".into()][..]));
        assert_eq!(verdict.steps[0].action.to_string(), "Execute [FILE] /bin/a 'b ^S");
    }

    #[test]
    fn whoever_expects_a_shell_is_warned() {
        let warnings = |command: &str| {
            let text =
                format!("[[rule]]\nname = \"r\"\npriority = 5\nthen = [[\"Execute\", \"{command}\"]]\n");
            let set = RuleSet::from_toml("f.toml", &text, ScopeKind::Account).unwrap();
            set.warnings().into_iter().map(|warning| (warning.line, warning.text)).collect::<Vec<_>>()
        };
        assert_eq!(warnings("/bin/a b"), []);
        let text = "there is no shell: the command gets \"|\", \"$X\" as it stands";
        assert_eq!(warnings("/bin/a | /bin/b $X"), [(4, text.to_owned())]);
    }
}

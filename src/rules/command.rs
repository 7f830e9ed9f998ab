//! Commands as rules and settings write them: words without a shell.

use super::words::nearest;
use std::fmt;

/// What a command of a rule is given, and what of it is heard: `[FILE] [STDERR] [RETPATH] [RCPT]` in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `[FILE]`: two arguments more, `-f /dev/stdin`.
    File,
    /// `[STDERR]`: what it writes to standard error is part of the log line if it fails.
    Stderr,
    /// `[RETPATH]`: two arguments more, `-p` and the return path, empty for the null sender.
    ReturnPath,
    /// `[RCPT]`: more arguments, `-r` and each recipient.
    Recipients,
}

impl Prefix {
    /// Each with its word.
    pub const ALL: &'static [(&'static str, Prefix)] = &[
        ("FILE", Prefix::File),
        ("STDERR", Prefix::Stderr),
        ("RETPATH", Prefix::ReturnPath),
        ("RCPT", Prefix::Recipients),
    ];
}

/// The command of an `Execute`: prefixes, then words of which the first is an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    text: String,
    prefixes: Vec<Prefix>,
    program: String,
    arguments: Vec<String>,
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing, or prefixes alone.
    #[error("no program is named")]
    Empty,
    /// A line end, a NUL and the like.
    #[error("a command is one line without control characters")]
    Control,
    /// A quote without its end.
    #[error("a double quote is not closed")]
    Quote,
    /// A backslash with nothing behind it.
    #[error("a backslash stands at the end: it takes the next character as it is")]
    Backslash,
    /// A path from nowhere: there is no search path.
    #[error("\"{0}\" is no absolute path")]
    Relative(String),
    /// A word in brackets in front that is no prefix.
    #[error("there is no prefix [{name}]{}", .near.map(|near| format!("; did you mean [{near}]?")).unwrap_or_default())]
    UnknownPrefix {
        /// As it stands there.
        name: String,
        /// What it may be a slip of.
        near: Option<&'static str>,
    },
    /// The same prefix once more.
    #[error("the prefix [{0}] stands twice")]
    PrefixTwice(&'static str),
}

impl Command {
    /// Reads `[FILE] /path/to/program argument "argument with blanks"`.
    pub fn parse(text: &str) -> Result<Command, CommandError> {
        let (prefixes, rest) = prefixes(text.trim_matches([' ', '\t']))?;
        let mut words = command_words(rest)?.into_iter();
        let program = words.next().ok_or(CommandError::Empty)?;
        Ok(Command { text: text.to_owned(), prefixes, program, arguments: words.collect() })
    }

    /// An absolute path.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What stands behind the program in the rule.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Does it stand in front?
    pub fn has(&self, prefix: Prefix) -> bool {
        self.prefixes.contains(&prefix)
    }

    /// Words that mean something to a shell and nothing here.
    pub(super) fn shell_words(&self) -> impl Iterator<Item = &str> {
        const WORDS: &[&str] = &["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", ">/dev/null"];
        let odd = |word: &&str| WORDS.contains(word) || word.contains(['$', '`', '\'']);
        self.arguments.iter().map(String::as_str).filter(odd)
    }
}

/// As it stands in the rule.
impl fmt::Display for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// Words separated by blanks; the first is an absolute path. A part in double quotes may hold blanks, a backslash takes
/// the next character as it is, inside of quotes too. Nothing else means anything.
pub fn command_words(text: &str) -> Result<Vec<String>, CommandError> {
    let words = split(text)?;
    match words.first() {
        None => Err(CommandError::Empty),
        Some(program) if !program.starts_with('/') || program.ends_with('/') => {
            Err(CommandError::Relative(program.clone()))
        }
        Some(_) => Ok(words),
    }
}

fn split(text: &str) -> Result<Vec<String>, CommandError> {
    if text.chars().any(|char| char.is_control() && char != '\t') {
        return Err(CommandError::Control);
    }
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or(CommandError::Backslash)?),
            ' ' | '\t' if !quoted => words.extend(word.take()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    if quoted { Err(CommandError::Quote) } else { Ok(words) }
}

/// The prefixes in front, in any order, and what follows them.
fn prefixes(text: &str) -> Result<(Vec<Prefix>, &str), CommandError> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((name, behind)) = rest.strip_prefix('[').and_then(|open| open.split_once(']')) {
        let (word, prefix) = named(name)?;
        if found.contains(&prefix) {
            return Err(CommandError::PrefixTwice(word));
        }
        found.push(prefix);
        rest = behind.trim_start_matches([' ', '\t']);
    }
    Ok((found, rest))
}

fn named(name: &str) -> Result<(&'static str, Prefix), CommandError> {
    if let Some(found) = Prefix::ALL.iter().find(|(word, _)| *word == name) {
        return Ok(*found);
    }
    if name.chars().any(char::is_control) {
        return Err(CommandError::Control);
    }
    let near = nearest(name, Prefix::ALL.iter().map(|(word, _)| *word));
    Err(CommandError::UnknownPrefix { name: name.to_owned(), near })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        split(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn blanks_quotes_and_backslashes_and_nothing_else_mean_something() {
        assert_eq!(words(r"/bin/a b  c"), ["/bin/a", "b", "c"]);
        assert_eq!(words("\t/bin/a\t b "), ["/bin/a", "b"]);
        assert_eq!(words(r#"/bin/a "b  c" d"e f"g"#), ["/bin/a", "b  c", "de fg"]);
        assert_eq!(words(r#"/bin/a "" """#), ["/bin/a", "", ""]);
        assert_eq!(words(r#"/bin/my\ mail \" "a\"b" \\"#), ["/bin/my mail", "\"", "a\"b", "\\"]);
        assert_eq!(
            words("/bin/a $HOME `id` * ~ ^S | > x; 'a b'"),
            ["/bin/a", "$HOME", "`id`", "*", "~", "^S", "|", ">", "x;", "'a", "b'"]
        );
        assert_eq!(words("   "), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_command_says_why() {
        let told = |text: &str| Command::parse(text).unwrap_err().to_string();
        assert_eq!(told(""), "no program is named");
        assert_eq!(told("[FILE] [RCPT]"), "no program is named");
        assert_eq!(told("notify -x"), "\"notify\" is no absolute path");
        assert_eq!(told("\"\" x"), "\"\" is no absolute path");
        assert_eq!(told("/bin/"), "\"/bin/\" is no absolute path");
        assert_eq!(told("/bin/a \"b"), "a double quote is not closed");
        assert_eq!(told("/bin/a \\"), "a backslash stands at the end: it takes the next character as it is");
        assert_eq!(told("/bin/a\nb"), "a command is one line without control characters");
        assert_eq!(told("/bin/a \0"), "a command is one line without control characters");
        assert_eq!(told("[FLIE] /bin/a"), "there is no prefix [FLIE]; did you mean [FILE]?");
        assert_eq!(told("[file] /bin/a"), "there is no prefix [file]; did you mean [FILE]?");
        assert_eq!(told("[Quarantine] /bin/a"), "there is no prefix [Quarantine]");
        assert_eq!(told("[RCPT] [FILE] [RCPT] /bin/a"), "the prefix [RCPT] stands twice");
        assert_eq!(told("[FILE /bin/a"), "\"[FILE\" is no absolute path");
    }

    #[test]
    fn prefixes_stand_in_any_order() {
        let command = Command::parse("[RCPT][FILE]  [STDERR] /usr/bin/logger -t \"new mail\"").unwrap();
        assert_eq!(command.program(), "/usr/bin/logger");
        assert_eq!(command.arguments(), ["-t", "new mail"]);
        let has = Prefix::ALL.iter().map(|(_, prefix)| command.has(*prefix)).collect::<Vec<_>>();
        assert_eq!(has, [true, true, false, true]);
        assert_eq!(command.to_string(), "[RCPT][FILE]  [STDERR] /usr/bin/logger -t \"new mail\"");
        let behind = Command::parse("/bin/a [FILE]").unwrap();
        assert_eq!((behind.arguments(), behind.has(Prefix::File)), (&["[FILE]".to_owned()][..], false));
    }

    #[test]
    fn what_a_shell_would_obey_is_known() {
        let odd =
            |text: &str| Command::parse(text).unwrap().shell_words().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(odd("/bin/a -x --y=z a&b"), Vec::<String>::new());
        assert_eq!(odd("/bin/a | /bin/b > /tmp/x $HOME 'x"), ["|", ">", "$HOME", "'x"]);
    }

    proptest! {
        #[test]
        fn every_list_of_words_can_be_written(words in prop::collection::vec("[^\\p{Cc}]{0,12}", 0..6)) {
            let quote = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
            let text = words.iter().map(quote).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&text).unwrap(), words);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Ok(command) = Command::parse(&text) {
                prop_assert!(command.program().starts_with('/'));
                prop_assert!(!command.to_string().contains(['\n', '\0']));
            }
        }
    }
}

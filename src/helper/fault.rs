//! What goes wrong with programs outside.

use super::protocol::AnswerFault;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a program was not run, or why what it did does not count. Goes into the log; always a doubt: 75.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramFault {
    /// A rule runs what the site does not list.
    #[error("the site does not list it: add \"{0}\" to `execute` in sealpost.toml")]
    NotListed(String),
    /// A rule asks a filter that the site does not list.
    #[error("the site lists no such filter: add \"{0}=/path/to/program\" to `filters` in sealpost.toml")]
    NoFilter(String),
    /// The file is not there.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// Not a file that can be run.
    #[error("{} is no executable file: chmod 755 if it is to be one", .0.display())]
    NotExecutable(PathBuf),
    /// Somebody else could put another program in its place.
    #[error(
        "{path} belongs to {owner}: only root or the owner of the store may own a program and the folders above it"
    )]
    WrongOwner {
        /// The program, or what leads to it.
        path: String,
        /// A user number.
        owner: u32,
    },
    /// The same by permissions.
    #[error("others than its owner may write to {0}: chmod go-w {0}")]
    Writable(String),
    /// What the sender says is no address that could be handed over.
    #[error(
        "{0} of this message cannot be handed to a program: it holds control characters or is no address"
    )]
    Address(&'static str),
    /// The system refused.
    #[error("cannot {doing}: {source}")]
    System {
        /// The verb.
        doing: &'static str,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// It was ended.
    #[error("it took longer than {} s and was ended", .0.as_secs())]
    TimedOut(Duration),
    /// It was ended.
    #[error("it wrote more than {0} bytes and was ended")]
    TooMuch(usize),
    /// It says that it failed.
    #[error("it ended with exit code {code}{}", added(.said))]
    Code {
        /// Never 0.
        code: i32,
        /// From standard error, if the rule says so.
        said: Option<String>,
    },
    /// It crashed, or somebody ended it.
    #[error("signal {signal} ended it{}", added(.said))]
    Signal {
        /// Its number.
        signal: i32,
        /// From standard error, if the rule says so.
        said: Option<String>,
    },
    /// The system reaps children of ours by itself.
    #[error("it cannot be told how it ended: whoever started sealpost lets it ignore SIGCHLD")]
    Unknown,
    /// A filter ended in place of an answer, twice.
    #[error("the filter ended without an answer, and again when it was started anew")]
    Died,
    /// A filter speaks another language.
    #[error("the filter's answer is wrong: {0}")]
    Answer(#[from] AnswerFault),
    /// A filter cannot tell.
    #[error("the filter answers FAILURE{}", added(.0))]
    Failure(Option<String>),
    /// All its processes had other messages for all the time.
    #[error("all {0} processes of the filter were busy for longer than filter-timeout")]
    Busy(usize),
}

fn added(text: &Option<String>) -> String {
    text.as_deref().map(|text| format!(": {text}")).unwrap_or_default()
}

pub(super) fn system(doing: &'static str) -> impl Fn(io::Error) -> ProgramFault {
    move |source| ProgramFault::System { doing, source }
}

/// What a program says, for the log: one short line.
pub(super) fn for_the_log(bytes: &[u8]) -> Option<String> {
    /// Characters.
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(bytes);
    let pieces: Vec<&str> = text
        .split(|char: char| char.is_control() || char.is_whitespace())
        .filter(|piece| !piece.is_empty())
        .collect();
    let line: String = pieces.join(" ").chars().take(LONGEST).collect();
    Some(line).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::for_the_log;

    #[test]
    fn a_programs_words_are_one_short_line() {
        assert_eq!(for_the_log(b"no\r\n\x1b[31m disk \xff\n").as_deref(), Some("no [31m disk \u{fffd}"));
        assert_eq!(for_the_log(b"\n \n"), None);
        assert_eq!(for_the_log(&[b'x'; 5000]).map(|line| line.len()), Some(200));
    }
}

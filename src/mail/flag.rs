//! Message flags: the system flags of IMAP (RFC 9051 2.3.2) and keywords.

use std::fmt;

/// A flag on a stored message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Flagged`
    Flagged,
    /// `\Answered`
    Answered,
    /// `\Draft`
    Draft,
    /// `\Deleted`
    Deleted,
    /// A keyword: an IMAP atom.
    Keyword(String),
}

/// Why a text is no flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no flag: {reason}")]
pub struct FlagError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Flag {
    /// The system flags, each with its word.
    pub const SYSTEM: [(&'static str, Flag); 5] = [
        ("Seen", Flag::Seen),
        ("Flagged", Flag::Flagged),
        ("Answered", Flag::Answered),
        ("Draft", Flag::Draft),
        ("Deleted", Flag::Deleted),
    ];

    /// Reads `Seen` (any case, with or without the backslash) or a keyword.
    pub fn parse(text: &str) -> Result<Flag, FlagError> {
        let word = text.strip_prefix('\\').unwrap_or(text);
        if let Some((_, flag)) = Flag::SYSTEM.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            return Ok(flag);
        }
        check_keyword(text)
            .map(|()| Flag::Keyword(text.into()))
            .map_err(|reason| FlagError { text: text.into(), reason })
    }
}

/// RFC 9051 9: a flag-keyword is an atom.
fn check_keyword(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("it is empty"),
        _ if text.starts_with('\\') => {
            Err("the system flags are \\Seen, \\Flagged, \\Answered, \\Draft and \\Deleted")
        }
        _ if text.bytes().all(is_atom_char) => Ok(()),
        _ => Err("a keyword has no space, no control or non-ASCII character, and none of (){%*\"\\]"),
    }
}

fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte)
}

impl fmt::Display for Flag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Flag::Keyword(word) = self {
            return out.write_str(word);
        }
        let system = Flag::SYSTEM.into_iter().find(|(_, flag)| flag == self);
        system.map_or(Ok(()), |(word, _)| write!(out, "\\{word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_system_flags_and_keywords() {
        assert_eq!(Flag::parse("seen"), Ok(Flag::Seen));
        assert_eq!(Flag::parse("\\Deleted"), Ok(Flag::Deleted));
        assert_eq!(Flag::parse("$Forwarded"), Ok(Flag::Keyword("$Forwarded".into())));
        for (_, flag) in Flag::SYSTEM {
            assert_eq!(Flag::parse(&flag.to_string()), Ok(flag));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Flag::parse("").unwrap_err().to_string(), "\"\" is no flag: it is empty");
        assert_eq!(
            Flag::parse("\\Recent").unwrap_err().reason,
            "the system flags are \\Seen, \\Flagged, \\Answered, \\Draft and \\Deleted"
        );
        for text in ["a b", "a\"", "ä", "a]", "a\n"] {
            let reason = "a keyword has no space, no control or non-ASCII character, and none of (){%*\"\\]";
            assert_eq!(Flag::parse(text).unwrap_err().reason, reason);
        }
    }
}

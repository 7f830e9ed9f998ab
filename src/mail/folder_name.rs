//! Names of folders among an account's files.

use std::fmt;

/// Octets of the whole name. Ours.
const LONGEST: usize = 400;
/// Octets of a level: what a file system takes (NAME_MAX) with room to spare.
const LONGEST_LEVEL: usize = 200;

/// A folder below the files of one account: levels joined by `/`, at least one, none hidden, none of which leads out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderName(String);

/// Why a text is no folder name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no folder name: {reason}")]
pub struct FolderNameError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FolderName {
    /// Reads `Folder/Sub`.
    pub fn parse(text: &str) -> Result<FolderName, FolderNameError> {
        match fault(text) {
            None => Ok(FolderName(text.to_owned())),
            Some(reason) => Err(FolderNameError { text: text.to_owned(), reason }),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its levels, the outer one first.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let mut levels = text.split('/');
    match () {
        () if text.is_empty() => Some("it is empty"),
        () if text.starts_with('/') => Some("it begins with /: a folder lies below the account's files"),
        () if text.starts_with('~') => Some("it begins with ~: a rule copies into its own account's files"),
        () if levels.clone().any(str::is_empty) => Some("a level is empty"),
        () if levels.clone().any(|level| level.starts_with('.')) => {
            Some("a level begins with a dot: \"..\" would lead out, and others are hidden")
        }
        () if text.contains(|char: char| char.is_control() || char == '\\') => {
            Some("it has a control character or a backslash")
        }
        () if levels.clone().any(|level| level.trim() != level) => {
            Some("a blank stands at the begin or the end of a level")
        }
        () if text.len() > LONGEST || levels.any(|level| level.len() > LONGEST_LEVEL) => {
            Some("it is longer than 400 bytes, or a level is longer than 200")
        }
        () => None,
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_files() {
        for name in ["Invoices", "Invoices/2026", "Größe 1/a.b", "-x"] {
            assert_eq!(FolderName::parse(name).unwrap().to_string(), name);
        }
        let long = "x".repeat(201);
        let deep = "x/".repeat(201) + "x";
        for (name, word) in [
            ("", "empty"),
            ("/etc", "begins with /"),
            ("~bob/x", "own account"),
            ("a//b", "level is empty"),
            ("a/", "level is empty"),
            ("..", "dot"),
            ("a/../b", "dot"),
            ("a/.hidden", "dot"),
            (".tmp", "dot"),
            ("a\0", "control"),
            ("a\\b", "backslash"),
            ("a /b", "blank"),
            (&long, "longer"),
            (&deep, "longer"),
        ] {
            let error = FolderName::parse(name).unwrap_err();
            assert!(error.reason.contains(word), "{name}: {error}");
        }
    }
}

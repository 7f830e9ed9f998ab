//! What is wrong with the file.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What was found and what is allowed.
    pub text: String,
}

/// Everything that is wrong with the file, by line.
#[derive(Debug, Clone)]
pub struct ConfigFaults {
    /// The file's name as it is shown.
    pub file: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl std::error::Error for ConfigFaults {}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(out, "{end}{}:{}:{}: {}", self.file, fault.line, fault.column, fault.text)?;
        }
        Ok(())
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file says something wrong.
    #[error(transparent)]
    Faults(#[from] ConfigFaults),
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

/// A text and where its lines begin: a file may have as many faults as lines.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Offsets of what follows a line end.
    begins: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Lines<'t> {
        Lines { text, begins: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    /// The text between two offsets.
    pub(super) fn span(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// Line and column of an offset, both from 1; behind the end it is the end.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
        let before = self.begins.partition_point(|begin| *begin <= offset);
        let begin = before.checked_sub(1).and_then(|last| self.begins.get(last)).copied().unwrap_or(0);
        (before + 1, self.span(begin..offset).chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let lines = Lines::of("a\nä b\n\nc");
        let positions = [0, 1, 2, 4, 7, 8, 9, 99].map(|offset| lines.position(offset));
        assert_eq!(positions, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (4, 2)]);
        assert_eq!(Lines::of("").position(0), (1, 1));
    }
}

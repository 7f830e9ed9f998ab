//! Faults of a rule file, as data and as text.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;
use std::ops::Range;

/// More faults than anybody reads; what comes after is counted only. Ours.
const FAULTS_SHOWN: usize = 100;

/// One fault of a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Characters, counted from 1.
    pub column: usize,
    /// What was found.
    pub text: String,
    /// The name that was probably meant.
    pub nearest: Option<&'static str>,
    /// What is allowed.
    pub hint: Option<String>,
    #[serde(skip)]
    span: Range<usize>,
}

/// May the text hold terminal colours?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// ANSI escape sequences.
    Always,
}

/// Every fault of a rule file: file, line, column, a caret, what was found, what is allowed, the nearest name.
/// `Display` is the plain rendering.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.rendered(Color::Never))]
pub struct RuleFaults {
    file: String,
    text: String,
    faults: Vec<Fault>,
    unlisted: usize,
}

impl RuleFaults {
    /// The faults in the order of the file; at most 100.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The one fault that ends the reading.
    pub(super) fn one(
        file: &str,
        shown: &str,
        span: Range<usize>,
        text: String,
        hint: Option<String>,
    ) -> RuleFaults {
        let mut faults = Faults::new(file, shown);
        faults.add(span, text, hint);
        RuleFaults { file: file.to_owned(), text: shown.to_owned(), faults: faults.take(), unlisted: 0 }
    }

    /// For people: one block for each fault.
    pub fn rendered(&self, color: Color) -> String {
        let renderer = match color {
            Color::Never => Renderer::plain(),
            Color::Always => Renderer::styled(),
        };
        let mut blocks: Vec<_> = self.faults.iter().map(|fault| self.block(fault, &renderer)).collect();
        if self.unlisted > 0 {
            blocks.push(format!("error: {}: {} more faults", self.file, self.unlisted));
        }
        blocks.join("\n\n")
    }

    fn block(&self, fault: &Fault, renderer: &Renderer) -> String {
        let (begin, lines) = whole_lines(&self.text, &fault.span);
        let inside = fault.span.start.saturating_sub(begin)..fault.span.end.saturating_sub(begin);
        let label = fault.nearest.map(|name| format!("did you mean \"{name}\"?"));
        let snippet = Snippet::source(lines)
            .path(self.file.as_str())
            .line_start(fault.line)
            .annotation(AnnotationKind::Primary.span(inside).label(label));
        let group = Level::ERROR.primary_title(fault.text.as_str()).element(snippet);
        let group = group.elements(fault.hint.iter().map(|hint| Level::HELP.message(hint.as_str())));
        renderer.render(&[group])
    }
}

/// The lines that a span touches, and where they begin.
fn whole_lines<'t>(text: &'t str, span: &Range<usize>) -> (usize, &'t str) {
    let before = text.get(..span.start).unwrap_or_default();
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let after = text.get(span.end..).unwrap_or_default();
    let end = span.end + after.find('\n').unwrap_or(after.len());
    (begin, text.get(begin..end).unwrap_or_default())
}

/// A text whose found word is longer than anybody reads, with its begin and its end.
fn cut(text: String) -> String {
    const LONGEST: usize = 400;
    const BEGIN: usize = 100;
    const END: usize = 200;
    let letters = text.chars().count();
    if letters <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(BEGIN).collect();
    let end: String = text.chars().skip(letters - END).collect();
    format!("{begin}…{end}")
}

/// Collects faults while a file is read.
#[derive(Debug)]
pub(super) struct Faults<'t> {
    file: &'t str,
    text: &'t str,
    /// How to write a backslash that a picture needs.
    pub(super) backslash: &'static str,
    line_starts: Vec<usize>,
    /// How many characters stand before every [`STRIDE`]th byte: a whole rule set may be one line.
    characters: Vec<usize>,
    faults: Vec<Fault>,
    unlisted: usize,
}

/// Bytes between two places whose column is known.
const STRIDE: usize = 1024;

/// Characters that begin in these bytes.
fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

impl<'t> Faults<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Faults<'t> {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        let mut before = 0;
        let strides = text.as_bytes().chunks(STRIDE);
        let characters = strides.map(|stride| {
            let here = before;
            before += characters_in(stride);
            here
        });
        let characters = characters.collect();
        let backslash = "in double quotes TOML eats one backslash: write \"\\\\*\" or '\\*'";
        Faults { file, text, backslash, line_starts, characters, faults: Vec::new(), unlisted: 0 }
    }

    /// How many characters begin before a byte.
    fn characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        let Some(before) = self.characters.get(stride) else { return characters_in(self.text.as_bytes()) };
        let bytes = self.text.as_bytes().get(stride * STRIDE..offset);
        before + characters_in(bytes.unwrap_or_default())
    }

    /// What stands in the file there.
    pub(super) fn source(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The line of a byte offset, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// A fault: where, what was found, and what is allowed.
    pub(super) fn add(
        &mut self,
        span: Range<usize>,
        text: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.add_near(span, text, None, hint);
    }

    /// A fault with the name that was probably meant.
    pub(super) fn add_near(
        &mut self,
        span: Range<usize>,
        text: impl Into<String>,
        nearest: Option<&'static str>,
        hint: impl Into<Option<String>>,
    ) {
        if self.is_full() {
            self.unlisted += 1;
            return;
        }
        let line = self.line(span.start);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.characters_before(span.start) - self.characters_before(start) + 1;
        let text = cut(text.into());
        self.faults.push(Fault { line, column, text, nearest, hint: hint.into(), span });
    }

    /// Are there none?
    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Is what comes now counted only?
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_SHOWN
    }

    /// The faults so far in the order of the file, which are none of this collection any longer; at most 100.
    pub(super) fn take(&mut self) -> Vec<Fault> {
        self.unlisted = 0;
        self.faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
        std::mem::take(&mut self.faults)
    }

    /// Keeps only the faults that lie before `offset`.
    pub(super) fn forget_from(&mut self, offset: usize) {
        self.faults.retain(|fault| fault.span.end < offset);
        self.unlisted = 0;
    }

    /// All of them, in the order of the file; nothing if there are none.
    pub(super) fn finish(mut self) -> Option<RuleFaults> {
        self.faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
        (!self.faults.is_empty()).then(|| RuleFaults {
            file: self.file.to_owned(),
            text: self.text.to_owned(),
            faults: self.faults,
            unlisted: self.unlisted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_column_count_characters() {
        let text = "# ä\nname = \"Größe\" x\n";
        let mut faults = Faults::new("f.toml", text);
        let at = text.find(" x").unwrap() + 1;
        faults.add(at..at + 1, "what?", None);
        let faults = faults.finish().unwrap();
        assert_eq!((faults.faults()[0].line, faults.faults()[0].column), (2, 16));
        assert_eq!(
            faults.to_string(),
            "error: what?\n --> f.toml:2:16\n  |\n2 | name = \"Größe\" x\n  |                ^"
        );
    }

    #[test]
    fn columns_of_a_long_line_are_counted_from_its_begin() {
        let text = format!("x\n{}", "ä".repeat(3 * STRIDE));
        for at in [2, 4, STRIDE, 2 * STRIDE + 2, text.len()] {
            let mut faults = Faults::new("f.toml", &text);
            faults.add(at..at, "what?", None);
            let expected = text.get(2..at).unwrap().chars().count() + 1;
            assert_eq!(faults.take()[0].column, expected, "{at}");
        }
    }

    #[test]
    fn a_long_word_is_shown_with_its_begin_and_its_end() {
        let told = |word: &str| {
            let mut faults = Faults::new("f.toml", "x");
            faults.add(0..1, format!("\"{word}\" is no mailbox name: it is too long"), None);
            faults.take().remove(0).text
        };
        assert_eq!(told("Box"), "\"Box\" is no mailbox name: it is too long");
        let long = told(&"ä".repeat(6000));
        assert!(long.starts_with("\"ää") && long.contains("ä…ä"), "{long}");
        assert!(
            long.ends_with("\" is no mailbox name: it is too long") && long.chars().count() == 301,
            "{long}"
        );
    }

    #[test]
    fn colours_come_on_wish_only() {
        let mut faults = Faults::new("f.toml", "x");
        faults.add_near(0..1, "what?", Some("y"), "use y".to_owned());
        let faults = faults.finish().unwrap();
        assert!(!faults.rendered(Color::Never).contains('\u{1b}'));
        assert!(faults.rendered(Color::Always).contains('\u{1b}'));
    }

    #[test]
    fn too_many_faults_are_counted() {
        let mut faults = Faults::new("f.toml", "x");
        for _ in 0..FAULTS_SHOWN + 7 {
            faults.add(0..1, "what?", None);
        }
        let faults = faults.finish().unwrap();
        assert_eq!(faults.faults().len(), FAULTS_SHOWN);
        assert!(faults.to_string().ends_with("error: f.toml: 7 more faults"));
    }
}

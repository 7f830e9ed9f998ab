//! Lines that are comments, left out before the text is read: each delivery reads the file, and it is nearly all comments.

use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

/// A text without lines that are comments, and where they stood.
pub(super) struct Lean<'t> {
    text: Cow<'t, str>,
    /// From here on in the lean text so many octets were left out before.
    gaps: Vec<(usize, usize)>,
}

impl<'t> Lean<'t> {
    /// With all that it has.
    pub(super) fn whole(text: &'t str) -> Lean<'t> {
        Lean { text: Cow::Borrowed(text), gaps: Vec::new() }
    }

    /// Nothing if what looks like a comment may be part of a value that has several lines, or may be refused: a comment has no
    /// control characters (TOML 1.0, "Comment").
    pub(super) fn without_comments(text: &'t str) -> Option<Lean<'t>> {
        let has = |quotes: &str| memmem::find(text.as_bytes(), quotes.as_bytes()).is_some();
        if has("\"\"\"") || has("'''") {
            return None;
        }
        let (mut lean, mut gaps, mut left_out) = (String::new(), Vec::new(), 0);
        for line in text.split_inclusive('\n') {
            if is_comment(line)? {
                left_out += line.len();
                continue;
            }
            if gaps.last().map_or(0, |&(_, before)| before) < left_out {
                gaps.push((lean.len(), left_out));
            }
            lean.push_str(line);
        }
        Some(Lean { text: Cow::Owned(lean), gaps })
    }

    /// What is left.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the whole text the octet stands that stands here in what is left.
    pub(super) fn place(&self, at: usize) -> usize {
        let known = self.gaps.partition_point(|&(from, _)| from <= at);
        at + known.checked_sub(1).and_then(|last| self.gaps.get(last)).map_or(0, |&(_, left_out)| left_out)
    }

    /// The same for a piece.
    pub(super) fn span(&self, lean: Range<usize>) -> Range<usize> {
        let start = self.place(lean.start);
        let end = lean.end.checked_sub(1).filter(|&last| last >= lean.start);
        start..end.map_or(start, |last| self.place(last) + 1)
    }
}

/// Nothing if it may be a fault.
fn is_comment(line: &str) -> Option<bool> {
    let line = line.strip_suffix('\n').unwrap_or(line).as_bytes();
    let text = line.trim_ascii_start();
    if text.first() != Some(&b'#') {
        return Some(false);
    }
    let is_fault = |octet: &u8| octet.is_ascii_control() && *octet != b'\t';
    if line.iter().any(is_fault) { None } else { Some(true) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toml::Spanned;
    use toml::de::{DeTable, DeValue};

    #[test]
    fn only_whole_lines_that_are_comments_go() {
        let text = "# ü\na = \"# b\" # c\n \t# d = [\n\nlist = [\n  # e\n  1,\n]\n# end";
        let lean = Lean::without_comments(text).unwrap();
        assert_eq!(lean.text(), "a = \"# b\" # c\n\nlist = [\n  1,\n]\n");
        let list = lean.text().find('[').unwrap()..lean.text().find(']').unwrap() + 1;
        assert_eq!(text.get(lean.span(list)).unwrap(), "[\n  # e\n  1,\n]");
        assert_eq!(text.get(lean.span(0..1)), Some("a"));
        for several in ["a = \"\"\"\n# b\n\"\"\"", "a = '''\n# b\n'''", "# \u{7f}", "# a\rb\n", "# a\r\n"] {
            assert!(Lean::without_comments(several).is_none(), "{several:?}");
        }
        assert!(Lean::without_comments("").unwrap().text().is_empty());
    }

    proptest! {
        /// What has no fault without its comments has none with them, and says the same in the same places.
        #[test]
        fn what_is_read_is_the_same(lines in prop::collection::vec(prop::sample::select(vec![
            "# x", "  # y = [", "a = 1", "b = [", "1,", "]", "c = \"# z\"", "d = '#' # e", "", "[t]", "f = {", "}", "#\t\"", "g = \"", "\"",
            "[[u]]", "h = 1, # i", "#", "\\", "# \u{1}",
        ]), 0..12)) {
            let text = lines.join("\n");
            if let Some(lean) = Lean::without_comments(&text) {
                let (read, faults) = DeTable::parse_recoverable(lean.text());
                if faults.is_empty() {
                    let (whole, faults) = DeTable::parse_recoverable(&text);
                    prop_assert!(faults.is_empty(), "{}: {:?}", text, faults);
                    let values = |table: &DeTable<'_>| {
                        let of = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                            format!("{} {:?}", key.get_ref(), value.get_ref().as_str())
                        };
                        table.iter().map(of).collect::<Vec<_>>()
                    };
                    prop_assert_eq!(values(read.get_ref()), values(whole.get_ref()));
                    for ((key, value), (same, there)) in read.get_ref().iter().zip(whole.get_ref().iter()) {
                        // A table is no value of ours.
                        if value.get_ref().is_table() {
                            continue;
                        }
                        prop_assert_eq!(lean.place(key.span().start), same.span().start);
                        prop_assert_eq!(lean.span(value.span()), there.span());
                    }
                }
            }
        }
    }
}

//! Names of files that attachments are copied to: what a sender writes is made harmless.

use std::fmt;

/// Octets of stem and extension: with a number and `.eml` behind, still a name (NAME_MAX is 255).
const LONGEST: usize = 200;
/// Octets of what counts as an extension.
const LONGEST_EXTENSION: usize = 20;

/// Devices of Windows, with any extension: the files may be shared with such a machine.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// A name without any path in it, not hidden, printable, of at most 200 octets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName {
    stem: String,
    /// With its dot; empty if there is none.
    extension: String,
}

impl FileName {
    /// The name that a sender gave, as far as it can be one; else `attachment` with the extension of its media type
    /// (`type/subtype`, lower case).
    pub fn of(given: Option<&str>, essence: &str) -> FileName {
        let harmless = given.map(harmless).filter(|name| !name.is_empty());
        let (stem, extension) = match &harmless {
            Some(name) => split(name),
            None => ("attachment", extension_of(essence)),
        };
        let stem = if is_device(stem) { format!("_{stem}") } else { stem.to_owned() };
        let room = LONGEST - extension.len();
        FileName { stem: cut(&stem, room).to_owned(), extension: extension.to_owned() }
    }

    /// The name with another extension behind its own.
    pub fn within(self, extension: &str) -> FileName {
        FileName { extension: format!("{}{extension}", self.extension), ..self }
    }

    /// The n-th file of that name: `name.pdf`, `name-2.pdf`.
    pub fn numbered(&self, number: usize) -> String {
        match number {
            0 | 1 => self.to_string(),
            more => self.marked(&more.to_string()),
        }
    }

    /// `name-mark.pdf`.
    pub fn marked(&self, mark: &str) -> String {
        format!("{}-{mark}{}", self.stem, self.extension)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.stem, self.extension)
    }
}

/// The last level of a path, without what hides, deceives or commands.
fn harmless(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|char| !is_invisible(*char)).map(printable).collect();
    let trimmed = kept.trim_start_matches(|char: char| char == '.' || char.is_whitespace());
    let trimmed = trimmed.trim_end_matches(|char: char| char == '.' || char.is_whitespace());
    match trimmed.starts_with(['-', '~']) {
        true => format!("_{trimmed}"),
        false => trimmed.to_owned(),
    }
}

/// Marks of direction, joiners and their like: with them `exe.fdp` reads as `pdf.exe`.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Controls, line ends, and what Windows or a shell reads otherwise become `_`.
fn printable(char: char) -> char {
    match char {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{2028}' | '\u{2029}' => '_',
        _ if char.is_control() => '_',
        _ => char,
    }
}

fn split(name: &str) -> (&str, &str) {
    let dot = name.rfind('.').filter(|dot| *dot > 0 && name.len() - dot <= LONGEST_EXTENSION);
    name.split_at_checked(dot.unwrap_or(name.len())).unwrap_or((name, ""))
}

fn is_device(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim_end();
    let numbered = ["COM", "LPT"].iter().any(|device| {
        let rest = first.get(..3).filter(|start| start.eq_ignore_ascii_case(device)).and(first.get(3..));
        rest.is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(char::is_numeric))
    });
    numbered || DEVICES.iter().any(|device| first.eq_ignore_ascii_case(device))
}

/// At most so many octets, between two characters.
fn cut(text: &str, octets: usize) -> &str {
    let end = (0..=octets.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn extension_of(essence: &str) -> &'static str {
    match essence {
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "image/gif" => ".gif",
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "message/rfc822" => ".eml",
        "text/calendar" => ".ics",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/plain" => ".txt",
        _ => ".bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(given: &str) -> String {
        FileName::of(Some(given), "application/pdf").to_string()
    }

    #[test]
    fn hostile_names_are_made_harmless() {
        for (given, harmless) in [
            ("report.pdf", "report.pdf"),
            ("Größe 台北.pdf", "Größe 台北.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("..", "attachment.pdf"),
            (".", "attachment.pdf"),
            ("a/", "attachment.pdf"),
            ("", "attachment.pdf"),
            (" \u{200b}. ", "attachment.pdf"),
            (".bashrc", "bashrc"),
            ("...x. . ", "x"),
            ("a\0b\r\nc", "a_b__c"),
            ("\u{202e}fdp.exe", "fdp.exe"),
            ("a<b>:\"|?*.txt", "a_b______.txt"),
            ("-rf", "_-rf"),
            ("~x", "_~x"),
            ("con", "_con"),
            ("Aux.txt", "_Aux.txt"),
            ("nul.tar.gz", "_nul.tar.gz"),
            ("com1.log", "_com1.log"),
            ("com.log", "com.log"),
            ("council", "council"),
        ] {
            assert_eq!(name(given), harmless, "{given:?}");
        }
        assert_eq!(FileName::of(None, "image/png").to_string(), "attachment.png");
        assert_eq!(FileName::of(None, "x/y").to_string(), "attachment.bin");
        assert_eq!(name(&"ü".repeat(300)), "ü".repeat(100));
        assert_eq!(name(&format!("{}.pdf", "x".repeat(300))), format!("{}.pdf", "x".repeat(196)));
        assert_eq!(name(&format!("a.{}", "x".repeat(300))).len(), 200);
    }

    #[test]
    fn further_files_get_a_number() {
        let name = FileName::of(Some("a.b.pdf"), "").within(".eml");
        assert_eq!(name.numbered(1), "a.b.pdf.eml");
        assert_eq!(name.numbered(12), "a.b-12.pdf.eml");
        assert_eq!(name.marked("f00"), "a.b-f00.pdf.eml");
        assert_eq!(FileName::of(Some("plain"), "").numbered(2), "plain-2");
    }

    proptest! {
        #[test]
        fn every_text_becomes_one_level(given in "(\\PC|[./\\\\ \u{202e}\0\n~-]|con|nul){0,80}", number in 0_usize..1000) {
            let name = FileName::of(Some(&given), "x/y").within(".eml").numbered(number);
            let path = std::path::Path::new(&name);
            prop_assert!(matches!(path.components().collect::<Vec<_>>()[..], [std::path::Component::Normal(_)]));
            prop_assert!(!name.contains(['/', '\\']) && !name.contains(char::is_control));
            prop_assert!(!name.starts_with(['.', '-', '~']) && name.len() <= 255);
        }
    }
}

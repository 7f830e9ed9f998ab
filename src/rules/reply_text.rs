//! The text of an automatic mail as a rule has it: header fields first if it begins with `+`, then the body.

use crate::mail::{Address, Mailbox, Message};

/// Bytes of a text. Ours: more than anybody reads of an automatic answer.
pub(super) const LARGEST_TEXT: usize = 64 << 10;
/// Addresses that one action may send to. Ours: a longer list belongs into a mailing list.
pub(super) const MOST_ADDRESSES: usize = 100;

/// The text of `Reply with`, `Reply to All with` or `React with`, read. What is in it may hold marks (`^S`), but addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyText {
    /// `Subject`, if the text has one.
    pub subject: Option<String>,
    /// `From`, if the text has one.
    pub from: Option<Mailbox>,
    /// `Reply-To`
    pub reply_to: Vec<Mailbox>,
    /// `To`: besides those whom the action answers.
    pub to: Vec<Mailbox>,
    /// `Cc`
    pub cc: Vec<Mailbox>,
    /// `Bcc`: gets the mail and stands in no field.
    pub bcc: Vec<Mailbox>,
    /// What kind of text the body is.
    pub kind: TextKind,
    /// Further fields in their order: name, value.
    pub fields: Vec<(String, String)>,
    /// What follows.
    pub body: String,
}

/// A media type that an automatic mail may have; always in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextKind {
    /// `text/plain`
    #[default]
    Plain,
    /// `text/html`
    Html,
}

/// What is wrong with a text: what was found, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    /// What was found.
    pub text: String,
    /// What is allowed.
    pub hint: Option<String>,
}

/// Fields that a text may begin with, beside those that begin with `X-`.
const ALLOWED: [&str; 13] = [
    "Subject",
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Content-Type",
    "Content-Language",
    "Organization",
    "Importance",
    "Priority",
    "Keywords",
    "Comments",
];

/// Fields that the mail has anyhow, or that would make it look like another one. (`Precedence` is one that readers of RFC
/// 3834 do not need.)
const OURS: [&str; 9] = [
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Transfer-Encoding",
    "Return-Path",
    "X-Auto-Response-Suppress",
];

impl ReplyText {
    /// Reads a text as it stands in a rule, or says everything that is wrong with it.
    ///
    /// A `[charset]` in front is what other servers convert the text to; here every mail is in UTF-8, and it is left out.
    pub fn parse(text: &str) -> Result<ReplyText, Vec<TextFault>> {
        if text.len() > LARGEST_TEXT {
            let found = format!("the text has {} bytes", text.len());
            return Err(vec![fault(found, format!("a text has {LARGEST_TEXT} bytes at most"))]);
        }
        let text = without_charset(text);
        let Some(rest) = text.strip_prefix('+') else {
            return Ok(ReplyText { body: text.to_owned(), ..ReplyText::default() });
        };
        let (header, body) = split_header(rest);
        let mut reader = Reader { text: ReplyText { body, ..ReplyText::default() }, faults: Vec::new() };
        fields(&header).iter().for_each(|line| reader.field(line));
        reader.finish()
    }

    /// Everybody whom its own fields name.
    pub fn addressees(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// The charsets that are left out: a text may begin with another word in brackets.
const CHARSETS: [&str; 7] = ["utf-", "us-ascii", "iso-", "windows-", "koi8-", "big5", "gb"];

fn without_charset(text: &str) -> &str {
    let named = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_charset = |name: &str| {
        let name = name.to_ascii_lowercase();
        CHARSETS.iter().any(|charset| name.starts_with(charset)) && !name.contains(char::is_whitespace)
    };
    named.filter(|(name, _)| is_charset(name)).map_or(text, |(_, rest)| rest)
}

/// The lines up to the first empty one, and what follows it.
fn split_header(text: &str) -> (String, String) {
    let mut header = String::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        match line.trim_end_matches('\r') {
            "" if header.is_empty() => {}
            "" => return (header, rest.to_owned()),
            line => header.extend([line, "\n"]),
        }
    }
    header.push_str(rest.trim_end_matches('\r'));
    (header, String::new())
}

/// The lines with their continuations, unfolded.
fn fields(header: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in header.lines() {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.extend([" ", line.trim()]),
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

fn fault(text: String, hint: impl Into<Option<String>>) -> TextFault {
    TextFault { text, hint: hint.into() }
}

struct Reader {
    text: ReplyText,
    faults: Vec<TextFault>,
}

impl Reader {
    fn field(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_name(name)) else {
            let hint = "behind a + stand lines \"Name: value\", then an empty line, then the text";
            return self.fault(format!("{line:?} is no header field"), hint.to_owned());
        };
        let value = value.trim();
        if value.contains(char::is_control) {
            return self.fault(format!("the field \"{name}\" has a control character"), None);
        }
        match name.to_ascii_lowercase().as_str() {
            "subject" => self.once(name, value, |text| &mut text.subject),
            "from" => self.from(name, value),
            "reply-to" => self.list(name, value, |text| &mut text.reply_to),
            "to" => self.list(name, value, |text| &mut text.to),
            "cc" => self.list(name, value, |text| &mut text.cc),
            "bcc" => self.list(name, value, |text| &mut text.bcc),
            "content-type" => self.kind(value),
            lower => self.other(name, lower, value),
        }
    }

    fn once(&mut self, name: &str, value: &str, place: fn(&mut ReplyText) -> &mut Option<String>) {
        if place(&mut self.text).replace(value.to_owned()).is_some() {
            self.fault(format!("the field \"{name}\" stands there twice"), None);
        }
    }

    fn from(&mut self, name: &str, value: &str) {
        let mut mailboxes = self.mailboxes(name, value).into_iter();
        let (first, second) = (mailboxes.next(), mailboxes.next());
        if second.is_some() || (first.is_some() && self.text.from.is_some()) {
            return self.fault(format!("the field \"{name}\" names several authors"), None);
        }
        self.text.from = first.or(self.text.from.take());
    }

    fn list(&mut self, name: &str, value: &str, place: fn(&mut ReplyText) -> &mut Vec<Mailbox>) {
        let mailboxes = self.mailboxes(name, value);
        place(&mut self.text).extend(mailboxes);
    }

    /// The mailboxes of an address field; each that is none is a fault. Marks are not expanded here, so that no message
    /// says where mail goes.
    fn mailboxes(&mut self, name: &str, value: &str) -> Vec<Mailbox> {
        let line = format!("{name}: {value}\r\n");
        let found: Vec<Mailbox> =
            Message::new(line.as_bytes()).fields().iter().flat_map(|field| field.mailboxes()).collect();
        let hint = "\"carol@far.example\" or \"Carol <carol@far.example>\", several with commas between; \
                    marks like ^F are not expanded in addresses";
        if found.is_empty() || found.len() < listed(value) {
            self.fault(format!("something in the field \"{name}\" is no address"), hint.to_owned());
        }
        for mailbox in &found {
            if let Err(error) = Address::parse(&mailbox.address) {
                self.fault(error.to_string(), hint.to_owned());
            }
        }
        found
    }

    fn kind(&mut self, value: &str) {
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        let charset = parameters.trim().to_ascii_lowercase().replace(['"', ' '], "");
        let is_utf_8 = ["", "charset=utf-8", "charset=us-ascii"].contains(&charset.as_str());
        match essence.trim().to_ascii_lowercase().as_str() {
            "text/plain" if is_utf_8 => self.text.kind = TextKind::Plain,
            "text/html" if is_utf_8 => self.text.kind = TextKind::Html,
            _ => {
                let hint = "\"text/plain\" or \"text/html\"; the text is always in UTF-8";
                self.fault(format!("the media type \"{value}\" is not taken"), hint.to_owned());
            }
        }
    }

    fn other(&mut self, name: &str, lower: &str, value: &str) {
        let is_in = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let leave_out = "leave the line out".to_owned();
        let hint = || format!("allowed are: {}, and names that begin with \"X-\"", ALLOWED.join(", "));
        if is_in(&OURS) {
            return self.fault(format!("the field \"{name}\" is written by Sealpost itself"), leave_out);
        }
        if !is_in(&ALLOWED) && !lower.starts_with("x-") {
            return self.fault(format!("the field \"{name}\" is not allowed in an automatic mail"), hint());
        }
        if self.text.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return self.fault(format!("the field \"{name}\" stands there twice"), None);
        }
        self.text.fields.push((name.to_owned(), value.to_owned()));
    }

    fn fault(&mut self, text: String, hint: impl Into<Option<String>>) {
        self.faults.push(fault(text, hint));
    }

    fn finish(mut self) -> Result<ReplyText, Vec<TextFault>> {
        let addressees = self.text.addressees().count();
        if addressees > MOST_ADDRESSES {
            let hint = format!("an action sends to {MOST_ADDRESSES} addresses at most");
            self.fault(format!("the text names {addressees} addressees"), hint);
        }
        if self.faults.is_empty() { Ok(self.text) } else { Err(self.faults) }
    }
}

/// A field's name that is short and plain (RFC 5322 3.6.8 allows more).
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=60).contains(&name.len()) && name.bytes().all(plain)
}

/// How many elements the list has, by its commas outside quotes and comments.
fn listed(value: &str) -> usize {
    let (mut quoted, mut escaped, mut commas) = (false, false, 0);
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => commas += 1,
            _ => {}
        }
    }
    commas + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> ReplyText {
        ReplyText::parse(text).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn faults(text: &str) -> Vec<String> {
        ReplyText::parse(text).unwrap_err().into_iter().map(|fault| fault.text).collect()
    }

    #[test]
    fn a_text_without_a_plus_is_all_body() {
        let text = read("Subject: this is no header\n\nI am away.");
        assert_eq!(text.body, "Subject: this is no header\n\nI am away.");
        assert_eq!(text.subject, None);
    }

    #[test]
    fn behind_a_plus_stand_fields_then_an_empty_line_then_the_body() {
        for (text, end) in [
            ("+Subject: A\n  b\nTo: c@d.example\n\nline\n", "\n"),
            ("+\r\nSubject: A\r\n\tb\r\nTo: c@d.example\r\n\r\nline\r\n", "\r\n"),
        ] {
            let read = read(text);
            assert_eq!(read.subject.as_deref(), Some("A b"));
            assert_eq!(read.to[0].address, "c@d.example");
            assert_eq!(read.body, format!("line{end}"));
        }
        assert_eq!(read("+Subject: A").subject.as_deref(), Some("A"));
        assert_eq!(read("+").body, "");
    }

    #[test]
    fn every_allowed_field_has_its_place() {
        let text = read(
            "+From: Bob <bob@north.example>\nReply-To: a@b.example\nTo: \"C, D\" <c@d.example>, e@f.example\n\
             Cc: g@h.example\nBcc: i@j.example\nContent-Type: Text/HTML; charset=\"UTF-8\"\nContent-Language: de\n\
             Organization: North\nX-Team: 7\n\n<p>hi",
        );
        assert_eq!(text.from.unwrap().name.as_deref(), Some("Bob"));
        assert_eq!(text.to.len(), 2);
        assert_eq!((text.reply_to.len(), text.cc.len(), text.bcc.len()), (1, 1, 1));
        assert_eq!(text.kind, TextKind::Html);
        let names: Vec<&str> = text.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Content-Language", "Organization", "X-Team"]);
        for name in ALLOWED {
            let value = match name {
                "Content-Type" => "text/plain",
                _ => "a@b.example",
            };
            assert!(ReplyText::parse(&format!("+{name}: {value}\n\nx")).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_charset_in_front_is_left_out_and_no_other_word_is() {
        assert_eq!(read("[utf-8]I am away").body, "I am away");
        assert_eq!(read("[ISO-8859-1]+Subject: x\n\nI am away").body, "I am away");
        for text in ["[Automatic] I am away", "[iso 9001] certified", "[", "[]x"] {
            assert_eq!(read(text).body, text);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let all = faults(
            "+Date: now\nno field\nList-Id: x\nTo: ^F\nFrom: a@b.example, c@d.example\nContent-Type: image/png\n\
             Subject: a\nSubject: b\nX-A: 1\nx-a: 2\nCc: bob@\nX-B: \u{7}\nTo: a@b.example, ^E\n\nbody",
        );
        assert_eq!(
            all,
            [
                "the field \"Date\" is written by Sealpost itself",
                "\"no field\" is no header field",
                "the field \"List-Id\" is not allowed in an automatic mail",
                "something in the field \"To\" is no address",
                "the field \"From\" names several authors",
                "the media type \"image/png\" is not taken",
                "the field \"Subject\" stands there twice",
                "the field \"x-a\" stands there twice",
                "\"bob@\" is no mail address: nothing stands after the @",
                "the field \"X-B\" has a control character",
                "something in the field \"To\" is no address",
            ]
        );
        assert_eq!(faults(&"x".repeat(LARGEST_TEXT + 1)), ["the text has 65537 bytes"]);
        let many = format!("+To: {}a@b.example\n\n", "a@b.example, ".repeat(MOST_ADDRESSES));
        assert_eq!(faults(&many), ["the text names 101 addressees"]);
        for name in OURS {
            assert_eq!(
                faults(&format!("+{name}: x\n\n")),
                [format!("the field \"{name}\" is written by Sealpost itself")]
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\+|\\[utf-8\\])?([A-Za-z:@,<>\"\\\\^ \r\n\t]|To: |Subject: |\\PC){0,80}") {
            if let Ok(read) = ReplyText::parse(&text) {
                prop_assert!(read.subject.is_none_or(|subject| !subject.contains(char::is_control)));
                prop_assert!(read.fields.iter().all(|(_, value)| !value.contains(char::is_control)));
            }
        }
    }
}

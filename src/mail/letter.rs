//! A new mail in the form of RFC 5322 and MIME, written by mail-builder.
//!
//! mail-builder draws a Message-ID, a date and boundaries by itself if it is given none, writes ASCII header text as it is
//! (line ends and what looks like an encoded word too), and takes control characters in a text for 7bit. So a [`Letter`]
//! brings all of the first, and cleans the others here: no value can add a field, a word in another charset or a line.

use super::Address;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::{Address as Mailboxes, EmailAddress};
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use time::OffsetDateTime;

/// Characters of one value; what is more is cut off. Ours.
const LONGEST_VALUE: usize = 500;

/// Somebody in an address field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correspondent {
    /// Display name.
    pub name: Option<String>,
    /// Address.
    pub address: Address,
}

/// A mail to write. No `Debug`: it holds what a message says.
pub struct Letter<'t> {
    /// Its author.
    pub from: Correspondent,
    /// `Reply-To`, `To` and `Cc`; an empty one is left out.
    pub reply_to: Vec<Correspondent>,
    /// To whom.
    pub to: Vec<Correspondent>,
    /// And to whom besides.
    pub cc: Vec<Correspondent>,
    /// `Subject`
    pub subject: String,
    /// `Date`; seconds, in UTC.
    pub date: OffsetDateTime,
    /// `Message-ID` without its angle brackets.
    pub message_id: String,
    /// `In-Reply-To`, likewise; see [`message_ids`].
    pub in_reply_to: Vec<String>,
    /// `References`, likewise.
    pub references: Vec<String>,
    /// Further fields: a name that the caller vouches for, and any text.
    pub fields: Vec<(String, String)>,
    /// `text/plain` or `text/html`.
    pub media_type: &'static str,
    /// The text, with any line ends.
    pub text: &'t str,
    /// A message behind the text (RFC 2046 5.2.1), in CR LF, and the boundary between them: a text that stands in neither.
    pub attached: Option<(&'t [u8], String)>,
}

impl Letter<'_> {
    /// Header and body with CR LF.
    pub fn bytes(self) -> Vec<u8> {
        let mut mail = MessageBuilder::new().header("From", mailboxes(vec![self.from]));
        for (name, list) in [("Reply-To", self.reply_to), ("To", self.to), ("Cc", self.cc)] {
            if !list.is_empty() {
                mail = mail.header(name, mailboxes(list));
            }
        }
        mail = mail.subject(Text::new(one_line(&self.subject))).date(Date::new(self.date.unix_timestamp()));
        mail = mail.message_id(self.message_id);
        for (name, ids) in [("In-Reply-To", self.in_reply_to), ("References", self.references)] {
            if !ids.is_empty() {
                mail = mail.header(name, MessageId::new_list(ids.into_iter()));
            }
        }
        for (name, value) in self.fields {
            mail = mail.header(name, Text::new(one_line(&value)));
        }
        let text = MimePart::new(self.media_type, clean(self.text));
        let mut out = Vec::new();
        mail.body(with_message(text, self.attached)).serialize(&mut out);
        if !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        out
    }
}

fn with_message<'t>(text: MimePart<'t>, attached: Option<(&'t [u8], String)>) -> MimePart<'t> {
    let Some((message, boundary)) = attached else { return text };
    // Of the encodings only these are allowed for a message.
    let encoding = if message.is_ascii() { "7bit" } else { "8bit" };
    let part = MimePart::new("message/rfc822", BodyPart::Binary(message.into())).transfer_encoding(encoding);
    let mixed = ContentType::new("multipart/mixed").attribute("boundary", boundary);
    MimePart::new(mixed, vec![text, part])
}

fn mailboxes(list: Vec<Correspondent>) -> HeaderType<'static> {
    let mailbox = |one: Correspondent| {
        let name = one.name.map(|name| one_line(&name)).filter(|name| !name.is_empty());
        Mailboxes::Address(EmailAddress { name: name.map(Into::into), email: one.address.to_string().into() })
    };
    HeaderType::Address(Mailboxes::new_list(list.into_iter().map(mailbox).collect()))
}

/// The text as the value of a field may hold it: one line, without control characters and what looks like the begin of an
/// encoded word (RFC 2047 2), trimmed, and at most 500 characters of it.
pub fn one_line(text: &str) -> String {
    let flat = text.chars().map(|char| if breaks_lines(char) { ' ' } else { char });
    let mut line: String = flat.skip_while(|char| *char == ' ').take(LONGEST_VALUE + 1).collect();
    if line.chars().count() > LONGEST_VALUE {
        line.pop();
        line.push('…');
    }
    line.replace("=?", "= ?").trim_end().to_owned()
}

/// Control characters, and the separators of lines and paragraphs that some programs take for line ends.
fn breaks_lines(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

/// The text with CR LF and no other control character but tabs.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut before = '\0';
    for char in text.chars() {
        match char {
            '\n' if before == '\r' => {}
            '\n' | '\r' => out.push_str("\r\n"),
            '\t' => out.push('\t'),
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
        before = char;
    }
    out
}

/// The message identifiers of a field's value (RFC 5322 3.6.4), without their angle brackets. What is no printable ASCII, has
/// no `@` or is longer than a line is left out.
pub fn message_ids(value: &[u8]) -> Vec<String> {
    const LONGEST: usize = 250;
    let plain = |byte: u8| matches!(byte, b'!'..=b'~') && !b"<>,;\"\\()".contains(&byte);
    let inner = |word: &[u8]| -> Option<String> {
        let id = word.strip_prefix(b"<")?.strip_suffix(b">")?;
        let is_id = id.len() <= LONGEST && id.contains(&b'@') && id.iter().all(|byte| plain(*byte));
        is_id.then(|| String::from_utf8_lossy(id).into_owned())
    };
    value.split(u8::is_ascii_whitespace).filter_map(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Message;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn someone(name: Option<&str>, address: &str) -> Correspondent {
        Correspondent { name: name.map(str::to_owned), address: Address::parse(address).unwrap() }
    }

    fn letter<'t>(subject: &str, text: &'t str) -> Letter<'t> {
        Letter {
            from: someone(Some("Bob"), "bob@north.example"),
            reply_to: Vec::new(),
            to: vec![someone(None, "carol@far.example")],
            cc: Vec::new(),
            subject: subject.to_owned(),
            date: datetime!(2026-11-01 12:00 UTC),
            message_id: "1@north.example".into(),
            in_reply_to: vec!["2@far.example".into()],
            references: vec!["3@far.example".into(), "2@far.example".into()],
            fields: vec![("Auto-Submitted".into(), "auto-replied".into())],
            media_type: "text/plain",
            text,
            attached: None,
        }
    }

    #[test]
    fn a_letter_is_written_the_same_each_time() {
        let expected = "From: \"Bob\" <bob@north.example>\r\nTo: <carol@far.example>\r\nSubject: Re: pay\r\n\
                        Date: Sun, 1 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@north.example>\r\n\
                        In-Reply-To: <2@far.example>\r\nReferences: <3@far.example> <2@far.example>\r\n\
                        Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
                        Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
                        I am away.\r\n";
        for _ in 0..2 {
            assert_eq!(String::from_utf8(letter("Re: pay", "I am away.").bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn an_attached_message_stands_there_octet_by_octet() {
        for (message, encoding) in [("Subject: x\r\n\r\ny\r\n", "7bit"), ("Subject: x\r\n\r\nü\r\n", "8bit")]
        {
            let attached = Some((message.as_bytes(), "=_b".to_owned()));
            let bytes = Letter { attached, ..letter("Fwd: x", "Here.") }.bytes();
            let text = String::from_utf8(bytes).unwrap();
            let part = format!(
                "--=_b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{message}\r\n--=_b--\r\n"
            );
            assert!(text.ends_with(&part), "{text}");
        }
    }

    #[test]
    fn values_are_one_short_line() {
        assert_eq!(one_line(" a\r\nBcc: b\0c\u{2028}d\u{85}e \n"), "a  Bcc: b c d e");
        assert_eq!(one_line("=?utf-8?q?a=0Ab?="), "= ?utf-8?q?a=0Ab?=");
        assert_eq!(one_line(&"ü".repeat(500)), "ü".repeat(500));
        assert_eq!(one_line(&"ü".repeat(501)), format!("{}…", "ü".repeat(500)));
        assert_eq!(one_line("\r\n"), "");
    }

    #[test]
    fn identifiers_are_plain() {
        let ids = message_ids(b" <a@b>\r\n\t<c@d.example> <no-at> <a@b\x00> x@y <\"a\"@b> <a@b>>");
        assert_eq!(ids, ["a@b", "c@d.example"]);
        assert_eq!(message_ids(format!("<{}@b>", "x".repeat(250)).as_bytes()), [""; 0]);
    }

    proptest! {
        #[test]
        fn no_text_adds_a_field_or_changes_the_body(
            subject in "(\\PC|[\r\n\0\t]|=\\?utf-8\\?q\\?|\\?=|=0D=0A|Bcc: x@y){0,90}",
            name in "(\\PC|[\r\n\0\"\\\\<>,]){0,40}",
            body in "(\\PC|[\r\n\0\t.]|From ){0,200}",
        ) {
            let mut letter = letter(&subject, &body);
            letter.from.name = Some(name);
            letter.fields.push(("X-Copy".into(), subject.clone()));
            let bytes = letter.bytes();
            let message = Message::new(&bytes);
            let names: Vec<&str> = message.fields().iter().map(|field| field.name()).collect();
            prop_assert_eq!(names, [
                "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Copy",
                "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
            ]);
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let told = message.fields_named("Subject").next().unwrap().text();
            prop_assert_eq!(squeezed(&told), squeezed(&one_line(&subject)));
            let authors = message.fields()[0].mailboxes();
            prop_assert_eq!((authors.len(), authors[0].address.as_str()), (1, "bob@north.example"));
            prop_assert!(bytes.iter().all(|byte| *byte != 0) && bytes.ends_with(b"\r\n"));
            prop_assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
            let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
            let expected = clean(&body).replace("\r\n", "\n");
            prop_assert_eq!(text.trim_end_matches('\n'), expected.trim_end_matches('\n'));
        }
    }
}

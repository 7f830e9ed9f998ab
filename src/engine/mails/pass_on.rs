//! `Redirect to`, `Forward to`, `Mirror to`: the message goes on to others.
//!
//! What goes on is the message as the rules before left it, with CR LF, without its `Return-Path` and `Bcc` fields. Lines of
//! more than 998 octets stay as they are: to break them would break signatures, and the next server does it if it must.
//!
//! Each time a message goes on, a `Received` and a `Delivered-To` field of ours are put in front. The account finds its own
//! `Delivered-To` again when the message comes back, below the `Received` of the way; one above all `Received` fields is what
//! the MTA wrote for this very delivery.

use super::guards::Onward;
use super::marks::text_of;
use super::{Draft, Sending, Unsent, Written};
use crate::engine::EngineError;
use crate::mail::{Address, Correspondent, Field, Letter, Message};
use crate::rules::PassOn;
use memchr::memchr2;
use time::format_description::well_known::Rfc2822;

/// Fields that are about the way to us, or that the author kept to himself.
const LEFT_OUT: [&str; 3] = ["Return-Path", "Bcc", "Resent-Bcc"];

impl Sending<'_> {
    /// One mail to all of them, and a remark if the account itself is among them.
    pub(super) fn pass_on(&self, how: PassOn, to: &[Address]) -> Result<Vec<Draft>, EngineError> {
        let Onward { others, own } = match self.guards().onward(to) {
            Err(reason) => return Ok(vec![self.unsent(to, &reason)]),
            Ok(onward) => onward,
        };
        let mut drafts = Vec::new();
        if !others.is_empty() {
            drafts.push(self.draft(self.passed_on(how, others)?));
        }
        if !own.is_empty() {
            drafts.push(self.unsent(&own, &Unsent::ToItself));
        }
        Ok(drafts)
    }

    fn passed_on(&self, how: PassOn, recipients: Vec<Address>) -> Result<Written, EngineError> {
        let (subject, id) = (text_of(self.message, "Subject").unwrap_or_default(), self.unique()?);
        let mut bytes = self.trace(&id).into_bytes();
        match how {
            PassOn::Redirect => bytes.extend_from_slice(self.resent(&recipients, &id).as_bytes()),
            PassOn::Mirror => bytes.extend(format!("X-Mirrored-By: <{}>\r\n", self.author.address).bytes()),
            PassOn::Forward => {
                let subject = format!("Fwd: {subject}");
                bytes.extend(self.wrapped(&recipients, subject.clone(), &id));
                let sender = self.own_or_null();
                return Ok(Written { sender, recipients, subject, bytes, replies_to: None });
            }
        }
        append_message(self.message, &mut bytes);
        let sender = match how {
            PassOn::Mirror => self.kept_sender(),
            _ => self.own_or_null(),
        };
        Ok(Written { sender, recipients, subject, bytes, replies_to: None })
    }

    /// The account, so that it learns what could not be delivered. A report about a mail that the account sent stays one: with
    /// the null sender, or two of them would go on forever (RFC 5321 4.5.5).
    fn own_or_null(&self) -> String {
        match self.request.sender.as_deref() {
            Some("") => String::new(),
            _ => self.author.address.to_string(),
        }
    }

    /// As it came. What is no address would be refused as one, or read as more than one: then nobody is told.
    fn kept_sender(&self) -> String {
        let sender = self.request.sender.as_deref().map(Address::parse);
        match sender {
            Some(sender) => sender.map(|sender| sender.to_string()).unwrap_or_default(),
            None => self.author.address.to_string(),
        }
    }

    /// Trace fields (RFC 5321 4.4), and the mark of the account. We count as a server on the way, so that no circle is without
    /// growing traces.
    fn trace(&self, id: &str) -> String {
        let (author, date) = (&self.author.address, self.date());
        let domain = author.domain();
        format!("Received: by {domain} (Sealpost) id {id};\r\n\t{date}\r\nDelivered-To: {author}\r\n")
    }

    /// A block of resent fields (RFC 5322 3.6.6).
    fn resent(&self, recipients: &[Address], id: &str) -> String {
        let (author, date) = (&self.author.address, self.date());
        let to: Vec<String> = recipients.iter().map(Address::to_string).collect();
        let (to, domain) = (to.join(",\r\n\t"), author.domain());
        format!(
            "Resent-Date: {date}\r\nResent-From: {author}\r\nResent-To: {to}\r\nResent-Message-ID: <{id}@{domain}>\r\n"
        )
    }

    fn date(&self) -> String {
        self.at.format(&Rfc2822).unwrap_or_default()
    }

    /// A mail of the account with the message in it. It carries on whose hands the message went through, because the fields
    /// of the message are out of sight now.
    fn wrapped(&self, recipients: &[Address], subject: String, id: &str) -> Vec<u8> {
        let mut message = Vec::new();
        append_message(self.message, &mut message);
        let author = self.author.address.clone();
        let text = format!("A rule of {author} forwards this message.\n");
        let someone = |address: &Address| Correspondent { name: None, address: address.clone() };
        let letter = Letter {
            from: someone(&author),
            reply_to: Vec::new(),
            to: recipients.iter().map(someone).collect(),
            cc: Vec::new(),
            subject,
            date: self.at,
            message_id: format!("{id}@{}", author.domain()),
            in_reply_to: Vec::new(),
            references: Vec::new(),
            fields: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
            media_type: "text/plain",
            text: &text,
            attached: Some((&message, format!("=_{id}"))),
        };
        let mut bytes = self.hands().into_bytes();
        bytes.extend(letter.bytes());
        bytes
    }

    /// The `Delivered-To` fields so far.
    fn hands(&self) -> String {
        let marks = self.message.fields_named("Delivered-To").take(self.engine.settings.outgoing.hop_limit);
        let addresses = marks.filter_map(|field| Address::parse(field.text().trim()).ok());
        addresses.map(|address| format!("Delivered-To: {address}\r\n")).collect()
    }
}

fn is(field: &Field<'_>, name: &str) -> bool {
    field.name().eq_ignore_ascii_case(name)
}

/// The message in CR LF. A carriage return alone is none of that (RFC 5321 2.3.8): it becomes a space in the header, where it
/// must begin no field, and a line end in the body.
fn append_message(message: &Message<'_>, out: &mut Vec<u8>) {
    let kept = |field: &&Field<'_>| !LEFT_OUT.iter().any(|name| is(field, name));
    for field in message.fields().iter().filter(kept) {
        append_lines(field.raw(), b" ", out);
    }
    out.extend_from_slice(b"\r\n");
    append_lines(message.body(), b"\r\n", out);
}

/// The lines, each with CR LF, the last one too.
fn append_lines(bytes: &[u8], bare_cr: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let after = rest.get(at..).unwrap_or_default();
        rest = match after {
            [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => {
                out.extend_from_slice(b"\r\n");
                rest
            }
            [_, rest @ ..] => {
                out.extend_from_slice(bare_cr);
                rest
            }
            [] => &[],
        };
    }
    out.extend_from_slice(rest);
    if !rest.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn carried(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        append_message(&Message::new(bytes), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_goes_on_is_the_message_in_crlf() {
        assert_eq!(carried(b"A: b\n c\n\nx\ny"), "A: b\r\n c\r\n\r\nx\r\ny\r\n");
        assert_eq!(carried(b"A: b\r\n\r\nx\r\n"), "A: b\r\n\r\nx\r\n");
        assert_eq!(carried(b"A: b"), "A: b\r\n\r\n");
        assert_eq!(
            carried(b"Return-Path: <a@b>\nTo: c\nBCC: d\n e\nResent-Bcc: f\n\nx\n"),
            "To: c\r\n\r\nx\r\n"
        );
    }

    #[test]
    fn a_lone_cr_begins_no_field_and_ends_no_data() {
        assert_eq!(carried(b"A: b\rBcc: c\r\n\r\nx\r.\r\ny\n"), "A: b Bcc: c\r\n\r\nx\r\n.\r\ny\r\n");
        assert_eq!(carried(b"A: b\r\r\n\r\n\r"), "A: b \r\n\r\n\r\n");
    }

    #[test]
    fn a_header_that_broke_off_is_no_part_of_ours() {
        assert_eq!(carried(b" folded first\nTo: a\n"), "\r\n folded first\r\nTo: a\r\n");
        assert_eq!(carried(b"To: a\nno field\n\nx\n"), "To: a\r\n\r\nno field\r\n\r\nx\r\n");
        assert_eq!(carried(b""), "\r\n");
    }

    proptest! {
        #[test]
        fn every_line_ends_with_crlf(bytes in prop::collection::vec(prop::sample::select(b"\r\n :aT.\0\xff".to_vec()), 0..80)) {
            let mut out = Vec::new();
            append_message(&Message::new(&bytes), &mut out);
            prop_assert!(out.ends_with(b"\r\n"));
            for (at, byte) in out.iter().enumerate() {
                match byte {
                    b'\n' => prop_assert_eq!(out[at - 1], b'\r'),
                    b'\r' => prop_assert_eq!(out[at + 1], b'\n'),
                    _ => {}
                }
            }
            // What it says is the same but for line ends.
            let told = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !b"\r\n ".contains(byte)).collect::<Vec<_>>();
            prop_assert_eq!(told(&out), told(&bytes));
        }
    }
}

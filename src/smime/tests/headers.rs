//! The protection of the header (RFC 9788): what is hidden, what is said of it inside, and when nothing is hidden.

mod client;
mod undo;

use super::*;
use crate::cms::samples::SIGNED as OPAQUE;
use crate::cms::{Protection, find};
use crate::mail::Message;

/// The header of the sealed message without the fields that say what its body is, lines ended by LF.
fn outside(sealed: &[u8]) -> String {
    let text = String::from_utf8_lossy(sealed).replace("\r\n", "\n");
    text.split_once("MIME-Version: 1.0\nContent-Type: application/pkcs7-mime;").unwrap().0.to_owned()
}

fn text_inside(message: &[u8], headers: HeaderPolicy) -> String {
    String::from_utf8(inside(message, headers, 1 << 20)).unwrap().replace("\r\n", "\n")
}

/// RFC 9788 1.9, with the fields of 3.2.2 and what an MTA adds.
const MESSAGE: &str = "Return-Path: <bob@example.net>\nReceived: from x\n\tby y\nDate: Wed, 11 Jan 2023 16:08:43 -0500\n\
    From: Bob <bob@example.net>\nTo: Alice <alice@example.net>,\n Carol <carol@example.net>\n\
    Subject: Handling the Jones\n contract\nKeywords: Contract, Urgent\nMessage-ID: <1234@lhp.example>\n\
    Content-Type: multipart/alternative; boundary=b\nMIME-Version: 1.0\n\nPlease review.\n";

#[test]
fn hide_subject_is_the_baseline_policy() {
    let expected = "Return-Path: <bob@example.net>\nReceived: from x\n\tby y\n\
        Date: Wed, 11 Jan 2023 16:08:43 -0500\nFrom: Bob <bob@example.net>\n\
        To: Alice <alice@example.net>,\n Carol <carol@example.net>\nSubject: [...]\n\
        Message-ID: <1234@lhp.example>\n\
        Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"Invoices\"; state=clear;\n headers=hide-subject; eol=lf\n";
    assert_eq!(outside(seal_hiding(MESSAGE.as_bytes(), HeaderPolicy::HideSubject).bytes()), expected);
    let added = "HP-Outer: Return-Path: <bob@example.net>\nHP-Outer: Received: from x\n\tby y\n\
        HP-Outer: Date: Wed, 11 Jan 2023 16:08:43 -0500\nHP-Outer: From: Bob <bob@example.net>\n\
        HP-Outer: To: Alice <alice@example.net>,\n Carol <carol@example.net>\nHP-Outer: Subject: [...]\n\
        HP-Outer: Message-ID: <1234@lhp.example>\n\
        HP-Outer: Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"Invoices\"; state=clear;\n \
        headers=hide-subject; eol=lf\n";
    let typed = MESSAGE.replace("; boundary=b\n", "; boundary=b;\n hp=\"cipher\"\n");
    let octets = crlf(added.as_bytes()).len();
    assert_eq!(
        text_inside(MESSAGE.as_bytes(), HeaderPolicy::HideSubject),
        format!("Sealpost-Marker: v=1; added={octets}\n{added}{typed}")
    );
}

#[test]
fn hide_most_is_the_shy_policy() {
    let expected = "Return-Path: <bob@example.net>\nReceived: from x\n\tby y\n\
        Date: Wed, 11 Jan 2023 21:08:43 +0000\nFrom: bob@example.net\n\
        To: alice@example.net,\n carol@example.net\nSubject: [...]\nMessage-ID: <1234@lhp.example>\n\
        Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"Invoices\"; state=clear;\n headers=hide-most; eol=crlf\n";
    let message = crlf(MESSAGE.as_bytes());
    let sealed = seal_hiding(&message, HeaderPolicy::HideMost);
    assert_eq!(outside(sealed.bytes()), expected);
    let lines: Vec<&[u8]> = sealed.bytes().split_inclusive(|&byte| byte == b'\n').collect();
    assert!(lines.iter().all(|line| line.ends_with(b"\r\n")));
    let inside = text_inside(&message, HeaderPolicy::HideMost);
    assert!(inside.contains("\nHP-Outer: From: bob@example.net\nHP-Outer: To: alice@example.net,\n carol"));
    assert!(inside.contains("\nFrom: Bob <bob@example.net>\nTo: Alice <alice"));
}

#[test]
fn keep_says_nothing_of_it() {
    let sealed = seal_hiding(MESSAGE.as_bytes(), HeaderPolicy::Keep);
    let mut expected = MESSAGE.split_once("Content-Type:").unwrap().0.to_owned();
    expected += "Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"Invoices\"; state=clear;\n eol=lf\n";
    assert_eq!(outside(sealed.bytes()), expected);
    assert_eq!(text_inside(MESSAGE.as_bytes(), HeaderPolicy::Keep), MESSAGE);
    assert_eq!(sealed.facts().headers_kept, None);
}

#[test]
fn a_message_without_a_content_type_gets_one() {
    let inside = text_inside(b"Subject: s\n\nx", HeaderPolicy::HideSubject);
    let (marker, rest) = inside.split_once('\n').unwrap();
    assert!(marker.starts_with("Sealpost-Marker: v=1; added="), "{inside}");
    assert!(rest.starts_with("Content-Type: text/plain; hp=\"cipher\"\nHP-Outer: Subject: [...]\n"));
    assert!(rest.ends_with("eol=lf\nSubject: s\n\nx"), "{inside}");
}

#[test]
fn the_parameter_stands_where_every_reader_finds_it() {
    for (arrived, expected) in [
        ("text/plain", "text/plain;\n hp=\"cipher\""),
        ("text/plain; charset=x ;\n ; ", "text/plain; charset=x;\n hp=\"cipher\" ;\n ; "),
        ("text/plain (a;)", "text/plain (a;);\n hp=\"cipher\""),
        ("text/plain; name=\"a;\"\n", "text/plain; name=\"a;\";\n hp=\"cipher\"\n"),
        ("text/plain; hp=clear", "text/plain; x-sealpost-arrived-hp=clear;\n hp=\"cipher\""),
    ] {
        let inside = text_inside(
            format!("Subject: s\nContent-Type: {arrived}\n\nx").as_bytes(),
            HeaderPolicy::HideSubject,
        );
        assert!(inside.ends_with(&format!("\nSubject: s\nContent-Type: {expected}\n\nx")), "{inside}");
    }
}

/// The message is sealed as it would be without the policy, octet for octet, and the reason is told.
fn assert_kept(message: &[u8], reason: HeadersKept) {
    let kept = seal_hiding(message, HeaderPolicy::Keep);
    for headers in [HeaderPolicy::HideSubject, HeaderPolicy::HideMost] {
        let sealed = seal_hiding(message, headers);
        assert_eq!(sealed.facts().headers_kept, Some(reason), "{}", message.escape_ascii());
        assert!(sealed.bytes() == kept.bytes());
    }
    assert_eq!(kept.facts().headers_kept, None);
}

const SIGNED: &[u8] = b"From: a@b.example\nSubject: s\nContent-Type: multipart/signed; boundary=b; \
    protocol=\"application/pgp-signature\"\n\n--b\n\nx\n--b\nContent-Type: application/pgp-signature\n\n";

#[test]
fn what_its_sender_signed_or_encrypted_keeps_its_header() {
    let sealed = seal_for_alice(MESSAGE.as_bytes(), Profile::Compatible);
    assert!(matches!(find(&Message::new(sealed.bytes())), Protection::Encrypted(_)));
    assert_kept(sealed.bytes(), HeadersKept::Protected);
    let unlabelled = String::from_utf8(sealed.bytes().to_vec()).unwrap();
    let unlabelled = unlabelled.replace("application/pkcs7-mime;", "text/plain;");
    assert_kept(unlabelled.as_bytes(), HeadersKept::Protected);
    let signed = format!("Subject: s\nContent-Transfer-Encoding: base64\n\n{OPAQUE}\n");
    assert!(matches!(find(&Message::new(signed.as_bytes())), Protection::Signed));
    assert_kept(signed.as_bytes(), HeadersKept::Protected);
}

/// Clients look for the header inside of what is labelled so; there is no place there that is ours.
#[test]
fn a_label_of_signed_or_encrypted_keeps_the_header() {
    assert!(matches!(find(&Message::new(SIGNED)), Protection::None));
    assert_kept(SIGNED, HeadersKept::Protected);
    for label in ["multipart/Encrypted", "application/pkcs7-mime; x=y", "application/x-pkcs7-mime"] {
        assert_kept(format!("Subject: s\nContent-Type: {label}\n\nx").as_bytes(), HeadersKept::Protected);
    }
}

#[test]
fn a_content_type_that_does_not_say_one_thing_keeps_the_header() {
    for fields in [
        "Content-Type: text/plain\nContent-Type: text/plain\n",
        "Content-Type: text\n",
        "Content-Type: text/plain; charset\n",
        "Content-Type: text/plain charset=x\n",
        "Content-Type: text/plain; name=\"x\n",
        "Content-Type: text/plain; name=\"x;\n",
        "Content-Type: text/plain (x;\n",
        "Content-Type:\n",
        "Content-Type: text/plain; name=a\rb\n",
        "Content-Type: text/plain; name=\"a\0b\"\n",
        "no field\nContent-Type: text/plain\n",
        "Content-Type: text/plain\nno field\ncontent-type : text/plain\n",
        "X: a\rContent-Type: text/plain\n",
    ] {
        assert_kept(format!("Subject: s\n{fields}\nx").as_bytes(), HeadersKept::ContentType);
    }
}

#[test]
fn reasons_say_what_happened() {
    let kept = "nothing of the header is hidden: the message";
    assert_eq!(
        HeadersKept::Protected.to_string(),
        format!("{kept} is signed or encrypted by its sender, or says so")
    );
    assert_eq!(
        HeadersKept::ContentType.to_string(),
        format!("{kept} has several Content-Type fields, or one that does not parse")
    );
}

#[test]
fn what_has_no_header_has_nothing_to_hide() {
    for message in [&b""[..], b"no field\nSubject: s\n\nx", b"\nSubject: s\n", b" folded\nSubject: s\n"] {
        let sealed = seal_hiding(message, HeaderPolicy::HideMost);
        assert!(sealed.bytes() == seal_hiding(message, HeaderPolicy::Keep).bytes());
        assert_eq!(sealed.facts().headers_kept, None);
    }
}

#[test]
fn what_never_stays_outside_does_not_under_a_policy() {
    let message =
        b"Subject: s\nX-Spam-Report: body says\nSealpost-Sealed: v=1; eol=crlf\nHP-Outer: Subject: s\n\
        Sealpost-Forged: x\nBare: a\rSubject: s\nThread-Topic: s\nX-Spam-Prev-Subject: s\n\
        DKIM-Signature: v=1; z=Subject:s; b=x\nDKIM-Signature: v=1; b=x\nLast: c\n\n";
    let sealed = outside(seal_hiding(message, HeaderPolicy::HideSubject).bytes());
    assert!(
        sealed.starts_with("Subject: [...]\nDKIM-Signature: v=1; b=x\nLast: c\nSealpost-Sealed: v=1; at="),
        "{sealed}"
    );
    assert_eq!(sealed.matches("Sealpost-").count(), 1);
    let kept = outside(seal_hiding(message, HeaderPolicy::Keep).bytes());
    assert!(kept.contains("\nThread-Topic: s\nX-Spam-Prev-Subject: s\nDKIM-Signature: v=1; z="), "{kept}");
}

#[test]
fn rekeying_keeps_what_is_hidden() {
    for headers in HeaderPolicy::ALL {
        let sealed = seal_hiding(MESSAGE.as_bytes(), headers);
        let seed = Seed::from_bytes(&mut [3; 32]);
        let rekeyed = rekey(
            owned(sealed.bytes()),
            &[alice().opening()],
            &[bob().validated()],
            Naming::Certificate,
            seed,
        )
        .unwrap();
        assert_eq!(outside(rekeyed.bytes()), outside(sealed.bytes()));
        assert_eq!(open_as(bob(), rekeyed.bytes()).unwrap(), &*crlf(MESSAGE.as_bytes()));
    }
}

//! Header protection that arrives (RFC 9788), and fields in our name: nobody is to believe them once they are encrypted.

use super::crlf;
use super::inside::inside;
use super::people::{ELLA, seal};
use super::structure::{mail, structures};
use mail_parser::{MessageParser, MimeHeaders};
use sealpost::crypto::Profile;
use sealpost::mail::{HeaderPolicy, MediaType, Message};
use sealpost::smime::{Form, open};

/// The input is a message that arrived unencrypted. Sealed, and decrypted with the primitives:
///
/// - No reader finds an `HP-Outer` field or an `hp` parameter in it: not ours, not another one, not one that takes any
///   line up to the first empty one for a field.
/// - Opening gives back what arrived, also where it holds what we put in ourselves.
/// - What is put in depends on the lines and not on how they end.
/// - There is nothing of it outside either.
pub(crate) fn hold(input: &[u8]) {
    let sealed = seal(input, &[&ELLA], Profile::Compatible, 4).expect("the profile serves this key");
    let content = inside(sealed.bytes(), &ELLA);
    assert_unprotected(&content);
    assert_unprotected(sealed.bytes());
    let opened = open(sealed.bytes(), &[ELLA.opening()]).expect("what was sealed opens");
    assert!(opened.message.expose() == crlf(input), "opens to something else");
    let canonical =
        seal(&crlf(input), &[&ELLA], Profile::Compatible, 4).expect("the profile serves this key");
    assert!(inside(canonical.bytes(), &ELLA) == content, "line ends change what is put in");
    hold_undo(input);
}

/// A header policy of ours is undone by opening, whatever arrived; what somebody else encrypted, and what looks like ours
/// in it, loses nothing of its body, and of its header no more than what we would have put there.
fn hold_undo(input: &[u8]) {
    for headers in HeaderPolicy::ALL {
        let form = Form { headers, ..Form::default() };
        let sealed = seal(input, &[&ELLA], form, 4).expect("the profile serves this key");
        let opened = open(sealed.bytes(), &[ELLA.opening()]).expect("what was sealed opens");
        assert!(opened.message.expose() == crlf(input), "{}: opens to something else", headers.name());
    }
    let made = structures().iter().find(|made| made.name == "compatible-ella").expect("it is made");
    let foreign = made.with_content(input);
    let Ok(opened) = open(&mail(&foreign), &[ELLA.opening()]) else { return };
    let opened = opened.message.expose();
    assert!(opened.ends_with(behind_header(input)), "the body of what somebody else encrypted is cut");
    assert!(is_rest_of(opened, input), "something is put in");
}

/// What stands behind the first empty line, whatever a header is.
fn behind_header(content: &[u8]) -> &[u8] {
    let mut rest = content;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line == b"\n" || line == b"\r\n" {
            return after;
        }
        rest = after;
    }
    &[]
}

/// Does it come out of the whole by leaving something out?
fn is_rest_of(rest: &[u8], whole: &[u8]) -> bool {
    let mut octets = whole.iter();
    rest.iter().all(|wanted| octets.any(|octet| octet == wanted))
}

fn assert_unprotected(content: &[u8]) {
    let text = || content.escape_ascii();
    let message = Message::new(content);
    assert_eq!(message.fields_named("HP-Outer").count(), 0, "{}", text());
    let types = message.fields_named("Content-Type").filter_map(|field| MediaType::parse(field.value()));
    assert!(types.into_iter().all(|media| media.parameter("hp").is_none()), "{}", text());
    assert!(!lines(content).any(is_outer_field), "{}", text());
    assert!(!another_reader_believes(content), "{}", text());
}

/// Every line up to the first empty one.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = content.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty()).flat_map(|line| line.split(|&byte| byte == b'\r'))
}

fn is_outer_field(line: &[u8]) -> bool {
    let Some(at) = line.iter().position(|&byte| byte == b':') else { return false };
    line[..at].trim_ascii_end().eq_ignore_ascii_case(b"HP-Outer")
}

fn another_reader_believes(content: &[u8]) -> bool {
    let Some(message) = MessageParser::default().parse_headers(content) else { return false };
    let outer = message.headers().iter().any(|header| header.name().eq_ignore_ascii_case("HP-Outer"));
    let parameter = message.content_type().is_some_and(|media| media.has_attribute("hp"));
    outer || parameter
}

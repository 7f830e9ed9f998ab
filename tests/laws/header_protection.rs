//! Header protection that arrives (RFC 9788), and fields in our name: nobody is to believe them once they are encrypted.

use super::crlf;
use super::inside::inside;
use super::people::{ELLA, seal};
use mail_parser::{MessageParser, MimeHeaders};
use sealpost::crypto::Profile;
use sealpost::mail::{MediaType, Message};
use sealpost::smime::open;

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

//! Header protection that arrives (RFC 9788), and fields in our name: nobody is to believe them once they are encrypted.

use super::crlf;
use super::inside::inside;
use super::people::{ELLA, seal};
use super::structure::{mail, structures};
use mail_parser::{MessageParser, MimeHeaders};
use sealpost::mail::{HeaderPolicy, MediaType, Message};
use sealpost::smime::{Form, Sealed, open};

/// The input is a message that arrived unencrypted. Sealed under every header policy, and decrypted with the primitives:
///
/// - What the sealer added is what he says: a marker with the number of octets behind it, which are an `HP-Outer` field
///   for each field outside, and one parameter `hp`. Where nothing is hidden, nothing is added but at most a bare marker.
/// - In the rest no reader finds an `HP-Outer` field or an `hp` parameter: not ours, not another one, not one that takes
///   any line up to the first empty one for a field. There is nothing of it outside either.
/// - Opening gives back what arrived, also where it holds what we put in ourselves.
/// - What is put in depends on the lines and not on how they end.
/// - What somebody else encrypted, and what looks like ours in it, loses nothing of its body, and of its header no more
///   than what we would have put there.
pub(crate) fn hold(input: &[u8]) {
    for headers in HeaderPolicy::ALL {
        let sealed = sealed(input, headers);
        let content = inside(sealed.bytes(), &ELLA);
        let (added, rest) = without_additions(&content);
        assert_unprotected(&rest);
        assert_unprotected(sealed.bytes());
        let hides = headers != HeaderPolicy::Keep && sealed.facts().headers_kept.is_none();
        match added {
            Some(fields) if hides => assert_eq!(said_outside(&fields), outside(sealed.bytes())),
            added => assert!(added.is_none() && (!hides || Message::new(input).fields().is_empty())),
        }
        let opened = open(sealed.bytes(), &[ELLA.opening()]).expect("what was sealed opens");
        assert!(opened.message.expose() == crlf(input), "{}: opens to something else", headers.name());
    }
    let [one, other] = [input, &crlf(input)].map(|message| sealed(message, HeaderPolicy::Keep));
    assert!(inside(one.bytes(), &ELLA) == inside(other.bytes(), &ELLA), "line ends change what is put in");
    hold_what_others_encrypted(input);
}

fn sealed(input: &[u8], headers: HeaderPolicy) -> Sealed {
    let form = Form { headers, ..Form::default() };
    seal(input, &[&ELLA], form, 4).expect("the profile serves this key")
}

/// The fields that the marker says were added, and the message without them and without the parameter.
fn without_additions(content: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
    let Some(marked) = content.strip_prefix(b"Sealpost-Marker: v=1; added=") else {
        return (None, content.to_vec());
    };
    let digits = marked.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: usize = std::str::from_utf8(&marked[..digits]).unwrap().parse().expect("a number of octets");
    let (added, rest) = marked[digits..].strip_prefix(b"\r\n").expect("nothing more").split_at(number);
    let own_type = added.strip_prefix(b"Content-Type: text/plain; hp=\"cipher\"\r\n");
    let rest = if own_type.is_some() { rest.to_vec() } else { without_parameter(rest) };
    (Some(own_type.unwrap_or(added).to_vec()), rest)
}

fn without_parameter(rest: &[u8]) -> Vec<u8> {
    const PARAMETER: &[u8] = b";\r\n hp=\"cipher\"";
    let at = rest.windows(PARAMETER.len()).position(|octets| octets == PARAMETER).expect("it is protected");
    [&rest[..at], &rest[at + PARAMETER.len()..]].concat()
}

/// Names and values, unfolded and without the white space around the values.
fn unfolded(header: &[u8]) -> Vec<(String, String)> {
    let text: String = crlf(header).iter().map(|&octet| char::from(octet)).collect();
    let header = text.split("\r\n\r\n").next().unwrap_or_default();
    let lines = header.replace("\r\n ", " ").replace("\r\n\t", "\t");
    let field = |line: &str| {
        line.split_once(':').map(|(name, value)| (name.trim_end().to_owned(), value.trim().to_owned()))
    };
    lines.split("\r\n").filter_map(field).collect()
}

/// What the `HP-Outer` fields say; nothing else is among them.
fn said_outside(added: &[u8]) -> Vec<(String, String)> {
    let fields = unfolded(added).into_iter().map(|(name, value)| {
        assert_eq!(name, "HP-Outer");
        let (name, value) = value.split_once(':').expect("a field in a field");
        (name.to_owned(), value.trim().to_owned())
    });
    fields.collect()
}

/// The fields outside that do not describe the body (RFC 9787 1.1.1).
fn outside(sealed: &[u8]) -> Vec<(String, String)> {
    let mut fields = unfolded(sealed);
    fields.retain(|(name, _)| name != "MIME-Version" && !name.starts_with("Content-"));
    fields
}

fn hold_what_others_encrypted(input: &[u8]) {
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

//! The header that stays readable: the message's own fields but some, and ours.

use super::arrived::is_protection_field;
use super::claim::{Claim, SEALED_FIELD};
use super::{Mark, Marked};
use crate::cms::Protection;
use crate::crypto::algorithm::Mode;
use crate::mail::{Eol, Field, HeaderPolicy, Message, Outside, crlf, header_fields};
use encodify::base64::LineEnding;
use memchr::memchr2_iter;
use std::borrow::Cow;
use std::fmt::Write;
use time::{OffsetDateTime, UtcOffset};

/// So much is reserved for lines of our own.
const OURS: usize = 512;
/// Lines of our own are folded at this width (RFC 5322 2.1.1 recommends 78 at most).
const WIDTH: usize = 76;
/// A text like a rule's name is quoted up to this length, and cut into pieces of it when it is percent-encoded.
const NAME_PIECE: usize = 48;

/// A kind of field that does not stay outside.
enum Excluded {
    Named(&'static str),
    Beginning(&'static str),
    Like(fn(&Field<'_>) -> bool),
}

/// The fields that belong to one entity and mean nothing on another, or what is not meant: they neither stay outside
/// when a message is sealed, nor come in when it is opened. Each with its reason.
static BOUND: [Excluded; 4] = [
    // Ours says what the sealed message is.
    Excluded::Named("MIME-Version"),
    // They describe the body, which is inside.
    Excluded::Beginning("Content-"),
    // Only we speak under this name outside.
    Excluded::Beginning("Sealpost-"),
    // It means something inside only; outside it is forged.
    Excluded::Like(|field| is_protection_field(field.name())),
];

/// Those that do not stay outside besides.
static EXCLUDED: [Excluded; 3] = [
    // Filters quote the body in it.
    Excluded::Named("X-Spam-Report"),
    // Filters keep what they replaced: types and parts of the body.
    Excluded::Beginning("X-Spam-Prev-Content-"),
    // Readers differ in where such a field ends: what follows could be taken for another field, or for the body.
    Excluded::Like(|field| has_stray_octets(field.raw())),
];

impl Excluded {
    /// `name` is that of the field.
    fn covers(&self, field: &Field<'_>, name: &str) -> bool {
        match self {
            Excluded::Named(wanted) => name.eq_ignore_ascii_case(wanted),
            Excluded::Beginning(start) => {
                name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start))
            }
            Excluded::Like(covers) => covers(field),
        }
    }
}

/// Does the field belong to the entity that it stands on, so that it is none of another's?
pub(super) fn is_bound(field: &Field<'_>) -> bool {
    let name = field.name();
    BOUND.iter().any(|row| row.covers(field, name))
}

fn stays_inside(field: &Field<'_>) -> bool {
    let name = field.name();
    BOUND.iter().chain(&EXCLUDED).any(|row| row.covers(field, name))
}

/// NUL, or a CR that is not part of a line end.
pub(super) fn has_stray_octets(raw: &[u8]) -> bool {
    let is_stray = |at: usize| raw.get(at) == Some(&0) || raw.get(at + 1) != Some(&b'\n');
    memchr2_iter(0, b'\r', raw).any(is_stray)
}

/// The line ends of the sealed message: bare LF if the message has nothing else (Postfix pipes so), else CRLF.
pub(super) fn is_lf(arrived: Eol) -> bool {
    arrived == Eol::Lf
}

/// The header outside, but for the fields that say what the body is: the message's own, and ours that says what was done.
pub(super) struct Outer {
    bytes: Vec<u8>,
    arrived: Eol,
}

impl Outer {
    /// As the policy leaves the fields; those that never stay outside are no question of policy. `arrived` is how the lines
    /// of the whole message end.
    pub(super) fn new(
        message: &Message<'_>,
        protection: &Protection,
        mark: &Mark<'_>,
        policy: HeaderPolicy,
        arrived: Eol,
    ) -> Outer {
        let header: usize = message.fields().iter().map(|field| field.raw().len()).sum();
        let mut outer = Outer { bytes: Vec::with_capacity(header + OURS), arrived };
        for field in message.fields().iter().filter(|field| !stays_inside(field)) {
            match policy.outside(field) {
                Outside::AsReceived => outer.copy(field.raw()),
                Outside::Rewritten(value) => outer.write(&format!("{}: {value}", field.name())),
                Outside::Removed => {}
            }
        }
        outer.write(&sealed_field(mark, protection, policy, arrived));
        outer
    }

    /// Every field that stays outside and describes no body (a Non-Structural Header Field, RFC 9787 1.1.1).
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        header_fields(&self.bytes)
    }

    /// The line ends of the whole sealed message.
    pub(super) fn line_ending(&self) -> LineEnding {
        if is_lf(self.arrived) { LineEnding::Lf } else { LineEnding::CrLf }
    }

    /// The whole header and the empty line after it.
    pub(super) fn finish(mut self, mode: Mode) -> Vec<u8> {
        self.write(entity_fields(mode));
        self.write("");
        self.bytes
    }

    fn end(&self) -> &'static [u8] {
        match self.line_ending() {
            LineEnding::Lf => b"\n",
            LineEnding::CrLf => b"\r\n",
        }
    }

    /// Takes a field with the line ends of the sealed message; the last field of a header that was cut off gets one.
    fn copy(&mut self, raw: &[u8]) {
        match self.arrived {
            Eol::Mixed => self.bytes.extend_from_slice(&crlf(raw)),
            Eol::Lf | Eol::Crlf => self.bytes.extend_from_slice(raw),
        }
        if !raw.ends_with(b"\n") {
            self.bytes.extend_from_slice(self.end());
        }
    }

    /// Lines of ours.
    fn write(&mut self, text: &str) {
        for line in text.split('\n') {
            self.bytes.extend_from_slice(line.as_bytes());
            self.bytes.extend_from_slice(self.end());
        }
    }
}

/// The fields of RFC 8551 3.2 and 3.3, one a line.
fn entity_fields(mode: Mode) -> &'static str {
    match mode {
        Mode::Cbc => concat!(
            "MIME-Version: 1.0\n",
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\n name=smime.p7m\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Disposition: attachment; filename=smime.p7m"
        ),
        Mode::Aead => concat!(
            "MIME-Version: 1.0\n",
            "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\n name=smime.p7m\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Disposition: attachment; filename=smime.p7m"
        ),
    }
}

/// What was done and what arrived, folded.
fn sealed_field(mark: &Mark<'_>, protection: &Protection, policy: HeaderPolicy, arrived: Eol) -> String {
    let mut parameters: Vec<Cow<'static, str>> = Vec::with_capacity(8);
    parameters.extend(["v=1".into(), utc(mark.at).into()]);
    parameters.extend(mark.rule.into_iter().flat_map(|rule| text_parameters("rule", rule)).map(Cow::from));
    parameters.push(state_parameter(protection).into());
    if policy != HeaderPolicy::Keep {
        parameters.push(format!("headers={}", policy.name()).into());
    }
    parameters.push(eol_parameter(arrived).into());
    parameters.extend(edited_parameters(&mark.edited).into_iter().map(Cow::from));
    parameters.extend(marked_parameter("domain-key", domains(mark, domain_key)).map(Cow::from));
    parameters.extend(marked_parameter("recovery", domains(mark, recovery)).map(Cow::from));
    fold(SEALED_FIELD, &parameters)
}

fn domain_key<'a>(marked: &Marked<'a>) -> Option<&'a str> {
    match marked {
        Marked::DomainKey(domain) => Some(domain),
        Marked::Recovery(_) => None,
    }
}

fn recovery<'a>(marked: &Marked<'a>) -> Option<&'a str> {
    match marked {
        Marked::Recovery(domain) => Some(domain),
        Marked::DomainKey(_) => None,
    }
}

/// Each domain once.
fn domains<'a>(mark: &Mark<'a>, of: fn(&Marked<'a>) -> Option<&'a str>) -> Vec<&'a str> {
    let mut domains: Vec<&str> = mark.marked.iter().filter_map(of).collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}

/// `name="domain domain"`; a name that is none of a domain would end the quotes and stays away.
fn marked_parameter(name: &str, mut domains: Vec<&str>) -> Option<String> {
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    domains.retain(|domain| domain.bytes().all(is_label));
    (!domains.is_empty()).then(|| format!("{name}=\"{}\"", domains.join(" ")))
}

fn fold(name: &str, parameters: &[Cow<'static, str>]) -> String {
    let mut text = String::with_capacity(OURS);
    text.push_str(name);
    text.push(':');
    let mut column = text.len();
    for (index, parameter) in parameters.iter().enumerate() {
        let semicolon = if index + 1 < parameters.len() { ";" } else { "" };
        let length = 1 + parameter.len() + semicolon.len();
        if column + length > WIDTH {
            text.push('\n');
            column = 0;
        }
        column += length;
        [" ", parameter.as_ref(), semicolon].into_iter().for_each(|piece| text.push_str(piece));
    }
    text
}

/// Names of fields are told up to this length.
const LONGEST_EDITED: usize = 400;

/// The names with a blank between two; where they are too many, the first.
fn edited_parameters(names: &[&str]) -> Vec<String> {
    let mut text = String::new();
    for name in names {
        if text.len() + name.len() > LONGEST_EDITED {
            text.push_str(" ...");
            break;
        }
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(name);
    }
    if text.is_empty() { Vec::new() } else { text_parameters("edited", &text) }
}

/// `rule="..."`, or for a text that is long or not all printable ASCII the extended form of RFC 2231, in pieces.
fn text_parameters(name: &str, text: &str) -> Vec<String> {
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if printable && text.len() <= NAME_PIECE {
        return vec![quoted(name, text)];
    }
    let octets: Vec<u8> = text.bytes().collect();
    let pieces: Vec<String> = octets.chunks(NAME_PIECE / 3).map(percent_encode).collect();
    match pieces.as_slice() {
        [piece] => vec![format!("{name}*=UTF-8''{piece}")],
        pieces => pieces.iter().enumerate().map(|(at, piece)| text_piece(name, at, piece)).collect(),
    }
}

fn quoted(name: &str, text: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 3 + 2 * text.len());
    quoted.push_str(name);
    quoted.push_str("=\"");
    for letter in text.chars() {
        if matches!(letter, '\\' | '"') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

fn text_piece(name: &str, index: usize, piece: &str) -> String {
    let charset = if index == 0 { "UTF-8''" } else { "" };
    format!("{name}*{index}*={charset}{piece}")
}

fn percent_encode(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, &octet| {
        if octet.is_ascii_alphanumeric() {
            text.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{octet:02X}");
        }
        text
    })
}

/// When: RFC 3339 in UTC, whole seconds.
fn utc(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let mut text = String::with_capacity("at=0000-00-00T00:00:00Z".len());
    // A year before 0 has a sign, which digits know nothing of. Writing to a String cannot fail.
    let _ = write!(text, "at={:04}", at.year());
    let (month, day) = (u8::from(at.month()), at.day());
    let rest = [('-', month), ('-', day), ('T', at.hour()), (':', at.minute()), (':', at.second())];
    for (before, number) in rest {
        text.extend([before, char::from(b'0' + number / 10), char::from(b'0' + number % 10)]);
    }
    text.push('Z');
    text
}

fn state_parameter(protection: &Protection) -> &'static str {
    match protection {
        Protection::None => "state=clear",
        Protection::Signed => "state=signed",
        Protection::Encrypted(_) | Protection::OpenPgp => "state=encrypted",
    }
}

const EOLS: [Eol; 3] = [Eol::Lf, Eol::Crlf, Eol::Mixed];

fn eol_parameter(eol: Eol) -> &'static str {
    match eol {
        Eol::Lf => "eol=lf",
        Eol::Crlf => "eol=crlf",
        Eol::Mixed => "eol=mixed",
    }
}

fn eol_name(eol: Eol) -> &'static str {
    eol_parameter(eol).strip_prefix("eol=").unwrap_or_default()
}

/// The line ends that the message had before it was sealed, if its `Sealpost-Sealed` field says so: a hint for giving the
/// message back as it came, nothing else.
pub(super) fn arrived_eol(message: &Message<'_>) -> Option<Eol> {
    let claim = Claim::of(message)?;
    let name = claim.value("eol")?;
    EOLS.into_iter().find(|&eol| eol_name(eol) == name)
}

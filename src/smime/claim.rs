//! Reading the field `Sealpost-Sealed`. Nobody vouches for it: whoever can write to a mailbox can write one.

use crate::mail::media::join_sections;
use crate::mail::{Message, printable};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The field that says what was done.
pub(super) const SEALED_FIELD: &str = "Sealpost-Sealed";
/// A longer value is none that we wrote.
const LONGEST: usize = 16 * 1024;
/// More parameters are not looked at.
const MOST: usize = 64;

/// What a `Sealpost-Sealed` field says of its message. As JSON: an object of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    parameters: Vec<(String, String)>,
}

impl Claim {
    /// What the message claims, if it does so in exactly one field, of the version that we know.
    pub fn of(message: &Message<'_>) -> Option<Claim> {
        let mut fields = message.fields_named(SEALED_FIELD);
        let (Some(field), None) = (fields.next(), fields.next()) else { return None };
        let value = std::str::from_utf8(field.value()).ok().filter(|value| value.len() <= LONGEST)?;
        let mut parameters = split_parameters(value).into_iter();
        if parameters.next() != Some("v=1") {
            return None;
        }
        let raw = parameters.filter_map(|parameter| parameter.split_once('=')).take(MOST);
        let raw = raw.map(|(name, value)| (name.to_ascii_lowercase(), unquoted(value))).collect();
        Some(Claim { parameters: join_sections(raw) })
    }

    /// The parameters in their order, control characters replaced: `at` (RFC 3339), `rule`, `state` (`clear`, `signed` or
    /// `encrypted`), `eol` (`lf`, `crlf` or `mixed`), and what later versions add.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.parameters.iter().map(|(name, value)| (printable(name), printable(value)))
    }

    /// The first parameter of that name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Serialize for Claim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_map(None)?;
        for (name, value) in self.parameters() {
            shown.serialize_entry(&name, &value)?;
        }
        shown.end()
    }
}

/// The parameters of a value; a semicolon inside quotes does not end one.
fn split_parameters(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |letter| {
        let ends = letter == ';' && !quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    });
    parts.map(str::trim).collect()
}

/// A quoted string without its quotes and backslashes; anything else as it is.
fn unquoted(value: &str) -> Vec<u8> {
    let Some(quoted) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.into();
    };
    let mut escaped = false;
    let keep = |&byte: &u8| {
        escaped = byte == b'\\' && !escaped;
        !escaped
    };
    quoted.bytes().filter(keep).collect()
}

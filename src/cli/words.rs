//! What arguments may be: addresses, words of closed lists, fingerprints.

use super::failure::{Code, Failure};
use crate::config;
use crate::directory::Setting;
use crate::engine::Choice;
use crate::mail::Address;
use crate::mail::mbox::Variant;
use crate::pki::{Fingerprint, KeyType};
use crate::vault::VaultError;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command};
use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;
use time::{OffsetDateTime, UtcOffset};

/// The words of the key types. A weak one is refused with the reason, so that it is no unknown word.
#[derive(Clone)]
pub(super) struct KeyTypeParser;

impl TypedValueParser for KeyTypeParser {
    type Value = KeyType;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, word: &OsStr) -> Result<KeyType, clap::Error> {
        let parse = |word: &str| KeyType::parse(word);
        parse.parse_ref(command, arg, word)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(KeyType::all().map(|(_, name, doc)| PossibleValue::new(name).help(doc))))
    }
}

/// The word that takes an own setting back.
const INHERIT: &str = "inherit";
/// Fewer digits could name the wrong key by chance.
const SHORTEST_FINGERPRINT: usize = 8;

/// Bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    config::size_of(text).ok_or_else(|| "a size like 100M: digits, and K, M or G of 1024".to_owned())
}

/// A mail address.
pub(super) fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

/// A kind of mbox.
pub(super) fn mbox_variant(text: &str) -> Result<Variant, String> {
    match text {
        "mboxrd" => Ok(Variant::Rd),
        "mboxo" => Ok(Variant::O),
        "mboxcl" => Ok(Variant::Cl),
        "mboxcl2" => Ok(Variant::Cl2),
        _ => Err("it is mboxrd, mboxo, mboxcl or mboxcl2".into()),
    }
}

/// A word of a closed list; help and completions show all of them.
pub(super) fn choice<C: Choice + Send + Sync>() -> impl TypedValueParser<Value = C> {
    let words = C::ALL.iter().map(|choice| choice.name());
    PossibleValuesParser::new(words).try_map(|word| C::parse(&word).ok_or("unknown word"))
}

/// A word of a closed list, or `inherit`.
pub(super) fn setting<C: Choice + Send + Sync>() -> impl TypedValueParser<Value = Setting<C>> {
    let words = C::ALL.iter().map(|choice| choice.name()).chain([INHERIT]);
    PossibleValuesParser::new(words).try_map(|word| match C::parse(&word) {
        Some(choice) => Ok(Setting::Own(choice)),
        None if word == INHERIT => Ok(Setting::Inherit),
        None => Err("unknown word"),
    })
}

/// A fingerprint, or its first digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FingerprintPrefix(String);

impl FromStr for FingerprintPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<FingerprintPrefix, String> {
        let digits: String = text.chars().filter(|&char| char != ':').collect();
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !hexadecimal || !(SHORTEST_FINGERPRINT..=64).contains(&digits.len()) {
            return Err(format!(
                "a fingerprint has 64 hexadecimal digits; the first {SHORTEST_FINGERPRINT} are enough"
            ));
        }
        Ok(FingerprintPrefix(digits.to_ascii_lowercase()))
    }
}

impl From<Fingerprint> for FingerprintPrefix {
    fn from(whole: Fingerprint) -> FingerprintPrefix {
        FingerprintPrefix(whole.to_string())
    }
}

impl FingerprintPrefix {
    /// Its digits, in lower case and without colons.
    pub(super) fn digits(&self) -> &str {
        &self.0
    }

    /// Does it name this one?
    pub(super) fn names(&self, fingerprint: Fingerprint) -> bool {
        fingerprint.to_string().starts_with(&self.0)
    }

    /// The one of these that it names.
    pub(super) fn among(&self, held: &[Fingerprint]) -> Result<Fingerprint, Failure> {
        let named: Vec<_> = held.iter().filter(|fingerprint| self.names(**fingerprint)).collect();
        match named.as_slice() {
            [one] => Ok(**one),
            [] => {
                let failure =
                    Failure::new(Code::NotFound, format!("no fingerprint there begins with {}", self.0));
                Err(match held {
                    [] => failure,
                    _ => failure.hint(format!("there is {}", texts(held).join(", "))),
                })
            }
            _ => Err(Failure::new(Code::No, format!("{} names more than one: give more digits", self.0))),
        }
    }
}

/// Those of the fingerprints that were named to be forgotten.
pub(super) fn forgotten(
    named: &[FingerprintPrefix],
    held: &[Fingerprint],
) -> Result<Vec<Fingerprint>, Failure> {
    named.iter().map(|prefix| prefix.among(held)).collect()
}

/// The setting as it is shown: its word, or where it comes from.
pub(super) fn own<C: Choice>(setting: Option<C>) -> String {
    setting.map_or_else(|| INHERIT.to_owned(), |choice| choice.name().to_owned())
}

/// `1 rule`, `2 rules`.
pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A time to wait, in whole seconds or minutes, never less than it is.
pub(super) fn wait(time: Duration) -> String {
    let seconds = usize::try_from(time.as_millis().div_ceil(1000)).unwrap_or(usize::MAX);
    if seconds < 120 { counted(seconds, "second") } else { counted(seconds.div_ceil(60), "minute") }
}

/// Each as text, for JSON.
pub(super) fn texts<T: ToString>(things: impl IntoIterator<Item = T>) -> Vec<String> {
    things.into_iter().map(|thing| thing.to_string()).collect()
}

/// Each as text with a blank between two, for a cell of a table.
pub(super) fn joined<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    texts(things).join(" ")
}

/// The first digits of a fingerprint: enough for every option that takes one, and short enough for a table.
pub(super) fn short(fingerprint: impl ToString) -> String {
    fingerprint.to_string().chars().take(16).collect()
}

/// The day of a moment, UTC.
pub(super) fn day(moment: OffsetDateTime) -> String {
    moment.date().to_string()
}

/// The minute of a moment, UTC, for a person.
pub(super) fn minute(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    format!("{} {:02}:{:02}", moment.date(), moment.hour(), moment.minute())
}

/// A moment of RFC 3339 in whole seconds, UTC, for a program.
pub(super) fn instant(moment: OffsetDateTime) -> String {
    let (date, hour, minute, second) = {
        let moment = moment.to_offset(UtcOffset::UTC);
        (moment.date(), moment.hour(), moment.minute(), moment.second())
    };
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Failure {
        let code = match error {
            VaultError::WrongPassword => Code::NoPermission,
            VaultError::PasswordLength { .. } => Code::Usage,
            _ => Code::Data,
        };
        Failure::new(code, super::failure::with_sources(&error))
    }
}

/// As one word of a POSIX shell, quoted only where that is needed.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_shell_stays_one() {
        assert_eq!(shell_word("sealpost-demo/new/1.M2P3.vm,S=5"), "sealpost-demo/new/1.M2P3.vm,S=5");
        assert_eq!(shell_word("a b'c"), "'a b'\\''c'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (milliseconds, text) in [
            (1, "1 second"),
            (1_000, "1 second"),
            (1_001, "2 seconds"),
            (119_000, "119 seconds"),
            (119_001, "2 minutes"),
            (900_000, "15 minutes"),
        ] {
            assert_eq!(wait(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn a_fingerprint_is_named_by_its_first_digits() {
        let held = [Fingerprint([0xab; 32]), Fingerprint([0xcd; 32])];
        let named: FingerprintPrefix = "AB:AB:AB:AB".parse().unwrap();
        assert_eq!(named.among(&held).unwrap(), held[0]);
        assert_eq!(forgotten(&[named], &held).unwrap(), [held[0]]);
        let missing: FingerprintPrefix = "0123456789".parse().unwrap();
        assert_eq!(missing.among(&held).unwrap_err().text, "no fingerprint there begins with 0123456789");
        assert!("abab".parse::<FingerprintPrefix>().is_err());
        assert!("xyzxyzxyz".parse::<FingerprintPrefix>().is_err());
    }
}

//! Values as the columns hold them.

use crate::engine::{CertificateState, Choice};
use crate::mail::Address;
use crate::pki::{Fingerprint, RevocationReason};
use rusqlite::types::{FromSqlError, FromSqlResult, Type, ValueRef};
use time::OffsetDateTime;

/// A column that holds the word of a [`Choice`].
pub(super) struct Word<C>(pub(super) C);

impl<C: Choice> rusqlite::types::FromSql for Word<C> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Word<C>> {
        let word = value.as_str()?;
        C::parse(word).map(Word).ok_or_else(|| FromSqlError::Other(format!("unknown word {word}").into()))
    }
}

/// The word of an optional setting; nothing if it is inherited.
pub(super) fn word<C: Choice>(setting: Option<C>) -> Option<&'static str> {
    setting.map(Choice::name)
}

/// A fingerprint in hexadecimal.
pub(super) struct Hex(pub(super) Fingerprint);

impl rusqlite::types::FromSql for Hex {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Hex> {
        let text = value.as_str()?;
        parse_fingerprint(text).map(Hex).ok_or_else(|| FromSqlError::Other("no fingerprint".into()))
    }
}

fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Fingerprint(bytes))
}

/// Seconds since 1970, UTC.
pub(super) struct Moment(pub(super) OffsetDateTime);

impl rusqlite::types::FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Moment> {
        let seconds = value.as_i64()?;
        OffsetDateTime::from_unix_timestamp(seconds)
            .map(Moment)
            .map_err(|_| FromSqlError::OutOfRange(seconds))
    }
}

/// Now, as the columns hold it.
pub(super) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

impl Choice for CertificateState {
    const ALL: &'static [CertificateState] =
        &[CertificateState::Active, CertificateState::Retired, CertificateState::Pending];

    fn name(self) -> &'static str {
        match self {
            CertificateState::Active => "active",
            CertificateState::Retired => "retired",
            CertificateState::Pending => "pending",
        }
    }
}

impl Choice for RevocationReason {
    const ALL: &'static [RevocationReason] = &RevocationReason::ALL;

    fn name(self) -> &'static str {
        RevocationReason::name(self)
    }
}

/// `local@domain` out of two columns.
pub(super) fn address(local: &str, domain: &str) -> rusqlite::Result<Address> {
    Address::parse(&format!("{local}@{domain}"))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

/// The local part as it is looked up.
pub(super) fn folded(address: &Address) -> String {
    address.local().to_ascii_lowercase()
}

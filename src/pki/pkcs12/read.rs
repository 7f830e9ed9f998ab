//! Reads PKCS#12 (RFC 7292) as OpenSSL, NSS, Thunderbird, macOS and Windows write it.

use super::{
    CERTIFICATE_BAG, CertificateBag, ContentInfo, DATA, ENCRYPTED_DATA, EncryptedData, EncryptedKey, KEY_BAG,
    MacData, Pfx, SAFE_CONTENTS_BAG, SHROUDED_KEY_BAG, SafeBag, X509_CERTIFICATE, broken,
};
use crate::cms::der_from_ber;
use crate::crypto::algorithm::name_of;
use crate::pki::pbe::Password;
use crate::pki::{Certificate, PkiError, UnlockedKey};
use der::asn1::{Any, OctetString};
use der::{Decode, Tag, Tagged};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Bags in a file; a key with its chain has five.
const MAX_BAGS: usize = 256;

/// SafeContents inside SafeContents: nobody writes more than one level.
const MAX_NESTING: usize = 4;

/// What errors call the file.
const FILE: &str = "PKCS#12 file";

/// Every key and certificate of a file.
#[derive(Default)]
pub(in crate::pki) struct Contents {
    pub(in crate::pki) keys: Vec<UnlockedKey>,
    pub(in crate::pki) certificates: Vec<Certificate>,
    /// A key of a kind that we have no use for, such as one that only signs, stood beside others.
    passed_over: Option<PkiError>,
    bags: usize,
}

/// One value as DER: NSS and Windows write indefinite lengths and strings in pieces (X.690 8, 10).
fn der_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, PkiError> {
    match der_from_ber(bytes) {
        Ok((der, [])) => Ok(der),
        Ok(_) => Err(PkiError::malformed("the PKCS#12 file", "octets follow its end")),
        Err(_) => Err(PkiError::malformed("the PKCS#12 file", "its ASN.1 is truncated or damaged")),
    }
}

/// Reads and checks a file. Without a password the empty one is tried.
pub(in crate::pki) fn read(bytes: &[u8], password: Option<&[u8]>) -> Result<Contents, PkiError> {
    let der = der_of(bytes)?;
    let pfx = Pfx::from_der(&der).map_err(broken)?;
    if pfx.version != 3 {
        return Err(PkiError::Unsupported(format!("PKCS#12 version {}", pfx.version)));
    }
    if pfx.auth_safe.kind != DATA {
        return Err(PkiError::Unsupported("PKCS#12 files protected by a signature".to_owned()));
    }
    let safe = pfx.auth_safe.content.decode_as::<OctetString>().map_err(broken)?;
    let spellings = spellings(password.unwrap_or_default());
    match &pfx.mac {
        Some(mac) => {
            let mut password = open_mac(mac, safe.as_bytes(), spellings)?;
            read_parts(safe.as_bytes(), &mut password)
        }
        None => read_without_mac(safe.as_bytes(), spellings),
    }
}

/// An empty password has two: the BMPString of no character, and nothing at all (old Windows, Java).
fn spellings(password: &[u8]) -> Vec<Password> {
    let absent = password.is_empty().then(Password::absent);
    std::iter::once(Password::new(password)).chain(absent).collect()
}

/// Each spelling is tried on the parts. A wrong password shows in what comes out, and passes the padding check 4 times in
/// 1000.
fn read_without_mac(safe: &[u8], spellings: Vec<Password>) -> Result<Contents, PkiError> {
    let mut refused = PkiError::WrongPassword(FILE);
    for mut password in spellings {
        match read_parts(safe, &mut password) {
            Err(PkiError::Malformed { .. }) if password.was_used() => refused = PkiError::WrongPassword(FILE),
            Err(error @ PkiError::WrongPassword(_)) => refused = error,
            other => return other,
        }
    }
    Err(refused)
}

fn read_parts(safe: &[u8], password: &mut Password) -> Result<Contents, PkiError> {
    let parts = Vec::<ContentInfo>::from_der(&der_of(safe)?).map_err(broken)?;
    let mut contents = Contents::default();
    for part in &parts {
        let clear = open_part(part, password)?;
        contents.read_bags(&clear, password, MAX_NESTING)?;
    }
    match contents.passed_over.take() {
        Some(error) if contents.keys.is_empty() => Err(error),
        _ => Ok(contents),
    }
}

/// The password in the spelling that the MAC was made with.
fn open_mac(mac: &MacData, message: &[u8], spellings: Vec<Password>) -> Result<Password, PkiError> {
    for mut spelling in spellings {
        if mac.holds(message, &mut spelling)? {
            return Ok(spelling);
        }
    }
    Err(PkiError::WrongPassword(FILE))
}

fn open_part(part: &ContentInfo, password: &mut Password) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    match part.kind {
        DATA => {
            let clear = part.content.decode_as::<OctetString>().map_err(broken)?;
            Ok(Zeroizing::new(clear.into_bytes().to_vec()))
        }
        ENCRYPTED_DATA => {
            let data = part.content.decode_as::<EncryptedData>().map_err(broken)?;
            let encrypted = joined(&data.content.content)?;
            password.decrypt(&data.content.algorithm, &encrypted, FILE)
        }
        other => Err(PkiError::Unsupported(format!("the PKCS#12 part {}", name_of(&other)))),
    }
}

/// The octets of `[0] IMPLICIT OCTET STRING`.
fn joined(content: &Any) -> Result<Vec<u8>, PkiError> {
    match content.tag() {
        Tag::ContextSpecific { constructed: false, .. } => Ok(content.value().to_vec()),
        Tag::ContextSpecific { constructed: true, .. } => {
            let mut rest = content.value();
            let mut octets = Vec::with_capacity(rest.len());
            while !rest.is_empty() {
                let (piece, after) = <&der::asn1::OctetStringRef>::from_der_partial(rest).map_err(broken)?;
                octets.extend_from_slice(piece.as_bytes());
                rest = after;
            }
            Ok(octets)
        }
        other => {
            Err(PkiError::malformed("the PKCS#12 file", format!("encrypted content has the tag {other}")))
        }
    }
}

impl Contents {
    fn read_bags(&mut self, clear: &[u8], password: &mut Password, nesting: usize) -> Result<(), PkiError> {
        let der = Zeroizing::new(der_of(clear)?.into_owned());
        let bags = Vec::<SafeBag>::from_der(&der).map_err(broken)?;
        self.bags += bags.len();
        if self.bags > MAX_BAGS {
            return Err(PkiError::TooMany { what: "PKCS#12 bags", count: self.bags });
        }
        bags.iter().try_for_each(|bag| self.read_bag(bag, password, nesting))
    }

    fn add_key(&mut self, pkcs8: &[u8]) -> Result<(), PkiError> {
        match UnlockedKey::from_pkcs8(pkcs8) {
            Ok(key) => self.keys.push(key),
            Err(error @ PkiError::Unsupported(_)) => self.passed_over = Some(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Bags of other kinds (CRLs, secrets, what Java adds) are passed over.
    fn read_bag(&mut self, bag: &SafeBag, password: &mut Password, nesting: usize) -> Result<(), PkiError> {
        let value = Zeroizing::new(der::Encode::to_der(&bag.value).map_err(broken)?);
        match bag.kind {
            KEY_BAG => self.add_key(&value)?,
            SHROUDED_KEY_BAG => {
                let key = EncryptedKey::from_der(&value).map_err(broken)?;
                let clear = password.decrypt(&key.algorithm, key.data.as_bytes(), FILE)?;
                self.add_key(&clear)?;
            }
            CERTIFICATE_BAG => {
                let bag = CertificateBag::from_der(&value).map_err(broken)?;
                if bag.kind == X509_CERTIFICATE {
                    self.certificates.push(Certificate::from_der(bag.value.as_bytes())?);
                }
            }
            SAFE_CONTENTS_BAG => {
                let deeper = nesting
                    .checked_sub(1)
                    .ok_or(PkiError::TooMany { what: "nested PKCS#12 bags", count: MAX_NESTING + 1 })?;
                self.read_bags(&value, password, deeper)?;
            }
            _ => {}
        }
        Ok(())
    }
}

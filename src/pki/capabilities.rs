//! What the holder of a certificate reads: the smimeCapabilities extension (RFC 4262).

use super::PkiError;
use super::issue::unwritten;
use crate::crypto::ContentCipher;
use crate::crypto::algorithm::{AES_256_CBC, AES_256_GCM};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, OctetString};
use der::{Decode, Encode, Sequence};
use x509_cert::ext::Extension;

/// id-smimeCapabilities.
const SMIME_CAPABILITIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.15");

/// What the mail programs of a holder read, as its certificate says it. The profile `auto` goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reads {
    /// AES-256-CBC, as every S/MIME program does.
    #[default]
    Cbc,
    /// AES-256-GCM too.
    Gcm,
}

impl Reads {
    /// Best first (RFC 8551 2.5.2).
    fn ciphers(self) -> &'static [&'static ContentCipher] {
        static BEST_FIRST: [&ContentCipher; 2] = [&AES_256_GCM, &AES_256_CBC];
        match self {
            Reads::Cbc => BEST_FIRST.get(1..).unwrap_or_default(),
            Reads::Gcm => &BEST_FIRST,
        }
    }
}

/// SMIMECapability.
#[derive(Sequence)]
struct SmimeCapability {
    id: ObjectIdentifier,
    parameters: Option<Any>,
}

/// The extension that says so.
pub(super) fn extension(reads: Reads) -> Result<Extension, PkiError> {
    let capability = |cipher: &&ContentCipher| SmimeCapability { id: cipher.oid, parameters: None };
    let list: Vec<SmimeCapability> = reads.ciphers().iter().map(capability).collect();
    let value = list.to_der().and_then(OctetString::new).map_err(unwritten)?;
    Ok(Extension { extn_id: SMIME_CAPABILITIES, critical: false, extn_value: value })
}

/// What the extensions of a certificate say. A list that is absent or broken says nothing more than that everybody
/// reads what everybody reads.
pub(super) fn of(extensions: &[Extension]) -> Reads {
    let list = extensions.iter().find(|extension| extension.extn_id == SMIME_CAPABILITIES);
    let list = list.and_then(|list| Vec::<SmimeCapability>::from_der(list.extn_value.as_bytes()).ok());
    match list {
        Some(list) if list.iter().any(|one| one.id == AES_256_GCM.oid) => Reads::Gcm,
        _ => Reads::Cbc,
    }
}

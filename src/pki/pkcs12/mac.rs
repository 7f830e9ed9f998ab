//! Does the MAC of a file hold: that of RFC 7292, and PBMAC1 (RFC 9579), which is read only.

use super::{DigestInfo, MacData, broken};
use crate::crypto::algorithm::name_of;
use crate::pki::PkiError;
use crate::pki::pbe::{Password, hmac_holds};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, OctetString};
use der::{Encode, Sequence};
use spki::AlgorithmIdentifierOwned;

/// id-PBMAC1 and id-PBKDF2 (RFC 8018 A.5, A.2).
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");

/// The function of a derivation that names none (RFC 8018 A.2).
const DEFAULT_PRF: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");

/// Octets of a derived key: RFC 9579 4 advises against less than 20, and no HMAC here takes more than a block in.
const KEY_OCTETS: std::ops::RangeInclusive<u32> = 20..=128;

#[derive(Sequence)]
struct Pbmac1Parameters {
    derivation: AlgorithmIdentifierOwned,
    scheme: AlgorithmIdentifierOwned,
}

#[derive(Sequence)]
struct Pbkdf2Parameters {
    /// The other choice, `otherSource`, is defined by nobody.
    salt: OctetString,
    rounds: u32,
    #[asn1(optional = "true")]
    key_octets: Option<u32>,
    #[asn1(optional = "true")]
    prf: Option<AlgorithmIdentifierOwned>,
}

impl MacData {
    /// Does it hold over the message under this spelling of the password?
    pub(super) fn holds(&self, message: &[u8], password: &mut Password) -> Result<bool, PkiError> {
        let DigestInfo { algorithm, digest } = &self.mac;
        if algorithm.oid == PBMAC1 {
            return pbmac1_holds(algorithm, message, digest.as_bytes(), password);
        }
        password.verify_mac(algorithm.oid, self.salt.as_bytes(), self.rounds, message, digest.as_bytes())
    }
}

/// Salt and rounds of the MacData itself count for nothing then (RFC 9579 3).
fn pbmac1_holds(
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    mac: &[u8],
    password: &mut Password,
) -> Result<bool, PkiError> {
    let Pbmac1Parameters { derivation, scheme } = parameters(algorithm)?;
    if derivation.oid != PBKDF2 {
        return Err(PkiError::Unsupported(format!("a PKCS#12 MAC with {}", name_of(&derivation.oid))));
    }
    let Pbkdf2Parameters { salt, rounds, key_octets, prf } = parameters(&derivation)?;
    let octets = key_octets.ok_or_else(|| mac_broken("its MAC does not say how long its key is"))?;
    if !KEY_OCTETS.contains(&octets) {
        return Err(mac_broken(format!("its MAC asks for a key of {octets} octets")));
    }
    if rounds == 0 {
        return Err(mac_broken("its MAC asks for no round of key derivation"));
    }
    let prf = prf.map_or(DEFAULT_PRF, |prf| prf.oid);
    let octets = usize::try_from(octets).unwrap_or(0);
    let key = password.derive_pbkdf2(prf, salt.as_bytes(), rounds, octets)?;
    hmac_holds(scheme.oid, &key, message, mac)
}

fn parameters<T>(algorithm: &AlgorithmIdentifierOwned) -> Result<T, PkiError>
where
    T: der::DecodeOwned<Error = der::Error>,
{
    let held = algorithm.parameters.as_ref().map(Any::to_der).transpose().map_err(broken)?;
    T::from_der(&held.unwrap_or_default()).map_err(|_| mac_broken("the parameters of its MAC are broken"))
}

fn mac_broken(why: impl std::fmt::Display) -> PkiError {
    PkiError::malformed("the PKCS#12 file", why)
}

//! Writes PKCS#12 (RFC 7292) that OpenSSL, NSS, Java, .NET and macOS read.
//!
//! Certificates lie in one encrypted part, the key, encrypted by itself, in another; a MAC holds over both.

use super::{
    CERTIFICATE_BAG, CertificateBag, ContentInfo, DATA, DigestInfo, ENCRYPTED_DATA, EncryptedContentInfo,
    EncryptedData, MacData, Pfx, SHROUDED_KEY_BAG, SafeBag, X509_CERTIFICATE,
};
use crate::crypto::Seed;
use crate::pki::container::encrypt_with;
use crate::pki::pbe::{Password, Protection};
use crate::pki::{Certificate, Fingerprint, PkiError, UnlockedKey};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, Null, OctetString, SetOfVec};
use der::{Encode, EncodeValue, Tag, TagNumber, Tagged};
use rand::Rng;
use rand::rngs::StdRng;
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::Attribute;

/// Rounds of key derivation for each of the three parts. .NET counts them together and stops at 600 000.
const ROUNDS: u32 = 100_000;

/// Octets of the MAC's salt: macOS reads no longer one.
const MAC_SALT: usize = 8;

/// PKCS#9 friendlyName and localKeyID (RFC 2985 5.5).
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");

/// What goes into a PKCS#12 file: one key, and the certificates that belong to it.
pub struct Pkcs12<'a> {
    /// The private key.
    pub key: &'a UnlockedKey,
    /// Certificates of the key; readers that show one take the first.
    pub certificates: &'a [Certificate],
    /// Those of the authorities above them.
    pub authorities: &'a [Certificate],
    /// What a mail program calls the key (friendlyName).
    pub name: &'a str,
    /// By which algorithms.
    pub protection: Protection,
}

impl Pkcs12<'_> {
    /// The file in DER under a password, which is UTF-8. The key is tested first.
    pub fn protect(&self, password: &[u8], seed: Seed) -> Result<Vec<u8>, PkiError> {
        self.protect_with(password, seed, ROUNDS)
    }

    /// [`Pkcs12::protect`] at another cost; only tests take another than [`ROUNDS`].
    fn protect_with(&self, password: &[u8], seed: Seed, rounds: u32) -> Result<Vec<u8>, PkiError> {
        let (password, rng) = (Password::new(password), &mut seed.into_rng());
        let mut parts = Vec::new();
        let certificates = self.certificate_bags()?;
        if !certificates.is_empty() {
            let clear = certificates.to_der().map_err(unwritten)?;
            parts.push(encrypted_part(password.encrypt(&clear, self.protection, rounds, rng)?)?);
        }
        let key = encrypt_with(self.key, &password, self.protection, rounds, rng)?;
        let key = self.own_bag(SHROUDED_KEY_BAG, parsed(&key)?)?;
        parts.push(data(vec![key].to_der().map_err(unwritten)?)?);
        let safe = parts.to_der().map_err(unwritten)?;
        let mac = Some(self.mac(&password, &safe, rounds, rng)?);
        Pfx { version: 3, auth_safe: data(safe)?, mac }.to_der().map_err(unwritten)
    }

    fn mac(
        &self,
        password: &Password,
        safe: &[u8],
        rounds: u32,
        rng: &mut StdRng,
    ) -> Result<MacData, PkiError> {
        let mut salt = [0_u8; MAC_SALT];
        rng.fill_bytes(&mut salt);
        let (oid, digest) = password.mac(self.protection, &salt, rounds, safe)?;
        let algorithm = AlgorithmIdentifierOwned { oid, parameters: Some(value_of(&Null)?) };
        let digest = OctetString::new(digest).map_err(unwritten)?;
        let salt = OctetString::new(salt).map_err(unwritten)?;
        Ok(MacData { mac: DigestInfo { algorithm, digest }, salt, rounds })
    }

    fn certificate_bags(&self) -> Result<Vec<SafeBag>, PkiError> {
        let own = self.certificates.iter().map(|own| self.own_bag(CERTIFICATE_BAG, certificate_value(own)?));
        let above = self.authorities.iter().map(|above| {
            Ok(SafeBag { kind: CERTIFICATE_BAG, value: certificate_value(above)?, attributes: None })
        });
        own.chain(above).collect()
    }

    /// A bag that carries the name, and the mark by which key and certificates find each other.
    fn own_bag(&self, kind: ObjectIdentifier, value: Any) -> Result<SafeBag, PkiError> {
        let name: Vec<u8> = self.name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let name = Any::new(Tag::BmpString, name).map_err(unwritten)?;
        let Fingerprint(id) = self.key.fingerprint()?;
        let id = Any::new(Tag::OctetString, id).map_err(unwritten)?;
        let mut attributes = SetOfVec::new();
        for (oid, value) in [(FRIENDLY_NAME, name), (LOCAL_KEY_ID, id)] {
            let values = SetOfVec::try_from([value]).map_err(unwritten)?;
            attributes.insert(Attribute { oid, values }).map_err(unwritten)?;
        }
        Ok(SafeBag { kind, value, attributes: Some(value_of(&attributes)?) })
    }
}

fn certificate_value(certificate: &Certificate) -> Result<Any, PkiError> {
    let value = OctetString::new(certificate.der()).map_err(unwritten)?;
    value_of(&CertificateBag { kind: X509_CERTIFICATE, value })
}

/// A part that everybody may read (RFC 5652 4): what is secret in it is encrypted by itself.
fn data(octets: Vec<u8>) -> Result<ContentInfo, PkiError> {
    Ok(ContentInfo { kind: DATA, content: value_of(&OctetString::new(octets).map_err(unwritten)?)? })
}

fn encrypted_part((algorithm, sealed): (AlgorithmIdentifierOwned, Vec<u8>)) -> Result<ContentInfo, PkiError> {
    let tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
    let content = Any::new(tag, sealed).map_err(unwritten)?;
    let content = EncryptedContentInfo { kind: DATA, algorithm, content };
    Ok(ContentInfo { kind: ENCRYPTED_DATA, content: value_of(&EncryptedData { version: 0, content })? })
}

fn value_of<T: Tagged + EncodeValue>(value: &T) -> Result<Any, PkiError> {
    Any::encode_from(value).map_err(unwritten)
}

/// One value that is DER already.
fn parsed(der: &[u8]) -> Result<Any, PkiError> {
    der::Decode::from_der(der).map_err(unwritten)
}

fn unwritten(error: der::Error) -> PkiError {
    PkiError::malformed("the PKCS#12 file", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::issue::tests::{authority, issue};
    use crate::pki::key::tests::{ec_key, rsa_key, seed};
    use crate::pki::read_key_file;
    use const_oid::db::rfc5912::ID_SHA_256;
    use der::Decode;
    use proptest::prelude::*;

    /// Enough to follow the same road, cheap enough for many tries.
    const CHEAP: u32 = 3;

    fn written(password: &[u8], name: &str, protection: Protection, rounds: u32) -> Vec<u8> {
        let root = authority(&ec_key());
        let user = issue(&root, &ec_key(), &ec_key().public());
        let (key, certificates, authorities) = (&ec_key(), &[user], &[root]);
        let file = Pkcs12 { key, certificates, authorities, name, protection };
        file.protect_with(password, seed(9), rounds).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_under_its_password_only(
            password in any::<String>(),
            name in any::<String>(),
            protection in prop_oneof![Just(Protection::Aes256), Just(Protection::TripleDes)],
        ) {
            let file = written(password.as_bytes(), &name, protection, CHEAP);
            let read = read_key_file(&file, Some(password.as_bytes())).unwrap();
            prop_assert_eq!(read.keys[0].public(), ec_key().public());
            let root = authority(&ec_key());
            let user = issue(&root, &ec_key(), &ec_key().public());
            prop_assert_eq!(read.certificates, [user, root]);
            let wrong = read_key_file(&file, Some(format!("{password}x").as_bytes()));
            prop_assert!(matches!(wrong, Err(PkiError::WrongPassword(_))));
        }
    }

    #[test]
    fn a_key_without_certificates_is_written_too() {
        let (key, protection) = (rsa_key(), Protection::Aes256);
        let bare = Pkcs12 { key, certificates: &[], authorities: &[], name: "bob", protection };
        let read = read_key_file(&bare.protect(b"secret", seed(9)).unwrap(), Some(b"secret")).unwrap();
        assert_eq!(read.keys[0].public(), rsa_key().public());
        assert_eq!(read.certificates, []);
    }

    /// What macOS, .NET and Windows ask for.
    #[test]
    fn its_parts_are_as_every_reader_wants_them() {
        let file = written(b"secret", "anna@north.example", Protection::Aes256, ROUNDS);
        let pfx = Pfx::from_der(&file).unwrap();
        let mac = pfx.mac.unwrap();
        assert_eq!((mac.rounds, mac.salt.as_bytes().len()), (100_000, 8));
        assert_eq!(mac.mac.algorithm.oid, ID_SHA_256);
        let safe = pfx.auth_safe.content.decode_as::<OctetString>().unwrap();
        let parts = Vec::<ContentInfo>::from_der(safe.as_bytes()).unwrap();
        assert_eq!(parts.iter().map(|part| part.kind).collect::<Vec<_>>(), [ENCRYPTED_DATA, DATA]);
        let data = parts[0].content.decode_as::<EncryptedData>().unwrap();
        let scheme = pkcs5::EncryptionScheme::from_der(&data.content.algorithm.to_der().unwrap()).unwrap();
        let parameters = scheme.pbes2().unwrap();
        let kdf = parameters.kdf.pbkdf2().unwrap();
        assert_eq!(kdf.iteration_count, 100_000);
        assert_eq!(kdf.prf, pkcs5::pbes2::Pbkdf2Prf::HmacWithSha256);
        assert!(matches!(parameters.encryption, pkcs5::pbes2::EncryptionScheme::Aes256Cbc { .. }));
        let clear = parts[1].content.decode_as::<OctetString>().unwrap();
        let bags = Vec::<SafeBag>::from_der(clear.as_bytes()).unwrap();
        let attributes: SetOfVec<Attribute> = bags[0].attributes.as_ref().unwrap().decode_as().unwrap();
        let value = |oid| {
            let found = attributes.iter().find(|attribute| attribute.oid == oid).unwrap();
            found.values.get(0).unwrap().clone()
        };
        assert_eq!(value(LOCAL_KEY_ID).value(), ec_key().fingerprint().unwrap().0);
        let name = value(FRIENDLY_NAME);
        assert_eq!((name.tag(), &name.value()[..6]), (Tag::BmpString, b"\0a\0n\0n".as_slice()));
    }

    #[test]
    fn a_cut_file_is_refused_and_never_panics() {
        for protection in [Protection::Aes256, Protection::TripleDes] {
            let file = written(b"secret", "bob", protection, CHEAP);
            for length in 0..file.len() {
                assert!(read_key_file(&file[..length], Some(b"secret")).is_err(), "{length}");
            }
        }
    }
}

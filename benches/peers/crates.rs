//! The way in which Rust mail servers build S/MIME of released crates (as Stalwart does): `rsa` 0.9 for the recipients,
//! `aes` and `cbc` over a copy of the message, types of `cms` for the structure, mail-builder for the MIME part.
//! Written from the documentation of the crates.

use crate::sample::Holder;
use aes::Aes256;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
    RecipientInfos,
};
use const_oid::db::rfc5911::{ID_AES_256_CBC, ID_DATA, ID_ENVELOPED_DATA};
use const_oid::db::rfc5912::RSA_ENCRYPTION;
use der::asn1::{Any, Null, OctetString};
use der::{Decode, Encode};
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rsa09::pkcs8::DecodePublicKey;
use rsa09::{Pkcs1v15Encrypt, RsaPublicKey};
use spki::AlgorithmIdentifierOwned;

/// In the table.
pub(crate) const NAME: &str = crate::measure::record::CRATES;

/// Recipients that are read once, and a generator in the process: the system is asked for nothing.
pub(crate) struct Crates {
    recipients: Vec<(IssuerAndSerialNumber, RsaPublicKey)>,
    rng: Generator,
}

/// rand of today for crates of the day before.
struct Generator(StdRng);

impl rsa09::rand_core::RngCore for Generator {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, octets: &mut [u8]) {
        self.0.fill_bytes(octets);
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), rsa09::rand_core::Error> {
        self.0.fill_bytes(octets);
        Ok(())
    }
}

impl rsa09::rand_core::CryptoRng for Generator {}

impl Crates {
    pub(crate) fn new(holders: &[&Holder]) -> Crates {
        let recipient = |holder: &&Holder| {
            let certificate =
                x509_cert::Certificate::from_der(holder.certificate.der()).expect("a certificate");
            let of = certificate.tbs_certificate();
            let spki = of.subject_public_key_info().to_der().expect("DER");
            let key = RsaPublicKey::from_public_key_der(&spki).expect("an RSA key");
            let id = IssuerAndSerialNumber {
                issuer: of.issuer().clone(),
                serial_number: of.serial_number().clone(),
            };
            (id, key)
        };
        let recipients = holders.iter().map(recipient).collect();
        Crates { recipients, rng: Generator(StdRng::from_seed([7; 32])) }
    }

    /// The header of the message that goes in front, then the MIME part.
    pub(crate) fn seal(&mut self, message: &[u8], header: &[u8]) -> Vec<u8> {
        let (mut key, mut iv) = ([0; 32], [0; 16]);
        self.rng.0.fill_bytes(&mut key);
        self.rng.0.fill_bytes(&mut iv);
        let mut content = Vec::with_capacity(message.len() + 16);
        content.extend_from_slice(message);
        content.resize(message.len() + 16, 0);
        let encryptor = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
        let encrypted = encryptor.encrypt_padded::<Pkcs7>(&mut content, message.len()).expect("room").len();
        content.truncate(encrypted);
        let enveloped = EnvelopedData {
            version: CmsVersion::V0,
            originator_info: None,
            recip_infos: RecipientInfos::try_from(self.infos(&key)).expect("recipients"),
            encrypted_content: EncryptedContentInfo {
                content_type: ID_DATA,
                content_enc_alg: AlgorithmIdentifierOwned {
                    oid: ID_AES_256_CBC,
                    parameters: Some(Any::new(der::Tag::OctetString, iv).expect("short")),
                },
                encrypted_content: Some(OctetString::new(content).expect("not too long")),
            },
            unprotected_attrs: None,
        };
        let content = Any::encode_from(&enveloped).expect("DER");
        let der = ContentInfo { content_type: ID_ENVELOPED_DATA, content }.to_der().expect("DER");
        mime(header, der)
    }

    fn infos(&mut self, key: &[u8]) -> Vec<RecipientInfo> {
        let Crates { recipients, rng } = self;
        let info = |(id, rsa): &(IssuerAndSerialNumber, RsaPublicKey)| {
            let encrypted = rsa.encrypt(rng, Pkcs1v15Encrypt, key).expect("it encrypts");
            RecipientInfo::Ktri(KeyTransRecipientInfo {
                version: CmsVersion::V0,
                rid: RecipientIdentifier::IssuerAndSerialNumber(id.clone()),
                key_enc_alg: AlgorithmIdentifierOwned {
                    oid: RSA_ENCRYPTION,
                    parameters: Some(Any::encode_from(&Null).expect("NULL")),
                },
                enc_key: OctetString::new(encrypted).expect("short"),
            })
        };
        recipients.iter().map(info).collect()
    }
}

fn mime(header: &[u8], der: Vec<u8>) -> Vec<u8> {
    let kind = ContentType::new("application/pkcs7-mime").attribute("smime-type", "enveloped-data");
    let part = MimePart::new(kind.attribute("name", "smime.p7m"), der).attachment("smime.p7m");
    let mut out = Vec::with_capacity(header.len() + part.size() * 4 / 3);
    out.extend_from_slice(header);
    part.write_part(&mut out);
    out
}

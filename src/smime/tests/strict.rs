//! What we write, read by the types of the crate `cms` in strict DER: another reader than ours, which knows nothing of us.

use super::*;
use crate::crypto::ContentCipher;
use crate::crypto::algorithm::P_256;
use crate::mail::{Message, TransferEncoding};
use ::cms::authenveloped_data::AuthEnvelopedData;
use ::cms::content_info::{CmsVersion, ContentInfo};
use ::cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyAgreeRecipientIdentifier, OriginatorIdentifierOrKey,
    RecipientIdentifier, RecipientInfo, RecipientInfos,
};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CT_AUTH_ENVELOPED_DATA, ID_DATA, ID_ENVELOPED_DATA};
use const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
use der::{Decode, Encode};

fn content_info(people: [&Person; 2], profile: Profile) -> ContentInfo {
    let sealed = seal_for(b"Subject: strict\n\nDER\n", &people.map(Person::validated), profile);
    let message = Message::new(sealed.bytes());
    let der = TransferEncoding::of(&message).decode(message.body()).unwrap().into_owned();
    let info = ContentInfo::from_der(&der).unwrap();
    assert_eq!(info.to_der().unwrap(), der, "another writer of DER would write the same octets");
    info
}

fn check(recipients: &RecipientInfos, content: &EncryptedContentInfo, profile: Profile) {
    let cipher: &ContentCipher = suite(profile).content;
    assert_eq!((content.content_type, content.content_enc_alg.oid), (ID_DATA, cipher.oid));
    let named: Vec<ObjectIdentifier> = recipients.0.iter().map(|info| transport(info, profile)).collect();
    assert_eq!(named.len(), 2);
    assert!(content.encrypted_content.is_some());
}

fn transport(info: &RecipientInfo, profile: Profile) -> ObjectIdentifier {
    let RecipientInfo::Ktri(info) = info else { panic!("not a KeyTransRecipientInfo") };
    let RecipientIdentifier::IssuerAndSerialNumber(name) = &info.rid else { panic!("named by its key") };
    let holders = [alice(), bob()].map(|person| person.certificate.parsed().tbs_certificate());
    let is = |holder: &&x509_cert::TbsCertificate| {
        *holder.issuer() == name.issuer && *holder.serial_number() == name.serial_number
    };
    assert!(holders.iter().any(is), "names a certificate that was asked for");
    assert_eq!(info.version, CmsVersion::V0);
    assert_eq!(info.key_enc_alg.oid, suite(profile).transport.unwrap().oid);
    assert_eq!(info.enc_key.as_bytes().len(), 256, "as long as the modulus");
    info.key_enc_alg.oid
}

#[test]
fn compatible_is_strict_der() {
    let info = content_info([alice(), bob()], Profile::Compatible);
    assert_eq!(info.content_type, ID_ENVELOPED_DATA);
    let data: EnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V0);
    assert!(data.originator_info.is_none() && data.unprotected_attrs.is_none());
    check(&data.recip_infos, &data.encrypted_content, Profile::Compatible);
}

#[test]
fn modern_is_strict_der() {
    let info = content_info([alice(), bob()], Profile::Modern);
    assert_eq!(info.content_type, ID_CT_AUTH_ENVELOPED_DATA);
    let data: AuthEnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V0);
    assert!(data.originator_info.is_none() && data.auth_attrs.is_none() && data.unauth_attrs.is_none());
    assert_eq!(data.mac.as_bytes().len(), 16);
    check(&data.recip_infos, &data.auth_encrypted_content_info, Profile::Modern);
}

fn check_agreement(recipients: &RecipientInfos, profile: Profile) {
    let [RecipientInfo::Ktri(_), RecipientInfo::Kari(info)] = recipients.0.as_slice() else {
        panic!("key transport first, as DER sorts them")
    };
    assert_eq!((info.version, info.ukm.is_none()), (CmsVersion::V3, true));
    let OriginatorIdentifierOrKey::OriginatorKey(key) = &info.originator else { panic!("not a key") };
    assert_eq!((key.algorithm.oid, &key.algorithm.parameters), (ID_EC_PUBLIC_KEY, &None));
    let point = key.public_key.as_bytes().unwrap();
    assert_eq!((point.len(), point[0]), (65, 4), "not compressed");
    assert_eq!(info.key_enc_alg.oid, suite(profile).agreement(&P_256).unwrap().oid);
    let wrap: spki::AlgorithmIdentifierOwned =
        info.key_enc_alg.parameters.as_ref().unwrap().decode_as().unwrap();
    assert_eq!((wrap.oid, wrap.parameters), (suite(profile).wrap.oid, None));
    let [key] = info.recipient_enc_keys.as_slice() else { panic!("one recipient") };
    let KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(name) = &key.rid else { panic!("by its key") };
    assert_eq!(name.serial_number, *dana().certificate.parsed().tbs_certificate().serial_number());
    assert_eq!(key.enc_key.as_bytes().len(), 40);
}

#[test]
fn key_agreement_is_strict_der() {
    let info = content_info([dana(), alice()], Profile::Compatible);
    let data: EnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V2);
    check_agreement(&data.recip_infos, Profile::Compatible);
    let info = content_info([dana(), alice()], Profile::Modern);
    let data: AuthEnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V0);
    check_agreement(&data.recip_infos, Profile::Modern);
}

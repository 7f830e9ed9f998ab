//! What we write, read by the types of the crate `cms` in strict DER: another reader than ours, which knows nothing of us.

use super::*;
use crate::crypto::ContentCipher;
use crate::mail::{Message, TransferEncoding};
use ::cms::authenveloped_data::AuthEnvelopedData;
use ::cms::content_info::{CmsVersion, ContentInfo};
use ::cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, RecipientIdentifier, RecipientInfo, RecipientInfos,
};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CT_AUTH_ENVELOPED_DATA, ID_DATA, ID_ENVELOPED_DATA};
use der::{Decode, Encode};

fn content_info(profile: Profile) -> ContentInfo {
    let sealed = seal_for(b"Subject: strict\n\nDER\n", &[alice().validated(), bob().validated()], profile);
    let message = Message::new(sealed.bytes());
    let der = TransferEncoding::of(&message).decode(message.body()).unwrap().into_owned();
    let info = ContentInfo::from_der(&der).unwrap();
    assert_eq!(info.to_der().unwrap(), der, "another writer of DER would write the same octets");
    info
}

fn check(recipients: &RecipientInfos, content: &EncryptedContentInfo, profile: Profile) {
    let cipher: &ContentCipher = profile.content_cipher();
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
    assert_eq!(info.key_enc_alg.oid, profile.key_transport().oid);
    assert_eq!(info.enc_key.as_bytes().len(), 256, "as long as the modulus");
    info.key_enc_alg.oid
}

#[test]
fn compatible_is_strict_der() {
    let info = content_info(Profile::Compatible);
    assert_eq!(info.content_type, ID_ENVELOPED_DATA);
    let data: EnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V0);
    assert!(data.originator_info.is_none() && data.unprotected_attrs.is_none());
    check(&data.recip_infos, &data.encrypted_content, Profile::Compatible);
}

#[test]
fn modern_is_strict_der() {
    let info = content_info(Profile::Modern);
    assert_eq!(info.content_type, ID_CT_AUTH_ENVELOPED_DATA);
    let data: AuthEnvelopedData = info.content.decode_as().unwrap();
    assert_eq!(data.version, CmsVersion::V0);
    assert!(data.originator_info.is_none() && data.auth_attrs.is_none() && data.unauth_attrs.is_none());
    assert_eq!(data.mac.as_bytes().len(), 16);
    check(&data.recip_infos, &data.auth_encrypted_content_info, Profile::Modern);
}

//! Reading and verifying the signatures of foreign mail.

use super::people::{ELLA, EMMA};
use super::structure::mail;
use super::tree::Node;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use sealpost::cms::{self, RecipientId, der_from_ber, read_signed_data};
use sealpost::engine::{may_offer, sole_author};
use sealpost::mail::Message;
use sealpost::smime::{VerifiedSignature, VerifyError, verify};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// What Ella signs in the structure that is spoiled.
pub(crate) const SIGNED: &[u8] = b"Content-Type: text/plain\r\n\r\nHere is my certificate.\r\n";

const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(crate) const KEY_PREFERENCE: &str = "1.2.840.113549.1.9.16.2.11";
pub(crate) const MICROSOFT_PREFERENCE: &str = "1.3.6.1.4.1.311.16.4";
const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
const ECDSA_WITH_SHA_256: &str = "1.2.840.10045.4.3.2";

pub(crate) fn oid(dotted: &str) -> Node {
    let oid: const_oid::ObjectIdentifier = dotted.parse().unwrap();
    Node::primitive(6, oid.as_bytes())
}

/// One signed attribute with these values.
pub(crate) fn attribute(kind: &str, values: Vec<Node>) -> Node {
    Node::constructed(0x30, vec![oid(kind), Node::constructed(0x31, values)])
}

/// contentType and messageDigest, as they must be for [`SIGNED`].
pub(crate) fn required() -> Vec<Node> {
    let digest = Node::primitive(4, &Sha256::digest(SIGNED));
    vec![attribute(CONTENT_TYPE, vec![oid(DATA)]), attribute(MESSAGE_DIGEST, vec![digest])]
}

/// IssuerAndSerialNumber under that tag.
pub(crate) fn issuer_and_serial(identifier: u8, of: &sealpost::pki::Certificate) -> Node {
    let Some(RecipientId::IssuerAndSerialNumber { issuer, serial }) = of.recipient_ids().into_iter().next()
    else {
        panic!("the first identifier of a certificate is that")
    };
    Node::constructed(identifier, vec![Node::read(&issuer).unwrap(), Node::primitive(2, &serial)])
}

/// A SignedData of Ella's with these attributes, Emma's certificate beside hers. The signature is over the attributes in
/// the order of DER, whatever order they are sent in.
pub(crate) fn signed(attributes: &[Node]) -> Vec<u8> {
    let key = ELLA.key().to_pkcs8().unwrap();
    let key = SigningKey::from(p256::SecretKey::from_pkcs8_der(key.expose()).unwrap());
    let mut sorted: Vec<Vec<u8>> = attributes.iter().map(Node::write).collect();
    sorted.sort();
    let sorted = sorted.iter().map(|one| Node::read(one).unwrap()).collect();
    let signature: DerSignature = key.sign(&Node::constructed(0x31, sorted).write());
    let algorithm = |dotted| Node::constructed(0x30, vec![oid(dotted)]);
    let signer = Node::constructed(
        0x30,
        vec![
            Node::primitive(2, &[1]),
            issuer_and_serial(0x30, ELLA.certificate()),
            algorithm(SHA_256),
            Node::constructed(0xa0, attributes.to_vec()),
            algorithm(ECDSA_WITH_SHA_256),
            Node::primitive(4, signature.as_bytes()),
        ],
    );
    let content = Node::constructed(0xa0, vec![Node::primitive(4, SIGNED)]);
    let certificates = [&ELLA, &EMMA].map(|one| Node::read(one.certificate().der()).unwrap());
    let data = Node::constructed(
        0x30,
        vec![
            Node::primitive(2, &[1]),
            Node::constructed(0x31, vec![algorithm(SHA_256)]),
            Node::constructed(0x30, vec![oid(DATA), content]),
            Node::constructed(0xa0, certificates.to_vec()),
            Node::constructed(0x31, vec![signer]),
        ],
    );
    let explicit = Node::constructed(0xa0, vec![data]);
    Node::constructed(0x30, vec![oid(SIGNED_DATA), explicit]).write()
}

/// Ella's, with a preference for Emma's certificate.
pub(crate) fn sample() -> &'static [u8] {
    static SAMPLE: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let preference = attribute(KEY_PREFERENCE, vec![issuer_and_serial(0xa0, EMMA.certificate())]);
        let mut attributes = required();
        attributes.push(preference);
        signed(&attributes)
    })
}

/// Verifies a message; nothing if it is not signed at all.
pub(crate) fn verified(message: &[u8]) -> Option<Result<VerifiedSignature, VerifyError>> {
    let message = Message::new(message);
    let signed = cms::signed_message(&message)?;
    Some(signed.map_err(VerifyError::from).and_then(|signed| verify(&signed)))
}

/// The input is a message, or a SignedData in one, opaque or beside what it may sign; and it says how to spoil a signed
/// structure that holds:
///
/// - Reading and verifying end, and say the same twice, and the same of BER as of the DER that it becomes.
/// - What verifies is labelled as signed, so that a delivery looks at it.
/// - Whatever is changed in a signature that holds: if it still does, it is over the same content, by the same key, with
///   the same preference.
pub(crate) fn hold(input: &[u8]) {
    let beside = [
        b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
          Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        input,
        b"\r\n--b--\r\n",
    ];
    for message in [input, &mail(input), &beside.concat()] {
        assert_looks(message);
    }
    assert_normalises(input);
    assert_holds(&spoiled(input));
}

fn told(verified: &Option<Result<VerifiedSignature, VerifyError>>) -> String {
    match verified {
        None => "not signed".to_owned(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(verified)) => verified.signer.fingerprint().to_string(),
    }
}

fn assert_looks(bytes: &[u8]) {
    let message = Message::new(bytes);
    let first = verified(bytes);
    assert_eq!(told(&first), told(&verified(bytes)));
    assert!(first.is_none() || cms::is_labelled_signed(&message));
    assert!(first.is_none() || may_offer(&message).is_ok() || bytes.len() > sealpost::engine::LARGEST_OFFER);
    let _ = sole_author(&message);
}

fn assert_normalises(octets: &[u8]) {
    let Ok((der, rest)) = der_from_ber(octets) else { return };
    if rest.is_empty() {
        let debug = |octets: &[u8]| read_signed_data(octets).map(|read| format!("{read:?}")).ok();
        assert_eq!(debug(octets), debug(&der));
    }
}

/// Two octets say where, one says what is added.
fn spoiled(input: &[u8]) -> Vec<u8> {
    let mut octets = sample().to_vec();
    for change in input.chunks_exact(3).take(4) {
        let at = (usize::from(change[0]) << 8 | usize::from(change[1])) % octets.len();
        octets[at] ^= change[2];
    }
    octets
}

fn assert_holds(octets: &[u8]) {
    let bytes = mail(octets);
    let message = Message::new(&bytes);
    let Some(Ok(signed)) = cms::signed_message(&message) else { return };
    let Ok(verified) = verify(&signed) else { return };
    assert!(signed.content() == Some(SIGNED), "another content is taken for signed");
    let key = |of: &sealpost::pki::Certificate| of.key_fingerprint().unwrap();
    assert!(key(&verified.signer) == key(ELLA.certificate()), "somebody else is taken for the signer");
    // The certificate that the signer names may itself be spoiled: whoever seals to it asks for its chain.
    let preferred = verified.preferred.expect("the preference is signed");
    assert_eq!(preferred.recipient_ids().first(), EMMA.certificate().recipient_ids().first());
}

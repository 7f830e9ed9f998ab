//! Certificate requests of strangers.

use super::people::ELLA;
use super::pkcs12::element;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use sealpost::pki::{MINIMUM_RSA_BITS, Request};

/// id-ecPublicKey with prime256v1 comes from the key; ecdsa-with-SHA256.
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// The input is a request in DER or PEM, or the attributes of one, which is signed here so that they are read:
///
/// - What is read is written and read again, and says the same.
/// - Its key is not a weak one, and its addresses fit into it.
pub(crate) fn hold(input: &[u8]) {
    for octets in [input, &signed(input)] {
        assert_reads_back(octets);
    }
}

fn assert_reads_back(octets: &[u8]) {
    let Ok(request) = Request::read(octets) else { return };
    let pem = request.to_pem().expect("what was read is written");
    let again = Request::read(pem.as_bytes()).expect("and read again");
    assert!(again.public_key() == request.public_key());
    let addresses = |request: &Request| request.addresses().map_err(|error| error.to_string());
    assert_eq!((again.subject(), addresses(&again)), (request.subject(), addresses(&request)));
    assert!(request.public_key().modulus_bits().is_none_or(|bits| bits >= MINIMUM_RSA_BITS));
    let found: usize = addresses(&request).unwrap_or_default().iter().map(String::len).sum();
    // A letter that is no UTF-8 becomes one of three octets.
    assert!(found <= 3 * octets.len(), "{found} octets of addresses in {}", octets.len());
}

/// Ella asks for a certificate with these attributes: the content of the SET.
pub(crate) fn signed(attributes: &[u8]) -> Vec<u8> {
    let key = ELLA.key().to_pkcs8().expect("her key is good");
    let key = SigningKey::from_pkcs8_der(key.expose()).expect("on P-256");
    let spki = ELLA.key().public().to_spki().expect("it can be written");
    let info = [&[0x02, 0x01, 0x00][..], &element(0x30, b""), &spki, &element(0xa0, attributes)].concat();
    let info = element(0x30, &info);
    let signature: DerSignature = key.sign(&info);
    let signature = element(0x03, &[&[0][..], signature.as_bytes()].concat());
    element(0x30, &[info, element(0x30, &ECDSA_WITH_SHA256), signature].concat())
}

/// Attributes that ask for a name of that address.
pub(crate) fn asking_for(address: &str) -> Vec<u8> {
    const EXTENSION_REQUEST: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
    const ALTERNATIVE_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
    let names = element(0x04, &element(0x30, &element(0x81, address.as_bytes())));
    let extension = element(0x30, &[&ALTERNATIVE_NAME[..], &names].concat());
    let values = element(0x31, &element(0x30, &extension));
    element(0x30, &[&EXTENSION_REQUEST[..], &values].concat())
}

//! Files that carry keys and certificates, made here and always the same.

use crate::laws::people::{ELLA, Person, ROSA, XENIA, seed};
use crate::laws::pkcs12::{around_bags, element};
use crate::laws::private_key::PASSWORD;
use sealpost::pki::{encrypt_key, write_encrypted_key};

/// Cheap enough for many tries.
const ROUNDS: u32 = 5;

/// id-keyBag, id-pkcs8ShroudedKeyBag, id-certBag and id-safeContentsBag end in these (RFC 7292 4.2).
const KEY: u8 = 1;
const SHROUDED_KEY: u8 = 2;
const CERTIFICATE: u8 = 3;
const SAFE_CONTENTS: u8 = 6;

/// A name and the octets. Those in `.bags` and `.p12` are PKCS#12, the others keys.
pub(super) fn containers() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for person in [&ELLA, &ROSA, &XENIA] {
        let key = person.key().to_pkcs8().unwrap();
        let encrypted = encrypt_key(person.key(), PASSWORD, ROUNDS, seed(41)).unwrap();
        let text = write_encrypted_key(&encrypted, [person.certificate()]).unwrap();
        let pem = encodify::pem::STANDARD.encode("PRIVATE KEY", key.expose());
        let both = pem + &person.certificate().to_pem().unwrap();
        let name = person.name;
        files.push((format!("{name}.der"), key.expose().to_vec()));
        files.push((format!("{name}.pem"), both.into_bytes()));
        files.push((format!("{name}-encrypted.pem"), text.into_bytes()));
        files.push((format!("{name}.bags"), bags(person, &encrypted)));
        files.push((format!("{name}.p12"), around_bags(&bags(person, &encrypted))));
    }
    // RSA takes its time to be checked: one of each container is enough.
    files.retain(|(name, _)| !name.starts_with("rosa") || name == "rosa.pem" || name == "rosa.bags");
    files
}

/// The key in the clear and encrypted, its certificate, and all of it once more inside.
fn bags(person: &Person, encrypted: &[u8]) -> Vec<u8> {
    let key = person.key().to_pkcs8().unwrap();
    let outer = [bag(KEY, key.expose()), bag(CERTIFICATE, &certificate(person))].concat();
    let inner = element(0x30, &bag(SHROUDED_KEY, encrypted));
    element(0x30, &[outer, bag(SAFE_CONTENTS, &inner)].concat())
}

fn bag(kind: u8, value: &[u8]) -> Vec<u8> {
    let oid = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, kind];
    element(0x30, &[&oid[..], &element(0xa0, value)].concat())
}

fn certificate(person: &Person) -> Vec<u8> {
    let oid = [0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
    let value = element(0xa0, &element(0x04, person.certificate().der()));
    element(0x30, &[&oid[..], &value].concat())
}

/// Undamaged, each is what it says: otherwise the laws would hold for rubbish only.
#[test]
fn the_containers_are_read() {
    for (name, octets) in containers() {
        let file = if name.ends_with(".bags") { around_bags(&octets) } else { octets };
        let read = sealpost::pki::read_key_file(&file, Some(PASSWORD));
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let keys = if name.ends_with(".bags") || name.ends_with(".p12") { 2 } else { 1 };
        let certificates = usize::from(!name.ends_with(".der"));
        assert_eq!((read.keys.len(), read.certificates.len()), (keys, certificates), "{name}");
        assert!(
            sealpost::pki::read_key_file(&file, Some(b"wrong")).is_ok()
                == (name.ends_with(".der") || !name.contains("encrypted") && name.ends_with(".pem")),
            "{name}"
        );
    }
}

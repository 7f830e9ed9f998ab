//! What is no offer: each has its own reason, and mail is stored whatever it brings.

use super::signer::{ENTITY, Made, Signer, add, configure, made, pending, refusal, robert, store};
use crate::hook::assert_answer;
use crate::support::{KeyKind, Program, Store, path, tools};
use sealpost::crypto::Seed;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity, self_sign,
};
use time::{Duration, OffsetDateTime};

#[test]
fn each_forgery_has_its_own_reason_and_is_delivered() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::P256);
    let good = signer.sign("");
    let text = String::from_utf8(good.clone()).unwrap();
    let eve = Made { address: "eve@north.example", ..made("eve") }.make(&store);
    let both = ["-signer", path(&eve.certificate), "-inkey", path(&eve.key)];
    let deep = [
        b"From: robert@north.example\r\nContent-Type: application/pkcs7-mime\r\n\r\n".as_slice(),
        &[0x30, 0x80].repeat(1000),
    ]
    .concat();
    let believed = "the signature is not believed: ";
    let forgeries: Vec<(Vec<u8>, String)> = vec![
        (signer.sign_as("eve@north.example", "", &[]), "From is not the account bob@north.example".into()),
        (
            signer.sign_as("robert@north.example, eve@north.example", "", &[]),
            "From is not the account bob@north.example".into(),
        ),
        (text.replace("my new", "my own").into_bytes(), format!("{believed}the content is not what was signed")),
        (
            eve.sign(""),
            "the signer's certificate proves nothing: it names eve@north.example and not bob@north.example, robert@north.example"
                .into(),
        ),
        (
            signer.sign("-md sha1"),
            format!("{believed}the hash id-sha1 (1.3.14.3.2.26) is not supported"),
        ),
        (
            signer.sign_as("robert@north.example", "", &both),
            format!("{believed}it has 2 signers; exactly one is expected"),
        ),
        (
            signer.sign("-nocerts"),
            format!("{believed}the signer's certificate is not in the message"),
        ),
        (ENTITY.to_vec(), "the message is not signed with S/MIME".into()),
        (nested(&good), "the message is not signed with S/MIME".into()),
        (
            deep,
            format!("{believed}the CMS structure has more than 100 levels"),
        ),
        (
            text.replacen("\nMII", "\nAII", 1).into_bytes(),
            format!("{believed}the CMS structure is broken: "),
        ),
    ];
    for (number, (message, reason)) in forgeries.iter().enumerate() {
        let told = refusal(&store, message);
        assert!(told.starts_with(reason.as_str()), "{number}: {told}");
        let from = [b"From: robert@north.example\r\n".as_slice(), message].concat();
        let whole =
            if message.starts_with(b"From:") || message.starts_with(b"MIME") { message } else { &from };
        assert_answer(&store.deliver(whole), 0, "2.0.0");
        assert_eq!(store.inbox().len(), number + 1);
    }
    assert_eq!(pending(&store), []);
    // What the forgeries were made of is good.
    assert_answer(&store.deliver(&good), 0, "2.0.0");
    assert_eq!(pending(&store).len(), 1);
}

/// The message as the sole part of a multipart, a thousand times.
fn nested(message: &[u8]) -> Vec<u8> {
    let mut out = b"From: robert@north.example\r\n".to_vec();
    for level in 0..1000 {
        out.extend(format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").bytes());
    }
    out.extend_from_slice(message);
    (0..1000).rev().for_each(|level| out.extend(format!("\r\n--b{level}--\r\n").bytes()));
    out
}

#[test]
fn an_ended_certificate_a_wrong_usage_and_a_signature_of_another_key() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let agreeing = Made { usage: "keyEncipherment", ..made("agreeing") }.make(&store);
    let told = refusal(&store, &agreeing.sign(""));
    assert_eq!(
        told,
        "the signer's certificate proves nothing: it may not be used to sign: its keyUsage lacks digitalSignature"
    );
    let weak = Made { algorithm: "RSA -pkeyopt rsa_keygen_bits:1024", ..made("weak") }.make(&store);
    assert_eq!(refusal(&store, &weak.sign("")), "the signature is not believed: the signature does not hold");
    let ended = ended(&store);
    let told = refusal(&store, &ended.sign(""));
    assert!(told.starts_with("the signer's certificate proves nothing: it ended on "), "{told}");
    assert_eq!(pending(&store), []);
}

/// A certificate that was good until yesterday.
fn ended(store: &Store) -> Signer {
    let seed = |byte: u8| Seed::from_bytes(&mut [byte; 32]);
    let key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let now = OffsetDateTime::now_utc();
    let subject = Subject::named("Another authority");
    let years =
        |days| Validity { not_before: now - Duration::days(90), not_after: now + Duration::days(days) };
    let root = AuthorityProfile { subject: &subject, dns_names: &[], validity: years(90) };
    let root = self_sign(&key, &root, seed(2)).unwrap();
    let addresses = [Address::parse("robert@north.example").unwrap()];
    let user =
        UserProfile { common_name: "robert", addresses: &addresses, validity: years(-1), reads: Reads::Cbc };
    let issued = Authority::new(&root, &key).unwrap().issue(&key.public(), &user, seed(3)).unwrap();
    let (certificate, der) = (store.file("ended.pem"), store.file("ended.der"));
    std::fs::write(&certificate, issued.to_pem().unwrap()).unwrap();
    std::fs::write(&der, key.to_pkcs8().unwrap().expose()).unwrap();
    let file = store.file("ended.key");
    let convert =
        Program::new("openssl").words("pkey -inform DER -in").args([path(&der), "-out", path(&file)]);
    convert.run().ok();
    Signer { key: file, certificate }
}

/// Nobody vouches for it: anybody can make such a message.
#[test]
fn a_self_signed_certificate_waits_at_most() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    configure(&store, "trusted-certificate-sources = [\"mail\"]\n");
    let own = Made { self_signed: true, ..made("own") }.make(&store);
    assert_answer(&store.deliver(&own.sign("")), 0, "2.0.0");
    assert_eq!(pending(&store), [(own.fingerprint(), "signed mail, signer not vouched for".to_owned())]);
    configure(&store, "trust-bundle = \"none\"\n");
    store.command("domain set north.example --trust chain").run().ok();
    let other = Made { self_signed: true, ..made("other") }.make(&store);
    let told = refusal(&store, &other.sign(""));
    assert!(
        told.starts_with("nobody who is trusted vouches for it: it does not chain to a trusted authority: "),
        "{told}"
    );
    assert_eq!(pending(&store).len(), 1);
}

/// More than a few that nobody vouches for do not wait, and leave room for others.
#[test]
fn a_flood_is_bounded() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let names: Vec<String> = (0..10).map(|number| format!("flood{number}")).collect();
    let ec = "EC -pkeyopt ec_paramgen_curve:P-256";
    let usage = "digitalSignature,keyAgreement";
    for name in &names {
        let own = Made { self_signed: true, algorithm: ec, usage, ..made(name) }.make(&store);
        assert_answer(&store.deliver(&own.sign("")), 0, "2.0.0");
    }
    assert_eq!(pending(&store).len(), 8);
    let honest = robert(&store, KeyKind::P256);
    assert_answer(&store.deliver(&honest.sign("")), 0, "2.0.0");
    assert_eq!(pending(&store).len(), 9);
    let own = Made { self_signed: true, algorithm: ec, usage, ..made("last") }.make(&store);
    assert!(add(&store, &own.sign("")).stderr.ends_with("too many wait already\n"));
}

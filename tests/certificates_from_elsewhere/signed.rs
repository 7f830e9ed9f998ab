//! Signed messages of OpenSSL in every form that is believed.

use super::signer::{Made, add, fingerprint, made, pending, refusal, robert, store};
use crate::hook::assert_answer;
use crate::support::{KeyKind, openssl_4, path, tools};

/// A message that was signed brings the certificate, and the same certificate again is the same row.
#[test]
fn every_scheme_and_form_that_is_believed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let forms = [
        (KeyKind::Rsa2048, "-md sha256"),
        (KeyKind::Rsa2048, "-md sha512 -nodetach"),
        (KeyKind::Rsa2048, "-md sha384 -keyid"),
        (KeyKind::Rsa2048, "-md sha256 -keyopt rsa_padding_mode:pss"),
        (KeyKind::Rsa2048, "-md sha512 -nodetach -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20"),
        (KeyKind::Rsa2048, "-md sha256 -noattr"),
        (KeyKind::Rsa2048, "-md sha256 -nodetach -stream -indef"),
        (KeyKind::P256, "-md sha256"),
        (KeyKind::P256, "-md sha512 -nodetach"),
        (KeyKind::P384, "-md sha256"),
        (KeyKind::P384, "-md sha384"),
        (KeyKind::P521, "-md sha256"),
        (KeyKind::P521, "-md sha512"),
    ];
    let mut last = None;
    let mut signer = None;
    for (kind, options) in forms {
        if last.replace(kind) != Some(kind) {
            signer = Some(robert(&store, kind));
        }
        let signer = signer.as_ref().unwrap();
        let message = signer.sign(options);
        let first = add(&store, &message);
        let print = signer.fingerprint();
        let waits = format!(
            "{print} of bob@north.example waits: nothing is sealed to it before it is accepted\n\
             sealpost cert accept --account bob@north.example --fingerprint {}\n",
            &print[..16]
        );
        let again = format!("sealpost: {print} was not taken for bob@north.example: already waits\n");
        match first.code {
            Some(0) => assert_eq!(first.text(), waits, "{kind:?} {options}"),
            code => assert_eq!((code, &first.stderr), (Some(1), &again), "{kind:?} {options}"),
        }
        assert_eq!(add(&store, &message).stderr, again);
    }
    assert_eq!(pending(&store).len(), 4);
}

/// Through the hook, as an MTA hands it over: with bare LF, and an mbox line in front.
#[test]
fn a_delivered_message_offers_its_certificate() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::P256);
    let message = signer.sign("");
    let message = String::from_utf8(message).unwrap().replace("\r\n", "\n");
    let message = format!("From robert@north.example  Wed Nov 25 21:00:00 2026\n{message}");
    assert_answer(&store.deliver(message.as_bytes()), 0, "2.0.0");
    let waiting = [(signer.fingerprint(), "signed mail".to_owned())];
    assert_eq!(pending(&store), waiting);
    // The same once more is the same row; and the message itself was sealed to what is active, and to nothing else.
    assert_answer(&store.deliver(message.as_bytes()), 0, "2.0.0");
    assert_eq!(pending(&store), waiting);
    let inbox = store.inbox();
    assert_eq!(inbox.len(), 2);
    for stored in inbox {
        assert!(String::from_utf8_lossy(&store.open(&stored)).contains("Here is my new certificate."));
        let file = store.file("stored.eml");
        std::fs::write(&file, &stored).unwrap();
        let shown = store.command("inspect --json").args([path(&file)]).run().text();
        assert!(!shown.contains(&signer.fingerprint()), "{shown}");
    }
}

/// Two keys: one signs, and says in the signature which certificate is for encryption; or says nothing.
#[test]
fn who_signs_with_another_key_is_asked_for_the_one_to_encrypt_to() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let encrypting = Made { usage: "keyEncipherment", ..made("encrypting") }.make(&store);
    let signing = Made { usage: "digitalSignature", ..made("signing") }.make(&store);
    let with = ["-certfile", path(&encrypting.certificate)];
    assert_eq!(
        refusal(&store, &signing.sign("")),
        "the certificate cannot be sealed to: it may not be used to encrypt mail: its keyUsage lacks keyEncipherment"
    );
    add(&store, &signing.sign_as("robert@north.example", "", &with)).ok();
    assert_eq!(pending(&store), [(fingerprint(&encrypting.certificate), "signed mail".to_owned())]);
}

/// Only newer OpenSSLs sign mail with Ed25519.
#[test]
fn an_ed25519_key_vouches_for_the_one_to_encrypt_to() {
    let Some(openssl) = openssl_4() else { return };
    let store = store();
    let signer = Made { algorithm: "ED25519", usage: "digitalSignature", ..made("ed25519") }.make(&store);
    let encrypting = Made { usage: "keyEncipherment", ..made("encrypting") }.make(&store);
    let with = ["-certfile", path(&encrypting.certificate)];
    let sign = |options| signer.sign_with(path(&openssl), "robert@north.example", options, &with);
    add(&store, &sign("-md sha512")).ok();
    assert!(add(&store, &sign("-md sha512 -nodetach")).stderr.ends_with("already waits\n"));
    assert_eq!(pending(&store), [(fingerprint(&encrypting.certificate), "signed mail".to_owned())]);
    let forged = String::from_utf8(sign("-md sha512")).unwrap().replace("my new", "my own");
    assert!(add(&store, forged.as_bytes()).stderr.ends_with("the content is not what was signed\n"));
}

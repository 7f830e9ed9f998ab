//! The key of a domain: made, imported, tested, removed; and what is refused, with the reason.

use super::outer::openssl;
use crate::support::{Program, Site, path, tools};

/// An RSA key that looks right and whose first factor is no prime: it does not sign.
const COMPOSITE: &str = include_str!("composite_factor.pem");

fn import(file: &std::path::Path) -> String {
    format!("key import --domain north.example --file {}", path(file))
}

#[test]
fn every_kind_that_signs_is_made_and_tested() {
    let site = Site::bare();
    site.run("init").ok();
    for (kind, words) in [
        ("ec-p256", "EC P-256"),
        ("ec-p384", "EC P-384"),
        ("ec-p521", "EC P-521"),
        ("ed25519", "Ed25519"),
        ("rsa-2048", "RSA 2048"),
    ] {
        site.run(&format!("domain add {kind}.example")).ok();
        let made = site.json(&format!("key generate --domain {kind}.example --type {kind}"));
        assert_eq!(made["type"], words);
        let print = made["fingerprint"].as_str().unwrap();
        let tested = site.run(&format!("key test --domain {kind}.example")).ok();
        assert_eq!(String::from_utf8(tested).unwrap(), format!("key {print} does its work\n"));
        let shown = site.run(&format!("key show --domain {kind}.example")).text();
        assert!(shown.contains(print) && shown.contains("active"), "{shown}");
        site.run(&format!("cert self-sign --domain {kind}.example")).ok();
    }
}

#[test]
fn what_is_too_weak_or_signs_only_is_refused_with_the_reason() {
    let site = Site::furnished();
    let generate = |kind: &str| site.refused(&format!("key generate --domain north.example --type {kind}"));
    for (kind, reason) in [
        ("rsa-512", "512 bits are factored in hours"),
        ("rsa-1024", "1024 bits are in reach of a well-funded attacker"),
    ] {
        let (code, text) = generate(kind);
        assert_eq!(code, 64);
        assert!(text.contains(&format!("{kind} is refused: {reason}; take rsa-2048 or larger")), "{text}");
    }
    let signs_only = "sealpost: a key of the kind Ed25519 signs and does nothing else, and mail is encrypted to the key of \
                      an account\n  for a domain it is fit: --domain NAME\n";
    let generate = "key generate --account bob@north.example --type ed25519 --password-file -";
    assert_eq!(site.refused(generate), (1, signs_only.to_owned()));
    if !tools(&["openssl"]) {
        return;
    }
    let key = site.folder().join("ed25519.pem");
    Program::new("openssl").words("genpkey -algorithm ed25519 -out").args([path(&key)]).run().ok();
    let password = site.write("password", "correct horse\n");
    let words = format!(
        "key import --account bob@north.example --file {} --password-file {}",
        path(&key),
        path(&password)
    );
    assert_eq!(site.refused(&words), (1, signs_only.to_owned()));
    site.run(&import(&key)).ok();
}

#[test]
fn every_dialect_of_pem_is_imported() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = Site::furnished();
    let file = site.folder().join("key.pem");
    for (make, label) in [
        ("genrsa -traditional 2048", "RSA PRIVATE KEY"),
        ("ecparam -name prime256v1 -genkey -noout", "EC PRIVATE KEY"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "PRIVATE KEY"),
        ("genpkey -algorithm ED25519", "PRIVATE KEY"),
    ] {
        let text = Program::new("openssl").words(make).run().ok();
        assert!(String::from_utf8_lossy(&text).contains(&format!("-----BEGIN {label}-----")), "{make}");
        std::fs::write(&file, text).unwrap();
        let made = site.json(&import(&file));
        let print = made["fingerprint"].as_str().unwrap();
        let public =
            Program::new("openssl").words("pkey -pubout -outform DER -in").args([path(&file)]).run().ok();
        let digest = Program::new("openssl").words("dgst -sha256 -r").input(public).run().text();
        assert!(digest.starts_with(print), "{digest}");
        site.run(&format!("key remove --domain north.example --forget {print}")).ok();
    }
}

/// Whatever password comes along: the key of a domain is kept without one.
#[test]
fn an_encrypted_key_is_refused_with_what_was_found_and_how_to_convert_it() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = Site::furnished();
    let key = Program::new("openssl").words("genrsa -traditional 2048").run().ok();
    let password = site.write("password", "secret\n");
    for (convert, found) in [
        ("rsa -traditional -aes128 -passout pass:secret", "Proc-Type: 4,ENCRYPTED"),
        ("pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret", "ENCRYPTED PRIVATE KEY"),
    ] {
        let locked = Program::new("openssl").words(convert).input(key.clone()).run().ok();
        let file = site.write("locked.pem", &String::from_utf8(locked).unwrap());
        let text = format!(
            "sealpost: {}: the private key is encrypted ({found}), and that of a domain is kept without a password; \
             convert it first: openssl pkey -in KEY.pem -out NEW.pem\n",
            path(&file)
        );
        assert_eq!(site.refused(&import(&file)), (77, text.clone()));
        let with = format!("{} --file-password-file {}", import(&file), path(&password));
        assert_eq!(site.refused(&with), (77, text));
        // As it says.
        let open = Program::new("openssl").words("pkey -passin pass:secret -in").args([path(&file), "-out"]);
        let new = site.folder().join("new.pem");
        open.args([path(&new)]).run().ok();
        let print = site.json(&import(&new))["fingerprint"].as_str().unwrap().to_owned();
        site.run(&format!("key remove --domain north.example --forget {print}")).ok();
    }
    assert_eq!(site.json("key show --domain north.example")["keys"], serde_json::json!([]));
}

#[test]
fn a_key_that_fails_its_test_is_not_stored() {
    let site = Site::furnished();
    let file = site.write("composite.pem", COMPOSITE);
    let (code, text) = site.refused(&import(&file));
    assert_eq!((code, text.as_str()), (65, "sealpost: the key failed its test: it cannot sign\n"));
    assert_eq!(site.json("key show --domain north.example")["keys"], serde_json::json!([]));
    if tools(&["openssl"]) {
        assert!(
            openssl("rsa -noout -text", &file).contains("Private-Key: (2048 bit"),
            "it looks like any other"
        );
    }
}

#[test]
fn bad_files_have_each_their_own_message() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = Site::furnished();
    let key =
        Program::new("openssl").words("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256").run().ok();
    let key = String::from_utf8(key).unwrap();
    let (half, _) = key.split_at(key.len() / 2);
    for (what, text) in [
        (format!("{key}{key}"), "the file holds 2 private keys; exactly one is expected: split the file"),
        (half.to_owned(), "the PEM block is broken: BEGIN PRIVATE KEY has no END: the file is truncated"),
        ("hello\n".to_owned(), "no private key found: the file holds neither PEM nor DER"),
    ] {
        let file = site.write("bad.pem", &what);
        assert_eq!(site.refused(&import(&file)), (65, format!("sealpost: {}: {text}\n", path(&file))));
    }
    let file = site.write("empty.pem", "");
    assert_eq!(site.refused(&import(&file)), (65, format!("sealpost: {} is empty\n", path(&file))));
}

#[test]
fn a_key_goes_with_its_certificates_or_stays() {
    let site = Site::furnished();
    assert_eq!(
        site.refused("key remove --domain north.example"),
        (66, "sealpost: north.example has no key\n".to_owned())
    );
    let made = site.json("key generate --domain north.example --type ec-p256");
    let print = made["fingerprint"].as_str().unwrap();
    site.run("cert self-sign --domain north.example").ok();
    site.run("cert self-sign --domain north.example --purpose smime").ok();
    assert_eq!(
        site.refused("key generate --domain north.example"),
        (
            1,
            format!(
                "sealpost: the domain north.example has a key already ({print}): remove it first\n  \
                 or let another one take its place: sealpost key rotate --domain north.example\n"
            )
        )
    );
    assert_eq!(
        site.refused("key remove --domain north.example"),
        (
            1,
            format!(
                "sealpost: what a key issued is vouched for by nobody without it, and its certificates go with it; \
                 what is sealed to a key can never be opened without it; north.example has {print}: no message\n  to lose it say which: --forget {print}\n"
            )
        )
    );
    assert_eq!(site.refused("key remove --domain north.example --forget 0123456789").0, 66);
    assert_eq!(site.json("cert show --domain north.example")["certificates"].as_array().unwrap().len(), 2);
    let removed = site.run(&format!("key remove --domain north.example --forget {}", &print[..8])).ok();
    let text = format!("key {print} of north.example removed, and its certificates with it\n");
    assert_eq!(String::from_utf8(removed).unwrap(), text);
    assert_eq!(site.json("cert show --domain north.example")["certificates"], serde_json::json!([]));
}

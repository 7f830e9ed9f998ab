//! Keys that not every program knows yet, from the vault to the mailbox and back: X25519, P-384, P-521, ML-KEM.

use crate::support::{Ended, Site, crlf, path};
use serde_json::Value;
use std::path::PathBuf;

const MESSAGE: &[u8] = b"From: carol@far.example\nTo: bob@north.example\nSubject: pay\n\nxyzzy-plugh-4711\n";

/// north.example is its own authority, with an account that has no key yet.
struct Stage {
    site: Site,
    password: PathBuf,
}

impl Stage {
    fn new() -> Stage {
        let site = Site::furnished();
        let password = site.write("password", "correct horse\n");
        site.run("key generate --domain north.example --type ec-p384").ok();
        site.run("cert self-sign --domain north.example").ok();
        Stage { site, password }
    }

    /// With a password file at the end.
    fn with_password(&self, words: &str) -> Ended {
        self.site.program(words).args(["--password-file", path(&self.password)]).run()
    }

    fn generate(&self, kind: &str) {
        self.with_password(&format!("key generate --account bob@north.example --type {kind}")).ok();
    }

    /// A key and its certificate.
    fn certify(&self, kind: &str) {
        self.generate(kind);
        self.site.run("cert issue --account bob@north.example").ok();
    }

    fn deliver(&self) -> Ended {
        let words = "deliver --sender=carol@far.example --recipient=bob@north.example";
        self.site.program(words).input(MESSAGE).run()
    }

    /// The one message that lies in the INBOX.
    fn stored(&self) -> Vec<u8> {
        let folder = self.site.root().join("mail/north.example/bob/Maildir/new");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        std::fs::read(files.remove(0)).unwrap()
    }

    fn delivered(&self) -> Vec<u8> {
        let ended = self.deliver();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.text());
        self.stored()
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let words = "open --account bob@north.example --password-file";
        self.site.program(words).args([path(&self.password)]).input(sealed).run().ok()
    }

    fn inspect(&self, sealed: &[u8]) -> Value {
        let output = self.site.program("inspect --json").input(sealed).run().ok();
        serde_json::from_slice(&output).unwrap()
    }
}

#[test]
fn every_kind_goes_from_the_vault_to_the_mailbox_and_back() {
    for (kind, profile, algorithm) in [
        ("ec-p384", "compatible", "dhSinglePass-stdDH-sha384kdf-scheme"),
        ("ec-p521", "modern", "dhSinglePass-stdDH-sha512kdf-scheme"),
        ("x25519", "modern", "ecdh-hkdf-sha256"),
        ("ml-kem-768", "post-quantum", "id-alg-ml-kem-768"),
        ("ml-kem-1024", "post-quantum", "id-alg-ml-kem-1024"),
    ] {
        let stage = Stage::new();
        stage.site.run(&format!("account set bob@north.example --profile {profile}")).ok();
        stage.certify(kind);
        let sealed = stage.delivered();
        assert_eq!(stage.open(&sealed), crlf(MESSAGE), "{kind}");
        let report = stage.inspect(&sealed);
        assert_eq!(report["post_quantum"], profile == "post-quantum", "{kind}");
        let recipient = &report["recipients"][0];
        assert_eq!(recipient["algorithm"]["name"], algorithm);
        assert_eq!(recipient["holders"][0]["account"], "bob@north.example", "{kind}");
        assert_eq!(stage.with_password("key test --account bob@north.example").code, Some(0));
    }
}

/// The key that its owner takes along opens what is in the mailbox.
#[test]
fn an_exported_key_opens_the_mail() {
    for (kind, profile, format) in [
        ("ml-kem-768", "post-quantum", "p12"),
        ("ml-kem-768", "post-quantum", "pkcs8"),
        ("x25519", "modern", "p12"),
    ] {
        let stage = Stage::new();
        stage.site.run(&format!("account set bob@north.example --profile {profile}")).ok();
        stage.certify(kind);
        let sealed = stage.delivered();
        let file = stage.site.folder().join("bob.key");
        let export =
            format!("key export --account bob@north.example --format {format} --output {}", path(&file));
        stage.with_password(&export).ok();
        let opened = stage.with_password_and(&format!("open --key {}", path(&file)), &sealed).ok();
        assert_eq!(opened, crlf(MESSAGE), "{kind} {format}");
    }
}

impl Stage {
    fn with_password_and(&self, words: &str, input: &[u8]) -> Ended {
        self.site.program(words).args(["--password-file", path(&self.password)]).input(input).run()
    }
}

#[test]
fn a_certificate_that_the_profile_cannot_serve_is_refused_with_the_profile_to_choose() {
    for (kind, name, hint) in [
        ("ml-kem-768", "ML-KEM-768", "choose the profile post-quantum"),
        ("x25519", "X25519", "choose the profile modern"),
    ] {
        let stage = Stage::new();
        stage.generate(kind);
        let (code, error) = stage.site.refused("cert issue --account bob@north.example");
        assert_eq!(code, 65);
        let cannot = format!("the profile compatible cannot serve the {name} key of certificate ");
        assert!(error.contains(&cannot) && error.trim_end().ends_with(hint), "{error}");
        assert_eq!(
            stage.site.json("account show bob@north.example")["active_certificates"],
            serde_json::json!([])
        );
    }
}

/// The profile changed after the certificate came: mail waits, and the doctor says why.
#[test]
fn mail_waits_while_the_profile_cannot_serve_the_key() {
    let stage = Stage::new();
    stage.site.run("account set bob@north.example --profile post-quantum").ok();
    stage.certify("ml-kem-768");
    stage.site.run("account set bob@north.example --profile modern").ok();
    let ended = stage.deliver();
    assert_eq!((ended.code, ended.text().as_str()), (Some(75), "4.7.5 the message could not be encrypted\n"));
    let doctor = stage.site.run("doctor");
    assert_eq!(doctor.code, Some(1), "{}", doctor.text());
    assert!(
        doctor.text().contains("the profile modern cannot serve the ML-KEM-768 key"),
        "{}",
        doctor.text()
    );
    stage.site.run("account set bob@north.example --profile inherit").ok();
    stage.site.run("domain set north.example --profile post-quantum").ok();
    assert_eq!(stage.open(&stage.delivered()), crlf(MESSAGE));
}

#[test]
fn classical_keys_stand_beside_ml_kem_only_where_that_is_said() {
    let stage = Stage::new();
    stage.certify("rsa-2048");
    stage.site.run("account set bob@north.example --profile post-quantum").ok();
    let ended = stage.deliver();
    assert_eq!(ended.code, Some(75), "a classical key alone is not post-quantum");
    stage.certify("ml-kem-768");
    assert_eq!(stage.deliver().code, Some(75), "not beside it either, unless it is said");
    let shown = stage.site.json("account set bob@north.example --also-classical yes");
    assert_eq!(shown["also_classical"], "yes");
    let sealed = stage.delivered();
    assert_eq!(stage.open(&sealed), crlf(MESSAGE));
    let report = stage.inspect(&sealed);
    let kinds: Vec<&str> =
        report["recipients"].as_array().unwrap().iter().map(|to| to["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["key-transport", "key-encapsulation"]);
    assert_eq!(report["post_quantum"], false);
    let text = stage.site.program("inspect").input(sealed).run().text();
    assert!(text.contains("not post-quantum"), "{text}");
}

#[test]
fn auto_takes_gcm_where_the_certificate_says_that_it_is_read() {
    for (reads, cipher) in [("aes-256-cbc", "id-aes256-CBC"), ("aes-256-gcm", "id-aes256-GCM")] {
        let stage = Stage::new();
        stage.site.run("domain set north.example --profile auto").ok();
        stage.generate("ec-p256");
        stage.site.run(&format!("cert issue --account bob@north.example --reads {reads}")).ok();
        let report = stage.inspect(&stage.delivered());
        assert_eq!(report["content"]["algorithm"]["name"], cipher);
    }
}

#[test]
fn recipients_are_named_by_key_where_the_site_says_so() {
    let stage = Stage::new();
    stage.certify("ec-p256");
    let config = stage.site.root().join("sealpost.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("name-recipients = \"key-identifier\"\n{text}")).unwrap();
    let sealed = stage.delivered();
    let recipient = &stage.inspect(&sealed)["recipients"][0];
    assert!(recipient["key_identifier"].is_string() && recipient["serial"].is_null());
    assert_eq!(recipient["holders"][0]["account"], "bob@north.example");
    assert_eq!(stage.open(&sealed), crlf(MESSAGE));
}

#[test]
fn a_domain_has_no_key_that_cannot_sign() {
    let site = Site::furnished();
    for (kind, name) in [("x25519", "X25519"), ("ml-kem-768", "ML-KEM-768")] {
        let (code, error) = site.refused(&format!("key generate --domain north.example --type {kind}"));
        let text = format!(
            "sealpost: a key of the kind {name} cannot sign, and the key of a domain signs the certificates of its \
             accounts\n  for an account it is fit: --account ADDRESS\n"
        );
        assert_eq!((code, error), (1, text));
    }
    let (code, error) = site.refused("key generate --domain north.example --type ml-kem-512");
    assert_eq!(code, 64);
    assert!(error.contains("ml-kem-512 is refused: it is read and not written"), "{error}");
}

/// The filters: from RSA to ML-KEM, without touching what is encrypted.
#[test]
fn old_mail_is_handed_to_a_post_quantum_key() {
    let stage = Stage::new();
    stage.certify("rsa-2048");
    let sealed = stage.delivered();
    stage.site.run("account set bob@north.example --profile post-quantum --also-classical yes").ok();
    stage.certify("ml-kem-1024");
    let certificates = stage.site.json("cert show --account bob@north.example");
    let newest = certificates["certificates"].as_array().unwrap().last().unwrap();
    let file = stage.site.write("new.pem", newest["pem"].as_str().unwrap());
    let words = format!("rekey --account bob@north.example --cert {}", path(&file));
    let rekeyed = stage.with_password_and(&words, &sealed).ok();
    assert_eq!(stage.open(&rekeyed), crlf(MESSAGE));
    let report = stage.inspect(&rekeyed);
    assert_eq!(
        (&report["post_quantum"], &report["structure"]),
        (&Value::Bool(true), &Value::from("EnvelopedData"))
    );
    assert_eq!(report["content"], stage.inspect(&sealed)["content"]);
}

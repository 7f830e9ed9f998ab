//! Somebody who signs mail, with keys and certificates of OpenSSL, for a store whose domain trusts their authority.

use crate::support::{Ended, KeyKind, Program, Store, path};
use std::path::{Path, PathBuf};

/// What is signed: a MIME entity in canonical lines.
pub(super) const ENTITY: &[u8] =
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nHere is my new certificate.\r\n\r\nRobert \r\n";

/// A store where bob is robert too, and which believes the authority that certifies everybody here.
pub(super) fn store() -> Store {
    let store = Store::new();
    store.command("account set bob@north.example --alias robert@north.example").run().ok();
    trust(&store);
    store
}

/// The domain holds the authority's key and certificate.
pub(super) fn trust(store: &Store) {
    let (key, certificate) = (store.file("ca.key"), store.authority.certificate());
    store.command("key import --domain north.example --file").args([path(&key)]).run().ok();
    store.command("cert set --domain north.example --file").args([path(&certificate)]).run().ok();
}

/// A key and a certificate in files.
pub(super) struct Signer {
    pub(super) key: PathBuf,
    pub(super) certificate: PathBuf,
}

/// Robert with such a key, certified by the authority.
pub(super) fn robert(store: &Store, kind: KeyKind) -> Signer {
    let person = store.authority.person("robert", kind);
    Signer { key: person.key, certificate: person.certificate }
}

const EXTENSIONS: &str = "[x]
basicConstraints=critical,CA:FALSE
keyUsage=critical,$ENV::USAGE
extendedKeyUsage=emailProtection
subjectAltName=email:$ENV::ADDRESS
subjectKeyIdentifier=hash
";

/// How a certificate is made otherwise than those of the support.
pub(super) struct Made<'a> {
    pub(super) file: &'a str,
    pub(super) algorithm: &'a str,
    pub(super) usage: &'a str,
    pub(super) address: &'a str,
    /// Of the authority in the store, or its own.
    pub(super) self_signed: bool,
}

impl Made<'_> {
    pub(super) fn make(&self, store: &Store) -> Signer {
        let file = |end: &str| store.file(&format!("{}.{end}", self.file));
        let (key, public, certificate, config) = (file("key"), file("pub"), file("pem"), file("cnf"));
        std::fs::write(&config, EXTENSIONS).unwrap();
        let openssl = |words: &str| Program::new("openssl").words(words);
        openssl("genpkey -algorithm").words(self.algorithm).args(["-out", path(&key)]).run().ok();
        openssl("pkey -pubout").args(["-in", path(&key), "-out", path(&public)]).run().ok();
        let (ca, ca_key) = (store.authority.certificate(), store.file("ca.key"));
        let issuer = match self.self_signed {
            true => vec!["-key", path(&key)],
            false => vec!["-force_pubkey", path(&public), "-CA", path(&ca), "-CAkey", path(&ca_key)],
        };
        let made = openssl("x509 -new -subj /CN=Robert -days 30 -extensions x -extfile");
        let made = made.args([path(&config), "-out", path(&certificate)]).args(issuer);
        made.env("USAGE", self.usage).env("ADDRESS", self.address).run().ok();
        Signer { key, certificate }
    }
}

/// An RSA key of a name's own, with a certificate of the authority for Robert.
pub(super) fn made<'a>(file: &'a str) -> Made<'a> {
    Made {
        file,
        algorithm: "RSA -pkeyopt rsa_keygen_bits:2048",
        usage: "digitalSignature,keyEncipherment",
        address: "robert@north.example",
        self_signed: false,
    }
}

impl Signer {
    /// A signed message from Robert to himself, with further options of `openssl cms -sign`.
    pub(super) fn sign(&self, options: &str) -> Vec<u8> {
        self.sign_as("robert@north.example", options, &[])
    }

    pub(super) fn sign_as(&self, from: &str, options: &str, more: &[&str]) -> Vec<u8> {
        self.sign_with("openssl", from, options, more)
    }

    /// With another OpenSSL.
    pub(super) fn sign_with(&self, openssl: &str, from: &str, options: &str, more: &[&str]) -> Vec<u8> {
        let files = ["-signer", path(&self.certificate), "-inkey", path(&self.key)];
        let headers = ["-from", from, "-to", "bob@north.example", "-subject", "My certificate"];
        let sign = Program::new(openssl).words("cms -sign -binary -outform SMIME").args(files);
        sign.words(options).args(headers).args(more).input(ENTITY).run().ok()
    }

    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }
}

/// As every output of ours shows it.
pub(super) fn fingerprint(certificate: &Path) -> String {
    let words = "x509 -noout -fingerprint -sha256 -in";
    let text = Program::new("openssl").words(words).args([path(certificate)]).run().ok();
    let text = String::from_utf8(text).unwrap();
    text.trim().split_once('=').unwrap().1.replace(':', "").to_ascii_lowercase()
}

/// Writes the configuration of the store.
pub(super) fn configure(store: &Store, text: &str) {
    std::fs::write(store.root().join("sealpost.toml"), text).unwrap();
}

/// `cert add --from-message -`
pub(super) fn add(store: &Store, message: &[u8]) -> Ended {
    store.command("cert add --account bob@north.example --from-message -").input(message).run()
}

/// Robert, and the message whose certificate waits.
pub(super) fn offered(store: &Store) -> (Signer, Vec<u8>) {
    let signer = robert(store, KeyKind::P256);
    let message = signer.sign("");
    add(store, &message).ok();
    (signer, message)
}

/// Why nothing was taken.
pub(super) fn refusal(store: &Store, message: &[u8]) -> String {
    let ended = add(store, message);
    assert_eq!((ended.text().as_str(), ended.code), ("", Some(65)), "{}", ended.stderr);
    ended.stderr.trim_end().replace("sealpost: standard input: ", "")
}

/// What waits: fingerprints and where they are from.
pub(super) fn pending(store: &Store) -> Vec<(String, String)> {
    let listed = store.json("cert pending");
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap().to_owned();
    let each = listed["pending"].as_array().unwrap().iter();
    each.map(|one| (text(one, "fingerprint"), text(one, "source"))).collect()
}

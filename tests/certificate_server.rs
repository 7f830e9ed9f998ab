//! The certificate server: issue, renew, revoke, revocation lists and lists of people, from the command line.

mod baseline;
mod bulk;
mod concurrency;
mod lists;
mod peers;
mod renewal;
mod requests;
mod revocation;
mod validity;

use crate::support::{Ended, Program, Site, path};
use std::path::PathBuf;

/// After `genpkey -algorithm`.
const P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";

/// A domain that issues: north.example with an EC authority, bob and the password of his keys.
struct Office {
    site: Site,
    password: PathBuf,
}

impl Office {
    /// bob has an EC key in the vault and no certificate.
    fn new() -> Office {
        let site = Site::furnished();
        site.run("key generate --domain north.example --type ec-p256").ok();
        site.run("cert self-sign --domain north.example").ok();
        let password = site.write("password", "correct horse\n");
        let office = Office { site, password };
        office.make_key("bob");
        office
    }

    /// The same, with a certificate for bob, whose fingerprint is given back.
    fn issued() -> (Office, String) {
        let office = Office::new();
        let issued = office.site.json("cert issue --account bob@north.example");
        (office, issued["fingerprint"].as_str().unwrap().to_owned())
    }

    fn make_key(&self, name: &str) {
        let words = format!("key generate --type ec-p256 --account {name}@north.example --password-file");
        self.site.program(&words).args([path(&self.password)]).run().ok();
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.site.root().join("sealpost.toml"), text).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.folder().join(name)
    }

    /// In the folder of the site, where files are named without a path.
    fn openssl(&self, words: &str) -> Ended {
        self.openssl_input(words, b"")
    }

    fn openssl_input(&self, words: &str, input: &[u8]) -> Ended {
        let folder = path(self.site.folder()).to_owned();
        let words = words.replace('@', &format!("{folder}/"));
        Program::new("openssl").words(&words).input(input).run()
    }

    /// A key and a request by OpenSSL, in `name.key` and `name.csr`.
    fn request(&self, name: &str, kind: &str, more: &[&str]) {
        self.openssl(&format!("genpkey -algorithm {kind} -out @{name}.key")).ok();
        let (key, out) = (self.file(&format!("{name}.key")), self.file(&format!("{name}.csr")));
        let words = ["req", "-new", "-key", path(&key), "-out", path(&out)];
        Program::new("openssl").args(words).args(more).run().ok();
    }

    /// The state of bob's certificates, the oldest first.
    fn states(&self) -> Vec<String> {
        let listed = self.site.json("cert list --account bob@north.example");
        let certificates = listed["certificates"].as_array().unwrap().clone();
        certificates.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
    }
}

/// A PEM file with a certificate of that JSON.
fn pem(value: &serde_json::Value) -> &str {
    value["pem"].as_str().unwrap()
}

//! An authority outside, by the OpenSSL command line: a root, and an issuing authority below it.

use crate::support::{Program, path};
use std::path::{Path, PathBuf};

const EXTENSIONS: &str = "[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[issuing]
basicConstraints=critical,CA:TRUE,pathlen:1
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[domain]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,digitalSignature,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[server]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
[person]
keyUsage=critical,digitalSignature,keyAgreement
extendedKeyUsage=emailProtection
subjectAltName=email:bob@north.example
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";

pub(super) struct Outer {
    folder: PathBuf,
}

impl Outer {
    /// `root.pem` and, signed by it, `issuing.pem`, in the folder.
    pub(super) fn new(folder: &Path) -> Outer {
        let outer = Outer { folder: folder.to_owned() };
        std::fs::write(outer.file("x509.cnf"), EXTENSIONS).unwrap();
        for name in ["root", "issuing"] {
            outer.key(name);
        }
        outer.openssl("x509 -new -key root.key -days 400 -subj /CN=Root -extfile x509.cnf -extensions root -out root.pem -force_pubkey root.pub");
        outer.openssl("x509 -new -force_pubkey issuing.pub -subj /CN=Issuing -CA root.pem -CAkey root.key -CAcreateserial -days 300 -extfile x509.cnf -extensions issuing -out issuing.pem");
        outer
    }

    /// `NAME.key` and `NAME.pub`.
    pub(super) fn key(&self, name: &str) {
        self.openssl(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
        self.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
    }

    /// Signs a request: as what, and into which file.
    pub(super) fn sign(&self, request: &str, extensions: &str, into: &str) -> PathBuf {
        self.openssl(&format!(
            "x509 -req -in {request} -CA issuing.pem -CAkey issuing.key -CAcreateserial -days 200 -copy_extensions copy \
             -extfile x509.cnf -extensions {extensions} -out {into}"
        ));
        self.file(into)
    }

    /// A person's certificate, bob@north.example, for the key of that name.
    pub(super) fn person(&self, key: &str, into: &str) -> PathBuf {
        self.openssl(&format!(
            "x509 -new -force_pubkey {key}.pub -subj /CN=bob -CA issuing.pem -CAkey issuing.key -CAcreateserial -days 100 \
             -extfile x509.cnf -extensions person -out {into}"
        ));
        self.file(into)
    }

    /// Signs a request so that it ended yesterday.
    pub(super) fn past(&self, request: &str, into: &str) -> PathBuf {
        self.openssl(&format!(
            "x509 -req -in {request} -CA issuing.pem -CAkey issuing.key -CAcreateserial -days -1 -extfile x509.cnf \
             -extensions domain -out {into}"
        ));
        self.file(into)
    }

    /// Several files of the folder in one.
    pub(super) fn joined(&self, names: &[&str], into: &str) -> PathBuf {
        let text: String =
            names.iter().map(|name| std::fs::read_to_string(self.file(name)).unwrap()).collect();
        std::fs::write(self.file(into), text).unwrap();
        self.file(into)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn openssl(&self, line: &str) {
        let is_file =
            |word: &str| [".key", ".pub", ".pem", ".csr", ".cnf"].iter().any(|end| word.ends_with(end));
        let words = line
            .split_whitespace()
            .map(|word| if is_file(word) { path(&self.file(word)).to_owned() } else { word.to_owned() });
        Program::new("openssl").args(words).run().ok();
    }
}

/// What OpenSSL prints of a file.
pub(super) fn openssl(line: &str, file: &Path) -> String {
    let ended = Program::new("openssl").words(line).args(["-in", path(file)]).run();
    assert_eq!(ended.code, Some(0), "openssl {line}: {}", ended.stderr);
    ended.text() + &ended.stderr
}

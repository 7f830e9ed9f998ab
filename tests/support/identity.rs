//! Keys and certificates, made by the OpenSSL command line: what we judge is not made by us.

use super::program::{Program, path};
use std::path::{Path, PathBuf};

/// A certification authority of a test.
pub(crate) struct Authority {
    folder: PathBuf,
    openssl: PathBuf,
}

/// A person with a key and a certificate, in files.
pub(crate) struct Identity {
    pub(crate) address: String,
    /// PKCS#8, PEM.
    pub(crate) key: PathBuf,
    /// PEM.
    pub(crate) certificate: PathBuf,
    /// The program that made them: an older one may not know the kind of the key.
    openssl: PathBuf,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa2048,
    P256,
    P384,
    P521,
    X25519,
    MlKem768,
    MlKem1024,
}

impl KeyKind {
    /// After `genpkey -algorithm`.
    fn algorithm(self) -> &'static str {
        match self {
            KeyKind::Rsa2048 => "RSA -pkeyopt rsa_keygen_bits:2048",
            KeyKind::P256 => "EC -pkeyopt ec_paramgen_curve:P-256",
            KeyKind::P384 => "EC -pkeyopt ec_paramgen_curve:P-384",
            KeyKind::P521 => "EC -pkeyopt ec_paramgen_curve:P-521",
            KeyKind::X25519 => "X25519",
            KeyKind::MlKem768 => "ML-KEM-768",
            KeyKind::MlKem1024 => "ML-KEM-1024",
        }
    }

    /// What its certificate allows.
    fn usage(self) -> &'static str {
        match self {
            KeyKind::Rsa2048 => "digitalSignature,keyEncipherment",
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => "digitalSignature,keyAgreement",
            KeyKind::X25519 => "keyAgreement",
            KeyKind::MlKem768 | KeyKind::MlKem1024 => "keyEncipherment",
        }
    }
}

const EXTENSIONS: &str = "[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[person]
basicConstraints=critical,CA:FALSE
keyUsage=critical,$ENV::USAGE
extendedKeyUsage=emailProtection
subjectAltName=email:$ENV::ADDRESS
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";

impl Authority {
    /// Makes one in the folder.
    pub(crate) fn new(folder: &Path) -> Authority {
        Authority::made_by(Path::new("openssl"), folder)
    }

    /// The same with another OpenSSL.
    pub(crate) fn made_by(openssl: &Path, folder: &Path) -> Authority {
        let authority = Authority { folder: folder.to_owned(), openssl: openssl.to_owned() };
        std::fs::write(authority.file("x509.cnf"), EXTENSIONS).unwrap();
        let key = KeyKind::Rsa2048.algorithm();
        authority.openssl(&format!("genpkey -algorithm {key} -out ca.key"));
        let request = authority.program("req -new -key ca.key -out ca.csr");
        request.args(["-subj", "/O=Judges/CN=Test authority"]).run().ok();
        authority.openssl(
            "x509 -req -in ca.csr -signkey ca.key -days 30 -sha256 -extfile x509.cnf -extensions ca -out ca.pem",
        );
        authority
    }

    /// The same authority, at work with another OpenSSL.
    pub(crate) fn with_openssl(&self, program: &Path) -> Authority {
        Authority { folder: self.folder.clone(), openssl: program.to_owned() }
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A person with an RSA key.
    pub(crate) fn rsa(&self, name: &str) -> Identity {
        self.person(name, KeyKind::Rsa2048)
    }

    /// A person with a P-256 key.
    pub(crate) fn p256(&self, name: &str) -> Identity {
        self.person(name, KeyKind::P256)
    }

    /// A person with such a key. No request is made: some of these keys cannot sign one.
    pub(crate) fn person(&self, name: &str, kind: KeyKind) -> Identity {
        let address = format!("{name}@north.example");
        self.openssl(&format!("genpkey -algorithm {} -out {name}.key", kind.algorithm()));
        self.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
        let issue = format!(
            "x509 -new -force_pubkey {name}.pub -subj /O=Judges/CN={name} -CA ca.pem -CAkey ca.key -CAcreateserial \
             -days 30 -sha256 -extfile x509.cnf -extensions person -out {name}.pem"
        );
        let program = self.program(&issue).env("ADDRESS", &address);
        program.env("USAGE", kind.usage()).run().ok();
        Identity {
            address,
            key: self.file(&format!("{name}.key")),
            certificate: self.file(&format!("{name}.pem")),
            openssl: self.openssl.clone(),
        }
    }

    fn openssl(&self, line: &str) {
        self.program(line).run().ok();
    }

    fn program(&self, line: &str) -> Program {
        let program = Program::new(path(&self.openssl)).words(&self.in_folder(line));
        // The configuration names both, whichever section is read.
        program.env("ADDRESS", "nobody@north.example").env("USAGE", "digitalSignature")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The line with the folder in front of each file name.
    fn in_folder(&self, line: &str) -> String {
        let is_file =
            |word: &&str| [".key", ".pub", ".pem", ".csr", ".cnf"].iter().any(|end| word.ends_with(end));
        let words = line.split_whitespace().map(|word| match Some(word).filter(is_file) {
            Some(file) => path(&self.file(file)).to_owned(),
            None => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Identity {
    /// A PKCS#12 of key, certificate and authority under the password `judge`, in the old form that every peer
    /// reads: the peers' reading of containers is not what is judged here.
    pub(crate) fn pkcs12(&self, authority: &Authority) -> PathBuf {
        let file = self.key.with_extension("p12");
        let args = ["pkcs12", "-export", "-legacy", "-passout", "pass:judge", "-name", &self.address];
        let files = ["-inkey", path(&self.key), "-in", path(&self.certificate)];
        let certificate = authority.certificate();
        let more = ["-certfile", path(&certificate), "-out", path(&file)];
        self.openssl(&[args.as_slice(), &files, &more].concat());
        file
    }

    /// The key as PKCS#8 in DER.
    pub(crate) fn pkcs8(&self) -> PathBuf {
        let der = self.key.with_extension("pkcs8");
        let files = ["-in", path(&self.key), "-out", path(&der)];
        self.openssl(&[&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"][..], &files].concat());
        der
    }

    fn openssl(&self, args: &[&str]) {
        Program::new(path(&self.openssl)).args(args).run().ok();
    }
}

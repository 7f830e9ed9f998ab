//! Keys and certificates, made by the OpenSSL command line: what we judge is not made by us.

use super::program::{Program, path};
use std::path::{Path, PathBuf};

/// A certification authority of a test.
pub(crate) struct Authority {
    folder: PathBuf,
}

/// A person with a key and a certificate, in files.
pub(crate) struct Identity {
    pub(crate) address: String,
    /// PKCS#8, PEM.
    pub(crate) key: PathBuf,
    /// PEM.
    pub(crate) certificate: PathBuf,
}

const EXTENSIONS: &str = "[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[rsa]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=emailProtection
subjectAltName=email:$ENV::ADDRESS
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[ec]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyAgreement
extendedKeyUsage=emailProtection
subjectAltName=email:$ENV::ADDRESS
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";

impl Authority {
    /// Makes one in the folder.
    pub(crate) fn new(folder: &Path) -> Authority {
        let authority = Authority { folder: folder.to_owned() };
        std::fs::write(authority.file("x509.cnf"), EXTENSIONS).unwrap();
        authority.key("ca", "RSA -pkeyopt rsa_keygen_bits:2048");
        authority.request("ca", "/O=Judges/CN=Test authority");
        authority.openssl(
            "x509 -req -in ca.csr -signkey ca.key -days 30 -sha256 -extfile x509.cnf -extensions ca -out ca.pem",
        );
        authority
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// A person with an RSA key.
    pub(crate) fn rsa(&self, name: &str) -> Identity {
        self.issue(name, "RSA -pkeyopt rsa_keygen_bits:2048", "rsa")
    }

    /// A person with a P-256 key.
    pub(crate) fn p256(&self, name: &str) -> Identity {
        self.issue(name, "EC -pkeyopt ec_paramgen_curve:P-256", "ec")
    }

    fn issue(&self, name: &str, algorithm: &str, extensions: &str) -> Identity {
        let address = format!("{name}@north.example");
        self.key(name, algorithm);
        self.request(name, &format!("/O=Judges/CN={name}"));
        let issue = format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -sha256 \
             -extfile x509.cnf -extensions {extensions} -out {name}.pem"
        );
        Program::new("openssl").words(&self.in_folder(&issue)).env("ADDRESS", &address).run().ok();
        Identity {
            address,
            key: self.file(&format!("{name}.key")),
            certificate: self.file(&format!("{name}.pem")),
        }
    }

    fn key(&self, name: &str, algorithm: &str) {
        self.openssl(&format!("genpkey -algorithm {algorithm} -out {name}.key"));
    }

    fn request(&self, name: &str, subject: &str) {
        let (key, request) = (self.file(&format!("{name}.key")), self.file(&format!("{name}.csr")));
        let args = ["req", "-new", "-key", path(&key), "-subj", subject, "-out", path(&request)];
        Program::new("openssl").args(args).run().ok();
    }

    fn openssl(&self, line: &str) {
        Program::new("openssl")
            .words(&self.in_folder(line))
            .env("ADDRESS", "nobody@north.example")
            .run()
            .ok();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The line with the folder in front of each file name.
    fn in_folder(&self, line: &str) -> String {
        let is_file = |word: &&str| [".key", ".pem", ".csr", ".cnf"].iter().any(|end| word.ends_with(end));
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
        Program::new("openssl").args(args).args(files).args(more).run().ok();
        file
    }
}

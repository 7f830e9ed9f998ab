//! Foreign judges: what we seal they open, what they seal we open, and what they cannot is asserted too: when a peer
//! learns, the test says so and the table gets a new word.

mod bouncy_castle;
mod form;
mod gpgsm;
mod nss;
mod openssl;
mod python;

use crate::support::{Authority, Identity, Program, path, tools};
use form::{By, FORMS, Form, Maker, Reader};
use std::path::{Path, PathBuf};

/// Canonical line ends, so that every peer gives back the very bytes.
const MESSAGE: &[u8] =
    b"From: Anna <anna@north.example>\r\nTo: bob@north.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
The figures of the third quarter \xc3\xa4\xc3\xb6\xc3\xbc.\r\n.\r\nFrom the desk of Anna\r\n\r\n";

/// The people of a test and their files.
struct Stage {
    folder: tempfile::TempDir,
    authority: Authority,
    /// An RSA key: the reader of most forms.
    bob: Identity,
    /// A P-256 key: the reader of the other ones.
    dana: Identity,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let bob = authority.rsa("bob");
        let dana = authority.p256("dana");
        // A further recipient.
        authority.rsa("carol");
        std::fs::write(folder.path().join("m.eml"), MESSAGE).unwrap();
        Stage { folder, authority, bob, dana }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The clear message, as a file.
    fn message(&self) -> PathBuf {
        self.file("m.eml")
    }

    /// The form as an S/MIME message and as bare DER (or BER), in files.
    fn make(&self, form: &Form) -> Sample {
        let mail = match form.maker {
            Maker::Sealpost { profile, recipients } => self.seal(profile, recipients),
            Maker::OpenSsl { options, recipients } => openssl::seal(self, options, recipients),
        };
        let name = form.name.replace(|c: char| !c.is_alphanumeric(), "-");
        let sample = Sample {
            mail: self.file(&format!("{name}.eml")),
            der: self.file(&format!("{name}.der")),
            by: form.by,
        };
        std::fs::write(&sample.mail, &mail).unwrap();
        std::fs::write(&sample.der, content_of(&mail)).unwrap();
        sample
    }

    fn seal(&self, profile: &str, recipients: &[&str]) -> Vec<u8> {
        let mut args = vec!["seal".to_owned(), format!("--profile={profile}")];
        args.extend(
            recipients.iter().map(|name| format!("--cert={}", path(&self.file(&format!("{name}.pem"))))),
        );
        Program::sealpost().args(args).input(MESSAGE).run().ok()
    }

    /// The person.
    fn person(&self, by: By) -> &Identity {
        match by {
            By::Bob => &self.bob,
            By::Dana => &self.dana,
        }
    }

    /// What `sealpost open` makes of it with the person's key.
    fn open(&self, sealed: &[u8], by: By) -> Result<Vec<u8>, String> {
        let person = self.person(by);
        let args = ["open", "--key", path(&person.key), "--cert", path(&person.certificate)];
        Program::sealpost().args(args).input(sealed).run().outcome()
    }
}

/// One sealed message in two dresses.
struct Sample {
    mail: PathBuf,
    der: PathBuf,
    by: By,
}

/// The CMS of an S/MIME message: what its base64 says.
fn content_of(mail: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let (_, body) = text.split_once("\n\n").expect("a sealed message has a header");
    Program::new("openssl").words("base64 -d").input(body).run().ok()
}

/// CMS as an S/MIME message, with LF line ends.
fn mail_of(content: &[u8]) -> Vec<u8> {
    let header = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; \
smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n";
    let body = Program::new("openssl").words("base64").input(content).run().ok();
    [header.as_slice(), &body].concat()
}

/// What a driver wrote beside each file.
fn read_opened(samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
    let read = |sample: &Sample| {
        std::fs::read(sample.der.with_extension("der.opened"))
            .map_err(|_| std::fs::read_to_string(sample.der.with_extension("der.error")).unwrap())
    };
    samples.iter().map(read).collect()
}

/// A foreign program that opens.
trait Peer {
    /// Opens each as who is to open it, in this order.
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>>;
}

/// Every form of the table is put before the reader; it must do what the table says, neither less nor more.
fn judge(stage: &Stage, reader: Reader, peer: &dyn Peer) {
    let samples: Vec<Sample> = FORMS.iter().map(|form| stage.make(form)).collect();
    let outcomes = peer.open(&samples);
    assert_eq!(outcomes.len(), FORMS.len());
    let faults: Vec<String> =
        FORMS.iter().zip(outcomes).filter_map(|(form, outcome)| fault(form, reader, outcome)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn fault(form: &Form, reader: Reader, outcome: Result<Vec<u8>, String>) -> Option<String> {
    let name = format!("{reader:?}, {}", form.name);
    match (form.is_opened_by(reader), outcome) {
        (true, Ok(message)) if message == MESSAGE => None,
        (true, Ok(message)) => Some(format!("{name}: opened to something else ({} bytes)", message.len())),
        (true, Err(error)) => Some(format!("{name}: should open, and says: {}", error.trim())),
        (false, Ok(message)) if message == MESSAGE => {
            Some(format!("{name}: the table says no, and it opens: the peer has learned, mend the table"))
        }
        (false, _) => None,
    }
}

/// What a peer seals, OpenSSL (the judge's judge) and Sealpost open.
fn we_open(stage: &Stage, what: &str, content: &[u8], by: By) {
    let mail = mail_of(content);
    let sample = Sample { mail: stage.file("theirs.eml"), der: stage.file("theirs.der"), by };
    std::fs::write(&sample.mail, &mail).unwrap();
    std::fs::write(&sample.der, content).unwrap();
    assert_eq!(openssl::OpenSsl::new(stage).open(&[sample]), [Ok(MESSAGE.to_vec())], "{what}: OpenSSL");
    assert_eq!(stage.open(&mail, by), Ok(MESSAGE.to_vec()), "{what}: Sealpost");
}

#[test]
fn sealpost_opens() {
    struct Ourselves<'a>(&'a Stage);
    impl Peer for Ourselves<'_> {
        fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
            let open = |sample: &Sample| self.0.open(&std::fs::read(&sample.mail).unwrap(), sample.by);
            samples.iter().map(open).collect()
        }
    }
    if tools(&["openssl"]) {
        let stage = Stage::new();
        judge(&stage, Reader::Sealpost, &Ourselves(&stage));
    }
}

#[test]
fn openssl_opens() {
    if tools(&["openssl"]) {
        let stage = Stage::new();
        judge(&stage, Reader::OpenSsl, &openssl::OpenSsl::new(&stage));
    }
}

#[test]
fn gpgsm_opens_and_seals() {
    if tools(&["openssl", "gpgsm", "gpgconf"]) {
        let stage = Stage::new();
        let gpgsm = gpgsm::Gpgsm::new(&stage);
        judge(&stage, Reader::Gpgsm, &gpgsm);
        we_open(&stage, "gpgsm --encrypt", &gpgsm.seal(), By::Bob);
    }
}

#[test]
fn nss_opens_and_seals() {
    if tools(&["openssl", "cmsutil", "certutil", "pk12util"]) {
        let stage = Stage::new();
        let nss = nss::Nss::new(&stage);
        judge(&stage, Reader::Nss, &nss);
        we_open(&stage, "cmsutil -E", &nss.seal(), By::Bob);
    }
}

#[test]
fn bouncy_castle_opens_and_seals() {
    if tools(&["openssl", "javac", "java"]) && bouncy_castle::jars_are_there() {
        let stage = Stage::new();
        let bouncy_castle = bouncy_castle::BouncyCastle::new(&stage);
        judge(&stage, Reader::BouncyCastle, &bouncy_castle);
        for cipher in ["cbc", "gcm"] {
            for by in [By::Bob, By::Dana] {
                we_open(
                    &stage,
                    &format!("Bouncy Castle, {cipher}, {by:?}"),
                    &bouncy_castle.seal(cipher, by),
                    by,
                );
            }
        }
    }
}

#[test]
fn python_opens_and_seals() {
    if tools(&["openssl"]) && python::is_there() {
        let stage = Stage::new();
        let python = python::Python::new(&stage);
        judge(&stage, Reader::Python, &python);
        we_open(&stage, "Python's cryptography", &python.seal(), By::Bob);
    }
}

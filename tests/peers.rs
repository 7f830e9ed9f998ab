//! Foreign judges: what we seal they open, what they seal we open, and what they cannot is asserted too: when a peer
//! learns, the test says so and the table gets a new word.

mod bouncy_castle;
mod form;
mod forms;
mod gpgsm;
mod node_forge;
mod nss;
mod offer;
mod openssl;
mod page;
mod person;
mod python;
mod reader;

use crate::support::{Authority, Identity, Program, openssl_4, path, thunderbird, tools};
use form::{Form, Maker};
use forms::FORMS;
use offer::{OFFERS, Offer};
use person::By;
use reader::Reader;
use std::path::{Path, PathBuf};

/// Canonical line ends, so that every peer gives back the very bytes.
const MESSAGE: &[u8] =
    b"From: Anna <anna@north.example>\r\nTo: bob@north.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
The figures of the third quarter \xc3\xa4\xc3\xb6\xc3\xbc.\r\n.\r\nFrom the desk of Anna\r\n\r\n";

/// OpenSSL as the machine has it.
const OPENSSL_3: &str = "openssl";

/// The people of a test and their files.
struct Stage {
    folder: tempfile::TempDir,
    authority: Authority,
    people: Vec<(By, Identity)>,
    /// Where it is missing, the forms that need it are not judged.
    openssl_4: Option<PathBuf>,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let openssl_4 = openssl_4();
        let issuer = |by: By| match &openssl_4 {
            Some(program) if by.needs_openssl_4() => Some(authority.with_openssl(program)),
            None if by.needs_openssl_4() => None,
            _ => Some(authority.with_openssl(Path::new(OPENSSL_3))),
        };
        let issue = |by: By| Some((by, issuer(by)?.person(by.name(), by.kind())));
        let people = By::ALL.into_iter().filter_map(issue).collect();
        std::fs::write(folder.path().join("m.eml"), MESSAGE).unwrap();
        Stage { folder, authority, people, openssl_4 }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The clear message, as a file.
    fn message(&self) -> PathBuf {
        self.file("m.eml")
    }

    /// Who is there.
    fn people(&self) -> impl Iterator<Item = By> {
        self.people.iter().map(|(by, _)| *by)
    }

    fn person(&self, by: By) -> &Identity {
        let (_, identity) = self.people.iter().find(|(one, _)| *one == by).expect("somebody who is there");
        identity
    }

    fn certificate(&self, by: By) -> PathBuf {
        self.person(by).certificate.clone()
    }

    /// The forms that can be made on this machine.
    fn forms(&self) -> impl Iterator<Item = &'static Form> {
        FORMS.iter().filter(|form| self.openssl_4.is_some() || !form.needs_openssl_4())
    }

    /// The form as an S/MIME message and as bare DER (or BER), in files.
    fn make(&self, form: &Form) -> Sample {
        let mail = match form.maker {
            Maker::Sealpost { options, to } => self.seal(options, to),
            Maker::OpenSsl3 { options, to } => openssl::seal(Path::new(OPENSSL_3), self, options, to),
            Maker::OpenSsl4 { options, to } => {
                let program = self.openssl_4.as_ref().expect("only asked for where it is");
                openssl::seal(program, self, options, to)
            }
        };
        let name = format!("{:?} {} {:?}", form.sealer(), form.name, form.by);
        self.sample(&name.replace(|c: char| !c.is_alphanumeric(), "-"), &mail, content_of(&mail), form.by)
    }

    fn sample(&self, name: &str, mail: &[u8], content: Vec<u8>, by: By) -> Sample {
        let (mail_file, der) = (self.file(&format!("{name}.eml")), self.file(&format!("{name}.der")));
        std::fs::write(&mail_file, mail).unwrap();
        std::fs::write(&der, content).unwrap();
        Sample { mail: mail_file, der, by }
    }

    fn seal(&self, options: &str, to: &[By]) -> Vec<u8> {
        let certificates = to.iter().map(|by| format!("--cert={}", path(&self.certificate(*by))));
        Program::sealpost().args(["seal"]).words(options).args(certificates).input(MESSAGE).run().ok()
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
    let samples: Vec<Sample> = stage.forms().map(|form| stage.make(form)).collect();
    let outcomes = peer.open(&samples);
    assert_eq!(outcomes.len(), samples.len());
    let faults: Vec<String> =
        stage.forms().zip(outcomes).filter_map(|(form, outcome)| fault(form, reader, outcome)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn fault(form: &Form, reader: Reader, outcome: Result<Vec<u8>, String>) -> Option<String> {
    let name =
        format!("{}: {}, sealed by {}, {}", reader.name(), form.name, form.sealer().name(), form.by.key());
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

/// What a peer seals, OpenSSL (the judge's judge) and Sealpost open; and it is what the table says.
fn we_open(stage: &Stage, sealer: Reader, seal: impl Fn(&Offer) -> Vec<u8>) {
    for offer in OFFERS.iter().filter(|offer| offer.sealer == sealer) {
        let what = format!("{}, {}, {}", sealer.name(), offer.content, offer.to.key());
        let content = seal(offer);
        let mail = mail_of(&content);
        let sample = stage.sample("theirs", &mail, content, offer.to);
        let openssl = openssl::OpenSsl::new(Path::new(OPENSSL_3), stage);
        assert_eq!(openssl.open(&[sample]), [Ok(MESSAGE.to_vec())], "{what}: OpenSSL");
        assert_eq!(stage.open(&mail, offer.to), Ok(MESSAGE.to_vec()), "{what}: Sealpost");
        assert_eq!(algorithms(&mail), [offer.content, offer.key], "{what}: sealpost inspect");
    }
}

/// How the content of a message is encrypted, and how its key is handed to the first recipient.
fn algorithms(mail: &[u8]) -> [String; 2] {
    let output = Program::sealpost().words("inspect --json").input(mail).run().ok();
    let report: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let name = |algorithm: &serde_json::Value| algorithm["name"].as_str().unwrap().to_owned();
    [name(&report["content"]["algorithm"]), name(&report["recipients"][0]["algorithm"])]
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
fn openssl_3_opens() {
    if tools(&["openssl"]) {
        let stage = Stage::new();
        judge(&stage, Reader::OpenSsl3, &openssl::OpenSsl::new(Path::new(OPENSSL_3), &stage));
    }
}

#[test]
fn openssl_4_opens() {
    if tools(&["openssl"]) {
        let stage = Stage::new();
        let Some(program) = &stage.openssl_4 else { return };
        judge(&stage, Reader::OpenSsl4, &openssl::OpenSsl::new(program, &stage));
    }
}

#[test]
fn gpgsm_opens_and_seals() {
    if tools(&["openssl", "gpgsm", "gpgconf"]) {
        let stage = Stage::new();
        let gpgsm = gpgsm::Gpgsm::new(&stage);
        judge(&stage, Reader::Gpgsm, &gpgsm);
        we_open(&stage, Reader::Gpgsm, |_| gpgsm.seal());
    }
}

const NSS_TOOLS: [&str; 4] = ["openssl", "cmsutil", "certutil", "pk12util"];

#[test]
fn nss_opens_and_seals() {
    if tools(&NSS_TOOLS) {
        let stage = Stage::new();
        let nss = nss::Nss::new(&stage, None);
        judge(&stage, Reader::Nss, &nss);
        we_open(&stage, Reader::Nss, |offer| nss.seal(offer));
    }
}

#[test]
fn thunderbird_opens_and_seals() {
    let Some(libraries) = thunderbird().filter(|_| tools(&NSS_TOOLS)) else { return };
    let stage = Stage::new();
    let nss = nss::Nss::new(&stage, Some(libraries));
    judge(&stage, Reader::Thunderbird, &nss);
    we_open(&stage, Reader::Thunderbird, |offer| nss.seal(offer));
}

#[test]
fn bouncy_castle_opens_and_seals() {
    if tools(&["openssl", "javac", "java"]) && bouncy_castle::jars_are_there() {
        let stage = Stage::new();
        let bouncy_castle = bouncy_castle::BouncyCastle::new(&stage);
        judge(&stage, Reader::BouncyCastle, &bouncy_castle);
        we_open(&stage, Reader::BouncyCastle, |offer| bouncy_castle.seal(offer));
    }
}

#[test]
fn python_opens_and_seals() {
    if tools(&["openssl"]) && python::is_there() {
        let stage = Stage::new();
        let python = python::Python::new(&stage);
        judge(&stage, Reader::Python, &python);
        we_open(&stage, Reader::Python, |offer| python.seal(offer));
    }
}

#[test]
fn node_forge_opens_and_seals() {
    let Some(module) = crate::support::node_forge().filter(|_| tools(&["openssl", "node"])) else { return };
    let stage = Stage::new();
    let node_forge = node_forge::NodeForge::new(module, &stage);
    judge(&stage, Reader::NodeForge, &node_forge);
    we_open(&stage, Reader::NodeForge, |offer| node_forge.seal(&stage.certificate(offer.to)));
}

//! What `open` and `rekey` take beside messages, made and read by OpenSSL.

use crate::support::{Authority, Identity, Program, crlf, path, tools};
use tempfile::TempDir;

const MESSAGE: &[u8] = b"From: a@south.example\nSubject: Lunch\n\nxyzzy-plugh-4711\n";
/// No mail: the first octet is none of a field's name.
const DOCUMENT: &[u8] =
    b"\x89DOC\r\n\x1a\n\0\0xyzzy-plugh-4711, and more that makes several blocks of a cipher";

/// Bob has the old key, Carol the new one.
struct Stage {
    _folder: TempDir,
    bob: Identity,
    carol: Identity,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let (bob, carol) = (authority.rsa("bob"), authority.rsa("carol"));
        Stage { _folder: folder, bob, carol }
    }

    /// What OpenSSL makes for Bob.
    fn sealed(&self, options: &str, content: &[u8]) -> Vec<u8> {
        let program = Program::new("openssl").words("cms -encrypt -binary").words(options);
        program.args([path(&self.bob.certificate)]).input(content).run().ok()
    }

    fn open(&self, options: &str) -> Program {
        let from = ["--key", path(&self.bob.key), "--cert", path(&self.bob.certificate)];
        Program::sealpost().words("open").args(from).words(options)
    }

    /// For Carol instead of Bob.
    fn rekey(&self, sealed: &[u8]) -> Vec<u8> {
        let from = ["--key", path(&self.bob.key), "--old-cert", path(&self.bob.certificate)];
        let to = ["--cert", path(&self.carol.certificate)];
        Program::sealpost().words("rekey").args(from).args(to).input(sealed).run().ok()
    }
}

fn openssl_open(person: &Identity, form: &str, sealed: &[u8]) -> Vec<u8> {
    let args = ["-inform", form, "-recip", path(&person.certificate), "-inkey", path(&person.key)];
    Program::new("openssl").words("cms -decrypt -binary").args(args).input(sealed).run().ok()
}

#[test]
fn der_ber_and_pem_are_opened_and_rekeyed_in_their_form() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    for (options, form) in [
        ("-aes-256-cbc -outform DER", "DER"),
        ("-aes-256-gcm -outform DER", "DER"),
        ("-aes-256-cbc -outform DER -stream -indef", "DER"),
        ("-aes-256-cbc -outform PEM", "PEM"),
        ("-aes-256-gcm -outform PEM -stream -indef", "PEM"),
        ("-aes-256-cbc -outform SMIME", "SMIME"),
    ] {
        let sealed = stage.sealed(options, &crlf(MESSAGE));
        assert_eq!(stage.open("").input(sealed.clone()).run().ok(), crlf(MESSAGE), "{options}");
        let rekeyed = stage.rekey(&sealed);
        assert_eq!(rekeyed.starts_with(b"-----BEGIN CMS-----\n"), form == "PEM", "{options}");
        assert_eq!(rekeyed.starts_with(b"\x30"), form == "DER", "{options}");
        assert_eq!(openssl_open(&stage.carol, form, &rekeyed), crlf(MESSAGE), "{options}");
    }
    // The other label of RFC 7468.
    let pkcs7 = Program::new("openssl").words("smime -encrypt -binary -aes256 -outform PEM");
    let sealed = pkcs7.args([path(&stage.bob.certificate)]).input(crlf(MESSAGE)).run().ok();
    assert!(sealed.starts_with(b"-----BEGIN PKCS7-----\n"));
    assert_eq!(stage.open("").input(sealed.clone()).run().ok(), crlf(MESSAGE));
    assert!(stage.rekey(&sealed).starts_with(b"-----BEGIN PKCS7-----\n"));
}

#[test]
fn what_is_no_mail_is_opened_raw() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    for options in ["-aes-256-cbc -outform DER", "-aes-256-gcm -outform PEM", "-aes-256-cbc -outform SMIME"] {
        for content in [DOCUMENT, MESSAGE, b""] {
            let sealed = stage.sealed(options, content);
            assert_eq!(stage.open("--raw").input(sealed).run().ok(), content, "{options}");
        }
    }
    let raw_message = stage.open("--raw").input(MESSAGE).run();
    assert_eq!((raw_message.code, raw_message.stdout.len()), (Some(65), 0));
    assert_eq!(raw_message.stderr, "sealpost: the message is not encrypted with S/MIME\n");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x80;
    bytes
}

/// Wrong key, padding or tag, or no mail inside: whoever reads the answer does not learn which.
#[test]
fn every_failure_inside_has_one_answer() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    let cbc = |content: &[u8]| stage.sealed("-aes-256-cbc -outform DER", content);
    let (mail, gcm) = (cbc(&crlf(MESSAGE)), stage.sealed("-aes-256-gcm -outform DER", &crlf(MESSAGE)));
    // Bit 7 of the last octet of the last block but one is bit 7 of the padding's length.
    let padding = flipped(&mail, mail.len() - 17);
    let tag = flipped(&gcm, gcm.len() - 1);
    // The wrapped key has 256 octets and stands in front of the content.
    let wrapped = mail.windows(4).position(|window| window == [4, 0x82, 1, 0]).unwrap();
    let key = flipped(&mail, wrapped + 100);
    for (what, sealed) in [("no mail", cbc(DOCUMENT)), ("padding", padding), ("tag", tag), ("key", key)] {
        let ended = stage.open("").input(sealed).run();
        assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""), "{what}");
        let answer = "sealpost: the message could not be opened with this key\n  \
             if what was sealed is no mail: sealpost open --raw\n";
        assert_eq!(ended.stderr, answer, "{what}");
    }
}

//! What OpenSSL encrypted: to the owner and to somebody else, and with old ciphers.

use super::*;
use crate::laws::people::{EMMA, ROSA, RUTH};
use crate::support::{Program, path, tools};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nxyzzy-plugh-4711\r\n";

/// Made by the sender: a MIME entity for these, with his header around it.
fn openssl(options: &str, people: &[&Person]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let certificates = people.iter().map(|person| {
        let file = folder.path().join(person.name);
        std::fs::write(&file, person.certificate().to_pem().unwrap()).unwrap();
        path(&file).to_owned()
    });
    let program = Program::new("openssl").words("cms -encrypt -binary -outform SMIME").words(options);
    let program = program.args(["-from", "Anna <anna@south.example>", "-subject", "figures"]);
    program.args(certificates).input(CONTENT).run().ok()
}

#[test]
fn the_header_of_its_sender_is_kept() {
    if !tools(&["openssl"]) {
        return;
    }
    for options in ["-aes256", "-aes-256-gcm", "-des3"] {
        let sealed = openssl(options, &[&ROSA, &RUTH]);
        let (clear, notes) = decrypted(&sealed, &ROSA);
        let header = b"From: Anna <anna@south.example>\r\nSubject: figures\r\n".as_slice();
        assert_eq!(clear.escape_ascii().to_string(), [header, CONTENT].concat().escape_ascii().to_string());
        assert_eq!(notes, ["2 header fields that stood outside of the encryption only stand in front now"]);
    }
}

#[test]
fn a_stranger_falls_away() {
    if !tools(&["openssl"]) {
        return;
    }
    let sealed = openssl("-aes256", &[&ROSA, &RUTH]);
    let (new, notes) = replaced(rekeyed(&sealed, &ROSA, &[&EMMA], &Directory::default()));
    assert_eq!(notes, ["1 recipient that is no account here can no longer open it"]);
    assert!(decrypted(&new, &EMMA).0.ends_with(CONTENT));
    let lost = failed(made_of(&Decrypt { keys: &[RUTH.opening()] }, &new));
    assert!(lost.starts_with("sealed to no key at hand"), "{lost}");
}

#[test]
fn old_ciphers_are_neither_right_nor_mended_by_other_keys() {
    if !tools(&["openssl"]) {
        return;
    }
    let old = openssl("-des3", &[&ROSA]);
    let (rosa, seeds) = (prospect("", &[&ROSA]), Seeds::default());
    assert_eq!(left(made_of(&encrypt(&rosa, &seeds), &old)), Left::WeakAlgorithms);
    assert_eq!(left(rekeyed(&old, &ROSA, &[&ROSA], &Directory::default())), Left::WeakAlgorithms);
    // It is handed to another key all the same: that key is the one that is not lost.
    let (new, _) = replaced(rekeyed(&old, &ROSA, &[&EMMA], &Directory::default()));
    assert!(decrypted(&new, &EMMA).0.ends_with(CONTENT));
    let wrap = Encrypt { weak: SealedToOthers::Wrap, ..encrypt(&rosa, &seeds) };
    let (whole, _) = replaced(made_of(&wrap, &old));
    assert_eq!(decrypted(&whole, &ROSA).0, old);
    assert_eq!(left(made_of(&wrap, &whole)), Left::AlreadyRight);
}

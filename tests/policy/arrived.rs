//! What arrives encrypted already, and what opens it.

use super::{CLEAR, MESSAGE};
use crate::hook::assert_answer;
use crate::support::{Identity, Program, Store, crlf, path, tools};

/// What another program sealed to Bob, line ends as a hook may see them.
#[test]
fn what_openssl_sealed_to_the_owner_is_kept_and_to_another_is_sealed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let carol = store.authority.rsa("carol");
    let seal = |person: &Identity, cipher: &str| {
        let words = format!("cms -encrypt {cipher} -from a@b.example -to {} -subject x", person.address);
        Program::new("openssl").words(&words).args([path(&person.certificate)]).input(MESSAGE).run().ok()
    };
    let lf = seal(&store.bob, "-aes256");
    let with_crlf = crlf(&lf);
    assert_ne!(lf, with_crlf);
    for kept in [&lf, &with_crlf] {
        assert_answer(&store.deliver(kept), 0, "2.0.0");
        assert!(store.inbox().contains(kept));
    }
    for (what, sealed) in [("to another", seal(&carol, "-aes256")), ("with 3DES", seal(&store.bob, "-des3"))]
    {
        assert_answer(&store.deliver(&sealed), 0, "2.0.0");
        assert!(!store.inbox().contains(&sealed), "{what}: stored as it came");
        let opened: Vec<Vec<u8>> = store.inbox().iter().map(|stored| store.open(stored)).collect();
        assert!(opened.contains(&crlf(&sealed)), "{what}");
    }
}

#[test]
fn pkcs12_brings_key_and_certificate() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let sealed = store.inbox().remove(0);
    let container = store.bob.pkcs12(&store.authority);
    let open = |password: &str| {
        let file = store.file("password");
        std::fs::write(&file, password).unwrap();
        let args = ["open", "--key", path(&container), "--password-file", path(&file)];
        Program::sealpost().args(args).input(sealed.as_slice()).run()
    };
    assert_eq!(open("judge\n").ok(), crlf(MESSAGE));
    let wrong = open("jury\n");
    assert_eq!((wrong.code, wrong.text().as_str()), (Some(77), ""));
    assert!(wrong.stderr.contains("wrong password"), "{}", wrong.stderr);
    // What does not open leaves the file of an earlier run alone.
    let (result, password) = (store.file("result.eml"), store.file("password"));
    std::fs::write(&result, "earlier").unwrap();
    let args =
        ["open", "--key", path(&container), "--password-file", path(&password), "--output", path(&result)];
    assert_eq!(Program::sealpost().args(args).input(sealed.as_slice()).run().code, Some(77));
    assert_eq!(std::fs::read(&result).unwrap(), b"earlier");
    std::fs::write(&password, "judge").unwrap();
    assert_eq!(Program::sealpost().args(args).input(sealed.as_slice()).run().ok(), b"");
    assert_eq!(std::fs::read(&result).unwrap(), crlf(MESSAGE));
}

/// A well-formed encrypted OpenPGP message: a session key packet and an encrypted data packet.
fn openpgp() -> Vec<u8> {
    let packets: Vec<u8> =
        [&[0xc1, 13, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 1, 1][..], &[0xd2, 30, 1][..], &[0x5a; 29][..]]
            .concat();
    let encode = ["enc", "-base64"];
    let base64 = Program::new("openssl").args(encode).input(packets).run().ok();
    let head = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; \
protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n\
--b\nContent-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\n\n";
    [head.as_slice(), &base64, b"-----END PGP MESSAGE-----\n--b--\n"].concat()
}

#[test]
fn openpgp_is_kept_or_sealed_and_a_lying_one_is_sealed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let message = openpgp();
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert!(store.inbox() == std::slice::from_ref(&message));
    let text = String::from_utf8(message.clone()).unwrap();
    let lie = text.replacen("--b--", "xyzzy-plugh-4711\n--b--", 1).replacen("\n\n\n", "\n\n", 1);
    for lie in [lie, text.replace("BEGIN PGP MESSAGE-----\n\n", "BEGIN PGP MESSAGE-----\n\nxyzzy-plugh-4711")]
    {
        assert_answer(&store.deliver(lie.as_bytes()), 0, "2.0.0");
        assert!(!store.holds(CLEAR));
    }
    store.config("openpgp = \"seal\"\n");
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert_eq!(store.inbox().iter().filter(|stored| **stored == message).count(), 1);
}

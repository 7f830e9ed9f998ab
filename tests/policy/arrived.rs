//! What arrives encrypted already, and what opens it.

use super::{CLEAR, MESSAGE};
use crate::hook::assert_answer;
use crate::support::{Identity, Program, Store, crlf, path, tools};

/// What OpenSSL makes for these people, as a message with LF.
fn encrypted(options: &str, people: &[&Identity]) -> Vec<u8> {
    let program = Program::new("openssl").words("cms -encrypt -binary -subject x").words(options);
    let recipients = people.iter().flat_map(|person| ["-recip", path(&person.certificate)]);
    program.args(recipients).input(MESSAGE).run().ok()
}

/// The CMS structure in base64, and nothing else.
fn structure(sealed: &[u8]) -> String {
    let text = String::from_utf8(sealed.to_vec()).unwrap().replace('\r', "");
    text.split_once("\n\n").unwrap().1.trim_end().to_owned()
}

fn message(fields: &str, body: &str) -> Vec<u8> {
    format!("From: a@b.example\nSubject: x\nMIME-Version: 1.0\n{fields}\n{body}").into_bytes()
}

const BASE64: &str = "Content-Transfer-Encoding: base64\n";

impl Store {
    /// It lies in the INBOX as it came.
    fn keeps(&self, message: &[u8]) -> bool {
        assert_answer(&self.deliver(message), 0, "2.0.0");
        self.inbox().iter().any(|stored| stored == message)
    }

    /// It lies there sealed once more, and opens to what came.
    fn seals(&self, message: &[u8]) -> bool {
        let before = self.inbox();
        assert_answer(&self.deliver(message), 0, "2.0.0");
        let inbox = self.inbox();
        let stored: Vec<_> = inbox.iter().filter(|stored| !before.contains(stored)).collect();
        assert_eq!(stored.len(), 1);
        stored[0] != message && self.open(stored[0]) == crlf(message)
    }
}

#[test]
fn what_is_encrypted_to_the_owner_is_kept_whatever_its_line_ends() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let eve = store.authority.p256("eve");
    for options in ["-aes256", "-aes-256-gcm", "-aes256 -stream -indef", "-aes256 -keyid"] {
        let lf = encrypted(options, &[&store.bob]);
        let with_crlf = crlf(&lf);
        assert_ne!(lf, with_crlf);
        assert!(store.keeps(&lf) && store.keeps(&with_crlf), "{options}");
    }
    // A stranger beside the owner is the sender's choice.
    let ec = format!("-aes256 -aes256-wrap -recip {} -keyopt ecdh_kdf_md:sha256", path(&eve.certificate));
    assert!(store.keeps(&encrypted(&ec, &[&store.bob])));
}

#[test]
fn what_the_owner_could_not_open_or_we_would_not_write_is_sealed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let carol = store.authority.rsa("carol");
    for (what, sealed) in [
        ("to another", encrypted("-aes256", &[&carol])),
        ("with 3DES", encrypted("-des3", &[&store.bob])),
        ("with AES-128", encrypted("-aes128", &[&store.bob])),
        ("with a password", encrypted("-aes256 -pwri_password xyzzy", &[&store.bob])),
    ] {
        assert!(store.seals(&sealed), "{what}");
    }
    let (old, retired) = (encrypted("-aes256", &[&store.bob]), fingerprint(&store.bob));
    assert!(store.keeps(&old));
    // Bob has another key in the same files, and his old certificate is retired: nobody is asked for its key any more.
    store.authority.rsa("bob");
    store.certify(&store.bob);
    store.command("cert retire --account bob@north.example --fingerprint").args([retired]).run().ok();
    assert!(store.seals(&old), "to a retired certificate");
}

/// The label says nothing, and what stands around the ciphertext says all.
#[test]
fn the_structure_decides_and_not_the_label() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let cms = structure(&encrypted("-aes256", &[&store.bob]));
    let p7m = "Content-Type: application/octet-stream; name=smime.p7m\nContent-Disposition: attachment; filename=smime.p7m\n";
    let part = |fields: &str| format!("--b\n{fields}{BASE64}\n{cms}\n--b--\n");
    let multipart = "Content-Type: multipart/mixed; boundary=b\n";
    for (what, kept) in [
        ("octet-stream", message(&format!("{p7m}{BASE64}"), &format!("{cms}\n"))),
        ("text", message(&format!("Content-Type: text/plain\n{BASE64}"), &format!("{cms}\n"))),
        ("no label", message(BASE64, &format!("{cms}\n"))),
        ("one part", message(multipart, &part(p7m))),
        ("white space around it", message(multipart, &format!(" \n\n{}\n \n", part("")))),
        ("one part in one part", message(multipart, &format!("--b\n{}\n--b--\n", nested(&part(p7m))))),
    ] {
        assert!(store.keeps(&kept), "{what}: sealed once more");
    }
    for (what, sealed) in [
        ("a preamble", message(multipart, &format!("xyzzy-plugh-4711\n{}", part(p7m)))),
        ("an epilogue", message(multipart, &format!("{}xyzzy-plugh-4711\n", part(p7m)))),
        ("a second part", message(multipart, &format!("--b\n\nxyzzy-plugh-4711\n{}", part(p7m)))),
        ("a footer", message(&format!("{p7m}{BASE64}"), &format!("{cms}\n\n-- \nxyzzy-plugh-4711\n"))),
        ("octets behind it", message(&format!("{p7m}{BASE64}"), &format!("{cms}\neHl6enk=\n"))),
    ] {
        assert!(store.seals(&sealed), "{what}: stored as it came");
    }
    assert!(!store.holds(CLEAR));
}

/// The part's own multipart, with another boundary.
fn nested(part: &str) -> String {
    format!("Content-Type: multipart/related; boundary=c\n\n{}", part.replace("--b", "--c"))
}

#[test]
fn lying_labels_are_sealed_like_any_other() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let sign = Program::new("openssl").words("cms -sign -binary -nodetach -outform SMIME");
    let signer = ["-signer", path(&store.bob.certificate), "-inkey", path(&store.bob.key)];
    let opaque = structure(&sign.args(signer).input(MESSAGE).run().ok());
    let certificates = Program::new("openssl").words("crl2pkcs7 -nocrl -certfile");
    let pem = certificates.args([path(&store.bob.certificate)]).run().text();
    let only = pem.lines().filter(|line| !line.starts_with("-----")).collect::<Vec<_>>().join("\n");
    let encode = |text: &str| Program::new("openssl").args(["enc", "-base64"]).input(text).run().text();
    for smime_type in ["enveloped-data", "authEnveloped-data"] {
        let label =
            format!("Content-Type: application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m\n");
        for (what, body) in [
            ("clear text", encode("xyzzy-plugh-4711")),
            ("an opaque signature", opaque.clone()),
            ("certificates alone", only.clone()),
            ("nothing", String::new()),
        ] {
            let lie = message(&format!("{label}{BASE64}"), &format!("{body}\n"));
            assert!(store.seals(&lie), "{what}: stored as it came");
        }
        assert!(store.seals(&message(&label, "xyzzy-plugh-4711\n")));
    }
    assert!(!store.holds(CLEAR) && !store.holds(opaque.get(200..400).unwrap().as_bytes()));
}

/// A copy for two is kept if both can open it, and sealed to both if one cannot.
#[test]
fn every_account_of_a_copy_must_be_covered() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let hr = store.join("hr");
    store.rule("--account bob@north.example", "[\"Store Encrypted in\", \"~hr/Payroll\"], [\"Discard\"]");
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example --create").run().ok();
    let both = encrypted("-aes256", &[&store.bob, &hr]);
    assert_answer(&store.deliver(&both), 0, "2.0.0");
    assert_eq!(store.visible("hr")[0].1, both);
    for one in [&store.bob, &hr] {
        let before = store.visible("hr");
        let sealed = encrypted("-aes256", &[one]);
        assert_answer(&store.deliver(&sealed), 0, "2.0.0");
        let stored = store.visible("hr").into_iter().find(|copy| !before.contains(copy)).unwrap().1;
        assert_ne!(stored, sealed);
        assert_eq!(openssl_open(&store.bob, &stored), crlf(&sealed));
        assert_eq!(openssl_open(&hr, &stored), crlf(&sealed));
    }
}

fn openssl_open(person: &Identity, sealed: &[u8]) -> Vec<u8> {
    let args = ["-recip", path(&person.certificate), "-inkey", path(&person.key)];
    Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
}

fn fingerprint(person: &Identity) -> String {
    let args = ["x509", "-noout", "-fingerprint", "-sha256", "-in", path(&person.certificate)];
    Program::new("openssl").args(args).run().text().trim_end().split_once('=').unwrap().1.to_owned()
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
    // The same packets without MIME around them.
    let (_, armor) = text.split_once("octet-stream\n\n").unwrap();
    let inline = format!("From: a@b.example\n\n{}", armor.replace("--b--\n", ""));
    assert!(store.keeps(inline.as_bytes()));
    let lie = text.replacen("--b--", "xyzzy-plugh-4711\n--b--", 1).replacen("\n\n\n", "\n\n", 1);
    for lie in [lie, text.replace("BEGIN PGP MESSAGE-----\n\n", "BEGIN PGP MESSAGE-----\n\nxyzzy-plugh-4711")]
    {
        assert_answer(&store.deliver(lie.as_bytes()), 0, "2.0.0");
        assert!(!store.holds(CLEAR));
    }
    store.config("openpgp = \"seal\"\n");
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert_eq!(store.inbox().iter().filter(|stored| **stored == message).count(), 1);
    assert!(!store.holds(CLEAR));
}

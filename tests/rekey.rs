//! `sealpost rekey`: the new recipient reads the message, nobody else does, and nothing but the recipients has changed.

use crate::laws::inside::enveloped;
use crate::support::{Authority, Ended, Identity, Program, Store, crlf, path, tools};
use sealpost::mail::Message;
use std::path::PathBuf;

const MESSAGE: &[u8] = b"From: Anna <anna@north.example>\nSubject: figures\n\nxyzzy-plugh-4711\n.\n\n";
const NOT_OURS: &str =
    "sealpost: the message is not sealed to this key\n  see to whom it is sealed: sealpost inspect\n";

/// Bob has the old key, Carol the new one.
struct Stage {
    folder: tempfile::TempDir,
    authority: Authority,
    bob: Identity,
    carol: Identity,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let (bob, carol) = (authority.rsa("bob"), authority.rsa("carol"));
        Stage { folder, authority, bob, carol }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn seal(&self, message: &[u8], profile: &str) -> Vec<u8> {
        let args = ["seal", "--profile", profile, "--cert", path(&self.bob.certificate)];
        Program::sealpost().args(args).input(message).run().ok()
    }

    /// What OpenSSL makes for Bob out of the message with CRLF.
    fn openssl_seal(&self, options: &str, key_options: &str) -> Vec<u8> {
        let program = Program::new("openssl").words("cms -encrypt -binary -outform SMIME").words(options);
        let program = program.args(["-recip", path(&self.bob.certificate)]).words(key_options);
        program.input(crlf(MESSAGE)).run().ok()
    }

    /// From Bob's key to Carol's certificate.
    fn rekey(&self) -> Program {
        let old = ["--key", path(&self.bob.key), "--old-cert", path(&self.bob.certificate)];
        Program::sealpost().words("rekey").args(old).args(["--cert", path(&self.carol.certificate)])
    }

    /// Exit code and standard error of a call that must write nothing.
    fn refused(&self, options: &[&str], input: &[u8]) -> (i32, String) {
        outcome(self.rekey().args(options).input(input).run())
    }
}

fn outcome(ended: Ended) -> (i32, String) {
    assert_eq!(ended.text(), "", "something was written");
    (ended.code.unwrap(), ended.stderr)
}

fn openssl_open(person: &Identity, sealed: &[u8]) -> Result<Vec<u8>, String> {
    let args = ["-recip", path(&person.certificate), "-inkey", path(&person.key)];
    Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().outcome()
}

fn header(message: &[u8]) -> &[u8] {
    &message[..message.len() - Message::new(message).body().len()]
}

/// Only the recipients differ.
fn assert_kept(sealed: &[u8], rekeyed: &[u8]) {
    assert_eq!(header(rekeyed), header(sealed));
    assert_eq!(rekeyed.contains(&b'\r'), sealed.contains(&b'\r'));
    let (before, after) = (enveloped(sealed), enveloped(rekeyed));
    assert_eq!(before.encrypted_content, after.encrypted_content);
    assert_eq!((before.algorithm, before.tag), (after.algorithm, after.tag));
    assert_eq!(before.authenticated, after.authenticated);
}

#[test]
fn the_new_key_opens_what_the_old_one_opened() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    for profile in ["compatible", "modern"] {
        for message in [MESSAGE.to_vec(), crlf(MESSAGE)] {
            let sealed = stage.seal(&message, profile);
            let ended = stage.rekey().input(sealed.clone()).run();
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
            assert_kept(&sealed, &ended.stdout);
            assert_eq!(openssl_open(&stage.carol, &ended.stdout).unwrap(), crlf(MESSAGE));
            assert!(openssl_open(&stage.bob, &ended.stdout).is_err(), "the old key");
            assert_eq!(stage.refused(&[], &ended.stdout), (66, NOT_OURS.to_owned()));
        }
    }
}

#[test]
fn several_new_recipients_and_a_file() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    let (sealed, out) = (stage.seal(MESSAGE, "compatible"), stage.file("rekeyed.eml"));
    let more = ["--cert", path(&stage.bob.certificate), "--output", path(&out)];
    assert_eq!(stage.rekey().args(more).input(sealed.clone()).run().ok(), b"");
    let rekeyed = std::fs::read(&out).unwrap();
    assert_kept(&sealed, &rekeyed);
    for person in [&stage.bob, &stage.carol] {
        assert_eq!(openssl_open(person, &rekeyed).unwrap(), crlf(MESSAGE));
    }
    // What fails leaves the file as it was.
    let (code, _) = stage.refused(&["--output", path(&out)], MESSAGE);
    assert_eq!((code, std::fs::read(&out).unwrap()), (65, rekeyed));
}

#[test]
fn what_openssl_sealed_is_rekeyed() {
    if !tools(&["openssl"]) {
        return;
    }
    const OAEP: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
    let stage = Stage::new();
    for (options, key_options, weak) in [
        ("-aes-256-cbc", "", None),
        ("-aes-256-cbc -stream -indef", "", None),
        ("-aes-256-cbc -keyid", "", None),
        ("-aes-256-cbc", OAEP, None),
        ("-aes-256-gcm", OAEP, None),
        ("-aes-256-gcm -stream -indef", "", None),
        ("-aes-128-gcm", "", None),
        ("-aes-128-cbc", "", None),
        ("-des3", "", Some("des-ede3-cbc")),
    ] {
        let sealed = stage.openssl_seal(options, key_options);
        let ended = stage.rekey().input(sealed.clone()).run();
        let warning = weak.map_or(String::new(), |cipher| {
            format!(
                "sealpost: warning: the content stays encrypted with {cipher}, which sealpost reads but does not write\n  \
                 for another cipher open the message and seal it again: sealpost open, sealpost seal\n"
            )
        });
        assert_eq!((ended.code, &ended.stderr), (Some(0), &warning), "{options}");
        assert_kept(&sealed, &ended.stdout);
        assert_eq!(openssl_open(&stage.carol, &ended.stdout).unwrap(), crlf(MESSAGE), "{options}");
    }
}

#[test]
fn the_vault_gives_the_old_key() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let password = store.file("password");
    std::fs::write(&password, "correct horse\n").unwrap();
    let import = ["--file", path(&store.bob.key), "--password-file", path(&password)];
    store.command("key import --account bob@north.example").args(import).run().ok();
    store.deliver(MESSAGE);
    let (sealed, carol) = (store.inbox().remove(0), store.authority.rsa("carol"));
    let rekey = |password: &str| {
        let args = ["--password-file", password, "--cert", path(&carol.certificate)];
        store.command("rekey --account bob@north.example").args(args).input(sealed.clone()).run()
    };
    let rekeyed = rekey(path(&password)).ok();
    assert_kept(&sealed, &rekeyed);
    assert_eq!(openssl_open(&carol, &rekeyed).unwrap(), crlf(MESSAGE));
    let wrong = store.file("wrong");
    std::fs::write(&wrong, "battery staple\n").unwrap();
    assert_eq!(
        outcome(rekey(path(&wrong))),
        (77, "sealpost: wrong Secure Mail password of bob@north.example\n".to_owned())
    );
}

#[test]
fn what_is_refused_is_refused_by_name_and_nothing_is_written() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    let sealed = stage.seal(MESSAGE, "compatible");
    let out = stage.file("never.eml");
    for (options, input, code, text) in [
        (vec![], MESSAGE, 65, "sealpost: the message is not encrypted with S/MIME\n".to_owned()),
        (vec![], b"", 65, "sealpost: the message is not encrypted with S/MIME\n".to_owned()),
        (
            vec!["--for", "bob@north.example"],
            &sealed,
            65,
            format!(
                "sealpost: nothing was sealed: the certificate in {} is unfit: it names carol@north.example and not bob@north.example\n",
                path(&stage.carol.certificate)
            ),
        ),
        (
            vec!["--output", path(stage.folder.path())],
            &sealed,
            74,
            format!("sealpost: cannot write {}: it is a folder\n", path(stage.folder.path())),
        ),
    ] {
        assert_eq!(stage.refused(&options, input), (code, text), "{options:?}");
    }
    let without_certificate = Program::sealpost().words("rekey --key").args([path(&stage.bob.key)]);
    let ended =
        without_certificate.args(["--cert", path(&stage.carol.certificate)]).input(sealed.clone()).run();
    let text = "sealpost: the recipients are named by their certificates; add --old-cert\n";
    assert_eq!(outcome(ended), (64, text.to_owned()));
    let other_key = ["--key", path(&stage.carol.key), "--old-cert", path(&stage.carol.certificate)];
    let args = ["--cert", path(&stage.bob.certificate), "--output", path(&out)];
    let ended = Program::sealpost().words("rekey").args(other_key).args(args).input(sealed.clone()).run();
    assert_eq!(outcome(ended), (66, NOT_OURS.to_owned()));
    let both = ["--account", "bob@north.example"];
    assert_eq!(stage.refused(&both, &sealed).0, 64);
    assert!(!out.exists());
    // Cut off in the middle of the base64, ended as if nothing were missing.
    let cut = [&sealed[..sealed.len() - 40], b"\n"].concat();
    let (code, text) = stage.refused(&[], &cut);
    assert_eq!((code, text.starts_with("sealpost: ")), (65, true), "{text}");
    assert!(!text.contains("xyzzy"));
}

/// A key agreement beside the RSA recipient is nothing that the old key needs, and goes.
#[test]
fn recipients_of_other_kinds_go_too() {
    if !tools(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    let dana = stage.authority.p256("dana");
    let also_dana = ["-recip", path(&dana.certificate), "-aes256-wrap"];
    let program = Program::new("openssl").words("cms -encrypt -binary -outform SMIME -aes-256-cbc");
    let program = program.args(["-recip", path(&stage.bob.certificate)]).args(also_dana);
    let sealed = program.input(crlf(MESSAGE)).run().ok();
    assert_eq!(enveloped(&sealed).recipients.len(), 2);
    let rekeyed = stage.rekey().input(sealed.clone()).run().ok();
    assert_kept(&sealed, &rekeyed);
    assert_eq!(enveloped(&rekeyed).recipients.len(), 1);
    assert_eq!(openssl_open(&stage.carol, &rekeyed).unwrap(), crlf(MESSAGE));
}

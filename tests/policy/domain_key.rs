//! The domain's key in the place of an account's: who can open the copy, that everybody can see it, and how it comes to an
//! end.

use super::MESSAGE;
use super::bench::{Bench, Bob, Opens, opens, person};
use crate::support::{Program, crlf, path, tools};
use std::path::Path;

fn row(text: &str, name: &str) -> String {
    let found = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    found.unwrap_or_else(|| panic!("no {name}: {text}"))[name.len()..].trim().to_owned()
}

#[test]
fn the_administrator_opens_it_and_hands_it_over_when_the_account_has_a_certificate() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    assert_eq!(bench.deliver().0.code, Some(0));
    let sealed = bench.stored().remove(0);
    let print = bench.fill("{domain}");
    let text = String::from_utf8(sealed.clone()).unwrap();
    assert!(text.contains("domain-key=\"north.example\""), "{text}");
    let inspected = bench.command("inspect").input(sealed.clone()).run().text();
    let named = format!("the key of the domain north.example, certificate {}, active since ", &print[..16]);
    assert!(row(&inspected, "recipient").starts_with(&named), "{inspected}");
    assert!(row(&inspected, "claim").contains("domain-key=north.example"), "{inspected}");
    let json = bench.command("inspect --json").input(sealed.clone()).run().ok();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["recipients"][0]["holders"][0]["as"], "domain-key");
    let explained = bench.command("rules explain --recipient bob@north.example").input(MESSAGE).run().text();
    assert!(explained.contains("  the key of north.example for bob@north.example\n"), "{explained}");
    assert!(explained.contains(
        "warning: sealed to the key of north.example instead: bob@north.example has no active certificate\n"
    ));
    assert_eq!(bench.command("open --domain north.example").input(sealed.clone()).run().ok(), crlf(MESSAGE));
    let nobody =
        bench.command("rekey --domain north.example --to bob@north.example").input(sealed.clone()).run();
    assert_eq!(nobody.code, Some(0), "it is sealed to the key of the domain once more: {}", nobody.stderr);
    // Bob gets a certificate: new mail is his, and what came before is handed over.
    let bob = person(&Bob::valid(), 30);
    bench.hold(&bob);
    let rekeyed =
        bench.command("rekey --domain north.example --to bob@north.example").input(sealed).run().ok();
    assert!(opens(&bob, &rekeyed));
    assert_eq!(bench.command("open --domain north.example").input(rekeyed).run().code, Some(66));
    assert_eq!(bench.deliver().0.code, Some(0));
    assert!(opens(&bob, &bench.stored()[0]));
    assert_eq!(bench.command("doctor").run().ok(), b"all is well\n");
}

/// Another judge: what is made to be sealed to is so for OpenSSL, and it opens the copy with the key of the domain.
#[test]
fn openssl_takes_the_certificate_for_what_it_is() {
    if !tools(&["openssl"]) {
        return;
    }
    let bench = Bench::without_certificate();
    for kind in ["rsa-2048", "ec-p256"] {
        bench.forget_mail();
        let show = bench.command("key show --domain north.example --json").run().ok();
        let show: serde_json::Value = serde_json::from_slice(&show).unwrap();
        let print = show["keys"][0]["fingerprint"].as_str().unwrap();
        bench.command(&format!("key remove --domain north.example --forget {print}")).run().ok();
        bench.command(&format!("key generate --domain north.example --type {kind}")).run().ok();
        bench.command("cert self-sign --domain north.example").run().ok();
        bench.command("cert self-sign --domain north.example --purpose sealing").run().ok();
        let sealing = bench.directory().domain("north.example").unwrap().sealing.unwrap();
        let text =
            Program::new("openssl").words("x509 -text -noout").input(sealing.to_pem().unwrap()).run().text();
        let usage = if kind == "rsa-2048" { "Key Encipherment" } else { "Key Agreement" };
        assert!(
            text.contains(&format!("Digital Signature, {usage}")) && text.contains("E-mail Protection"),
            "{text}"
        );
        assert!(!text.contains("CA:TRUE") && text.contains("DNS:north.example"), "{text}");
        bench.for_the_site(&[("missing-certificate", "domain-key")]);
        assert_eq!(bench.deliver().0.code, Some(0), "{}", bench.log());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let key = bench.directory().domain_key("north.example").unwrap().unwrap();
        let pem = Program::new("openssl").words("pkey -inform DER").input(key.pkcs8.expose()).run().ok();
        let (key, certificate) =
            (file("key", std::str::from_utf8(&pem).unwrap()), file("cert", &sealing.to_pem().unwrap()));
        let opened = decrypt(&bench.stored()[0], &key, &certificate);
        assert_eq!(opened, crlf(MESSAGE), "{kind}");
    }
}

fn decrypt(sealed: &[u8], key: &Path, certificate: &Path) -> Vec<u8> {
    let args = ["-recip", path(certificate), "-inkey", path(key)];
    Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
}

/// The authority of a domain signs; whoever wants mail sealed to its key says so with a certificate of its own.
#[test]
fn only_a_certificate_that_can_be_sealed_to_is_set_for_it() {
    let bench = Bench::without_certificate();
    let authority = bench.directory().domain("north.example").unwrap().authorities.remove(0);
    let set = bench.command("cert set --domain north.example --purpose sealing --file -");
    let set = set.input(authority.to_pem().unwrap()).run();
    let text = "sealpost: mail cannot be sealed to this certificate of north.example: it may not be used to encrypt mail: its \
                keyUsage lacks keyAgreement\n";
    assert_eq!((set.code, set.stderr.as_str()), (Some(65), text));
    let listed = bench.command("cert show --domain north.example").run().text();
    assert!(listed.contains("sealing") && listed.contains("generic"), "{listed}");
    // It issues nothing.
    bench.command("cert remove --domain north.example").run().ok();
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "correct horse\n").unwrap();
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    bench.command(generate).args([path(password.path())]).run().ok();
    let issue = bench.command("cert issue --account bob@north.example").run();
    assert!(issue.stderr.contains("north.example has no certificate to issue with"), "{}", issue.stderr);
}

/// What somebody else encrypted to Bob's certificate that is not sealed to any more is not kept for him alone.
#[test]
fn what_was_encrypted_to_an_unusable_certificate_is_sealed_to_the_domain_like_any_other() {
    let bench = Bench::with(&Bob::valid());
    bench.revoke("key-compromise");
    bench.for_the_site(&[("unusable", "domain-key")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bob.pem");
    std::fs::write(&file, bench.bob().certificate.to_pem().unwrap()).unwrap();
    let arrived = Program::sealpost().args(["seal", "--cert", path(&file)]).input(MESSAGE).run().ok();
    let ended = bench.command("deliver --sender= --recipient=bob@north.example").input(arrived.clone()).run();
    assert_eq!(ended.code, Some(0));
    let opened = bench.command("open --domain north.example").input(bench.stored().remove(0)).run().ok();
    assert_eq!(opened, crlf(&arrived));
}

#[test]
fn a_domain_that_is_switched_off_lends_no_key() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    for mode in ["disabled", "test"] {
        bench.command(&format!("domain set north.example --mode {mode}")).run().ok();
        let (ended, log) = bench.deliver();
        assert_eq!(ended.text(), "4.7.5 no usable certificate to encrypt the message to\n");
        assert!(log.contains(&format!("cannot stand in: the mode of the domain is {mode}; sealpost domain set north.example --mode enabled")), "{log}");
        bench.assert_opens(Opens::Nobody, mode);
    }
}

#[test]
fn mail_sealed_to_a_key_that_was_replaced_is_still_opened() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    assert_eq!(bench.deliver().0.code, Some(0));
    let before = bench.stored().remove(0);
    bench.command("key rotate --domain north.example").run().ok();
    assert_eq!(bench.deliver().0.code, Some(0), "{}", bench.log());
    let after = bench.stored().remove(0);
    for sealed in [before, after] {
        assert_eq!(bench.command("open --domain north.example").input(sealed).run().ok(), crlf(MESSAGE));
    }
}

/// So many messages in Bob's INBOX beside those that are there, sealed to the key of the domain; the newest file last.
fn deliver(bench: &Bench, count: usize) {
    for _ in 0..count {
        let deliver = bench.command("deliver --sender=anna@south.example --recipient=bob@north.example");
        assert_eq!(deliver.input(MESSAGE).run().code, Some(0), "{}", bench.log());
    }
}

fn keys(bench: &Bench) -> Vec<String> {
    let show = bench.command("key show --domain north.example --json").run().ok();
    let show: serde_json::Value = serde_json::from_slice(&show).unwrap();
    let keys = show["keys"].as_array().unwrap();
    keys.iter().map(|key| key["fingerprint"].as_str().unwrap().to_owned()).collect()
}

fn refused(bench: &Bench, words: &str) -> String {
    let ended = bench.command(words).run();
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""), "{words}");
    let told = ended.stderr.lines().filter(|line| !line.contains(": issued 0 valid certificates"));
    told.map(|line| format!("{line}\n")).collect()
}

/// What is said to somebody who would lose these messages of Bob's with those keys.
/// What is said, without the lines that tell of each key.
fn lost(count: usize, keys: &str) -> String {
    format!(
        "sealpost: {count} messages can never be opened again without {keys}: bob@north.example INBOX {count}\n  \
         keep it first: sealpost backup FILE\n  to lose them all the same say how many: --messages {count}\n"
    )
}

#[test]
fn mail_that_is_sealed_to_a_replaced_key_is_counted_before_the_key_is_forgotten() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    deliver(&bench, 2);
    bench.command("key rotate --domain north.example").run().ok();
    let inspected = bench.command("inspect").input(bench.stored().remove(0)).run().text();
    let holder = row(&inspected, "recipient");
    assert!(holder.starts_with("the key of the domain north.example, certificate "), "{inspected}");
    assert!(holder.contains(", retired"), "{inspected}");
    let [new, old] = &keys(&bench)[..] else { panic!("two keys") };
    let remove = format!("key remove --domain north.example --forget {old}");
    assert_eq!(refused(&bench, &remove), lost(2, old));
    // The mail of an account that was removed is still there.
    bench.command("account remove bob@north.example").run().ok();
    assert_eq!(refused(&bench, &remove), lost(2, old));
    let remove_domain = format!("domain remove north.example --forget {new} --forget {old}");
    assert_eq!(refused(&bench, &remove_domain), lost(2, &format!("{new}, {old}")));
    // The new key opens, and signs for, what it did.
    bench.command(&format!("{remove} --messages 2")).run().ok();
    assert_eq!(keys(&bench), [new.as_str()]);
    bench.command(&format!("domain remove north.example --forget {new}")).run().ok();
}

#[test]
fn mail_that_names_a_certificate_which_was_replaced_or_removed_is_opened_and_counted() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    let own = keys(&bench);
    let shown = || (bench.command("cert show --domain north.example").run().text(), keys(&bench));
    deliver(&bench, 1);
    bench.command("cert self-sign --domain north.example --purpose sealing").run().ok();
    deliver(&bench, 1);
    let doctor = bench.command("doctor").run().text();
    assert!(doctor.contains("bob@north.example") && !doctor.contains("replaced"), "{doctor}");
    bench.command("cert remove --domain north.example --purpose sealing").run().ok();
    let stored = bench.stored();
    assert_eq!(stored.len(), 2);
    for sealed in stored {
        let opened = bench.command("open --domain north.example").input(sealed.clone()).run();
        assert_eq!(opened.ok(), crlf(MESSAGE));
        let inspected = bench.command("inspect").input(sealed).run().text();
        let holder = row(&inspected, "recipient");
        assert!(holder.starts_with("the key of the domain north.example, certificate "), "{inspected}");
        assert!(holder.contains(", retired"), "{inspected}");
    }
    // It is one key, of today, and no authority was replaced.
    let (certificates, held) = shown();
    assert!(!certificates.contains("replaced"), "{certificates}");
    assert_eq!(held, own);
    let backup = tempfile::tempdir().unwrap();
    let backup = bench.command("backup --json").args([path(&backup.path().join("backup"))]).run().ok();
    let backup: serde_json::Value = serde_json::from_slice(&backup).unwrap();
    assert_eq!(backup["domain_keys"], 1, "{backup}");
    // The key is lost by saying how much, and nothing of it stays.
    let remove = format!("key remove --domain north.example --forget {}", own[0]);
    assert_eq!(refused(&bench, &remove), lost(2, &own[0]));
    bench.command(&format!("{remove} --messages 2")).run().ok();
    assert!(bench.directory().retired_keys("north.example").unwrap().is_empty());
}

#[test]
fn mail_is_opened_where_only_the_replaced_key_is_left() {
    let bench = Bench::without_certificate();
    bench.for_the_domain(&[("missing-certificate", "domain-key")]);
    deliver(&bench, 1);
    bench.command("key rotate --domain north.example").run().ok();
    let new = &keys(&bench)[0];
    bench.command(&format!("key remove --domain north.example --forget {new}")).run().ok();
    let opened = bench.command("open --domain north.example").input(bench.stored().remove(0)).run();
    assert_eq!(opened.ok(), crlf(MESSAGE));
}

//! What must not happen: nothing is touched in vain, nothing is lost, one failure is one failure.

use super::folders::{Lying, Maildir, everything};
use super::verbs::events;
use crate::support::{Site, path};

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_be() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    let mail = site.root().join("mail");
    let before = everything(&mail);
    let ended = site.run("mailbox encrypt --account bob@north.example --all --dry-run");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        ended.text(),
        "messages         number\nlooked at             1\nwould be sealed       1\nfailed                0\n"
    );
    assert_eq!(everything(&mail), before);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let before = everything(&mail);
    let dry = format!(
        "mailbox decrypt --account bob@north.example --password-file {} --all --dry-run",
        path(&password)
    );
    assert!(site.run(&dry).text().contains("would be decrypted       1"));
    assert_eq!(everything(&mail), before);
}

#[test]
fn a_wrong_password_is_refused_before_anything_is_touched() {
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let before = everything(&site.root().join("mail"));
    let wrong = site.write("wrong", "battery staple\n");
    for verb in ["decrypt", "rekey"] {
        let words =
            format!("mailbox {verb} --account bob@north.example --all --password-file {}", path(&wrong));
        let (code, stderr) = site.refused(&words);
        assert_eq!(
            (code, stderr.as_str()),
            (77, "sealpost: wrong Secure Mail password of bob@north.example\n")
        );
    }
    assert_eq!(everything(&site.root().join("mail")), before);
}

/// Two are fine. One is damaged, and says so by its tag; one is cut off, one is no structure at all although it says so.
#[test]
fn a_hostile_message_among_good_ones_is_one_failure() {
    let (site, password) = Site::certified();
    site.run("account set bob@north.example --profile modern").ok();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let good = maildir.messages().remove(0).bytes;
    let text = String::from_utf8(good.clone()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (front, back) = lines.split_at(lines.len() - 4);
    let line =
        back[0].replacen(&back[0][..8], if back[0].starts_with("AAAA") { "BBBBBBBB" } else { "AAAAAAAA" }, 1);
    let damaged = [front.concat(), line, back[1..].concat()].concat().into_bytes();
    let cut = front.concat().into_bytes();
    let labelled = b"Content-Type: application/pkcs7-mime\n\nnothing\n";
    maildir.put("cur/1577836802.b.host:2,S", &damaged, 2);
    maildir.put("new/1577836803.c.host", &cut, 3);
    maildir.put("cur/1577836804.d.host:2,FS", &good, 4);
    maildir.put("cur/1577836805.e.host:2,", labelled, 5);
    let decrypt = format!(
        "mailbox decrypt --account bob@north.example --password-file {} --all --json",
        path(&password)
    );
    let ended = site.run(&decrypt);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let events = events(&ended);
    let messages = events.iter().filter(|event| event["event"] == "message");
    let mut outcomes: Vec<(String, &str, String)> = messages
        .map(|event| {
            let text = |name: &str| event[name].as_str().unwrap_or_default();
            let reason = text("reason").split(';').next().unwrap();
            (text("message")[..10].to_owned(), text("outcome"), reason.to_owned())
        })
        .collect();
    outcomes.sort();
    let outcome = |time: &str, outcome, reason: &str| (time.to_owned(), outcome, reason.to_owned());
    assert_eq!(
        outcomes,
        [
            outcome("1577836801", "decrypted", ""),
            outcome(
                "1577836802",
                "failed",
                "it names a key at hand and does not open with it: it is damaged, or was made for another key"
            ),
            outcome("1577836803", "failed", "the CMS structure is broken: it is cut off"),
            outcome("1577836804", "decrypted", ""),
            outcome("1577836805", "failed", "the CMS structure is broken: the body is no ContentInfo"),
        ]
    );
    assert_eq!(events.last().unwrap()["failed"], 3);
    let after: Vec<Vec<u8>> = maildir.messages().into_iter().map(|lying| lying.bytes).collect();
    // cur before new.
    assert_eq!(after, [CLEAR, &damaged, CLEAR, labelled, &cut]);
    let told = format!("{}{}", ended.text(), ended.stderr);
    assert!(!told.contains("secret") && !told.contains("correct horse"), "{told}");
}

#[test]
fn an_account_without_a_certificate_is_one_failure_and_the_others_go_on() {
    let (site, _) = Site::certified();
    for account in ["anna", "zoe"] {
        site.run(&format!("account add {account}@north.example")).ok();
    }
    let [anna, bob] = ["anna", "bob"].map(|name| Maildir::of(&site.root(), name));
    anna.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    bob.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    for targets in ["--domain alias.example", "--all-accounts"] {
        let ended = site.run(&format!("mailbox encrypt {targets} --all"));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        for account in ["anna", "zoe"] {
            let told = format!(
                "sealpost: {account}@north.example: {account}@north.example has no active certificate; \
                 sealpost cert issue --account {account}@north.example, or cert add\n"
            );
            assert!(ended.stderr.contains(&told), "{}", ended.stderr);
        }
        assert!(ended.stderr.contains("sealpost: 2 accounts failed\n"), "{}", ended.stderr);
        assert!(bob.messages().iter().all(Lying::is_sealed) && !anna.messages()[0].is_sealed());
    }
    let (code, stderr) = site.refused("mailbox encrypt --account anna@north.example --all");
    assert_eq!(code, 1);
    let told = "sealpost: anna@north.example has no active certificate\n  sealpost cert issue --account anna@north.example, or cert add\n";
    assert_eq!(stderr, told);
}

#[test]
fn an_owner_without_mail_is_no_failure() {
    let (site, _) = Site::certified();
    let ended = site.run("mailbox encrypt --account robert@north.example --all");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.text().contains("looked at        0\n"), "{}", ended.text());
    assert!(!site.root().join("mail/north.example").exists(), "nothing is made either");
}

#[test]
fn what_is_not_there_is_said_before_anything_is_done() {
    let (site, password) = Site::certified();
    Maildir::of(&site.root(), "bob");
    let password = path(&password);
    for (code, words, told) in [
        (66, "encrypt --account eve@north.example", "there is no account eve@north.example"),
        (66, "encrypt --domain south.example", "there is no domain south.example"),
        (
            66,
            "encrypt --account bob@north.example --acting eve@north.example",
            "there is no account eve@north.example",
        ),
        (64, "encrypt", "the following required arguments were not provided"),
        (64, "encrypt --account bob@north.example --all-accounts", "cannot be used with"),
        (64, "encrypt --account bob@north.example --sealed-to-others drop", "invalid value 'drop'"),
        (
            64,
            "decrypt --account bob@north.example",
            "a password is needed and there is no terminal to ask at",
        ),
        (64, "decrypt --domain north.example", "opens the vault of one account"),
        (
            64,
            &format!("decrypt --domain north.example --password-file {password}"),
            "opens the vault of one account",
        ),
        (64, &format!("rekey --all-accounts --password-file {password}"), "opens the vault of one account"),
        (64, "rekey --account bob@north.example --old-cert x", "--key <FILE>"),
        (66, "rekey --account bob@north.example --key nowhere.pem", "cannot read nowhere.pem"),
        (66, "rekey --account bob@north.example --domain-key --domain south.example", "cannot be used with"),
    ] {
        let (given, stderr) = site.refused(&format!("mailbox {words} --all"));
        assert!(stderr.contains(told), "{words}: {stderr}");
        let code = if told == "cannot be used with" { 64 } else { code };
        assert_eq!(given, code, "{words}: {stderr}");
    }
    let ended = site.run("mailbox encrypt --account bob@north.example --mailbox Nowhere --all");
    assert_eq!(ended.code, Some(66), "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "sealpost: mailbox Nowhere of bob@north.example does not exist\n  see: sealpost mailbox list\n"
    );
}

/// What was sealed to the key of the domain is opened by it, and handed to the account's own certificate later.
#[test]
fn the_key_of_the_domain_opens_what_was_sealed_to_it() {
    let (site, _) = Site::certified();
    site.run("cert self-sign --domain north.example --purpose sealing").ok();
    site.run("account add anna@north.example").ok();
    site.run("domain set north.example --missing-certificate domain-key").ok();
    let maildir = Maildir::of(&site.root(), "anna");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    let sealed = site.run("mailbox encrypt --account anna@north.example --all");
    assert_eq!(sealed.code, Some(0), "{}", sealed.stderr);
    let warning = "sealpost: warning: sealed to the key of north.example instead";
    assert!(sealed.stderr.starts_with(warning), "{}", sealed.stderr);
    assert!(maildir.messages()[0].is_sealed());
    let before = everything(&site.root().join("mail"));
    let left = site.run("mailbox rekey --domain north.example --domain-key --all");
    assert!(left.text().contains("already right"), "{} {}", left.text(), left.stderr);
    assert_eq!(everything(&site.root().join("mail")), before);
    site.run("mailbox decrypt --all-accounts --domain-key --all").ok();
    assert_eq!(maildir.messages()[0].bytes, CLEAR);
    site.run("mailbox encrypt --account anna@north.example --all").ok();
    let password = site.folder().join("password");
    let generate = "key generate --account anna@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    site.run("cert issue --account anna@north.example").ok();
    let anna = "--account anna@north.example --all";
    let ended = site.run(&format!("mailbox rekey {anna} --domain-key"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        site.run(&format!("mailbox decrypt {anna} --domain-key")).code == Some(1),
        "not to the domain any more"
    );
    site.run(&format!("mailbox decrypt {anna} --password-file {}", path(&password))).ok();
    assert_eq!(maildir.messages()[0].bytes, CLEAR);
}

/// Of failures of one kind a hundred lines are enough for a person; a program gets all.
#[test]
fn many_failures_do_not_flood() {
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let sealed = maildir.messages().remove(0);
    for number in 0..120 {
        maildir.put(&format!("cur/15778{number:05}.b.host:2,S"), &sealed.bytes, number);
    }
    let key = sealpost::pki::UnlockedKey::generate(
        sealpost::pki::KeyType::EcP256,
        sealpost::crypto::Seed::from_bytes(&mut [3; 32]),
    );
    let other = site.folder().join("eve.der");
    std::fs::write(&other, key.unwrap().to_pkcs8().unwrap().expose()).unwrap();
    let decrypt = format!("mailbox decrypt --account bob@north.example --key {} --all", path(&other));
    let ended = site.run(&decrypt);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr.matches("sealed to no key at hand").count(), 100);
    assert!(
        ended.stderr.contains("sealpost: and 21 more failures, which --json names\n"),
        "{}",
        ended.stderr
    );
    let events = events(&site.run(&format!("{decrypt} --json")));
    assert_eq!(
        events.iter().filter(|event| event["outcome"] == "failed" && event["event"] == "message").count(),
        121
    );
}

#[test]
fn the_help_says_what_is_replaced_and_what_is_not_wiped() {
    for verb in ["encrypt", "decrypt", "rekey"] {
        let help = crate::support::Program::sealpost().words(&format!("mailbox {verb} --help")).run().text();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("file is removed") && help.contains("backups"), "{help}");
        assert!(help.contains("Flags, keywords and date stay"), "{help}");
    }
}

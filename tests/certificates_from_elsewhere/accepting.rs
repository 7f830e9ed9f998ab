//! Accepting and refusing, and that nothing is sealed to what waits.

use super::signer::{Made, add, configure, made, offered, pending, robert, store};
use crate::hook::assert_answer;
use crate::support::{KeyKind, Program, path, tools};

const MESSAGE: &[u8] = b"From: anna@south.example\r\nSubject: x\r\n\r\nhello\r\n";

#[test]
fn what_waits_is_shown_and_accepted() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::Rsa2048);
    let print = signer.fingerprint();
    assert_eq!(store.command("cert pending").run().text(), "no certificate waits\n");
    add(&store, &signer.sign("")).ok();
    let listed = store.command("cert pending --domain north.example").run().text();
    assert!(listed.contains(&print[..16]) && listed.trim_end().ends_with("signed mail  holds"), "{listed}");
    let shown = store.json("account show bob@north.example");
    assert_eq!(shown["pending_certificates"], serde_json::json!([print]));
    assert!(
        store
            .command("account show bob@north.example")
            .run()
            .text()
            .contains("pending         1 certificate\n")
    );
    assert!(store.command("cert list --account bob@north.example").run().text().contains("pending"));
    // Who seals to it elsewhere is told by inspect whose it is.
    let sealed = store.command("seal --cert").args([path(&signer.certificate)]).input(MESSAGE).run().ok();
    let inspected = store.command("inspect").input(sealed).run().text();
    assert!(inspected.contains(", pending since "), "{inspected}");
    // Nothing is sealed to it while it waits, and nothing of what it has is lost.
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let sealed = store.inbox().pop().unwrap();
    let report = store.command("inspect --json").input(sealed).run().text();
    assert!(report.contains("\"certificate\":") && !report.contains(&print), "{report}");
    let accept = format!("cert accept --account bob@north.example --fingerprint {}", &print[..16]);
    let told = store.command(&accept).run().text();
    assert!(
        told.starts_with(&format!("mail for bob@north.example is sealed to {print}, valid until ")),
        "{told}"
    );
    assert_eq!(pending(&store), []);
    let before = store.inbox();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let after = store.inbox();
    let new = after.into_iter().find(|message| !before.contains(message)).unwrap();
    let report = store.command("inspect --json").input(new).run().text();
    assert!(report.contains(&print), "{report}");
    assert_eq!(store.command(&accept).run().code, Some(66));
}

#[test]
fn what_is_refused_does_not_come_back_by_itself() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let (signer, message) = offered(&store);
    let print = signer.fingerprint();
    let refuse = format!("cert refuse --account robert@north.example --fingerprint {}", &print[..8]);
    assert_eq!(
        store.command(&refuse).run().text(),
        format!(
            "{print} of bob@north.example is refused: it does not wait any more and does not come back\n"
        )
    );
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert_eq!(pending(&store), []);
    assert!(add(&store, &message).stderr.ends_with("was refused before\n"));
    assert_eq!(
        store.command(&refuse).run().stderr,
        "sealpost: no certificate of bob@north.example waits\n  see: sealpost cert pending\n"
    );
    // By hand it can be added, and then it is as any other.
    let file = ["--file", path(&signer.certificate)];
    store.command("cert add --account bob@north.example").args(file).run().ok();
    let list = store.json("cert list --account bob@north.example");
    assert_eq!(list["certificates"].as_array().unwrap().len(), 2);
    assert!(add(&store, &message).stderr.ends_with("already active\n"));
}

#[test]
fn a_trusted_source_needs_no_consent_and_a_closed_door_takes_nothing() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::P256);
    configure(&store, "certificates-from-mail = false\n");
    assert_answer(&store.deliver(&signer.sign("")), 0, "2.0.0");
    assert_eq!(pending(&store), []);
    configure(&store, "trusted-certificate-sources = [\"mail\"]\n");
    assert_answer(&store.deliver(&signer.sign("")), 0, "2.0.0");
    let list = store.json("cert list --account bob@north.example");
    assert_eq!(list["certificates"][1]["state"], "active", "{list}");
    assert_eq!(pending(&store), []);
    // A certificate that `cert add` would not take waits, even from there.
    store.command("account set bob@north.example --profile post-quantum").run().ok();
    let other = robert(&store, KeyKind::P384);
    assert_answer(&store.deliver(&other.sign("")), 75, "4.7.5");
    store.command("account set bob@north.example --profile compatible").run().ok();
}

/// An account with a key in the vault: what waits for that key changes nothing of it, nor does adding retire what waits.
#[test]
fn a_pending_certificate_changes_no_key_and_blocks_no_writer() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::Rsa2048);
    let key = std::fs::read_to_string(&signer.key).unwrap();
    let (file, password) = (store.file("vault.key"), store.file("password"));
    std::fs::write(&file, key).unwrap();
    std::fs::write(&password, "correct horse\n").unwrap();
    let import = store.command("key import --account bob@north.example --file");
    import.args([path(&file), "--password-file", path(&password)]).run().ok();
    add(&store, &signer.sign("")).ok();
    let shown = store.json("key show --account bob@north.example");
    assert!(shown.to_string().contains("\"state\":\"active\""), "{shown}");
}

/// Somebody else is writing: mail is stored at once, and the certificate comes another time.
#[test]
fn a_busy_directory_costs_the_offer_and_no_time() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let log = store.file("log");
    configure(&store, &format!("log = \"{}\"\n", path(&log)));
    let signer = robert(&store, KeyKind::P256);
    let message = signer.sign("");
    let writer = rusqlite::Connection::open(store.root().join("directory.sqlite")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ended = store.deliver(&message);
    assert_answer(&ended, 0, "2.0.0");
    assert!(ended.took < std::time::Duration::from_secs(4), "{:?}", ended.took);
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(pending(&store), []);
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert_eq!(pending(&store).len(), 1);
    let log = std::fs::read_to_string(&log).unwrap();
    for line in [
        "no certificate was taken from the message: the directory is busy",
        "a certificate was offered: it waits for sealpost cert accept",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line}\n{log}");
    }
    assert!(!log.contains("Here is my new"), "{log}");
}

/// Only what the account sends to itself is an offer.
#[test]
fn a_message_to_somebody_else_offers_nothing() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    store.command("account add eve@north.example").run().ok();
    store.command("domain set north.example --catch-all bob@north.example").run().ok();
    let eve = store.authority.p256("eve");
    store.certify(&eve);
    let signer = robert(&store, KeyKind::P256);
    let message = signer.sign("");
    let deliver = |to: &str| {
        store
            .command("deliver --sender=robert@north.example")
            .args([format!("--recipient={to}")])
            .input(message.clone())
            .run()
    };
    assert_answer(&deliver("eve@north.example"), 0, "2.0.0");
    assert_eq!(pending(&store), []);
    // Whatever leads to the account is the account: here its detail.
    assert_answer(&deliver("bob+me@north.example"), 0, "2.0.0");
    assert_eq!(pending(&store).len(), 1);
}

#[test]
fn what_waits_and_what_was_refused_is_in_a_backup() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let refused = robert(&store, KeyKind::P384);
    let again = refused.sign("");
    add(&store, &again).ok();
    let refuse = format!("cert refuse --account bob@north.example --fingerprint {}", refused.fingerprint());
    store.command(&refuse).run().ok();
    let waits = robert(&store, KeyKind::Rsa2048);
    add(&store, &waits.sign("")).ok();
    let (file, root) = (store.file("backup"), store.file("restored"));
    store.command("backup").args([path(&file)]).run().ok();
    let restored = |words: &str| Program::sealpost().args(["--root", path(&root)]).words(words);
    restored("restore").args([path(&file)]).run().ok();
    let listed = restored("cert pending --json").run().text();
    assert!(listed.contains(&waits.fingerprint()), "{listed}");
    let told = restored("cert add --account bob@north.example --from-message -").input(again).run();
    assert!(told.stderr.ends_with("was refused before\n"), "{}", told.stderr);
}

/// Accepting looks again, with every reason: what was fit when it came need not be any more.
#[test]
fn accepting_looks_again() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let signer = robert(&store, KeyKind::P256);
    add(&store, &signer.sign("")).ok();
    let own = Made { self_signed: true, ..made("own") }.make(&store);
    add(&store, &own.sign("")).ok();
    let accept = |print: &str| {
        let words = format!("cert accept --account bob@north.example --fingerprint {print}");
        let ended = store.command(&words).run();
        (ended.code, ended.stderr)
    };
    configure(&store, "trust = \"chain\"\ntrust-bundle = \"none\"\nminimum-rsa-bits = 4096\n");
    let (code, stderr) = accept(&own.fingerprint());
    assert_eq!(code, Some(65));
    for reason in ["at least 4096 are required", "; it does not chain to a trusted authority: "] {
        assert!(stderr.contains(reason), "{stderr}");
    }
    store.command("account set bob@north.example --remove-alias robert@north.example").run().ok();
    let (_, stderr) = accept(&signer.fingerprint());
    assert!(stderr.contains("it names robert@north.example and not bob@north.example"), "{stderr}");
    assert_eq!(pending(&store).len(), 2);
    assert_eq!(
        accept("00000000"),
        (
            Some(66),
            format!(
                "sealpost: no fingerprint there begins with 00000000\n  there is {}, {}\n",
                signer.fingerprint(),
                own.fingerprint()
            )
        )
    );
}

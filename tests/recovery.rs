//! The recovery certificate: off by default, visible, a further recipient of those who have it and of nobody else.

use crate::hook::assert_answer;
use crate::support::{Ended, Identity, KeyKind, Program, Store, crlf, path, tools};

const MESSAGE: &[u8] = b"From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\n\
The word is xyzzy-plugh-4711.\n";

/// A store with Bob and Carol, and a recovery certificate that is set and that nobody has.
struct Stage {
    store: Store,
    carol: Identity,
    recovery: Identity,
}

impl Stage {
    fn new() -> Option<Stage> {
        if !tools(&["openssl"]) {
            return None;
        }
        let store = Store::new();
        let carol = store.authority.p256("carol");
        store.command("account add carol@north.example").run().ok();
        store.certify(&carol);
        let recovery = store.authority.rsa("recovery");
        let stage = Stage { store, carol, recovery };
        stage.config("");
        stage.set(&stage.recovery).ok();
        Some(stage)
    }

    fn config(&self, text: &str) {
        let log = self.store.file("log");
        let text = format!("log = \"{}\"\n{text}", path(&log));
        std::fs::write(self.store.root().join("sealpost.toml"), text).unwrap();
    }

    fn set(&self, who: &Identity) -> Ended {
        self.command("recovery set --domain north.example --file").args([path(&who.certificate)]).run()
    }

    fn command(&self, words: &str) -> Program {
        self.store.command(words)
    }

    /// What is stored for somebody when a message comes, and what the log says.
    fn deliver(&self, message: &[u8], to: &str) -> (Vec<u8>, String) {
        let before = self.store.stored().into_iter().filter(|(file, _)| path(file).contains("/new/"));
        before.for_each(|(file, _)| std::fs::remove_file(file).unwrap());
        let _ = std::fs::remove_file(self.store.file("log"));
        let ended =
            self.command(&format!("deliver --sender= --recipient={to}@north.example")).input(message).run();
        let log = std::fs::read_to_string(self.store.file("log")).unwrap();
        assert_answer(&ended, 0, "2.0.0");
        let mut stored = self.store.stored();
        stored.retain(|(file, _)| path(file).contains("/new/"));
        assert_eq!(stored.len(), 1, "{log}");
        (stored.remove(0).1, log)
    }
}

/// Another judge opens it: not what we say of it counts.
fn opens(who: &Identity, sealed: &[u8]) -> bool {
    let args = ["-recip", path(&who.certificate), "-inkey", path(&who.key)];
    let ended = Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run();
    ended.code == Some(0) && ended.stdout == crlf(MESSAGE)
}

fn print(who: &Identity) -> String {
    let pem = std::fs::read(&who.certificate).unwrap();
    sealpost::pki::Certificate::from_pem(&pem).unwrap().fingerprint().to_string()
}

fn row(text: &str, name: &str) -> String {
    let found = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    found.unwrap_or_else(|| panic!("no {name}: {text}"))[name.len()..].trim().to_owned()
}

#[test]
fn nobody_has_it_unless_account_or_domain_says_so() {
    let Some(stage) = Stage::new() else { return };
    let recovers = |to: &str| opens(&stage.recovery, &stage.deliver(MESSAGE, to).0);
    assert!(!recovers("bob") && !recovers("carol"));
    let shown =
        |to: &str| row(&stage.command(&format!("account show {to}@north.example")).run().text(), "recovery");
    assert_eq!(shown("bob"), "no");
    stage.command("account set bob@north.example --recovery yes").run().ok();
    assert!(recovers("bob") && !recovers("carol"));
    let print = print(&stage.recovery);
    assert!(shown("bob").starts_with(&format!("yes (its own): certificate {}, valid until ", &print[..16])));
    stage.command("domain set north.example --recovery yes").run().ok();
    assert!(recovers("bob") && recovers("carol"));
    assert!(shown("carol").starts_with(&format!("yes (by its domain): certificate {}", &print[..16])));
    stage.command("account set carol@north.example --recovery no").run().ok();
    assert!(!recovers("carol"));
    assert_eq!(shown("carol"), "no");
    stage.command("account set bob@north.example --recovery inherit").run().ok();
    assert!(recovers("bob"));
    let json = stage.command("account show bob@north.example --json").run().ok();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["recovery"], &json["recovery_certificate"]), (&"yes".into(), &print.as_str().into()));
    stage.command("recovery remove --domain north.example").run().ok();
    let (sealed, log) = stage.deliver(MESSAGE, "bob");
    assert!(!opens(&stage.recovery, &sealed) && opens(&stage.store.bob, &sealed));
    let warning =
        "nobody but bob@north.example can open this copy: north.example has no recovery certificate";
    assert!(log.contains(warning) && log.contains("warnings=1"), "{log}");
    assert_eq!(shown("bob"), "yes (by its domain), but north.example has no recovery certificate");
    let doctor = stage.command("doctor --within 0").run();
    let found = "problem   north.example      it says recovery = yes and has no recovery certificate: sealpost recovery set \
                 --domain north.example --file FILE\n";
    assert!(doctor.code == Some(1) && doctor.text().contains(found), "{}", doctor.text());
}

/// The log, the message itself and `inspect` name it, and its owner still opens the copy.
#[test]
fn whoever_looks_at_the_copy_sees_that_it_can_be_recovered() {
    let Some(stage) = Stage::new() else { return };
    stage.command("account set bob@north.example --recovery yes").run().ok();
    let (sealed, log) = stage.deliver(MESSAGE, "bob");
    assert!(
        opens(&stage.store.bob, &sealed) && opens(&stage.recovery, &sealed) && !opens(&stage.carol, &sealed)
    );
    let (bob, recovery) = (print(&stage.store.bob), print(&stage.recovery));
    let how = format!(
        "sealed with aes-256-cbc to bob@north.example ({bob}), recovery of north.example ({recovery})"
    );
    assert!(log.contains(&how), "{log}");
    let text = String::from_utf8(sealed.clone()).unwrap();
    let header = text.split("\nSealpost-Sealed:").nth(1).unwrap().split("\nMIME-Version").next().unwrap();
    assert!(
        header.ends_with("; recovery=\"north.example\"")
            || header.ends_with(";\n recovery=\"north.example\""),
        "{header}"
    );
    let inspected = stage.command("inspect").input(sealed.clone()).run().text();
    let named = format!("recovery of north.example, certificate {}, active since ", &recovery[..16]);
    assert!(
        inspected.lines().any(|line| line.starts_with("recipient ") && line.contains(&named)),
        "{inspected}"
    );
    assert!(row(&inspected, "claim").contains("recovery=north.example"), "{inspected}");
    let json = stage.command("inspect --json").input(sealed).run().ok();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let holder = &json["recipients"][1]["holders"][0];
    assert_eq!((&holder["as"], &holder["account"]), (&"recovery".into(), &"north.example".into()));
    let explained = stage.command("rules explain --recipient bob@north.example").input(MESSAGE).run().text();
    assert!(explained.contains("  bob@north.example, recovery of north.example\n"), "{explained}");
    let without = stage.deliver(MESSAGE, "carol").0;
    assert!(!String::from_utf8(without).unwrap().contains("recovery="));
}

#[test]
fn it_is_set_shown_replaced_and_removed() {
    let Some(stage) = Stage::new() else { return };
    let (first, bob) = (print(&stage.recovery), print(&stage.store.bob));
    let set = |who: &Identity| stage.set(who).text();
    let until = row(&stage.command("recovery show --domain north.example").run().text(), "valid");
    let until = until.split(" to ").nth(1).unwrap().to_owned();
    assert_eq!(
        set(&stage.store.bob),
        format!(
            "recovery certificate {bob} of north.example stored, valid until {until}\n\
             it takes the place of {first}: keep that key for mail that is sealed to it\n\
             mail is sealed to it for accounts that say so: sealpost account set ADDRESS --recovery yes\n\
             or for all of north.example: sealpost domain set north.example --recovery yes\n"
        )
    );
    stage.command("domain set north.example --recovery yes").run().ok();
    let pem = std::fs::read(&stage.recovery.certificate).unwrap();
    let from_input = stage.command("recovery set --domain north.example --file -").input(pem).run().text();
    assert!(
        from_input.ends_with("mail for accounts of north.example is sealed to it from now on\n"),
        "{from_input}"
    );
    let domain = stage.command("domain show north.example").run().text();
    assert_eq!(row(&domain, "recovery by"), format!("certificate {}, valid until {until}", &first[..16]));
    assert_eq!(
        row(&stage.command("recovery show --domain north.example").run().text(), "certificate"),
        first
    );
    let removed = stage.command("recovery remove --domain north.example").run().text();
    assert_eq!(
        removed,
        format!(
            "recovery certificate {first} of north.example removed: nothing is sealed to it any more\n\
             what is sealed to it stays so: keep its key\n"
        )
    );
    for verb in ["show", "remove"] {
        let ended = stage.command(&format!("recovery {verb} --domain north.example")).run();
        let text = "sealpost: north.example has no recovery certificate\n  \
                    set one: sealpost recovery set --domain north.example --file FILE\n";
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(66), text));
    }
    // A domain that goes takes it along.
    stage.set(&stage.recovery).ok();
    for account in ["bob", "carol"] {
        stage.command(&format!("account remove {account}@north.example")).run().ok();
    }
    stage.command("domain remove north.example").run().ok();
}

#[test]
fn what_cannot_be_sealed_to_is_not_set() {
    let Some(stage) = Stage::new() else { return };
    let refused = |file: &std::path::Path| {
        let set = stage.command("recovery set --domain north.example --file").args([path(file)]).run();
        let place = format!(
            "the certificate in {} cannot be the recovery certificate of north.example: ",
            path(file)
        );
        assert_eq!(set.code, Some(65), "{}", set.stderr);
        let text = set.stderr.strip_prefix("sealpost: nothing is stored: ").unwrap().to_owned();
        text.strip_prefix(&place).unwrap_or_else(|| panic!("{text}")).trim_end().to_owned()
    };
    assert_eq!(
        refused(&stage.store.authority.certificate()),
        "it may not be used to encrypt mail: its keyUsage lacks keyEncipherment"
    );
    let curve = stage.store.authority.person("curve", KeyKind::X25519);
    let text = refused(&curve.certificate);
    let wanted =
        format!("the profile compatible cannot serve the X25519 key of certificate {}", print(&curve));
    assert_eq!(text, format!("{wanted}: choose the profile modern"));
    stage.config("minimum-rsa-bits = 4096\n");
    assert_eq!(
        refused(&stage.recovery.certificate),
        "its key is too weak: 2048 bits, at least 4096 are required"
    );
    assert_eq!(
        row(&stage.command("recovery show --domain north.example").run().text(), "certificate"),
        print(&stage.recovery)
    );
}

/// Mail that its owner can open is neither lost nor late for it; the log, the doctor and `rules explain` say so.
#[test]
fn one_that_became_unusable_is_left_out_with_a_warning() {
    let Some(stage) = Stage::new() else { return };
    stage.command("account set carol@north.example --recovery yes").run().ok();
    stage.config("minimum-rsa-bits = 4096\n");
    let (sealed, log) = stage.deliver(MESSAGE, "carol");
    assert!(opens(&stage.carol, &sealed) && !opens(&stage.recovery, &sealed));
    let warning = "nobody but carol@north.example can open this copy: the recovery certificate of north.example is left out: \
                   its key is too weak: 2048 bits, at least 4096 are required";
    assert!(log.contains(warning) && log.contains("warnings=1"), "{log}");
    assert!(!String::from_utf8(sealed).unwrap().contains("recovery="));
    let doctor = stage.command("doctor --within 0").run().text();
    assert!(doctor.contains(&format!("carol@north.example  {warning}")), "{doctor}");
    let found = "north.example        its recovery certificate cannot be sealed to: its key is too weak: 2048 bits, at least 4096 \
                 are required: sealpost recovery set --domain north.example --file FILE\n";
    assert!(doctor.contains(found), "{doctor}");
    let explained = stage.command("rules explain --recipient carol@north.example").input(MESSAGE).run();
    assert!(explained.code == Some(0) && explained.text().contains(&format!("warning: {warning}\n")));
    // A profile that has nothing for its key.
    stage.config("");
    stage.command("account set carol@north.example --profile modern").run().ok();
    let curve = stage.store.authority.person("curve", KeyKind::X25519);
    stage.command("domain set north.example --profile modern").run().ok();
    stage.set(&curve).ok();
    stage.command("account set carol@north.example --profile compatible").run().ok();
    let (sealed, log) = stage.deliver(MESSAGE, "carol");
    let warning = "the recovery certificate of north.example is left out: the profile compatible cannot serve the X25519 key";
    assert!(opens(&stage.carol, &sealed) && log.contains(warning), "{log}");
}

/// Its key is kept for such a day.
#[test]
fn one_that_has_ended_is_still_sealed_to_with_a_warning() {
    use sealpost::crypto::Seed;
    use sealpost::directory::SqliteDirectory;
    use sealpost::pki::{AuthorityProfile, KeyType, Subject, UnlockedKey, Validity, self_sign_recipient};
    use time::{Duration, OffsetDateTime};
    let Some(stage) = Stage::new() else { return };
    let seed = |byte: u8| Seed::from_bytes(&mut [byte; 32]);
    let key = UnlockedKey::generate(KeyType::EcP256, seed(7)).unwrap();
    let begin = OffsetDateTime::now_utc() - Duration::days(30);
    let subject = Subject::named("Recovery");
    let profile = AuthorityProfile {
        subject: &subject,
        dns_names: &[],
        validity: Validity::lasting(begin, Duration::days(20)),
    };
    let certificate = self_sign_recipient(&key, &profile, seed(8)).unwrap();
    SqliteDirectory::open(&stage.store.root()).unwrap().set_recovery("north.example", &certificate).unwrap();
    stage.command("domain set north.example --recovery yes --expired defer").run().ok();
    let (sealed, log) = stage.deliver(MESSAGE, "carol");
    let ended = format!("it ended on {}", certificate.not_after().date());
    assert!(log.contains(&format!("the recovery certificate of north.example: {ended}")), "{log}");
    let opening = sealpost::smime::OpeningKey { key: &key, certificate: Some(&certificate) };
    let opened = sealpost::smime::open(&sealed, &[opening]).unwrap();
    assert_eq!(opened.message.expose(), &*crlf(MESSAGE));
    let doctor = stage.command("doctor --within 0").run().text();
    let found = format!(
        "problem   north.example        its recovery certificate ended on {}",
        certificate.not_after().date()
    );
    assert!(doctor.contains(&found), "{doctor}");
    // It can be set while it is valid only.
    std::fs::write(stage.store.file("ended.pem"), certificate.to_pem().unwrap()).unwrap();
    let set = stage
        .command("recovery set --domain north.example --file")
        .args([path(&stage.store.file("ended.pem"))])
        .run();
    assert!(set.stderr.trim_end().ends_with(&format!("of north.example: {ended}")), "{}", set.stderr);
}

#[test]
fn what_its_sender_encrypted_stays_only_if_it_can_be_recovered() {
    let Some(stage) = Stage::new() else { return };
    let encrypted = |to: &[&Identity]| {
        let certificates = to.iter().flat_map(|who| ["--cert", path(&who.certificate)]);
        Program::sealpost().args(["seal"]).args(certificates).input(MESSAGE).run().ok()
    };
    let (bob, both) = (encrypted(&[&stage.store.bob]), encrypted(&[&stage.store.bob, &stage.recovery]));
    assert_eq!(stage.deliver(&bob, "bob").0, bob, "nobody recovers yet");
    stage.command("account set bob@north.example --recovery yes").run().ok();
    let (again, log) = stage.deliver(&bob, "bob");
    assert!(again != bob && log.contains("recovery of north.example"), "{log}");
    let (kept, log) = stage.deliver(&both, "bob");
    assert_eq!(kept, both);
    assert!(log.contains("as it came, sealed with") && log.contains("recovery of north.example"), "{log}");
}

#[test]
fn in_a_foreign_mailbox_it_is_there_if_one_of_both_has_it() {
    let Some(stage) = Stage::new() else { return };
    stage.command("acl grant --mailbox ~carol/Shared --account bob@north.example --create").run().ok();
    stage.store.rules(
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"~carol/Shared\"], [\"Discard\"]]\n",
    );
    assert!(!opens(&stage.recovery, &stage.deliver(MESSAGE, "bob").0));
    for (yes, no) in [("bob", "carol"), ("carol", "bob")] {
        stage.command(&format!("account set {yes}@north.example --recovery yes")).run().ok();
        stage.command(&format!("account set {no}@north.example --recovery no")).run().ok();
        assert!(opens(&stage.recovery, &stage.deliver(MESSAGE, "bob").0), "{yes}");
    }
    stage.command("domain set north.example --recovery yes").run().ok();
    stage.command("account set bob@north.example --recovery inherit").run().ok();
    let (sealed, log) = stage.deliver(MESSAGE, "bob");
    assert_eq!(log.matches("recovery of north.example").count(), 1, "{log}");
    assert_eq!(String::from_utf8(sealed).unwrap().matches("recovery=").count(), 1);
}

#[test]
fn rekey_adds_it_for_the_accounts_that_have_it() {
    let Some(stage) = Stage::new() else { return };
    let sealed = stage.deliver(MESSAGE, "bob").0;
    let old = ["--key", path(&stage.store.bob.key), "--old-cert", path(&stage.store.bob.certificate)];
    let to_bob = || stage.command("rekey --to bob@north.example").args(old).input(sealed.clone()).run().ok();
    assert!(opens(&stage.store.bob, &to_bob()) && !opens(&stage.recovery, &to_bob()));
    stage.command("account set bob@north.example --recovery yes").run().ok();
    let rekeyed = to_bob();
    assert!(opens(&stage.store.bob, &rekeyed) && opens(&stage.recovery, &rekeyed));
    // For Carol, who does not have it, nothing is added.
    let to_carol = stage.command("rekey --to carol@north.example").args(old).input(rekeyed).run().ok();
    assert!(
        opens(&stage.carol, &to_carol)
            && !opens(&stage.recovery, &to_carol)
            && !opens(&stage.store.bob, &to_carol)
    );
    // The key of an account of the vault opens it for a certificate from a file: the account has it still.
    let password = stage.store.file("password");
    std::fs::write(&password, "correct horse\n").unwrap();
    for words in
        ["key generate --domain north.example --type ec-p256", "cert self-sign --domain north.example"]
    {
        stage.command(words).run().ok();
    }
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    stage.command(generate).args([path(&password)]).run().ok();
    stage.command("cert issue --account bob@north.example").run().ok();
    let sealed = stage.deliver(MESSAGE, "bob").0;
    let rekey = || {
        let program =
            stage.command("rekey --account bob@north.example --password-file").args([path(&password)]);
        program.args(["--cert", path(&stage.carol.certificate)]).input(sealed.clone()).run().ok()
    };
    assert!(opens(&stage.carol, &rekey()) && opens(&stage.recovery, &rekey()));
    stage.command("account set bob@north.example --recovery no").run().ok();
    assert!(opens(&stage.carol, &rekey()) && !opens(&stage.recovery, &rekey()));
}

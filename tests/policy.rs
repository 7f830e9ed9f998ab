//! What configuration, directory and rules make of a message, end to end through the hook.

use crate::hook::{assert_answer, assert_doubt};
use crate::support::{Ended, Identity, Program, Store, crlf, path, tools};
use sealpost::crypto::Seed;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, KeyType, Subject, UnlockedKey, UserProfile, Validity, self_sign,
};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

const MESSAGE: &[u8] = b"From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\n\
The word is xyzzy-plugh-4711.\n";
const CLEAR: &[u8] = b"xyzzy-plugh-4711";

impl Store {
    fn config(&self, text: &str) {
        std::fs::write(self.root().join("sealpost.toml"), text).unwrap();
    }

    fn hook(&self, words: &str) -> Ended {
        self.command(&format!("deliver {words}")).input(MESSAGE).run()
    }

    /// A rule of that name without conditions.
    fn rule(&self, scope: &str, then: &str) {
        let text = format!("[[rule]]\nname = \"The rule\"\npriority = 5\nwhen = []\nthen = [{then}]\n");
        let file = self.file("rule.toml");
        std::fs::write(&file, text).unwrap();
        self.command("rules install").args([path(&file)]).words(scope).run().ok();
    }

    /// A further account with a certificate.
    fn join(&self, name: &str) -> Identity {
        let person = self.authority.rsa(name);
        self.command(&format!("account add {}", person.address)).run().ok();
        self.certify(&person);
        person
    }

    /// What is visible in a mailbox, flags and all: path below the Maildir, and bytes.
    fn visible(&self, local: &str) -> Vec<(String, Vec<u8>)> {
        let maildir = self.root().join(format!("mail/north.example/{local}/Maildir"));
        let below = |file: PathBuf| file.strip_prefix(&maildir).ok().map(|file| path(file).to_owned());
        let found = self.stored().into_iter().filter_map(|(file, bytes)| Some((below(file)?, bytes)));
        found.filter(|(file, _)| file.contains("new/") || file.contains("cur/")).collect()
    }
}

fn opens(person: &Identity, sealed: &[u8]) -> bool {
    let args = ["open", "--key", path(&person.key), "--cert", path(&person.certificate)];
    let ended = Program::sealpost().args(args).input(sealed).run();
    ended.code == Some(0) && ended.stdout == crlf(MESSAGE)
}

#[test]
fn alias_detail_and_catch_all_lead_to_the_account() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("domain set north.example --alias alias.example").run().ok();
    store.command("account set bob@north.example --alias robert@north.example").run().ok();
    let names =
        ["robert@north.example", "BOB@alias.example", "bob+lists@north.example", "robert+x@alias.example"];
    for (number, name) in names.iter().enumerate() {
        assert_answer(&store.hook(&format!("--recipient={name}")), 0, "2.0.0");
        assert_eq!(store.inbox().len(), number + 1, "{name}");
    }
    assert_answer(&store.hook("--recipient=eve@north.example"), 67, "5.1.1");
    store.command("domain set north.example --catch-all bob@north.example").run().ok();
    assert_answer(&store.hook("--recipient=eve@north.example"), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=eve@alias.example"), 0, "2.0.0");
    assert_eq!(store.inbox().len(), names.len() + 2);
    // One account, one copy, however many of its names the envelope holds.
    assert_answer(
        &store.hook("--recipient=robert@north.example --recipient=bob+a@north.example"),
        0,
        "2.0.0",
    );
    assert_eq!(store.inbox().len(), names.len() + 3);
}

#[test]
fn the_delimiter_is_what_the_configuration_says() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.config("recipient-delimiter = \"-\"\n");
    assert_answer(&store.hook("--recipient=bob-lists@north.example"), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=bob+lists@north.example"), 67, "5.1.1");
    store.config("recipient-delimiter = \"\"\n");
    assert_answer(&store.hook("--recipient=bob-lists@north.example"), 67, "5.1.1");
    assert_eq!(store.inbox().len(), 1);
}

#[test]
fn options_take_empty_values_and_values_that_begin_with_a_hyphen() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let words = "--recipient=bob@north.example --sender= --original-recipient= --client= --queue-id=";
    assert_answer(&store.hook(words), 0, "2.0.0");
    let words = "--recipient=bob@north.example --sender=-x@y.example --original-recipient=-z --queue-id=-1";
    assert_answer(&store.hook(words), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=-eve@north.example"), 67, "5.1.1");
    assert_eq!(store.inbox().len(), 2);
}

#[test]
fn a_disabled_domain_defers() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    for mode in ["disabled", "test"] {
        store.command(&format!("domain set north.example --mode {mode}")).run().ok();
        assert_answer(&store.deliver(MESSAGE), 75, "4.7.5");
    }
    // Nor does a consent to clear text for those who have no certificate help: Bob has one.
    store.command("domain set north.example --missing-certificate plain").run().ok();
    assert_answer(&store.deliver(MESSAGE), 75, "4.7.5");
    assert!(!store.holds(CLEAR));
    store.command("domain set north.example --mode enabled").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert!(!store.holds(CLEAR));
}

/// Bob under an authority of the test, with a validity of the test's choice.
fn bob_of(store: &Store, begin: OffsetDateTime, days: i64) -> (String, PathBuf) {
    let seed = |byte: u8| Seed::from_bytes(&mut [byte; 32]);
    let root_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let subject = Subject::named("Another authority");
    let years = Validity { not_before: begin - Duration::days(900), not_after: begin + Duration::days(900) };
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity: years };
    let root = self_sign(&root_key, &profile, seed(2)).unwrap();
    let key = UnlockedKey::generate(KeyType::Rsa2048, seed(3)).unwrap();
    let addresses = [Address::parse("bob@north.example").unwrap()];
    let validity = Validity { not_before: begin, not_after: begin + Duration::days(days) };
    let user = UserProfile { common_name: "bob", addresses: &addresses, validity };
    let authority = Authority::new(&root, &root_key).unwrap();
    let certificate = authority.issue(&key.public(), &user, seed(4)).unwrap();
    let file = store.file("other.pem");
    std::fs::write(&file, certificate.to_pem().unwrap()).unwrap();
    (certificate.fingerprint().to_string(), file)
}

/// Bob's certificate is replaced by one with this validity.
fn with_validity(begin: OffsetDateTime, days: i64) -> Store {
    let store = Store::new();
    store.command("cert retire --account bob@north.example").run().ok();
    let (_, file) = bob_of(&store, begin, days);
    store.command("cert add --account bob@north.example --file").args([path(&file)]).run().ok();
    store
}

#[test]
fn a_certificate_outside_its_time_is_sealed_to_or_deferred() {
    if !tools(&["openssl"]) {
        return;
    }
    let now = OffsetDateTime::now_utc();
    for (key, store) in [
        ("expired", with_validity(now - Duration::days(30), 20)),
        ("not-yet-valid", with_validity(now + Duration::days(10), 20)),
    ] {
        assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
        store.config(&format!("{key} = \"defer\"\nunusable = \"reject\"\n"));
        assert_answer(&store.deliver(MESSAGE), 75, "4.7.5");
        assert_eq!(store.inbox().len(), 1, "{key}");
        assert!(!store.holds(CLEAR), "{key}");
    }
}

#[test]
fn under_trust_chain_only_what_the_domain_issued_is_sealed_to() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("key generate --domain north.example --type ec-p256").run().ok();
    store.command("cert self-sign --domain north.example").run().ok();
    store.config("trust = \"chain\"\n");
    // Bob's certificate comes from elsewhere.
    assert_answer(&store.deliver(MESSAGE), 75, "4.7.5");
    store.config("trust = \"chain\"\nunusable = \"reject\"\n");
    assert_answer(&store.deliver(MESSAGE), 65, "5.7.5");
    std::fs::write(store.file("password"), "correct horse\n").unwrap();
    let password = store.file("password");
    let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
    store.command(generate).args([path(&password)]).run().ok();
    store.command("cert issue --account bob@north.example").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let sealed = store.inbox().remove(0);
    assert!(!opens(&store.bob, &sealed), "the certificate from elsewhere is not sealed to");
    let open = "open --account bob@north.example --password-file";
    let opened = store.command(open).args([path(&password)]).input(sealed).run();
    assert_eq!(opened.ok(), crlf(MESSAGE));
}

#[test]
fn a_server_rule_stores_once_for_each_queue_id() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let archive = store.join("archive");
    store.rule("--server", "[\"Store Encrypted in\", \"~archive/INBOX\"]");
    let hook =
        |id: &str| assert_answer(&store.hook(&format!("--recipient=bob@north.example{id}")), 0, "2.0.0");
    hook(" --queue-id=4cLx");
    hook(" --queue-id=4cLx");
    let copies = store.visible("archive");
    assert_eq!((copies.len(), store.inbox().len()), (1, 2));
    // The server acts for nobody: its copy is for the owner of the mailbox alone.
    assert!(opens(&archive, &copies[0].1) && !opens(&store.bob, &copies[0].1));
    hook(" --queue-id=4cLy");
    assert_eq!(store.visible("archive").len(), 2);
    hook("");
    hook("");
    assert_eq!(store.visible("archive").len(), 4, "without an id each call is a message");
    assert!(!store.holds(CLEAR));
}

#[test]
fn a_server_rule_that_names_no_owner_is_refused() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let file = store.file("rule.toml");
    let rule =
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"Box\"]]\n";
    std::fs::write(&file, rule).unwrap();
    let ended = store.command("rules install").args([path(&file), "--server"]).run();
    assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""));
    assert!(ended.stderr.contains("rule.toml:5:32") && ended.stderr.contains('~'), "{}", ended.stderr);
    assert_eq!(store.command("rules list").run().ok().iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn a_foreign_mailbox_needs_the_right_and_the_mailbox_and_is_for_both() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let hr = store.join("hr");
    store.rule("--account bob@north.example", "[\"Store Encrypted in\", \"~hr/Payroll\"], [\"Discard\"]");
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example").run().ok();
    // The right is there, the mailbox is not, and a rule does not make one for somebody else.
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert!(store.stored().is_empty());
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example --create").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let stored = store.visible("hr");
    assert_eq!((stored.len(), store.inbox().len()), (1, 0));
    assert!(stored[0].0.starts_with(".Payroll/new/"), "{}", stored[0].0);
    assert!(opens(&hr, &stored[0].1) && opens(&store.bob, &stored[0].1));
    store.command("acl revoke --mailbox ~hr/Payroll --account bob@north.example").run().ok();
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert_eq!(store.visible("hr").len(), 1);
}

#[test]
fn one_account_without_a_certificate_fails_the_copy_for_both() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("account add hr@north.example").run().ok();
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example --create").run().ok();
    // Neither the INBOX copy nor the copy in Own is stored when the third cannot be.
    store.rule(
        "--account bob@north.example",
        "[\"Store Encrypted in\", \"Own\"], [\"Store Encrypted in\", \"~hr/Payroll\"]",
    );
    assert_answer(&store.deliver(MESSAGE), 75, "4.7.5");
    assert!(store.visible("bob").is_empty() && store.visible("hr").is_empty());
    assert!(!store.holds(CLEAR));
}

#[test]
fn every_active_certificate_is_sealed_to_and_no_retired_one() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let folder = store.file("second");
    std::fs::create_dir(&folder).unwrap();
    let second = crate::support::Authority::new(&folder).rsa("bob");
    store.certify(&second);
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let sealed = store.inbox().remove(0);
    assert!(opens(&store.bob, &sealed) && opens(&second, &sealed));
    let listed = store.command("cert list --account bob@north.example --json").run().ok();
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    let first = listed["certificates"][0]["fingerprint"].as_str().unwrap();
    let retire = format!("cert retire --account bob@north.example --fingerprint {first}");
    store.command(&retire).run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let later = store.inbox().into_iter().find(|stored| *stored != sealed).unwrap();
    assert_ne!(opens(&store.bob, &later), opens(&second, &later));
}

#[test]
fn a_full_mailbox_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let maildir = store.root().join("mail/north.example/bob/Maildir");
    let quota = maildir.join("maildirsize");
    std::fs::write(&quota, "4000S\n").unwrap();
    let mut delivered = 1;
    let full = loop {
        let ended = store.deliver(MESSAGE);
        if ended.code != Some(0) {
            break ended;
        }
        delivered += 1;
        assert!(delivered < 10, "4000 bytes are never full");
    };
    assert_answer(&full, 75, "4.2.2");
    assert_eq!(store.inbox().len(), delivered);
    let bytes: usize = store.inbox().iter().map(Vec::len).sum();
    assert!(bytes <= 4000, "{bytes}");
    let text = std::fs::read_to_string(&quota).unwrap();
    assert!(text.starts_with("4000S\n") && text.ends_with('\n'), "{text}");
    assert_eq!(std::fs::read_dir(maildir.join("tmp")).unwrap().count(), 0);
}

#[test]
fn marks_stand_in_the_name_of_every_later_copy() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.rule(
        "--account bob@north.example",
        "[\"Store Encrypted in\", \"Before\"], [\"Mark\", [\"Seen\", \"Flagged\", \"work\"]]",
    );
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let names: Vec<String> = store.visible("bob").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with(".Before/new/") && !names[0].contains(':'), "{names:?}");
    assert!(names[1].starts_with("cur/") && names[1].ends_with(":2,FSa"), "{names:?}");
    assert!(names.iter().all(|name| name.contains(",S=") && name.contains(",W=")), "{names:?}");
    let maildir = store.root().join("mail/north.example/bob/Maildir");
    assert_eq!(std::fs::read_to_string(maildir.join("dovecot-keywords")).unwrap(), "0 work\n");
    assert!(maildir.join(".Before/maildirfolder").is_file());
}

#[test]
fn clear_text_needs_its_consent() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("account add eve@north.example").run().ok();
    assert_answer(&store.hook("--recipient=eve@north.example"), 75, "4.7.5");
    store.config("missing-certificate = \"reject\"\n");
    assert_answer(&store.hook("--recipient=eve@north.example"), 65, "5.7.5");
    store.config("missing-certificate = \"plain\"\n");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert!(!store.holds(CLEAR), "whoever has a certificate is sealed to");
    assert_answer(&store.hook("--recipient=eve@north.example"), 0, "2.0.0");
    assert_eq!(store.visible("eve")[0].1, MESSAGE);
    // The nearest wins: the site's consent is taken back by the account, and the other way round.
    store.config("inbox = \"plain\"\n");
    store.command("account set bob@north.example --inbox seal").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert!(store.visible("bob").iter().all(|(_, bytes)| opens(&store.bob, bytes)));
    store.command("account set bob@north.example --inbox inherit").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert_eq!(store.visible("bob").iter().filter(|(_, bytes)| bytes == MESSAGE).count(), 1);
}

#[test]
fn store_in_is_a_consent_for_its_own_copy_only() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.rule("--account bob@north.example", "[\"Store in\", \"Clear\"]");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let stored = store.visible("bob");
    assert_eq!(stored.len(), 2);
    assert_eq!((stored[0].0.starts_with(".Clear/"), stored[0].1.as_slice()), (true, MESSAGE));
    assert!(opens(&store.bob, &stored[1].1));
}

#[test]
fn rejected_for_one_and_deliverable_for_the_other_is_75_with_the_advice() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.join("carol");
    store.rule("--account bob@north.example", "[\"Reject with\", \"not here\"]");
    let both = "--recipient=carol@north.example --recipient=bob@north.example";
    let ended = store.hook(both);
    assert_answer(&ended, 75, "4.5.3");
    assert!(ended.text().contains("_destination_recipient_limit = 1"), "{}", ended.text());
    assert!(store.stored().is_empty());
    assert_answer(&store.hook("--recipient=bob@north.example"), 65, "5.7.1");
    assert_answer(&store.hook("--recipient=carol@north.example"), 0, "2.0.0");
    store.rule("--domain north.example", "[\"Reject with\", \"nobody here\"]");
    assert_answer(&store.hook(both), 65, "5.7.1");
}

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
fn the_log_tells_the_story_without_the_message() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let log = store.file("log");
    store.config(&format!("log = \"{}\"\nlog-level = \"debug\"\n", path(&log)));
    store.join("carol");
    store.rule("--account carol@north.example", "[\"Reject with\", \"not here\"]");
    store.hook("--recipient=bob@north.example --queue-id=4cLx --client=192.0.2.1");
    store.hook("--recipient=carol@north.example");
    store.hook("--recipient=eve@north.example");
    store.hook("--recipient=bob");
    let text = std::fs::read_to_string(&log).unwrap();
    for told in
        ["4cLx", "192.0.2.1", "bob@north.example", "sealed with", "not here", "eve@north.example", "5.1.1"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    for content in ["xyzzy", "Lunch", "anna@south.example", "Anna"] {
        assert!(!text.contains(content), "{content}: {text}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&log.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
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

#[test]
fn several_doubts_and_a_rejection_are_one_doubt() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_doubt(&store.hook("--recipient=eve@north.example --recipient=x@elsewhere.example"));
    assert_doubt(&store.hook("--recipient=bob@north.example --recipient=x@elsewhere.example"));
    assert!(store.stored().is_empty());
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
    assert_eq!(store.inbox(), std::slice::from_ref(&message));
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

#[test]
fn inbox_has_one_name_in_any_case_and_other_mailboxes_have_not() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.rule(
        "--account bob@north.example",
        "[\"Store Encrypted in\", \"inbox\"], [\"Store Encrypted in\", \"Box/Sub\"], \
         [\"Store Encrypted in\", \"box/Sub\"], [\"Discard\"]",
    );
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let folders: Vec<String> = store.visible("bob").into_iter().map(|(name, _)| name).collect();
    let begins = [".Box.Sub/new/", ".box.Sub/new/", "new/"];
    assert!(
        folders.len() == 3 && folders.iter().zip(begins).all(|(name, begin)| name.starts_with(begin)),
        "{folders:?}"
    );
}

#[test]
fn no_mailbox_is_made_where_the_site_says_so() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.config("create-mailboxes = false\n");
    store.rule("--account bob@north.example", "[\"Store Encrypted in\", \"Box\"], [\"Discard\"]");
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert!(store.stored().is_empty());
    store.config("create-mailboxes = true\n");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
}

/// The envelope reaches the rules as the hook was told it.
#[test]
fn rules_see_the_envelope_with_what_the_sender_wrote() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let rule = |condition: &str| {
        store.rules(&format!(
            "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [{condition}]\nthen = [[\"Reject with\", \"seen\"]]\n"
        ));
    };
    let alias =
        "--recipient=bob@north.example --original-recipient=rfc822;robert@old.example --sender=x@y.example";
    rule("[\"Any Recipient\", \"is\", \"robert@old.example\"]");
    assert_answer(&store.hook(alias), 65, "5.7.1");
    assert_answer(&store.hook("--recipient=bob@north.example"), 0, "2.0.0");
    rule("[\"Return-Path\", \"is\", \"x@y.example\"]");
    assert_answer(&store.hook(alias), 65, "5.7.1");
    rule("[\"Return-Path\", \"is\", \"\"]");
    assert_answer(&store.hook("--recipient=bob@north.example --sender="), 65, "5.7.1");
    assert_answer(&store.hook(alias), 0, "2.0.0");
}

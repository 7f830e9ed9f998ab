//! To which certificates a message is sealed, and what clear text needs.

use super::{CLEAR, MESSAGE, opens};
use crate::hook::assert_answer;
use crate::support::{Store, crlf, path, tools};
use sealpost::crypto::Seed;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity, self_sign,
};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

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
    let user = UserProfile { common_name: "bob", addresses: &addresses, validity, reads: Reads::Cbc };
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

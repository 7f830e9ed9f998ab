//! Deliveries over a directory and a store in memory.

mod attached;
mod edits;
mod facts;
mod large;
mod mails;
mod policies;
mod remembered;
mod service;

use super::*;
use crate::crypto::{Classical, Entropy, EntropyError, Profile, Seed};
use crate::mail::{Address, Flag, HeaderPolicy, MailboxName, crlf};
use crate::pki::{
    Authority, AuthorityProfile, Certificate, Crl, KeyType, Reads, Subject, UnlockedKey, UserProfile,
    Validity, self_sign,
};
use crate::rules::{Needs, ScopeKind, Source};
use crate::smime::{OpeningKey, open};
use crate::store::{Fault, MemoryStore};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const MAIL: &[u8] = b"From: carol@far.example\nTo: bob@north.example\nSubject: pay\n\nThe body.\n";

fn noon() -> OffsetDateTime {
    datetime!(2026-11-01 12:00 UTC)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn inbox() -> MailboxName {
    MailboxName::inbox()
}

struct Person {
    key: UnlockedKey,
    certificate: Certificate,
}

/// One authority and one key a person, made once.
fn person(name: &'static str) -> &'static Person {
    static PEOPLE: OnceLock<HashMap<&str, Person>> = OnceLock::new();
    let all = PEOPLE
        .get_or_init(|| ["bob@north.example", "ada@north.example"].map(|name| (name, issue(name))).into());
    &all[name]
}

fn issue(name: &str) -> Person {
    let seed = |number: u8| Seed::from_bytes(&mut [number; 32]);
    let root_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let validity = Validity::lasting(noon() - Duration::days(9), Duration::days(3650));
    let subject = Subject::named("north.example");
    let root =
        self_sign(&root_key, &AuthorityProfile { subject: &subject, dns_names: &[], validity }, seed(2));
    let root = root.unwrap();
    let key = UnlockedKey::generate(KeyType::Rsa2048, seed(name.as_bytes()[0])).unwrap();
    let validity = Validity::lasting(noon() - Duration::days(9), Duration::days(30));
    let user = UserProfile { common_name: name, addresses: &[address(name)], validity, reads: Reads::Cbc };
    let authority = Authority::new(&root, &root_key).unwrap();
    Person { certificate: authority.issue(&key.public(), &user, seed(name.as_bytes()[0] + 1)).unwrap(), key }
}

/// north.example with bob and ada (certificates) and eve (none); far.example is unknown.
struct World {
    accounts: Vec<Account>,
    rules: Vec<InstalledRules>,
    rights: bool,
    lists: Vec<Crl>,
    marks: Mutex<HashMap<ServerCopy, ServerCopyState>>,
    broken: Option<&'static str>,
    store: MemoryStore,
    settings: Settings,
    seeds: AtomicU8,
    compiled: RuleCache,
    facts: AccountFacts,
}

impl World {
    fn new() -> World {
        let domain = Domain {
            name: "north.example".into(),
            aliases: vec!["alias.example".into()],
            mode: DomainMode::Enabled,
            catch_all: None,
            overrides: DomainOverrides::default(),
            authorities: Vec::new(),
            sealing: None,
            recovery: None,
            trust: DomainTrust::default(),
        };
        let account = |name: &'static str, has_certificate: bool| Account {
            address: address(name),
            aliases: Vec::new(),
            overrides: AccountOverrides::default(),
            certificates: has_certificate
                .then(|| HeldCertificate {
                    certificate: person(name).certificate.clone(),
                    state: CertificateState::Active,
                    revoked: None,
                })
                .into_iter()
                .collect(),
            domain: domain.clone(),
        };
        World {
            accounts: vec![
                account("bob@north.example", true),
                account("ada@north.example", true),
                account("eve@north.example", false),
            ],
            rules: Vec::new(),
            rights: false,
            lists: Vec::new(),
            marks: Mutex::default(),
            broken: None,
            store: MemoryStore::default(),
            settings: settings(),
            seeds: AtomicU8::new(1),
            compiled: RuleCache::default(),
            facts: AccountFacts::default(),
        }
    }

    fn with_rules(mut self, scope: ScopeKind, holder: &str, text: &str) -> World {
        let (holder, text) = (holder.to_owned(), text.to_owned());
        self.rules.push(InstalledRules { scope, holder, file: "test.toml".into(), text });
        self
    }

    fn engine(&self) -> Engine<'_> {
        Engine {
            directory: self,
            store: &self.store,
            clock: self,
            entropy: self,
            outbox: &NoOutbox,
            helpers: &NoHelpers,
            rules: &self.compiled,
            built_in: self,
            settings: &self.settings,
        }
    }

    fn deliver(&self, recipients: &[&str]) -> Outcome {
        self.engine().deliver(&request(MAIL, recipients))
    }

    fn ask(&self, what: &'static str) -> Result<(), DirectoryError> {
        if self.broken == Some(what) { Err(DirectoryError::Busy) } else { Ok(()) }
    }
}

fn settings() -> Settings {
    Settings {
        recipient_delimiter: Some('+'),
        max_message: 1000,
        inbox: InboxPolicy::Seal,
        attachments: AttachmentPolicy::Seal,
        profile: Profile::Compatible,
        headers: HeaderPolicy::Keep,
        certificates: CertificatePolicy {
            trust: Trust::Pinned,
            expired: Expired::Seal,
            not_yet_valid: Expired::Seal,
            unusable: Unusable::Defer,
            crl: CrlPolicy::Soft,
            missing_certificate: MissingCertificate::Defer,
        },
        openpgp: OpenPgp::Keep,
        sealed_to_others: SealedToOthers::Leave,
        create_mailboxes: true,
        also_classical: Classical::Refused,
        naming: Naming::Certificate,
        minimum_rsa_bits: 2048,
        time_zone: TimeZone::utc(),
        outgoing: Outgoing::default(),
        rules_allowed: crate::rules::RulesAllowed::default(),
    }
}

fn request<'m>(message: &'m [u8], recipients: &[&str]) -> Request<'m> {
    let recipient = |name: &&str| Recipient { address: address(name), original: None };
    Request {
        large: None,
        message,
        sender: Some("carol@far.example".into()),
        recipients: recipients.iter().map(recipient).collect(),
        source: Source::Pipe,
        client: None,
        queue_id: Some("Q1".into()),
        known_by_content: false,
        until: None,
    }
}

impl BuiltIn for World {
    fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError> {
        Ok(Arc::default())
    }
}

impl Clock for World {
    fn now(&self) -> OffsetDateTime {
        noon()
    }
}

impl Entropy for World {
    fn seed(&self) -> Result<Seed, EntropyError> {
        Ok(Seed::from_bytes(&mut [self.seeds.fetch_add(1, Ordering::Relaxed); 32]))
    }
}

impl Directory for World {
    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        self.ask("routes")?;
        let route = |asked: &Address| {
            let plain = delimiter.and_then(|delimiter| asked.without_detail(delimiter));
            let known = |name: &Address| self.accounts.iter().any(|account| account.address == *name);
            match (asked.domain(), plain) {
                _ if known(asked) => Route::Account(asked.clone()),
                (_, Some(plain)) if known(&plain) => Route::Account(plain),
                ("north.example", _) => Route::UnknownUser,
                _ => Route::UnknownDomain,
            }
        };
        Ok(addresses.iter().map(route).collect())
    }
    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        self.ask("accounts")?;
        let find = |asked: &Address| self.accounts.iter().find(|account| account.address == *asked).cloned();
        Ok(addresses.iter().map(find).collect())
    }
    fn rules(&self, _: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError> {
        self.ask("rules")?;
        Ok(self.rules.clone())
    }
    fn may_insert(&self, asked: &[(Address, MailboxName, Address)]) -> Result<Vec<bool>, DirectoryError> {
        self.ask("may_insert")?;
        Ok(vec![self.rights; asked.len()])
    }
    fn revocation_lists(&self, _: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError> {
        self.ask("lists")?;
        Ok(self.lists.clone())
    }
    fn rule_facts(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError> {
        self.ask("rule_facts")?;
        Ok(vec![self.facts.clone(); asked.len()])
    }

    fn remember(&self, _values: &[Remembered]) -> Result<(), DirectoryError> {
        Ok(())
    }

    fn server_copies(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError> {
        self.ask("server_copies")?;
        let marks = self.marks.lock().unwrap();
        let state = |copy| marks.get(copy).cloned().unwrap_or(ServerCopyState::Unknown);
        Ok(copies.iter().map(state).collect())
    }
    fn begin_server_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError> {
        self.ask("begin")?;
        let begun = copies.iter().map(|(copy, name)| (copy.clone(), ServerCopyState::Begun(name.clone())));
        self.marks.lock().unwrap().extend(begun);
        Ok(())
    }
    fn finish_server_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError> {
        self.ask("finish")?;
        self.marks.lock().unwrap().extend(copies.iter().map(|copy| (copy.clone(), ServerCopyState::Done)));
        Ok(())
    }
}

fn opened(bytes: &[u8], name: &'static str) -> Option<Vec<u8>> {
    let person = person(name);
    let key = OpeningKey { key: &person.key, certificate: Some(&person.certificate) };
    open(bytes, &[key]).ok().map(|opened| opened.message.expose().to_vec())
}

const BOB: &str = "bob@north.example";
const ADA: &str = "ada@north.example";
const EVE: &str = "eve@north.example";

/// bob's rule: a marked copy in his own box, one in ada's.
const SHARE: &str = r#"
[[rule]]
name = "Share"
priority = 5
when = []
then = [["Mark", ["Flagged"]], ["Store Encrypted in", "Own"], ["Mark", ["Seen"]],
        ["Store Encrypted in", "~ada/Shared"], ["Discard"]]
"#;

fn sharing() -> World {
    let mut world = World::new().with_rules(ScopeKind::Account, BOB, SHARE);
    world.rights = true;
    world.store.create(&address(ADA), &MailboxName::parse("Shared").unwrap());
    world
}

#[test]
fn the_inbox_copy_is_sealed_to_its_owner_and_to_nobody_else() {
    let world = World::new();
    let outcome = world.deliver(&["bob+lists@north.example", BOB]);
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    let stored = world.store.messages(&address(BOB), &inbox());
    assert_eq!((stored.len(), world.store.total()), (1, 1));
    assert_eq!(opened(&stored[0].bytes, BOB).unwrap(), crlf(MAIL).as_ref());
    assert_eq!(opened(&stored[0].bytes, ADA), None);
    let report = &outcome.copies[0];
    assert_eq!((report.owner.as_str(), report.size_before), (BOB, MAIL.len() as u64));
    assert_eq!(report.sealed_to[0].certificate, person(BOB).certificate.fingerprint().to_string());
}

#[test]
fn a_foreign_mailbox_is_sealed_to_owner_and_actor_with_the_flags_so_far() {
    let world = sharing();
    let outcome = world.deliver(&[BOB]);
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    assert_eq!(world.store.total(), 2);
    let own = &world.store.messages(&address(BOB), &MailboxName::parse("Own").unwrap())[0];
    let shared = &world.store.messages(&address(ADA), &MailboxName::parse("Shared").unwrap())[0];
    assert_eq!((own.flags.as_slice(), opened(&own.bytes, ADA)), (&[Flag::Flagged][..], None));
    assert_eq!(shared.flags, [Flag::Flagged, Flag::Seen]);
    assert_eq!(opened(&shared.bytes, ADA), opened(&shared.bytes, BOB));
    assert!(opened(&shared.bytes, ADA).is_some());
    let fired: Vec<&str> = outcome.fired.iter().map(|fired| fired.action.as_str()).collect();
    assert_eq!(fired.len(), 5);
    assert_eq!(fired.last(), Some(&"Discard"));
}

#[test]
fn without_the_right_or_the_mailbox_nothing_is_stored() {
    let mut world = sharing();
    world.rights = false;
    let outcome = world.deliver(&[BOB]);
    assert_eq!(outcome.disposition.line(), "4.3.5 a mail rule names a mailbox that it cannot use");
    assert_eq!(
        outcome.cause.unwrap(),
        "rule \"Share\" stores in ~ada@north.example/Shared, and bob@north.example has no insert right there: \
         sealpost acl grant --mailbox '~ada@north.example/Shared' --account bob@north.example"
    );
    let mut world = World::new().with_rules(ScopeKind::Account, BOB, SHARE);
    world.rights = true;
    let outcome = world.deliver(&[BOB]);
    assert_eq!(outcome.disposition.exit_code(), 75);
    assert_eq!((world.store.total(), world.store.staged()), (0, 0));
}

/// The law: before the first commit nothing is left, after it nothing is taken back, and the sender is told to retry.
#[test]
fn a_fault_anywhere_leaves_all_or_what_was_visible() {
    let faults = [
        (Fault::Stage(1), 0),
        (Fault::Stage(2), 0),
        (Fault::Commit(1), 0),
        (Fault::CommitLate(1), 1),
        (Fault::Commit(2), 1),
        (Fault::CommitLate(2), 2),
    ];
    for (fault, visible) in faults {
        let mut world = sharing();
        world.store = world.store.failing(fault);
        let outcome = world.deliver(&[BOB]);
        assert_eq!(outcome.disposition.exit_code(), 75, "{fault:?}");
        assert_eq!((world.store.total(), world.store.staged()), (visible, 0), "{fault:?}");
        assert!(outcome.copies.is_empty());
    }
    for lookup in ["routes", "accounts", "rules", "may_insert"] {
        let mut world = sharing();
        world.broken = Some(lookup);
        let outcome = world.deliver(&[BOB]);
        assert_eq!(outcome.disposition.line(), "4.3.0 the directory is not available", "{lookup}");
        assert_eq!(world.store.total(), 0, "{lookup}");
    }
}

#[test]
fn unknown_users_bounce_and_unknown_domains_wait() {
    let world = World::new();
    assert_eq!(world.deliver(&["nobody@north.example"]).disposition.line(), "5.1.1 no such user here");
    assert_eq!(world.deliver(&["nobody@north.example"]).disposition.exit_code(), 67);
    assert_eq!(world.deliver(&["bob@far.example"]).disposition.exit_code(), 75);
    assert_eq!(world.deliver(&["nobody@north.example", "x@far.example"]).disposition.exit_code(), 75);
    assert_eq!(world.deliver(&[]).disposition.exit_code(), 75);
    let mixed = world.deliver(&[BOB, "nobody@north.example"]);
    assert_eq!(mixed.disposition.exit_code(), 75);
    assert!(mixed.disposition.line().ends_with("(..._destination_recipient_limit = 1)"));
    assert_eq!(world.store.total(), 0);
}

#[test]
fn a_message_that_is_too_large_is_refused() {
    let world = World::new();
    let large = [b"Subject: x\n\n".as_slice(), &[b'x'; 1000]].concat();
    let disposition = world.engine().deliver(&request(&large, &[BOB])).disposition;
    assert_eq!((disposition.exit_code(), disposition.line().as_str()), (65, "5.3.4 the message is too big"));
}

#[test]
fn a_missing_certificate_is_what_policy_says() {
    let mut world = World::new();
    let answer = "no usable certificate to encrypt the message to";
    let outcome = world.deliver(&[EVE]);
    assert_eq!(outcome.disposition.line(), format!("4.7.5 {answer}"));
    assert_eq!(outcome.cause.unwrap(), "eve@north.example has no active certificate");
    assert_eq!(world.deliver(&[BOB, EVE]).disposition.exit_code(), 75);
    assert_eq!(world.store.total(), 0);
    world.settings.certificates.missing_certificate = MissingCertificate::Reject;
    assert_eq!(world.deliver(&[EVE]).disposition.line(), format!("5.7.5 {answer}"));
    world.settings.certificates.missing_certificate = MissingCertificate::Plain;
    assert_eq!(world.deliver(&[EVE]).disposition, Disposition::Delivered);
    let stored = &world.store.messages(&address(EVE), &inbox())[0];
    assert_eq!(
        (stored.bytes.as_slice(), stored.plain_source),
        (MAIL, Some("missing-certificate = \"plain\""))
    );
    for account in &mut world.accounts {
        account.domain.mode = DomainMode::Test;
    }
    world.settings.certificates.missing_certificate = MissingCertificate::Defer;
    let cause = world.deliver(&[BOB]).cause.unwrap();
    assert_eq!(cause, "bob@north.example has no active certificate, because its domain is not enabled");
}

#[test]
fn a_consent_for_one_account_is_none_for_another() {
    let rule = SHARE.replace("~ada", "~eve");
    let mut world = World::new().with_rules(ScopeKind::Account, BOB, &rule);
    world.rights = true;
    world.settings.certificates.missing_certificate = MissingCertificate::Plain;
    world.store.create(&address(EVE), &MailboxName::parse("Shared").unwrap());
    assert_eq!(world.deliver(&[BOB]).disposition.exit_code(), 75);
    assert_eq!(world.store.total(), 0);
}

#[test]
fn an_ended_certificate_is_sealed_to_with_a_warning_or_deferred() {
    let mut world = World::new();
    let ended = person(BOB).certificate.not_after() + Duration::DAY;
    let late = Late(ended);
    let engine = Engine { clock: &late, ..world.engine() };
    let outcome = engine.deliver(&request(MAIL, &[BOB]));
    assert_eq!(outcome.disposition, Disposition::Delivered);
    assert!(outcome.copies[0].warnings[0].contains("it ended on"), "{:?}", outcome.copies[0].warnings);
    world.settings.certificates.expired = Expired::Defer;
    world.settings.certificates.unusable = Unusable::Reject;
    let engine = Engine { clock: &late, ..world.engine() };
    assert_eq!(engine.deliver(&request(MAIL, &[BOB])).disposition.exit_code(), 75);
}

struct Late(OffsetDateTime);

impl Clock for Late {
    fn now(&self) -> OffsetDateTime {
        self.0
    }
}

const REJECT: &str =
    "[[rule]]\nname = \"No\"\npriority = 5\nwhen = []\nthen = [[\"Reject with\", \"not here\"]]\n";

#[test]
fn a_rejection_for_some_is_a_retry_and_for_all_a_rejection() {
    let world = World::new().with_rules(ScopeKind::Account, BOB, REJECT);
    let rejected = world.deliver(&[BOB]);
    assert_eq!(
        (rejected.disposition.exit_code(), rejected.disposition.line()),
        (65, "5.7.1 not here".into())
    );
    let mixed = world.deliver(&[BOB, ADA]);
    assert_eq!((mixed.disposition.exit_code(), world.store.total()), (75, 0));
    assert!(mixed.cause.unwrap().ends_with("rule \"No\" rejects the message"));
}

#[test]
fn rules_that_no_longer_compile_are_a_doubt() {
    let world = World::new().with_rules(ScopeKind::Domain, "north.example", "rule = 5");
    let outcome = world.deliver(&[BOB]);
    assert_eq!(outcome.disposition.line(), "4.3.5 the mail rules are being repaired");
    assert!(
        outcome.cause.unwrap().starts_with("the installed rule file test.toml of north.example is wrong: ")
    );
}

const ARCHIVE: &str = "[[rule]]\nname = \"Keep\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"~ada@north.example/INBOX\"]]\n";

#[test]
fn a_server_copy_is_stored_once_for_each_queue_id() {
    let world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    assert_eq!(world.store.messages(&address(BOB), &inbox()).len(), 2);
    let archive = world.store.messages(&address(ADA), &inbox());
    assert_eq!(archive.len(), 1);
    assert_eq!(opened(&archive[0].bytes, BOB), None);
}

/// What pipe(8) puts in front for each recipient does not make another message; another text does.
/// Sealed and clear are two copies, and each is known again.
#[test]
fn a_server_rule_stores_a_clear_and_a_sealed_copy_in_one_mailbox() {
    for first in ["Store in", "Store Encrypted in"] {
        let second = if first == "Store in" { "Store Encrypted in" } else { "Store in" };
        let then =
            [first, second, first, second].map(|action| format!("[\"{action}\", \"~ada/INBOX\"]")).join(", ");
        let rule = format!("[[rule]]\nname = \"Both\"\npriority = 5\nthen = [{then}, [\"Discard\"]]\n");
        let mut world = World::new().with_rules(ScopeKind::Server, "", &rule);
        let clear = |world: &World| {
            let stored = world.store.messages(&address(ADA), &inbox());
            stored.iter().map(|stored| stored.plain_source.is_some()).collect::<Vec<_>>()
        };
        let whole = world.store.clone();
        world.store = whole.failing(Fault::Commit(2));
        assert_eq!(world.deliver(&[BOB]).disposition.exit_code(), 75);
        world.store = whole.clone();
        for _ in 0..2 {
            assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
            assert_eq!(clear(&world), [first == "Store in", first != "Store in"]);
        }
    }
}

#[test]
fn a_queue_id_that_comes_back_is_another_message() {
    let world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
    let archived = |message: &[u8]| {
        let outcome = world.engine().deliver(&request(message, &[BOB]));
        assert_eq!(outcome.disposition, Disposition::Delivered);
        world.store.messages(&address(ADA), &inbox()).len()
    };
    assert_eq!(archived(&[b"Delivered-To: bob@north.example\n", MAIL].concat()), 1);
    assert_eq!(archived(&[b"From carol Mon Nov 23\nDelivered-To: ada@north.example\n", MAIL].concat()), 1);
    assert_eq!(archived(&[MAIL, b"Another text\n"].concat()), 2);
}

/// Certificates that may not be used for a while are no missing ones.
#[test]
fn a_domain_that_is_switched_off_is_no_consent() {
    let mut world = World::new();
    world.settings.certificates.missing_certificate = MissingCertificate::Plain;
    for account in &mut world.accounts {
        account.domain.mode = DomainMode::Disabled;
    }
    assert_eq!(world.deliver(&[BOB]).disposition.exit_code(), 75);
    assert_eq!(world.store.total(), 0);
    assert_eq!(world.deliver(&[EVE]).disposition, Disposition::Delivered);
}

#[test]
fn a_mark_that_cannot_be_read_or_begun_is_a_doubt_and_one_that_cannot_be_finished_is_none() {
    for lookup in ["server_copies", "begin"] {
        let mut world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
        world.broken = Some(lookup);
        let outcome = world.deliver(&[BOB]);
        assert_eq!(outcome.disposition.line(), "4.3.0 the directory is not available", "{lookup}");
        assert_eq!((world.store.total(), world.store.staged()), (0, 0), "{lookup}");
    }
    let mut world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
    world.broken = Some("finish");
    let outcome = world.deliver(&[BOB]);
    assert_eq!((outcome.disposition, outcome.warnings.len()), (Disposition::Delivered, 1));
    assert_eq!(world.store.total(), 2);
}

#[test]
fn a_crash_between_mark_and_commit_loses_no_server_copy() {
    let mut world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
    let whole = world.store.clone();
    world.store = whole.failing(Fault::Commit(1));
    assert_eq!(world.deliver(&[BOB]).disposition.exit_code(), 75);
    world.store = whole.clone();
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    assert_eq!(whole.messages(&address(ADA), &inbox()).len(), 1);
}

#[test]
fn a_copy_that_became_visible_before_the_crash_is_found_again() {
    let mut world = World::new().with_rules(ScopeKind::Server, "", ARCHIVE);
    let whole = world.store.clone();
    world.store = whole.failing(Fault::CommitLate(1));
    assert_eq!(world.deliver(&[BOB]).disposition.exit_code(), 75);
    world.store = whole.clone();
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    assert_eq!(whole.messages(&address(ADA), &inbox()).len(), 1);
    assert!(world.marks.lock().unwrap().values().all(|state| *state == ServerCopyState::Done));
}

#[test]
fn what_is_sealed_to_its_owner_already_is_kept() {
    let world = World::new();
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    let sealed = world.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    let mut world = world;
    world.settings.max_message = 1 << 20;
    let outcome = world.engine().deliver(&request(&sealed, &[BOB]));
    assert!(outcome.copies[0].kept_as_is, "{outcome:?}");
    assert_eq!(world.store.messages(&address(BOB), &inbox())[1].bytes, sealed);
    let outcome = world.engine().deliver(&request(&sealed, &[ADA]));
    assert!(!outcome.copies[0].kept_as_is);
}

/// The header of Bob's stored copies in a mailbox, up to the field of ours.
fn headers_in(world: &World, mailbox: &str) -> Vec<String> {
    let stored = world.store.messages(&address(BOB), &MailboxName::parse(mailbox).unwrap());
    let header =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).split_once("Sealpost-Sealed").unwrap().0.to_owned();
    stored.iter().map(|stored| header(&stored.bytes)).collect()
}

#[test]
fn what_is_hidden_is_what_the_rule_says_or_else_the_site() {
    let rule = r#"[[rule]]
name = "Boxes"
priority = 5
when = []
then = [["Store Encrypted in", "Site"], ["Store Encrypted in", "Most", {headers = "hide-most"}],
        ["Store Encrypted in", "Kept", {headers = "keep"}]]
"#;
    let mail = [b"From: Carol <carol@far.example>\nSubject: pay\n".as_slice(), b"\nThe body.\n"].concat();
    let mut world = World::new().with_rules(ScopeKind::Account, BOB, rule);
    world.settings.headers = HeaderPolicy::HideSubject;
    let outcome = world.engine().deliver(&request(&mail, &[BOB]));
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    let hidden = "From: Carol <carol@far.example>\nSubject: [...]\n";
    assert_eq!(headers_in(&world, "Site"), [hidden]);
    assert_eq!(headers_in(&world, "INBOX"), [hidden]);
    assert_eq!(headers_in(&world, "Most"), ["From: carol@far.example\nSubject: [...]\n"]);
    assert_eq!(headers_in(&world, "Kept"), ["From: Carol <carol@far.example>\nSubject: pay\n"]);
    for mailbox in ["Site", "INBOX", "Most", "Kept"] {
        let stored = world.store.messages(&address(BOB), &MailboxName::parse(mailbox).unwrap());
        assert_eq!(opened(&stored[0].bytes, BOB).unwrap(), crlf(&mail).as_ref());
    }
    assert!(outcome.copies.iter().all(|copy| copy.warnings.is_empty()));
    let explanation = world.engine().explain(&request(&mail, &[BOB]));
    let headers: Vec<_> = explanation.copies.iter().filter_map(|copy| copy.headers).collect();
    assert_eq!(headers, ["hide-subject", "hide-most", "keep", "hide-subject"]);
}

#[test]
fn a_header_that_cannot_be_hidden_is_told() {
    let mut world = World::new();
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    let sealed = world.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    world.settings.max_message = 1 << 20;
    world.settings.headers = HeaderPolicy::HideSubject;
    let broken = b"Subject: pay\nContent-Type: text\n\nx".as_slice();
    let hidden = "nothing of the header is hidden: the message ";
    // Kept as it is for Bob, sealed again for Ada; and broken for both.
    for (message, to, reason) in [
        (sealed.as_slice(), BOB, "is signed or encrypted by its sender, or says so"),
        (sealed.as_slice(), ADA, "is signed or encrypted by its sender, or says so"),
        (broken, ADA, "has several Content-Type fields, or one that does not parse"),
    ] {
        let outcome = world.engine().deliver(&request(message, &[to]));
        assert_eq!(outcome.copies[0].warnings.last(), Some(&format!("{hidden}{reason}")), "{to}");
        let stored = world.store.messages(&address(to), &inbox()).pop().unwrap();
        assert!(String::from_utf8_lossy(&stored.bytes).contains("Subject: pay\n"));
    }
    world.settings.headers = HeaderPolicy::Keep;
    for message in [sealed.as_slice(), broken] {
        let outcome = world.engine().deliver(&request(message, &[BOB]));
        assert!(!outcome.copies[0].warnings.iter().any(|warning| warning.starts_with(hidden)));
    }
}

#[test]
fn plain_copies_come_from_consents_only() {
    let mut world = World::new();
    world.accounts[0].overrides.inbox = Some(InboxPolicy::Plain);
    let outcome = world.deliver(&[BOB]);
    assert_eq!(outcome.copies[0].plain_source, Some("inbox = \"plain\""));
    assert_eq!(world.store.messages(&address(BOB), &inbox())[0].bytes, MAIL);
}

#[test]
fn explaining_stores_nothing_and_says_the_same() {
    let world = sharing();
    let explanation = world.engine().explain(&request(MAIL, &[BOB]));
    assert_eq!((explanation.disposition, world.store.total()), (Disposition::Delivered, 0));
    let planned: Vec<(&str, usize)> =
        explanation.copies.iter().map(|copy| (copy.mailbox.as_str(), copy.sealed_to.len())).collect();
    assert_eq!(planned, [("Own", 1), ("Shared", 2)]);
    assert_eq!(explanation.programs.len(), 2);
    assert_eq!(explanation.programs[1].account.as_deref(), Some(BOB));
    let missing = World { rights: true, ..World::new().with_rules(ScopeKind::Account, BOB, SHARE) };
    let explanation = missing.engine().explain(&request(MAIL, &[BOB]));
    assert_eq!(
        explanation.cause.unwrap(),
        "rule \"Share\" stores in ~ada@north.example/Shared, which does not exist"
    );
    let hint = explanation.hint.unwrap();
    assert!(
        hint.ends_with("--mailbox '~ada@north.example/Shared' --account bob@north.example --create"),
        "{hint}"
    );
    let outcome = missing.deliver(&[BOB]);
    assert_eq!(outcome.disposition, explanation.disposition);
    let cause = outcome.cause.unwrap();
    assert!(cause.starts_with("rule \"Share\" stores in ~ada") && cause.ends_with(&hint), "{cause}");
}

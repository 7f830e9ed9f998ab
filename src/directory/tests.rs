//! The directory as administrators and delivery see it.

use super::*;
use crate::cms::RecipientId;
use crate::crypto::Seed;
use crate::engine::{CertificateState, Directory, InboxPolicy, Route, ServerCopy, ServerCopyState};
use crate::mail::{Address, MailboxName};
use crate::pki::{
    AuthorityProfile, Certificate, Fingerprint, KeyType, Subject, UnlockedKey, Validity, self_sign,
};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;
use time::Duration;
use time::macros::datetime;

mod authorities;
mod issue;
mod trust;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn store() -> (TempDir, SqliteDirectory) {
    let folder = tempfile::tempdir().unwrap();
    let directory = SqliteDirectory::create(&folder.path().join("store")).unwrap();
    (folder, directory)
}

/// north.example (alias alias.example) with bob (alias robert), and the empty void.example.
fn furnished() -> (TempDir, SqliteDirectory) {
    let (folder, directory) = store();
    let aliases = vec!["Alias.Example".to_owned()];
    let new = NewDomain { name: "north.example".into(), aliases, ..NewDomain::default() };
    directory.add_domain(&new).unwrap();
    directory.add_domain(&NewDomain { name: "void.example".into(), ..NewDomain::default() }).unwrap();
    let bob =
        NewAccount { address: address("Bob@north.example"), aliases: vec![address("robert@north.example")] };
    directory.add_account(&bob).unwrap();
    (folder, directory)
}

fn add(directory: &SqliteDirectory, account: &str) {
    directory.add_account(&NewAccount { address: address(account), aliases: Vec::new() }).unwrap();
}

fn key(number: u8) -> UnlockedKey {
    UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [number; 32])).unwrap()
}

/// Another serial for each number.
fn certificate(key: &UnlockedKey, number: u8) -> Certificate {
    let profile = AuthorityProfile {
        subject: &Subject::named("north.example"),
        dns_names: &["north.example".to_owned()],
        validity: Validity::lasting(datetime!(2026-01-01 0:00 UTC), Duration::days(30)),
    };
    self_sign(key, &profile, Seed::from_bytes(&mut [number; 32])).unwrap()
}

fn route(directory: &SqliteDirectory, to: &str) -> Route {
    directory.routes(&[address(to)], Some('+')).unwrap().remove(0)
}

#[test]
fn addresses_lead_to_accounts() {
    let (_folder, directory) = furnished();
    let bob = Route::Account(address("bob@north.example"));
    for to in [
        "bob@north.example",
        "BOB@NORTH.EXAMPLE",
        "robert@north.example",
        "bob+lists@north.example",
        "bob@alias.example",
        "ROBERT+x@alias.example",
    ] {
        assert_eq!(route(&directory, to), bob, "{to}");
    }
    assert_eq!(route(&directory, "eve@north.example"), Route::UnknownUser);
    assert_eq!(route(&directory, "bob@elsewhere.example"), Route::UnknownDomain);
    assert_eq!(directory.routes(&[address("bob+x@north.example")], None).unwrap(), [Route::UnknownUser]);
}

#[test]
fn a_domain_without_accounts_bounces_nothing() {
    let (_folder, directory) = furnished();
    assert_eq!(route(&directory, "bob@void.example"), Route::UnknownDomain);
    add(&directory, "eve@void.example");
    assert_eq!(route(&directory, "bob@void.example"), Route::UnknownUser);
}

#[test]
fn the_catch_all_takes_the_rest() {
    let (_folder, directory) = furnished();
    let catch_all = Setting::Own(address("robert@north.example"));
    directory.set_domain("north.example", &DomainChange { catch_all, ..DomainChange::default() }).unwrap();
    assert_eq!(route(&directory, "eve@alias.example"), Route::Account(address("bob@north.example")));
    let change = DomainChange { catch_all: Setting::Inherit, ..DomainChange::default() };
    directory.set_domain("alias.example", &change).unwrap();
    assert_eq!(route(&directory, "eve@alias.example"), Route::UnknownUser);
}

#[test]
fn an_exact_address_wins_over_the_one_without_detail() {
    let (_folder, directory) = furnished();
    add(&directory, "bob+own@north.example");
    let own = Route::Account(address("bob+own@north.example"));
    assert_eq!(route(&directory, "bob+own@north.example"), own);
}

#[test]
fn an_account_knows_all_its_addresses_and_its_domain() {
    let (_folder, directory) = furnished();
    let found = directory.accounts(&[address("bob@north.example"), address("eve@north.example")]).unwrap();
    let bob = found[0].as_ref().unwrap();
    assert!(found[1].is_none());
    assert_eq!(bob.address.to_string(), "Bob@north.example");
    let aliases: Vec<String> = bob.aliases.iter().map(Address::to_string).collect();
    assert_eq!(aliases, ["Bob@alias.example", "robert@north.example", "robert@alias.example"]);
    assert_eq!(bob.domain.aliases, ["alias.example"]);
}

#[test]
fn names_and_addresses_belong_to_one_holder() {
    let (_folder, directory) = furnished();
    let twice = directory.add_domain(&NewDomain { name: "alias.example".into(), ..NewDomain::default() });
    assert_eq!(twice.unwrap_err().to_string(), "alias.example is already a name of the domain north.example");
    let twice = directory.add_account(&NewAccount {
        address: address("eve@north.example"),
        aliases: vec![address("ROBERT@alias.example")],
    });
    assert_eq!(
        twice.unwrap_err().to_string(),
        "ROBERT@alias.example is already an address of the account Bob@north.example"
    );
    // All or nothing: the address that was free is free still.
    assert_eq!(route(&directory, "eve@north.example"), Route::UnknownUser);
    let wrong = directory.add_domain(&NewDomain { name: "a@b.example".into(), ..NewDomain::default() });
    assert!(matches!(wrong, Err(AdminError::DomainName { .. })));
}

#[test]
fn renaming_a_domain_moves_its_accounts() {
    let (_folder, directory) = furnished();
    assert_eq!(directory.rename_domain("north.example", "NEW.example").unwrap(), "new.example");
    assert_eq!(route(&directory, "bob@new.example"), Route::Account(address("bob@new.example")));
    assert_eq!(route(&directory, "bob@north.example"), Route::UnknownDomain);
    // An alias may become the main name.
    directory.rename_domain("new.example", "alias.example").unwrap();
    assert_eq!(directory.domain("alias.example").unwrap().aliases, Vec::<String>::new());
    let taken = directory.rename_domain("alias.example", "void.example").unwrap_err();
    assert_eq!(taken.to_string(), "void.example is already a name of the domain void.example");
}

#[test]
fn settings_are_kept_inherited_or_own() {
    let (_folder, directory) = furnished();
    let bob = address("bob@north.example");
    let own = AccountChange { inbox: Setting::Own(InboxPolicy::Plain), ..AccountChange::default() };
    directory.set_account(&bob, &own).unwrap();
    directory.set_account(&bob, &AccountChange::default()).unwrap();
    assert_eq!(directory.account(&bob).unwrap().overrides.inbox, Some(InboxPolicy::Plain));
    let inherit = AccountChange { inbox: Setting::Inherit, ..AccountChange::default() };
    directory.set_account(&bob, &inherit).unwrap();
    assert_eq!(directory.account(&bob).unwrap().overrides.inbox, None);
}

#[test]
fn a_certificate_retires_its_predecessor_of_the_same_key_only() {
    let (_folder, directory) = furnished();
    let bob = address("bob@north.example");
    let (old_key, new_key) = (key(1), key(2));
    let (first, second, third) =
        (certificate(&old_key, 1), certificate(&old_key, 2), certificate(&new_key, 3));
    assert!(directory.add_certificate(&bob, &first, "a.pem").unwrap().retired.is_empty());
    let added = directory.add_certificate(&bob, &second, "b.pem").unwrap();
    assert_eq!(added.retired, [first.fingerprint()]);
    assert!(directory.add_certificate(&bob, &third, "c.pem").unwrap().retired.is_empty());
    let states: Vec<CertificateState> =
        directory.account(&bob).unwrap().certificates.iter().map(|held| held.state).collect();
    assert_eq!(states, [CertificateState::Retired, CertificateState::Active, CertificateState::Active]);
    let twice = directory.add_certificate(&bob, &third, "c.pem");
    assert!(matches!(twice, Err(AdminError::CertificateHeld { .. })));
    directory.retire_certificate(&bob, third.fingerprint()).unwrap();
    directory.add_certificate(&bob, &third, "again").unwrap();
    let records = directory.certificates(&bob).unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(records[2].source, "again");
    let unknown = directory.retire_certificate(&bob, Fingerprint([0; 32]));
    assert!(matches!(unknown, Err(AdminError::NoCertificate(_))));
}

#[test]
fn the_key_of_a_domain_and_its_certificates_go_together() {
    let (_folder, directory) = furnished();
    let (own, other) = (key(1), key(2));
    let print = own.fingerprint().unwrap();
    let stranger =
        directory.set_domain_certificate("north.example", CertificateUse::Generic, &certificate(&other, 1));
    assert!(matches!(stranger, Err(AdminError::NoKey(_))));
    directory.set_domain_key("north.example", print, &own.to_pkcs8().unwrap()).unwrap();
    let again = directory.set_domain_key("north.example", print, &own.to_pkcs8().unwrap());
    assert!(matches!(again, Err(AdminError::KeyExists { .. })));
    let stranger =
        directory.set_domain_certificate("north.example", CertificateUse::Generic, &certificate(&other, 1));
    assert!(matches!(stranger, Err(AdminError::OtherKey { .. })));
    directory
        .set_domain_certificate("north.example", CertificateUse::Generic, &certificate(&own, 1))
        .unwrap();
    assert_eq!(directory.domain("north.example").unwrap().authorities.len(), 1);
    let stored = directory.domain_key("alias.example").unwrap().unwrap();
    assert!(stored.pkcs8.expose() == own.to_pkcs8().unwrap().expose());
    let refused = directory.remove_domain_key("north.example", &[]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("north.example has keys, and what is sealed to them cannot be opened without them: {print}")
    );
    directory.remove_domain_key("north.example", &[print]).unwrap();
    assert!(directory.domain_key("north.example").unwrap().is_none());
    assert!(directory.domain_certificates("north.example").unwrap().is_empty());
}

/// The octets of a domain's key stand in the clear; once it is removed they stand nowhere.
#[test]
fn a_removed_key_is_gone_from_the_files() {
    let (folder, directory) = furnished();
    let own = key(1);
    let (print, pkcs8) = (own.fingerprint().unwrap(), own.to_pkcs8().unwrap());
    let holds = || {
        let files = std::fs::read_dir(folder.path().join("store")).unwrap();
        let bytes = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        bytes.filter(|bytes| memchr::memmem::find(bytes, pkcs8.expose()).is_some()).count()
    };
    directory.set_domain_key("north.example", print, &pkcs8).unwrap();
    assert!(holds() > 0, "the test sees the key");
    directory.remove_domain_key("north.example", &[print]).unwrap();
    assert_eq!(holds(), 0);
    directory.set_domain_key("void.example", print, &pkcs8).unwrap();
    assert!(holds() > 0);
    directory.remove_domain("void.example", &[print]).unwrap();
    assert_eq!(holds(), 0);
}

#[test]
fn losing_a_key_is_hard() {
    let (_folder, directory) = furnished();
    let bob = address("bob@north.example");
    let own = key(1);
    let print = own.fingerprint().unwrap();
    let spki = own.public().to_spki().unwrap();
    let new = NewVaultKey { fingerprint: print, public_key: &spki, record: b"sealed" };
    directory.add_vault_key(&bob, &new).unwrap();
    assert!(matches!(directory.add_vault_key(&bob, &new), Err(AdminError::KeyHeld { .. })));
    assert_eq!(directory.vault_keys(&bob).unwrap()[0].state, KeyState::Active);
    let made = certificate(&own, 1);
    directory.add_certificate(&bob, &made, "file").unwrap();
    directory.retire_certificate(&bob, made.fingerprint()).unwrap();
    assert_eq!(directory.vault_keys(&bob).unwrap()[0].state, KeyState::Retired);
    for refused in [
        directory.remove_account(&bob, &[]),
        directory.remove_account(&bob, &[Fingerprint([1; 32])]),
        directory.remove_vault_key(&bob, print, &[]),
    ] {
        assert!(matches!(refused, Err(AdminError::KeysWouldBeLost { .. })));
    }
    let full = directory.remove_domain("north.example", &[]).unwrap_err();
    assert_eq!(full.to_string(), "the domain north.example still has accounts: remove them first (1)");
    directory.remove_vault_key(&bob, print, &[print]).unwrap();
    directory.remove_account(&bob, &[]).unwrap();
    directory.remove_domain("north.example", &[]).unwrap();
    assert_eq!(route(&directory, "bob@north.example"), Route::UnknownDomain);
}

#[test]
fn rules_replace_those_before_and_the_history_stays() {
    let (_folder, directory) = furnished();
    add(&directory, "eve@north.example");
    fn new(text: &str) -> NewRules<'_> {
        NewRules {
            file: "r.toml",
            text,
            change: RuleChange::Installed,
            by: "root",
            asked: Asked::Administrator,
            after: None,
        }
    }
    let install = |holder: &RuleHolder, text: &str| directory.change_rules(holder, &new(text)).unwrap();
    let bob = RuleHolder::Account(address("robert@alias.example"));
    install(&RuleHolder::Server, "server");
    install(&RuleHolder::Domain("alias.example".into()), "domain");
    assert_eq!(install(&bob, "one"), 1);
    assert_eq!(install(&bob, "two"), 2);
    install(&RuleHolder::Account(address("eve@north.example")), "eve");
    let running = directory.rules(&[address("bob@north.example"), address("bob@north.example")]).unwrap();
    let told: Vec<(&str, &str)> =
        running.iter().map(|set| (set.holder.as_str(), set.text.as_str())).collect();
    assert_eq!(told, [("", "server"), ("north.example", "domain"), ("Bob@north.example", "two")]);
    let history = directory.installed_rules().unwrap();
    let told: Vec<_> =
        history.iter().map(|set| (set.rules.holder.as_str(), set.version, set.running)).collect();
    let expected = [
        ("", 1, true),
        ("north.example", 1, true),
        ("Bob@north.example", 1, false),
        ("Bob@north.example", 2, true),
        ("eve@north.example", 1, true),
    ];
    assert_eq!(told, expected);
    let unknown = RuleHolder::Domain("nowhere.example".into());
    assert!(directory.change_rules(&unknown, &new("")).is_err());
}

#[test]
fn rules_that_are_ended_or_brought_back_are_entries_of_the_history() {
    let (_folder, directory) = furnished();
    let bob = RuleHolder::Account(address("bob@north.example"));
    let change = |text, change, after| {
        let (by, asked) = ("eve", Asked::Owner);
        directory.change_rules(&bob, &NewRules { file: "r.toml", text, change, by, asked, after })
    };
    let ended = change("", RuleChange::Removed, None).unwrap_err();
    assert_eq!(ended.to_string(), "no rules run for account bob@north.example");
    assert_eq!(change("one", RuleChange::Installed, Some(0)).unwrap(), 1);
    assert_eq!(change("", RuleChange::Removed, None).unwrap(), 2);
    assert_eq!(directory.rules(&[address("bob@north.example")]).unwrap().len(), 0);
    let faster = change("one", RuleChange::RolledBack(1), Some(1)).unwrap_err();
    let said = "the rules for account bob@north.example were changed by somebody else meanwhile: nothing was done, \
        look at them again";
    assert_eq!(faster.to_string(), said);
    assert_eq!(change("one", RuleChange::RolledBack(1), Some(2)).unwrap(), 3);
    let history = directory.rule_history(&bob).unwrap();
    let told: Vec<_> = history.iter().map(|set| (set.version, set.change, set.running)).collect();
    let expected = [
        (1, RuleChange::Installed, false),
        (2, RuleChange::Removed, false),
        (3, RuleChange::RolledBack(1), true),
    ];
    assert_eq!(told, expected);
    assert!(history.iter().all(|set| (set.asked, set.installed_by.as_str()) == (Asked::Owner, "eve")));
}

#[test]
fn a_foreign_mailbox_needs_a_right() {
    let (_folder, directory) = furnished();
    add(&directory, "eve@north.example");
    let (bob, eve) = (address("bob@north.example"), address("eve@north.example"));
    let archive = MailboxName::parse("Archive").unwrap();
    let asked = [
        (bob.clone(), archive.clone(), bob.clone()),
        (bob.clone(), archive.clone(), eve.clone()),
        (bob.clone(), MailboxName::inbox(), eve.clone()),
        (address("x@void.example"), archive.clone(), eve.clone()),
    ];
    assert_eq!(directory.may_insert(&asked).unwrap(), [true, false, false, false]);
    directory.grant(&bob, &archive, &eve, Right::Insert).unwrap();
    directory.grant(&bob, &archive, &eve, Right::Insert).unwrap();
    assert_eq!(directory.may_insert(&asked).unwrap(), [true, true, false, false]);
    assert_eq!(directory.grants(&bob).unwrap().len(), 1);
    directory.revoke(&bob, &archive, &eve, Right::Insert).unwrap();
    assert_eq!(directory.may_insert(&asked).unwrap(), [true, false, false, false]);
    assert!(directory.revoke(&bob, &archive, &eve, Right::Insert).is_err());
}

#[test]
fn server_copies_are_remembered_in_a_file_of_their_own() {
    let (folder, directory) = furnished();
    let file = folder.path().join("store/state.sqlite");
    let copy = |rule: &str| ServerCopy {
        queue_id: "4Xyz".into(),
        rule: rule.into(),
        mailbox: "~bob@north.example/Box".into(),
    };
    directory.server_copies(&[]).unwrap();
    assert!(!file.exists());
    let copies = [copy("a"), copy("b"), copy("c")];
    directory.begin_server_copies(&[(copy("a"), "1.x".into()), (copy("b"), "2.x".into())]).unwrap();
    directory.begin_server_copies(&[(copy("b"), "3.x".into())]).unwrap();
    directory.finish_server_copies(&[copy("a")]).unwrap();
    assert_eq!(mode(&file), 0o600);
    let again = SqliteDirectory::open_for_reading(&folder.path().join("store")).unwrap();
    assert_eq!(
        again.server_copies(&copies).unwrap(),
        [ServerCopyState::Done, ServerCopyState::Begun("3.x".into()), ServerCopyState::Unknown]
    );
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_is_open_to_others_is_refused() {
    let (folder, directory) = furnished();
    let root = folder.path().join("store");
    drop(directory);
    let file = root.join("directory.sqlite");
    for (path, right, wrong) in [(&root, 0o700, 0o750), (&file, 0o600, 0o644)] {
        assert_eq!(mode(path), right);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(wrong)).unwrap();
        let expected =
            format!("{0} is open to others (mode {wrong:04o}): chmod {right:o} {0}", path.display());
        for opened in [SqliteDirectory::open(&root), SqliteDirectory::open_for_reading(&root)] {
            assert_eq!(opened.err().unwrap().to_string(), expected);
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(right)).unwrap();
    }
    for beside in ["directory.sqlite-wal", "directory.sqlite-shm"] {
        assert_eq!(mode(&root.join(beside)), 0o600, "{beside} stays, and is ours alone");
    }
}

#[test]
fn no_store_is_told_from_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteDirectory::open_for_reading(folder.path()).err().unwrap();
    let shown = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!("there is no store in {shown}: make one with sealpost --root {shown} init")
    );
}

#[test]
fn reading_needs_no_files_beside_the_directory_and_writes_nothing() {
    let (folder, directory) = furnished();
    let root = folder.path().join("store");
    drop(directory);
    let snapshot = std::fs::read(root.join("directory.sqlite-wal")).unwrap();
    let reader = SqliteDirectory::open_for_reading(&root).unwrap();
    assert_eq!(route(&reader, "bob@north.example"), Route::Account(address("bob@north.example")));
    let refused = reader.add_domain(&NewDomain { name: "more.example".into(), ..NewDomain::default() });
    assert!(refused.is_err());
    drop(reader);
    assert_eq!(std::fs::read(root.join("directory.sqlite-wal")).unwrap(), snapshot);
    // As after a restore from a backup that holds the one file.
    let writer = rusqlite::Connection::open(root.join("directory.sqlite")).unwrap();
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(writer);
    for beside in ["directory.sqlite-wal", "directory.sqlite-shm"] {
        let _ = std::fs::remove_file(root.join(beside));
    }
    let reader = SqliteDirectory::open_for_reading(&root).unwrap();
    assert_eq!(route(&reader, "bob@north.example"), Route::Account(address("bob@north.example")));
}

#[test]
fn sixty_four_readers_beside_a_writer() {
    let (folder, directory) = furnished();
    let root = folder.path().join("store");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let reader = SqliteDirectory::open_for_reading(&root).unwrap();
                    for _ in 0..5 {
                        let bob = Route::Account(address("bob@north.example"));
                        assert_eq!(route(&reader, "bob@alias.example"), bob);
                    }
                })
            })
            .collect();
        for number in 0..20 {
            add(&directory, &format!("user{number}@void.example"));
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(directory.all_accounts(Some("void.example")).unwrap().len(), 20);
    assert_eq!(directory.all_accounts(None).unwrap().len(), 21);
}

#[test]
fn writers_wait_for_each_other() {
    let (folder, directory) = furnished();
    let root = folder.path().join("store");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let root = &root;
            scope.spawn(move || {
                let directory = SqliteDirectory::open(root).unwrap();
                for number in 0..5 {
                    add(&directory, &format!("u{writer}.{number}@void.example"));
                }
            });
        }
    });
    assert_eq!(directory.all_accounts(Some("void.example")).unwrap().len(), 20);
}

/// What a message calls the certificate: by issuer and serial number, and by key.
fn holders_of(directory: &SqliteDirectory, made: &Certificate) -> Vec<Vec<CertificateHolder>> {
    directory.certificate_holders(&made.recipient_ids().iter().collect::<Vec<_>>()).unwrap()
}

fn found(holders: &[CertificateHolder]) -> Vec<(String, CertificateState)> {
    holders.iter().map(|holder| (holder.account.to_string(), holder.state)).collect()
}

#[test]
fn certificates_are_found_by_what_messages_call_them() {
    let (_folder, directory) = furnished();
    add(&directory, "eve@north.example");
    let (bob, eve) = (address("bob@north.example"), address("eve@north.example"));
    let (made, unknown) = (certificate(&key(1), 1), certificate(&key(2), 2));
    directory.add_certificate(&bob, &made, "file").unwrap();
    let by_both = holders_of(&directory, &made);
    assert_eq!(by_both.len(), 2, "by serial number and by key");
    for holders in &by_both {
        assert_eq!(found(holders), [("Bob@north.example".to_owned(), CertificateState::Active)]);
        assert_eq!(holders[0].certificate, made.fingerprint());
        assert_eq!(holders[0].added, directory.certificates(&bob).unwrap()[0].added);
    }
    assert_eq!(holders_of(&directory, &unknown), [vec![], vec![]]);
    // Answers stand in the order of the questions.
    let questions = [unknown.recipient_ids(), made.recipient_ids()].concat();
    let answers = directory.certificate_holders(&questions.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 1, 1]);
    // Two accounts may share one certificate, and a retired one is still known.
    directory.add_certificate(&eve, &made, "file").unwrap();
    directory.retire_certificate(&bob, made.fingerprint()).unwrap();
    let shared = found(&holders_of(&directory, &made)[0]);
    let expected =
        [("Bob@north.example", CertificateState::Retired), ("eve@north.example", CertificateState::Active)];
    assert_eq!(shared, expected.map(|(account, state)| (account.to_owned(), state)));
    // Added again it is one certificate; with its account it goes.
    directory.add_certificate(&bob, &made, "file").unwrap();
    assert_eq!(found(&holders_of(&directory, &made)[0]).len(), 2);
    directory.remove_account(&bob, &[]).unwrap();
    assert_eq!(
        found(&holders_of(&directory, &made)[0]),
        [("eve@north.example".to_owned(), CertificateState::Active)]
    );
}

#[test]
fn the_same_octets_are_another_name_as_serial_number_than_as_key() {
    let (_folder, directory) = furnished();
    let made = certificate(&key(1), 1);
    directory.add_certificate(&address("bob@north.example"), &made, "file").unwrap();
    let ids = made.recipient_ids();
    let [RecipientId::IssuerAndSerialNumber { issuer, serial }, RecipientId::SubjectKeyIdentifier(key)] =
        ids.as_slice()
    else {
        panic!("by serial number and by key")
    };
    let other = RecipientId::IssuerAndSerialNumber { issuer: issuer.clone(), serial: key.clone() };
    let joined = RecipientId::SubjectKeyIdentifier([issuer.as_slice(), serial].concat());
    assert_eq!(directory.certificate_holders(&[&other, &joined]).unwrap(), [vec![], vec![]]);
}

/// The layout before certificates were found by their names, with one that is good and one that is broken.
#[test]
fn an_older_layout_learns_the_names_of_its_certificates() {
    let (folder, made) = (tempfile::tempdir().unwrap(), certificate(&key(1), 1));
    let root = folder.path().join("store");
    drop(SqliteDirectory::create(&root).unwrap());
    let path = root.join("directory.sqlite");
    for beside in ["-wal", "-shm"] {
        std::fs::remove_file(root.join(format!("directory.sqlite{beside}"))).ok();
    }
    std::fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    let old = rusqlite::Connection::open(&path).unwrap();
    schema::climb(&old, schema::File::Directory, 2).unwrap();
    old.execute_batch(
        "INSERT INTO domains (id, mode) VALUES ('d', 'enabled');
         INSERT INTO domain_names VALUES ('north.example', 'd', 1);
         INSERT INTO accounts (id) VALUES ('a');
         INSERT INTO account_names VALUES ('d', 'bob', 'bob', 'a', 1);
         INSERT INTO certificates VALUES ('x', 'a', 'x', 'x', X'3000', 'active', 0, 'file');
         INSERT INTO rule_sets VALUES ('3', NULL, NULL, 's', 'second', 0, 'root', 1);
         INSERT INTO rule_sets VALUES ('1', NULL, NULL, 's', 'first', 0, 'root', 0);
         INSERT INTO rule_sets VALUES ('2', NULL, 'a', 'a', 'first', 0, 'root', 1);",
    )
    .unwrap();
    let print = made.fingerprint().to_string();
    let sql = "INSERT INTO certificates VALUES ('y', 'a', ?1, ?1, ?2, 'active', 0, 'file')";
    old.execute(sql, rusqlite::params![print, made.der()]).unwrap();
    let sql = "INSERT INTO issued VALUES ('d', '01', 'bob@north.example', ?1, 0)";
    old.execute(sql, [made.der()]).unwrap();
    drop(old);
    let directory = SqliteDirectory::open(&root).unwrap();
    assert_eq!(found(&holders_of(&directory, &made)[0]).len(), 1);
    assert_eq!(directory.issued("north.example").unwrap()[0].revoked, None);
    let rules = directory.installed_rules().unwrap();
    let told: Vec<_> = rules.iter().map(|set| (set.version, set.rules.text.as_str(), set.running)).collect();
    assert_eq!(told, [(1, "first", false), (2, "second", true), (1, "first", true)]);
    drop(directory);
    let named: String = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT fingerprint FROM issued", [], |row| row.get(0))
        .unwrap();
    assert_eq!(named, print);
    // Once.
    let again = SqliteDirectory::open(&root).unwrap();
    assert_eq!(found(&holders_of(&again, &made)[0]).len(), 1);
}

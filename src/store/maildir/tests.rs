//! Maildirs on a real disk.

use super::*;

fn bob() -> Address {
    Address::parse("bob@north.example").unwrap()
}

fn store() -> (tempfile::TempDir, MaildirStore) {
    let root = tempfile::tempdir().unwrap();
    let store = MaildirStore::new(root.path(), "mail/{domain}/{local}/Maildir").unwrap();
    (root, store)
}

fn empty(mailbox: &str, create: bool, flags: Vec<Flag>) -> Copy<'static> {
    let mailbox = MailboxName::parse(mailbox).unwrap();
    let content = crate::engine::Content::Plain(b"", crate::engine::PlainConsent::for_tests());
    Copy { owner: bob(), place: Place::Mailbox(mailbox), create, flags, content }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_visible_once_it_is_committed_and_not_before() {
    let (_root, store) = store();
    let staged = store.write(&empty("INBOX", true, Vec::new()), Octets::Held(b"a\nb\n")).unwrap();
    let maildir = store.folder(&bob(), &MailboxName::inbox());
    let name = staged.name().to_owned();
    assert!(name.ends_with(",S=4,W=6"), "{name}");
    assert_eq!((files(&maildir.join("tmp")), files(&maildir.join("new")).len()), (vec![name.clone()], 0));
    assert!(!store.holds(&bob(), &MailboxName::inbox(), &name).unwrap());
    staged.commit().unwrap();
    assert_eq!((files(&maildir.join("tmp")).len(), files(&maildir.join("new"))), (0, vec![name.clone()]));
    assert!(store.holds(&bob(), &MailboxName::inbox(), &name).unwrap());
    assert_eq!(std::fs::read(maildir.join("new").join(name)).unwrap(), b"a\nb\n");
}

#[test]
fn dropping_a_staged_copy_undoes_it() {
    let (_root, store) = store();
    drop(store.write(&empty("INBOX", true, Vec::new()), Octets::Held(b"x")).unwrap());
    let maildir = store.folder(&bob(), &MailboxName::inbox());
    assert_eq!(["tmp", "new", "cur"].map(|part| files(&maildir.join(part)).len()), [0, 0, 0]);
}

#[test]
fn flags_put_it_into_cur_and_it_is_still_found_by_its_base_name() {
    let (_root, store) = store();
    let flags = vec![Flag::Seen, Flag::Keyword("Sealed".into()), Flag::Flagged];
    let staged = store.write(&empty("Vault/Payroll", true, flags), Octets::Held(b"x")).unwrap();
    let name = staged.name().to_owned();
    staged.commit().unwrap();
    let mailbox = MailboxName::parse("Vault/Payroll").unwrap();
    let folder = store.folder(&bob(), &mailbox);
    assert!(folder.ends_with("mail/north.example/bob/Maildir/.Vault.Payroll"));
    assert_eq!(files(&folder.join("cur")), [format!("{name}:2,FSa")]);
    assert_eq!(files(&folder), ["cur", "dovecot-keywords", "maildirfolder", "new", "tmp"]);
    assert!(store.holds(&bob(), &mailbox, &name).unwrap());
    assert!(
        !store.holds(&bob(), &mailbox, name.trim_start_matches(|char: char| char.is_ascii_digit())).unwrap()
    );
}

#[test]
fn a_mailbox_that_may_not_be_created_is_not() {
    let (_root, store) = store();
    let mailbox = MailboxName::parse("Box").unwrap();
    let error = store.write(&empty("Box", false, Vec::new()), Octets::Held(b"x")).err().unwrap();
    assert_eq!(error.to_string(), "mailbox Box of bob@north.example does not exist");
    assert!(!store.exists(&bob(), &mailbox).unwrap());
    store.create(&bob(), &mailbox).unwrap();
    assert!(store.exists(&bob(), &mailbox).unwrap());
    store.write(&empty("Box", false, Vec::new()), Octets::Held(b"x")).unwrap().commit().unwrap();
}

#[test]
fn a_full_mailbox_is_told_apart_and_deliveries_are_counted() {
    let (_root, store) = store();
    store.create(&bob(), &MailboxName::inbox()).unwrap();
    let quota = store.folder(&bob(), &MailboxName::inbox()).join("maildirsize");
    std::fs::write(&quota, "5S\n0 0\n").unwrap();
    store.write(&empty("Box", true, Vec::new()), Octets::Held(b"1234")).unwrap().commit().unwrap();
    assert_eq!(std::fs::read_to_string(&quota).unwrap(), "5S\n0 0\n4 1\n");
    let error = store.write(&empty("INBOX", true, Vec::new()), Octets::Held(b"12")).err().unwrap();
    assert_eq!(error.to_string(), "the mailbox of bob@north.example is full");
}

#[test]
fn a_missing_tmp_is_made_again() {
    let (_root, store) = store();
    store.create(&bob(), &MailboxName::inbox()).unwrap();
    let maildir = store.folder(&bob(), &MailboxName::inbox());
    std::fs::remove_dir(maildir.join("tmp")).unwrap();
    store.write(&empty("INBOX", false, Vec::new()), Octets::Held(b"x")).unwrap().commit().unwrap();
    assert_eq!(files(&maildir.join("new")).len(), 1);
}

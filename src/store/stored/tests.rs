//! Mailboxes as other programs leave them.

use super::*;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

fn world(names: &[&str]) -> (tempfile::TempDir, MaildirStore, Arc<StoredMailbox>) {
    let root = tempfile::tempdir().unwrap();
    let store = MaildirStore::new(root.path(), "{domain}/{local}").unwrap();
    let owner = Address::parse("bob@north.example").unwrap();
    let mailbox = store.stored_mailboxes(&owner).unwrap().remove(0);
    ["tmp", "new", "cur"].iter().for_each(|part| fs::create_dir_all(mailbox.folder.join(part)).unwrap());
    names.iter().for_each(|name| fs::write(mailbox.folder.join(name), "").unwrap());
    (root, store, mailbox)
}

/// With the cause.
fn text(error: &StoreError) -> String {
    format!("{error}: {}", error.source().unwrap())
}

#[test]
fn new_mail_is_listed_first_and_dot_files_are_none() {
    let (_root, store, mailbox) = world(&["cur/1.a.mx:2,S", "new/2.b.mx", "new/.hidden", "cur/.nfs0001"]);
    let all: Vec<_> = store.messages(&mailbox).map(Result::unwrap).collect();
    let listed: Vec<_> = all.iter().map(|one| (one.part, one.base(), one.letters())).collect();
    assert_eq!(listed, [(Part::New, "2.b.mx", ""), (Part::Cur, "1.a.mx", "S")]);
}

/// It is told, and the listing goes on.
#[test]
fn a_name_that_is_no_text_is_an_error_of_that_one() {
    let (_root, store, mailbox) = world(&["new/1.a.mx", "cur/2.b.mx:2,"]);
    fs::write(mailbox.folder.join("new").join(OsStr::from_bytes(b"3.\xff.mx")), "").unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = store.messages(&mailbox).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (2, 1));
    let error = text(bad[0].as_ref().unwrap_err());
    assert!(error.starts_with("cannot read the name of "), "{error}");
    assert!(error.ends_with("/new/3.\u{fffd}.mx: it is not in UTF-8; rename the file"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_told_and_the_other_one_is_listed() {
    let (_root, store, mailbox) = world(&["cur/2.b.mx:2,"]);
    let new = mailbox.folder.join("new");
    fs::remove_dir(&new).unwrap();
    std::os::unix::fs::symlink(&new, &new).unwrap();
    let all: Vec<_> = store.messages(&mailbox).collect();
    assert!(all[0].as_ref().unwrap_err().to_string().starts_with("cannot list "), "{all:?}");
    assert_eq!((all.len(), all[1].as_ref().unwrap().base()), (2, "2.b.mx"));
}

#[test]
fn names_that_are_no_text_can_be_passed_over_and_a_folder_cannot() {
    let (_folder, store, mailbox) = world(&["cur/1.a.mx:2,S"]);
    fs::write(mailbox.folder.join("cur").join(OsStr::from_bytes(b"2.\xff.mx")), "").unwrap();
    let found: Vec<_> = store.messages(&mailbox).in_utf8().collect();
    assert!(matches!(found.as_slice(), [Ok(one)] if one.base() == "1.a.mx"), "{found:?}");
    fs::remove_dir(mailbox.folder.join("new")).unwrap();
    std::os::unix::fs::symlink("new", mailbox.folder.join("new")).unwrap();
    let found: Vec<_> = store.messages(&mailbox).in_utf8().map(|found| found.is_ok()).collect();
    assert_eq!(found, [false, true]);
}

#[test]
fn what_is_no_file_is_no_message() {
    let (_root, store, mailbox) = world(&["cur/1.a.mx"]);
    let new = mailbox.folder.join("new");
    fs::create_dir(new.join("1.folder")).unwrap();
    std::os::unix::fs::symlink(mailbox.folder.join("cur/1.a.mx"), new.join("2.link")).unwrap();
    nix::unistd::mkfifo(&new.join("3.pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(new.join("4.socket")).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) =
        store.messages(&mailbox).map(|one| one.unwrap().open()).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 4));
    for error in bad {
        let error = text(&error.err().unwrap());
        assert!(error.ends_with(": it is no regular file, and no message then"), "{error}");
    }
}

#[test]
fn what_is_gone_is_no_error() {
    let (_root, store, mailbox) = world(&["cur/1.a.mx:2,"]);
    let message = store.messages(&mailbox).next().unwrap().unwrap();
    fs::rename(message.path(), mailbox.folder.join("cur/1.a.mx:2,S")).unwrap();
    assert!(message.open().unwrap().is_none());
    fs::remove_dir_all(&mailbox.folder).unwrap();
    assert!(store.messages(&mailbox).next().is_none());
}

#[test]
fn mailboxes_of_other_programs_are_listed_with_their_messages() {
    let (_root, store, mailbox) = world(&[]);
    for folder in [".Entw&APw-rfe", ".&bogus", ".Archiv.2020 (alt)"] {
        fs::create_dir_all(mailbox.folder.join(folder).join("cur")).unwrap();
        fs::write(mailbox.folder.join(folder).join("cur/1.a.mx"), "").unwrap();
    }
    fs::create_dir_all(mailbox.folder.join(OsStr::from_bytes(b".bad\xff")).join("new")).unwrap();
    let all = store.stored_mailboxes(&mailbox.owner).unwrap();
    let mut names: Vec<_> = all.iter().map(|one| (one.name.as_str(), store.messages(one).count())).collect();
    names[1..].sort_unstable();
    let expected =
        [("INBOX", 0), ("&bogus", 1), ("Archiv/2020 (alt)", 1), ("Entwürfe", 1), ("bad\u{fffd}", 0)];
    assert_eq!(names, expected);
}

/// As some servers were migrated to.
#[test]
fn a_name_stands_for_one_mailbox() {
    let (_root, store, mailbox) = world(&[]);
    for folder in [".INBOX", ".INBOX.Sent", ".&-a", ".&a"] {
        fs::create_dir(mailbox.folder.join(folder)).unwrap();
    }
    let all = store.stored_mailboxes(&mailbox.owner).unwrap();
    let mut names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((names[0], all[0].folder()), ("INBOX", mailbox.folder()));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.contains(&".INBOX") && names.contains(&"INBOX/Sent"), "{names:?}");
}

#[test]
fn a_mailbox_is_found_by_its_name() {
    let (_root, store, mailbox) = world(&["cur/1.a.mx"]);
    fs::create_dir_all(mailbox.folder.join(".Archive/cur")).unwrap();
    let find = |name: &str| {
        let name = MailboxName::parse(name).unwrap();
        store.stored_mailbox(&mailbox.owner, &name).unwrap().map(|found| found.folder().to_owned())
    };
    assert_eq!(find("INBOX"), Some(mailbox.folder.clone()));
    assert_eq!(find("Archive"), Some(mailbox.folder.join(".Archive")));
    assert_eq!((find("Archive/2019"), find("archive")), (None, None));
    fs::remove_dir_all(&mailbox.folder).unwrap();
    assert_eq!(find("INBOX"), Some(mailbox.folder.clone()), "it comes with the first message");
}

//! A store with mail of ten years, which a private Dovecot serves.

use crate::postfix_dovecot::dovecot::Dovecot;
use crate::support::{Authority, Ended, Identity, Program, crlf, path};
use sealpost::pki::{UnlockedKey, read_certificates, read_key_file};
use sealpost::smime::{OpeningKey, open};
use std::collections::BTreeSet;
use std::fs::{File, Permissions, create_dir, set_permissions, write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who owns the mail: any user that is neither root nor the servers'.
const OWNER: &str = "nobody";
pub(super) const BOB: &str = "bob@north.example";
/// The time that leads the name of the first message.
pub(super) const FIRST: u64 = 1_000_001;

/// Bob's mail, and Dovecot over it.
pub(super) struct Served {
    pub(super) dovecot: Dovecot,
    program: PathBuf,
    root: PathBuf,
    bob: Identity,
    key: UnlockedKey,
    /// Last: the server is stopped before its folder goes.
    folder: tempfile::TempDir,
}

/// A message on the disk.
pub(super) struct Lying {
    /// Its name's letters as flags and keywords.
    pub(super) flags: BTreeSet<String>,
    /// When it arrived, as IMAP says it.
    pub(super) date: SystemTime,
    pub(super) bytes: Vec<u8>,
}

/// What a message holds; its number is the time that leads its name.
pub(super) fn letter(number: u64) -> String {
    format!(
        "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Letter {number}\n\
         Message-ID: <{number}@south.example>\n\nThe quagga {number} grazes.\n"
    )
}

impl Served {
    /// Bob's INBOX has so many clear messages, a quarter of them in `new/`, and mailboxes Archive and Copies.
    pub(super) fn with_letters(count: u64) -> Served {
        let folder = tempfile::tempdir().unwrap();
        set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        // The owner must reach the program, wherever the build folder is.
        let program = folder.path().join("sealpost");
        std::fs::copy(env!("CARGO_BIN_EXE_sealpost"), &program).unwrap();
        let home = folder.path().join("home");
        create_dir(&home).unwrap();
        give(&home);
        let root = home.join("store");
        let run = |words: &str| Program::new(path(&program)).args(["--root", path(&root)]).words(words).run();
        run(&format!("init --owner {OWNER}")).ok();
        run("domain add north.example").ok();
        run(&format!("account add {BOB}")).ok();
        let bob = Authority::new(folder.path()).rsa("bob");
        run(&format!("cert add --account {BOB} --file {}", path(&bob.certificate))).ok();
        let maildir = root.join("mail/north.example/bob/Maildir");
        fill(&maildir, count);
        let key = read_key_file(&std::fs::read(&bob.key).unwrap(), None).unwrap().keys.remove(0);
        Served { dovecot: Dovecot::start(&root, OWNER), program, root, bob, key, folder }
    }

    pub(super) fn maildir(&self) -> PathBuf {
        self.root.join("mail/north.example/bob/Maildir")
    }

    /// A folder of the test's own.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An administrator's command: root becomes the owner by itself.
    pub(super) fn run(&self, words: &str) -> Ended {
        Program::new(path(&self.program)).args(["--root", path(&self.root)]).words(words).limit(120).run()
    }

    /// The messages of a mailbox: `""` is the INBOX, `.Archive` another.
    pub(super) fn messages(&self, mailbox: &str) -> Vec<Lying> {
        let folder = self.maildir().join(mailbox);
        let keywords = std::fs::read_to_string(folder.join("dovecot-keywords")).unwrap_or_default();
        let mut found = Vec::new();
        for part in ["new", "cur"] {
            for entry in std::fs::read_dir(folder.join(part)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let letters = name.split_once(":2,").map_or("", |(_, letters)| letters);
                let flags = letters.chars().map(|letter| flag(letter, &keywords)).collect();
                let date = entry.metadata().unwrap().modified().unwrap();
                found.push(Lying { flags, date, bytes: std::fs::read(entry.path()).unwrap() });
            }
        }
        found
    }

    /// The clear message in a sealed one.
    pub(super) fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let certificates = read_certificates(&std::fs::read(&self.bob.certificate).unwrap()).unwrap();
        let keys = [OpeningKey { key: &self.key, certificate: certificates.first() }];
        open(sealed, &keys).expect("sealed to Bob").message.expose().to_vec()
    }

    /// The number of a message that is sealed and holds, octet for octet, what that letter held.
    pub(super) fn number(&self, lying: &Lying) -> u64 {
        let opened = self.open(&lying.bytes);
        let text = String::from_utf8(opened).unwrap();
        let number = text.split_once("Subject: Letter ").unwrap().1.lines().next().unwrap().parse().unwrap();
        if (FIRST..2_000_000).contains(&number) {
            assert_eq!(text.as_bytes(), crlf(letter(number).as_bytes()));
        }
        number
    }
}

/// When the message of that number arrived.
pub(super) fn date_of(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(number)
}

fn flag(letter: char, keywords: &str) -> String {
    let system = match letter {
        'F' => "\\Flagged",
        'R' => "\\Answered",
        'S' => "\\Seen",
        'D' => "\\Draft",
        'T' => "\\Deleted",
        _ => "",
    };
    if !system.is_empty() {
        return system.to_owned();
    }
    let place = (u32::from(letter) - u32::from('a')).to_string();
    let known = keywords.lines().find_map(|line| line.split_once(' ').filter(|(at, _)| *at == place));
    known.expect("a keyword of this mailbox").1.to_owned()
}

fn fill(maildir: &Path, count: u64) {
    let mut above: Vec<&Path> = maildir.ancestors().take_while(|folder| !folder.exists()).collect();
    above.reverse();
    above.into_iter().for_each(make);
    for mailbox in ["", ".Archive", ".Copies"] {
        let folder = maildir.join(mailbox);
        if !mailbox.is_empty() {
            make(&folder);
            write(folder.join("maildirfolder"), "").unwrap();
            give(&folder.join("maildirfolder"));
        }
        ["cur", "new", "tmp"].iter().for_each(|part| make(&folder.join(part)));
    }
    (FIRST..FIRST + count).for_each(|number| put(maildir, number));
}

fn make(folder: &Path) {
    create_dir(folder).unwrap();
    give(folder);
}

fn put(maildir: &Path, number: u64) {
    let text = letter(number);
    let name = format!("{number}.M1P1Q{number}.mx,S={},W={}", text.len(), crlf(text.as_bytes()).len());
    let file = match number % 4 {
        0 => maildir.join("new").join(name),
        1 => maildir.join("cur").join(format!("{name}:2,S")),
        _ => maildir.join("cur").join(format!("{name}:2,")),
    };
    write(&file, text).unwrap();
    File::options().write(true).open(&file).unwrap().set_modified(date_of(number)).unwrap();
    give(&file);
}

fn give(path: &Path) {
    let owner = nix::unistd::User::from_name(OWNER).unwrap().expect("every system has this user");
    chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
}

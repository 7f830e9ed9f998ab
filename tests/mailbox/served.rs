//! A store with mail of ten years, which a private Dovecot serves.

use crate::support::servers::Dovecot;
use crate::support::{Authority, Ended, Held, Identity, Program, crlf, path, wait_for};
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
    /// Bob's, the newest last.
    identities: Vec<Identity>,
    /// What is sealed to another one counts as lost.
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
    /// When this file came to be.
    pub(super) born: SystemTime,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Lying {
    pub(super) fn is_sealed(&self) -> bool {
        self.bytes.windows(SEALED.len()).any(|window| window == SEALED)
    }

    /// Did a run make it, which names its files so? The server takes names of its own for what it moves.
    pub(super) fn is_made_by_a_run(&self) -> bool {
        self.name.split('.').any(|level| level.starts_with('P') && level.contains('X'))
    }
}

const SEALED: &[u8] = b"Sealpost-Sealed:";

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
        let (dovecot, key) = (Dovecot::start(&root, OWNER), unlocked(&bob));
        Served { dovecot, program, root, identities: vec![bob], key, folder }
    }

    /// More clear messages in `cur/`, with these numbers.
    pub(super) fn add(&self, numbers: std::ops::Range<u64>) {
        numbers.for_each(|number| put(&self.maildir(), number));
    }

    /// Bob's certificate is retired and he gets another one; gives the file of the old key.
    pub(super) fn give_new_key(&mut self) -> PathBuf {
        let folder = self.folder.path().join("authority-too");
        create_dir(&folder).unwrap();
        let new = Authority::new(&folder).rsa("bob");
        self.run(&format!("cert retire --account {BOB}")).ok();
        self.run(&format!("cert add --account {BOB} --file {}", path(&new.certificate))).ok();
        self.key = unlocked(&new);
        self.identities.push(new);
        self.identities[0].key.clone()
    }

    /// The file of Bob's key.
    pub(super) fn key(&self) -> &Path {
        &self.identities.last().unwrap().key
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
        Program::new(path(&self.program)).args(["--root", path(&self.root)]).words(words).run()
    }

    /// The same under strace: killed when it removes the first of these files.
    pub(super) fn killed(&self, words: &str, files: &[PathBuf]) -> Ended {
        let program =
            Program::killed_in("unlink", 1, files).args([path(&self.program), "--root", path(&self.root)]);
        program.words(words).run()
    }

    /// The same, held up when so many are staged and nothing is visible, until something else is done. What it printed.
    pub(super) fn held_up(&self, words: &str, staged: usize, meanwhile: impl FnOnce()) -> String {
        let words: Vec<&str> =
            ["--root", path(&self.root)].into_iter().chain(words.split_whitespace()).collect();
        let held = Held::before_the_first("linkat", &self.program, &words);
        let tmp = self.maildir().join("tmp");
        wait_for("all to be staged", 60, || {
            (std::fs::read_dir(&tmp).unwrap().count() == staged).then_some(())
        });
        meanwhile();
        let ended = held.go_on();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
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
                let data = entry.metadata().unwrap();
                let (date, born) = (data.modified().unwrap(), data.created().unwrap());
                let bytes = std::fs::read(entry.path()).unwrap();
                found.push(Lying { flags, date, born, name, bytes });
            }
        }
        found
    }

    /// The clear message in a sealed one.
    pub(super) fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let certificates =
            read_certificates(&std::fs::read(&self.identities.last().unwrap().certificate).unwrap()).unwrap();
        let keys = [OpeningKey { key: &self.key, certificate: certificates.first() }];
        open(sealed, &keys).expect("sealed to Bob").message.expose().to_vec()
    }

    /// The number of a message that holds, octet for octet, what that letter held, whether it is sealed or not.
    pub(super) fn number(&self, lying: &Lying) -> u64 {
        let (held, line_end) = match lying.is_sealed() {
            true => (self.open(&lying.bytes), "\r\n"),
            false => (lying.bytes.clone(), "\n"),
        };
        let text = String::from_utf8(held).unwrap();
        let number = text.split_once("Subject: Letter ").unwrap().1.lines().next().unwrap().parse().unwrap();
        if is_letter(number) {
            assert_eq!(text, letter(number).replace('\n', line_end), "message {number}");
        }
        number
    }
}

/// Was it there from the beginning? Clients append others.
pub(super) fn is_letter(number: u64) -> bool {
    (FIRST..2_000_000).contains(&number)
}

fn unlocked(identity: &Identity) -> UnlockedKey {
    read_key_file(&std::fs::read(&identity.key).unwrap(), None).unwrap().keys.remove(0)
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

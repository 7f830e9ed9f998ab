//! One account with numbered messages, and a work that seals them.

use crate::laws::people::{ELLA, now, validated};
use sealpost::crypto::{Entropy, Profile};
use sealpost::directory::{NewAccount, NewDomain, SqliteDirectory, StepMark};
use sealpost::mail::{Address, MailboxName};
use sealpost::mailbox::{
    Accounts, Ended, Event, Left, Made, Outcome, Proof, Read, Run, RunError, Scope, Seen, Selection, Work,
};
use sealpost::smime::{Mark, SealJob, Sealed, open, seal_many};
use sealpost::store::{Files, MaildirStore, NewContent, RunId};
use sealpost::system::SystemEntropy;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

pub(super) const TEMPLATE: &str = "mail/{domain}/{local}/Maildir";
/// The date of message 0; that of every other is so many seconds later.
const DATE: u64 = 1_200_000_000;

/// The account `anna@north.example`, her mail and the directory.
pub(super) struct House {
    _folder: Option<tempfile::TempDir>,
    pub(super) directory: SqliteDirectory,
    pub(super) store: MaildirStore,
    pub(super) owner: Address,
    pub(super) stop: AtomicBool,
    pub(super) largest: u64,
    /// So often somebody went over the messages meanwhile.
    pub(super) rounds: AtomicUsize,
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stored {
    /// Of its mailbox's folder, with `new` or `cur`.
    pub(super) name: String,
    pub(super) inode: u64,
    pub(super) date: i64,
}

/// What a run told.
pub(super) struct Told {
    pub(super) events: Vec<Event>,
    pub(super) ended: Result<Ended, RunError>,
}

impl Told {
    /// What became of each message, of a run that came to its end.
    pub(super) fn whole(self) -> Vec<Seen> {
        assert_eq!(self.ended.unwrap(), Ended::Whole);
        let seen = |event| if let Event::Message(seen) = event { Some(seen) } else { None };
        self.events.into_iter().filter_map(seen).collect()
    }

    pub(super) fn replaced(&self) -> usize {
        let replaced =
            |event: &&Event| matches!(event, Event::Message(Seen { outcome: Outcome::Replaced { .. }, .. }));
        self.events.iter().filter(replaced).count()
    }
}

impl House {
    /// With so many messages, in two mailboxes.
    pub(super) fn with(messages: usize) -> House {
        let folder = tempfile::tempdir().unwrap();
        let mut house = House::make(folder.path());
        house._folder = Some(folder);
        (0..messages).for_each(|number| house.add(number));
        house
    }

    /// Makes the directory and the empty mailboxes there.
    pub(super) fn make(root: &Path) -> House {
        let directory = SqliteDirectory::create(&root.join("store")).unwrap();
        directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
        drop(directory);
        let house = House::at(root);
        house.add_account(&house.owner);
        house
    }

    /// The one that is there.
    pub(super) fn at(root: &Path) -> House {
        House {
            _folder: None,
            directory: SqliteDirectory::open(&root.join("store")).unwrap(),
            store: MaildirStore::new(root, TEMPLATE).unwrap(),
            owner: Address::parse("anna@north.example").unwrap(),
            stop: AtomicBool::new(false),
            largest: 256 << 20,
            rounds: AtomicUsize::new(0),
        }
    }

    pub(super) fn add_account(&self, address: &Address) {
        let account = NewAccount { address: address.clone(), aliases: Vec::new() };
        self.directory.add_account(&account).unwrap();
        for mailbox in ["INBOX", "Archive"] {
            self.store.create(address, &MailboxName::parse(mailbox).unwrap()).unwrap();
        }
    }

    pub(super) fn maildir(&self) -> PathBuf {
        self.store.folder(&self.owner, &MailboxName::inbox())
    }

    /// Stores a message of that number: its place and letters depend on the number.
    pub(super) fn add(&self, number: usize) {
        self.store_message(&self.owner, number, &message(number));
    }

    pub(super) fn store_message(&self, owner: &Address, number: usize, bytes: &[u8]) {
        let maildir = self.store.folder(owner, &MailboxName::inbox());
        let path = maildir.join(place(number)).join(format!("{}{}", base(number), letters(number)));
        std::fs::write(&path, bytes).unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(DATE + number as u64);
        File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
    }

    /// Where the message of that number lies.
    pub(super) fn path(&self, number: usize) -> PathBuf {
        self.maildir().join(place(number)).join(format!("{}{}", base(number), letters(number)))
    }

    pub(super) fn remove(&self, number: usize) {
        std::fs::remove_file(self.path(number)).unwrap();
    }

    /// A new file beside that of the number, and the step in the journal: as a run that died after its commit leaves them.
    pub(super) fn leave_behind(&self, number: usize, run: RunId) {
        let sealed = seal(&[&message(number)]).remove(0);
        let new = format!("{}.M5P5Q5R0000000000000005X{run}.mx", DATE + number as u64);
        let path = self.maildir().join(place(number)).join(format!("{new}{}", letters(number)));
        std::fs::write(&path, sealed.bytes()).unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(DATE + number as u64);
        File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
        let file = self.identity(number);
        let letters = letters(number).trim_start_matches(":2,").to_owned();
        let mailbox = if place(number).starts_with('.') { "Archive" } else { "INBOX" };
        self.remember(StepMark {
            account: self.owner.clone(),
            mailbox: mailbox.into(),
            old: base(number),
            new,
            letters,
            file,
        });
    }

    /// A step in a mailbox that somebody removed.
    pub(super) fn remember_lost_mailbox(&self) {
        let (account, mailbox) = (self.owner.clone(), "Removed".into());
        self.remember(StepMark {
            account,
            mailbox,
            old: "1.a".into(),
            new: "1.b".into(),
            letters: "".into(),
            file: "1 2".into(),
        });
    }

    /// As a run writes it down that means to replace the message.
    fn identity(&self, number: usize) -> String {
        let mailboxes = self.store.stored_mailboxes(&self.owner).unwrap();
        let mut all = mailboxes.iter().flat_map(|mailbox| self.store.messages(mailbox)).map(Result::unwrap);
        let old = all.find(|stored| stored.base() == base(number)).unwrap();
        let (_, data) = old.open().unwrap().unwrap();
        let sealed = NewContent::Sealed(seal(&[&message(number)]).remove(0));
        let staged = self.store.stage_replacement((&old, &data), RunId(1), &sealed).unwrap();
        staged.step().file.as_text().to_owned()
    }

    fn remember(&self, step: StepMark) {
        self.directory.remember_steps(&[], &[step]).unwrap();
    }

    pub(super) fn steps(&self) -> usize {
        self.directory.steps_of(&self.owner).unwrap().len()
    }

    pub(super) fn lock(&self) -> File {
        let maildir = File::open(self.maildir()).unwrap();
        maildir.try_lock().unwrap();
        maildir
    }

    pub(super) fn means(&self, id: RunId) -> Run<'_> {
        Run {
            store: &self.store,
            journal: &self.directory,
            stop: &self.stop,
            id,
            resumed: false,
            dry_run: false,
            largest: self.largest,
        }
    }

    pub(super) fn run(&self, id: RunId, work: &Seal<'_>) -> Told {
        self.go(&self.means(id), work)
    }

    pub(super) fn resume(&self, id: RunId, work: &Seal<'_>) -> Told {
        self.go(&Run { resumed: true, ..self.means(id) }, work)
    }

    pub(super) fn dry_run(&self, id: RunId, work: &Seal<'_>) -> Told {
        self.go(&Run { dry_run: true, ..self.means(id) }, work)
    }

    /// Over the messages that are meant alone.
    pub(super) fn select(&self, selection: &Selection, work: &Seal<'_>) -> Told {
        self.among(&self.means(RunId(1)), selection, work)
    }

    pub(super) fn go<F: Files>(&self, run: &Run<'_, F>, work: &Seal<'_>) -> Told {
        self.among(run, &Selection::default(), work)
    }

    fn among<F: Files>(&self, run: &Run<'_, F>, selection: &Selection, work: &Seal<'_>) -> Told {
        let owners = [self.owner.clone()];
        let accounts = Accounts { owners: &owners, mailbox: None, selection };
        let (mut events, mut ended) = (Vec::new(), None);
        let works = |_: &Address| -> Result<Box<dyn Work + '_>, String> { Ok(Box::new(work)) };
        run.accounts(&accounts, &works, &mut |event| match event {
            Event::Ends { ended: end, .. } => ended = Some(Ok(end)),
            Event::Fails { error, .. } => ended = Some(Err(error)),
            event => events.push(event),
        });
        Told { events, ended: ended.unwrap() }
    }

    pub(super) fn count(&self, id: RunId) -> u64 {
        let selection = Selection::default();
        let scope = Scope { owner: &self.owner, mailbox: None, selection: &selection };
        self.means(id).count(&scope).unwrap()
    }

    /// Base names as the store lists them.
    pub(super) fn names(&self) -> Vec<String> {
        let mailboxes = self.store.stored_mailboxes(&self.owner).unwrap();
        let all = mailboxes.iter().flat_map(|mailbox| self.store.messages(mailbox));
        all.map(|stored| stored.unwrap().base().to_owned()).collect()
    }

    /// Every file in `new` and `cur`, sorted.
    pub(super) fn files(&self) -> Vec<Stored> {
        let mut files = Vec::new();
        for part in ["new", "cur", ".Archive/new", ".Archive/cur"] {
            let folder = self.maildir().join(part);
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                let Ok(data) = entry.metadata() else { continue };
                let name = format!("{part}/{}", entry.file_name().to_str().unwrap());
                files.push(Stored { name, inode: data.ino(), date: data.mtime() });
            }
        }
        files.sort();
        files
    }

    /// Every message from 0 on is there once, sealed, with its words, place, letters and date; and nothing lies in `tmp`.
    pub(super) fn assert_sealed(&self, messages: usize) {
        let mut numbers: Vec<usize> = Vec::new();
        for file in self.files() {
            let number = self.number_in(&file);
            let (folder, rest) = file.name.rsplit_once('/').unwrap();
            assert_eq!(folder, place(number), "{}", file.name);
            let has = rest.split_once(":2,").map_or(String::new(), |(_, letters)| format!(":2,{letters}"));
            assert_eq!(has, letters(number), "{}", file.name);
            numbers.push(number);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..messages).collect::<Vec<_>>());
        assert_nothing_in(&self.maildir().join("tmp"));
        assert_nothing_in(&self.maildir().join(".Archive/tmp"));
    }

    /// After a kill every message is there, clear or sealed, and at most twice: nothing is lost, nothing torn.
    pub(super) fn assert_none_is_lost(&self, messages: usize) {
        let mut copies = vec![0; messages];
        for file in self.files() {
            let number = usize::try_from(file.date - i64::try_from(DATE).unwrap()).unwrap();
            copies[number] += 1;
        }
        assert!(copies.iter().all(|copies| (1..=2).contains(copies)), "a message is lost or there thrice");
    }

    /// How many files lie in `tmp`.
    pub(super) fn staged(&self) -> usize {
        let count = |tmp: &str| std::fs::read_dir(self.maildir().join(tmp)).unwrap().count();
        count("tmp") + count(".Archive/tmp")
    }

    /// Removes what a process that was killed had staged.
    pub(super) fn empty_tmp(&self) {
        for tmp in ["tmp", ".Archive/tmp"] {
            let folder = self.maildir().join(tmp);
            std::fs::read_dir(folder)
                .unwrap()
                .for_each(|entry| std::fs::remove_file(entry.unwrap().path()).unwrap());
        }
    }

    /// As [`House::assert_sealed`] but for places and letters.
    pub(super) fn assert_numbers(&self, messages: usize) {
        self.assert_numbers_are(0..messages);
    }

    pub(super) fn assert_numbers_are(&self, expected: impl Iterator<Item = usize>) {
        let mut numbers: Vec<usize> = self.files().iter().map(|file| self.number_in(file)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, expected.collect::<Vec<_>>());
    }

    /// Renames a message as a client does that moves it: to another mailbox, under another base name, with its letters.
    pub(super) fn move_to(&self, number: usize, folder: &str) {
        let name = format!("{}{}", base(number), letters(number));
        let moved = format!("{}.M9P9Q{number}.moved{}", DATE + number as u64, letters(number));
        let to = self.maildir().join(folder).join(moved);
        std::fs::rename(self.maildir().join(place(number)).join(name), to).unwrap();
    }

    /// Which message a sealed file is; it must be whole and have its date.
    fn number_in(&self, file: &Stored) -> usize {
        let bytes = std::fs::read(self.maildir().join(&file.name)).unwrap();
        let opened = open(&bytes, &[ELLA.opening()]).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        let clear = opened.message.expose();
        let number = file.date - i64::try_from(DATE).unwrap();
        let number = usize::try_from(number).unwrap();
        assert_eq!(clear, message(number), "{}", file.name);
        number
    }

    /// Somebody renames files as a client does that sets and clears flags, all the time.
    pub(super) fn while_flags_change<T>(&self, work: impl FnOnce() -> T) -> T {
        self.while_somebody(|round| self.change_flags(round), work)
    }

    /// Somebody sets letters that no message has at first, and clears those of no message twice. What was done, by message: what
    /// it must have afterwards, and what not. A client that sees two of a message does it to both.
    pub(super) fn while_flags_are_set<T>(&self, work: impl FnOnce() -> T) -> (T, Flags) {
        let flags = Mutex::new(Flags::new());
        let result = self.while_somebody(|round| self.set_flags(round, &mut flags.lock().unwrap()), work);
        (result, flags.into_inner().unwrap())
    }

    fn set_flags(&self, round: usize, flags: &mut Flags) {
        let letter = ['D', 'R', 'c', 'd', 'e', 'f'][round % 6];
        for folder in ["cur", ".Archive/cur"] {
            let folder = self.maildir().join(folder);
            for entry in std::fs::read_dir(&folder).unwrap().flatten().skip(round % 5).step_by(5) {
                let name = entry.file_name().into_string().unwrap();
                let Some((base, had)) = name.split_once(":2,") else { continue };
                let mut letters: BTreeSet<char> = had.chars().filter(|had| *had != 'S').collect();
                letters.insert(letter);
                let has: String = letters.into_iter().collect();
                // It may be replaced meanwhile.
                if has != had && std::fs::rename(entry.path(), folder.join(format!("{base}:2,{has}"))).is_ok()
                {
                    let (set, cleared) = flags.entry(number_of(base)).or_default();
                    set.insert(letter);
                    *cleared |= had.contains('S');
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Each message has the letters that were set, and those that it had, but the one that was cleared.
    pub(super) fn assert_flags(&self, flags: &Flags) {
        for file in self.files() {
            let name = file.name.rsplit_once('/').unwrap().1;
            let (base, has) = name.split_once(":2,").unwrap_or((name, ""));
            let number = number_of(base);
            let mut expected: BTreeSet<char> = letters(number).trim_start_matches(":2,").chars().collect();
            if let Some((set, cleared)) = flags.get(&number) {
                expected.extend(set);
                expected.retain(|letter| !*cleared || *letter != 'S');
            }
            assert_eq!(has.chars().collect::<BTreeSet<char>>(), expected, "{}", file.name);
        }
    }

    fn while_somebody<T>(&self, act: impl Fn(usize) + Sync, work: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    act(round);
                    self.rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            over.store(true, Ordering::Relaxed);
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn change_flags(&self, round: usize) {
        for folder in ["cur", ".Archive/cur"] {
            let folder = self.maildir().join(folder);
            for entry in std::fs::read_dir(&folder).unwrap().flatten().skip(round % 7).step_by(7) {
                let name = entry.file_name().into_string().unwrap();
                let Some((base, letters)) = name.split_once(":2,") else { continue };
                let changed =
                    if letters.contains('T') { letters.replace('T', "") } else { format!("{letters}T") };
                // It may be replaced meanwhile.
                let _ = std::fs::rename(entry.path(), folder.join(format!("{base}:2,{changed}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Of each message, the letters that were set, and whether S was cleared.
pub(super) type Flags = BTreeMap<usize, (BTreeSet<char>, bool)>;

fn number_of(base: &str) -> usize {
    let time: u64 = base.split('.').next().unwrap().parse().unwrap();
    usize::try_from(time - DATE).unwrap()
}

/// Seals to Ella; counts what it is asked for.
pub(super) struct Seal<'a> {
    pub(super) made: AtomicUsize,
    /// Called before each batch with what was made so far.
    pub(super) before: Box<dyn Fn(usize) + Sync + Send + 'a>,
    /// Panics over a message that holds this.
    pub(super) poison: Option<&'static [u8]>,
    /// The content that is remembered in each proof is another.
    pub(super) spoilt: bool,
    /// Leaves every message as it is.
    pub(super) idle: bool,
    pub(super) largest_batch: Mutex<usize>,
}

impl Default for Seal<'_> {
    fn default() -> Self {
        let (made, largest_batch) = (AtomicUsize::new(0), Mutex::new(0));
        Seal { made, before: Box::new(|_| {}), poison: None, spoilt: false, idle: false, largest_batch }
    }
}

impl Work for &Seal<'_> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        (self.before)(self.made.load(Ordering::Relaxed));
        let mut largest = self.largest_batch.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *largest = (*largest).max(batch.len());
        drop(largest);
        if let Some(poison) = self.poison {
            let poisoned = |read: &Read<'_>| read.bytes.windows(poison.len()).any(|window| window == poison);
            assert!(!batch.iter().any(poisoned), "the test's hostile message");
        }
        self.made.fetch_add(batch.len(), Ordering::Relaxed);
        if self.idle {
            return batch.iter().map(|_| Made::Leave(Left::AlreadyRight)).collect();
        }
        let is_sealed =
            |bytes: &[u8]| bytes.windows(15).take(2000).any(|window| window == b"Sealpost-Sealed");
        let clear: Vec<&[u8]> =
            batch.iter().map(|read| read.bytes).filter(|bytes| !is_sealed(bytes)).collect();
        let mut sealed = seal(&clear).into_iter();
        batch
            .iter()
            .map(|read| match is_sealed(read.bytes) {
                true => Made::Leave(Left::AlreadyRight),
                false => self.replace(sealed.next().unwrap()),
            })
            .collect()
    }
}

impl Seal<'_> {
    fn replace(&self, sealed: Sealed) -> Made {
        let mut digest: [u8; 32] = Sha256::digest(sealed.bytes()).into();
        digest[0] ^= u8::from(self.spoilt);
        Made::Replace(NewContent::Sealed(sealed), Proof::Same(digest), Vec::new().into())
    }
}

fn seal(messages: &[&[u8]]) -> Vec<Sealed> {
    let recipients = validated(&[&ELLA]);
    let mark = || Mark { at: now(), rule: None, marked: Vec::new(), edited: Vec::new() };
    let (form, seed) = (Profile::Compatible.into(), || SystemEntropy.seed().unwrap());
    let jobs = messages
        .iter()
        .copied()
        .map(|message| SealJob { message, recipients: &recipients, form, mark: mark(), seed: seed() })
        .collect();
    seal_many(jobs).into_iter().map(Result::unwrap).collect()
}

/// The message of that number, in canonical lines.
pub(super) fn message(number: usize) -> Vec<u8> {
    format!("From: carol@far.example\r\nSubject: {number}\r\n\r\nThe body of {number}.\r\n").into_bytes()
}

fn base(number: usize) -> String {
    format!("{}.M1P1Q{number}.mx", DATE + number as u64)
}

fn place(number: usize) -> &'static str {
    match number % 8 {
        0 => "new",
        1 => ".Archive/new",
        2..=4 => ".Archive/cur",
        _ => "cur",
    }
}

fn letters(number: usize) -> &'static str {
    match number % 8 {
        0 | 1 => "",
        2 | 5 => ":2,",
        3 | 6 => ":2,FS",
        _ => ":2,Sab",
    }
}

fn assert_nothing_in(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{}: {left:?}", folder.display());
}

//! The first stage of a run: messages are listed, chosen and read.
//!
//! Mailboxes change while they are listed: a flag that is set renames a file, which then may be listed twice or not at all. So a run goes
//! over them again, once everything that it has seen is in its place, until nothing can have been missed (`passes`).

use super::batch::{Batch, Entry, Unlisted, reason};
use super::known::Known;
use super::trouble::Trouble;
use super::workshop::{Halt, Workshop};
use super::{RunError, Scope};
use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::mailbox::passes::{PASSES, Quiet, Watch};
use crate::mailbox::{Left, Outcome, Selection};
use crate::store::{Files, StoredMailbox, StoredMessage, is_of_one_file};
use crate::system::side_by_side;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender, channel};

/// A batch has at most so many messages.
pub(in crate::mailbox) const MESSAGES: usize = 512;
/// And at most so many octets of files; one larger message goes alone.
pub(in crate::mailbox) const OCTETS: u64 = 16 << 20;
/// So many names are put in order at a time: ten megabytes.
pub(in crate::mailbox) const NAMES: usize = 65_536;
/// So many files are open at a time: with several accounts side by side less than a process may have.
const OPEN: usize = 32;
/// So many messages that are not meant are told of at a time.
const NOT_MEANT: u64 = 4096;

/// What is said of a message that no pass finds under the name under which it was listed.
pub(in crate::mailbox) const RESTLESS: &str =
    "its file was renamed again and again: try again when the mailbox is quieter";

/// What is said of a second file.
const DOUBLE: &str =
    "another file has the same name but for its flags: rename one of them and run the same command again";

/// A message in memory.
pub(super) struct Loaded {
    pub(super) data: Metadata,
    pub(super) bytes: SecretBytes,
}

/// Opened, not read.
struct Opened {
    file: File,
    data: Metadata,
}

/// Lists and reads the messages of one account.
pub(super) struct Reader<'a, 'b, F> {
    shop: &'a Workshop<'a, F>,
    scope: &'b Scope<'b>,
    /// Mailboxes that are not worked on.
    left_out: Vec<Arc<StoredMailbox>>,
    trouble: &'b Trouble,
    out: SyncSender<Batch<'a, Loaded>>,
    known: Known,
    /// Listed and not looked for yet.
    names: Vec<(u64, StoredMessage)>,
    /// Not found under the names under which they were listed; the next pass finds them under others, or they are gone.
    lost: HashMap<u64, StoredMessage>,
    /// Seen in the first pass under names that were known already: a client renamed them, or there are two files of a name.
    doubles: Vec<StoredMessage>,
    batch: Batch<'a, Loaded>,
    octets: u64,
    /// Goes with each batch of a pass.
    in_hand: Option<Sender<StoredMessage>>,
}

impl<'a, 'b, F: Files> Reader<'a, 'b, F> {
    pub(super) fn new(
        shop: &'a Workshop<'a, F>,
        (scope, left_out): (&'b Scope<'b>, Vec<Arc<StoredMailbox>>),
        trouble: &'b Trouble,
        out: SyncSender<Batch<'a, Loaded>>,
    ) -> Reader<'a, 'b, F> {
        let (known, names, lost, batch) = (Known::default(), Vec::new(), HashMap::new(), Batch::empty());
        let doubles = Vec::new();
        Reader {
            shop,
            scope,
            trouble,
            left_out,
            out,
            known,
            names,
            lost,
            doubles,
            batch,
            octets: 0,
            in_hand: None,
        }
    }

    /// Passes over the mailboxes until nothing can have been missed.
    pub(super) fn run(mut self) -> Result<(), Halt> {
        let mut quiet = Quiet::default();
        for pass in 0..PASSES {
            let (in_hand, none_in_hand) = channel();
            self.in_hand = Some(in_hand);
            self.pass(pass, &mut quiet)?;
            if quiet.is_enough_for(!self.lost.is_empty()) {
                break;
            }
            self.send()?;
            self.in_hand = None;
            // It ends when the last batch is dropped. What is moved until then is met by the next pass.
            for stored in none_in_hand {
                self.lose(self.known.key(&stored), stored);
            }
        }
        for stored in std::mem::take(&mut self.lost).into_values() {
            // There nobody looked for it under other names.
            if self.trouble.has_given_up(&stored.mailbox().name) {
                continue;
            }
            let is_gone = quiet.is_gone();
            self.end(
                stored,
                if is_gone { Outcome::Left(Left::Gone) } else { Outcome::Failed(RESTLESS.into()) },
            );
        }
        self.send()
    }

    /// Hands on what it sees for the first time.
    fn pass(&mut self, pass: usize, quiet: &mut Quiet) -> Result<(), Halt> {
        let mut has_news = false;
        let mut mailboxes = match self.shop.run.mailboxes(self.scope) {
            Err(RunError::NoMailbox { .. }) if pass > 0 => Vec::new(),
            mailboxes => mailboxes?,
        };
        mailboxes.retain(|mailbox| !self.left_out.contains(mailbox));
        let watch = Watch::begin(&mailboxes);
        for mailbox in mailboxes {
            let trouble = self.trouble;
            let worth_it = |_: &_| !trouble.has_given_up(&mailbox.name);
            let mut listed = Vec::new();
            for stored in self.shop.run.store.messages(&mailbox).take_while(worth_it) {
                self.shop.go_on()?;
                let stored = match stored {
                    Ok(stored) => stored,
                    Err(error) => {
                        self.unlisted(&mailbox, &error)?;
                        continue;
                    }
                };
                self.heed_double(pass, &stored);
                if self.is_new(&stored) {
                    has_news = true;
                    listed.push(stored);
                }
                if listed.len() == NAMES {
                    self.name_all(&mut listed)?;
                }
            }
            self.name_all(&mut listed)?;
        }
        self.open_names()?;
        quiet.see(&watch, has_news);
        self.tell_doubles()
    }

    /// Tells of it when it is met first; the other messages are worked on.
    fn unlisted(&mut self, mailbox: &Arc<StoredMailbox>, error: &StoreError) -> Result<(), Halt> {
        if self.scope.selection.names_messages() && is_of_one_file(error) {
            return Ok(());
        }
        let reason = reason(error);
        if !self.known.add(self.known.key_of(&reason)) {
            return Ok(());
        }
        self.batch.unlisted.push(Unlisted { mailbox: Arc::clone(mailbox), reason });
        if self.batch.unlisted.len() < MESSAGES { Ok(()) } else { self.send() }
    }

    /// Files that lay there with the same name but for the flags would else not be looked at. Later passes meet what they know
    /// again and again.
    fn heed_double(&mut self, pass: usize, stored: &StoredMessage) {
        if pass == 0 && self.is_meant(stored) && self.known.has(self.known.key(stored)) {
            self.doubles.push(stored.clone());
        }
    }

    /// One whose flags changed while it was listed is the file that was opened.
    fn tell_doubles(&mut self) -> Result<(), Halt> {
        for stored in std::mem::take(&mut self.doubles) {
            let Ok(Some((_, data))) = stored.open() else { continue };
            let is_double = self.known.is_another(self.known.key(&stored), data.ino());
            if is_double && self.scope.selection.by_metadata(&data) {
                self.end(stored, Outcome::Failed(DOUBLE.into()));
            }
            if self.batch.entries.len() >= MESSAGES {
                self.send()?;
            }
        }
        Ok(())
    }

    /// In the order in which readers have them: a client that looks at the mailbox meanwhile numbers new files as they come, and
    /// directories give names in no order.
    fn name_all(&mut self, listed: &mut Vec<StoredMessage>) -> Result<(), Halt> {
        listed.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        for stored in listed.drain(..) {
            self.shop.go_on()?;
            let key = self.known.key(&stored);
            self.lost.remove(&key);
            self.name(key, stored)?;
        }
        Ok(())
    }

    fn is_meant(&self, stored: &StoredMessage) -> bool {
        stored.run() != Some(self.shop.run.id) && self.scope.selection.by_name(stored)
    }

    fn is_new(&mut self, stored: &StoredMessage) -> bool {
        self.is_meant(stored) && self.known.add(self.known.key(stored))
    }

    /// It is not there under this name: the next pass looks for it.
    fn lose(&mut self, key: u64, stored: StoredMessage) {
        self.known.remove(key);
        self.lost.insert(key, stored);
    }

    fn name(&mut self, key: u64, stored: StoredMessage) -> Result<(), Halt> {
        self.names.push((key, stored));
        if self.names.len() < OPEN { Ok(()) } else { self.open_names() }
    }

    /// Opens what was listed, and reads it as it fits into batches.
    fn open_names(&mut self) -> Result<(), Halt> {
        let names = std::mem::take(&mut self.names);
        let lanes = self.shop.lanes.div_ceil(4);
        let opened = side_by_side(names, lanes, |(key, stored)| {
            let opened = stored.open();
            (key, stored, opened)
        });
        let mut group = Vec::new();
        for (key, stored, opened) in opened {
            if let Some((stored, opened)) = self.looked_at(key, stored, opened) {
                self.gather(&mut group, stored, opened)?;
            }
        }
        self.read(group)
    }

    /// What is left to read.
    fn looked_at(
        &mut self,
        key: u64,
        stored: StoredMessage,
        opened: Result<Option<(File, Metadata)>, StoreError>,
    ) -> Option<(StoredMessage, Result<Opened, Outcome>)> {
        if let Ok(Some((_, data))) = &opened {
            self.known.opened(key, data.ino());
        }
        match opened {
            Err(error) => Some((stored, Err(Outcome::Failed(reason(&error))))),
            Ok(None) => {
                self.lose(key, stored);
                None
            }
            Ok(Some((_, data))) if !self.scope.selection.by_metadata(&data) => {
                self.batch.not_meant += 1;
                None
            }
            Ok(Some((_, data))) if data.len() > self.shop.run.largest => {
                Some((stored, Err(Outcome::Failed(too_large(data.len(), self.shop.run.largest)))))
            }
            Ok(Some((file, data))) => Some((stored, Ok(Opened { file, data }))),
        }
    }

    /// Adds one to what is read next; where it does not fit into the batch any more, that is read and sent first.
    fn gather(
        &mut self,
        group: &mut Vec<(StoredMessage, Result<Opened, Outcome>)>,
        stored: StoredMessage,
        opened: Result<Opened, Outcome>,
    ) -> Result<(), Halt> {
        let octets = opened.as_ref().map_or(0, |opened| opened.data.len());
        let many = self.batch.entries.len() + group.len();
        if many >= MESSAGES || (many > 0 && self.octets.saturating_add(octets) > OCTETS) {
            self.read(std::mem::take(group))?;
            self.send()?;
        }
        self.octets = self.octets.saturating_add(octets);
        group.push((stored, opened));
        Ok(())
    }

    /// Reads them into the batch. Where there is no room in memory the batch is sent before it waits, because whoever waits for
    /// room must hold none.
    fn read(&mut self, group: Vec<(StoredMessage, Result<Opened, Outcome>)>) -> Result<(), Halt> {
        if group.is_empty() {
            return Ok(());
        }
        let octets = group.iter().filter_map(|(_, opened)| Some(opened.as_ref().ok()?.data.len())).sum();
        let budget = &self.shop.budget;
        let permit = match budget.try_take(octets) {
            Some(permit) => permit,
            None => {
                self.send()?;
                self.octets = octets;
                budget.take(octets)
            }
        };
        self.batch.permits.push(permit);
        let selection = self.scope.selection;
        let lanes = self.shop.lanes.div_ceil(4);
        for entry in side_by_side(group, lanes, |(stored, opened)| load(stored, opened, selection)) {
            match entry {
                Some(entry) => self.batch.entries.push(entry),
                None => self.batch.not_meant += 1,
            }
        }
        if self.batch.not_meant < NOT_MEANT { Ok(()) } else { self.send() }
    }

    fn end(&mut self, stored: StoredMessage, outcome: Outcome) {
        self.batch.entries.push(Entry { stored, state: Err(outcome) });
    }

    fn send(&mut self) -> Result<(), Halt> {
        self.octets = 0;
        let batch = std::mem::replace(&mut self.batch, Batch::empty());
        if batch.is_empty() {
            return Ok(());
        }
        let batch = Batch { in_hand: self.in_hand.clone(), ..batch };
        self.out.send(batch).map_err(|_| Halt::NobodyListens)
    }
}

/// The message in memory; nothing if it is not meant.
fn load(
    stored: StoredMessage,
    opened: Result<Opened, Outcome>,
    selection: &Selection,
) -> Option<Entry<Loaded>> {
    let Opened { mut file, data } = match opened {
        Err(outcome) => return Some(Entry { stored, state: Err(outcome) }),
        Ok(opened) => opened,
    };
    let state = match whole(&mut file, data.len()) {
        Ok(bytes) if !selection.by_bytes(bytes.expose()) => return None,
        Ok(bytes) => Ok(Loaded { data, bytes }),
        Err(error) => Err(Outcome::Failed(format!("cannot read {}: {error}", stored.path().display()))),
    };
    Some(Entry { stored, state })
}

/// All of a file of that length, in a buffer that does not grow.
pub(in crate::mailbox) fn whole(file: &mut File, length: u64) -> std::io::Result<SecretBytes> {
    let changed = || std::io::Error::other("its size changed meanwhile, which no file of a Maildir does");
    let length = usize::try_from(length).map_err(|_| changed())?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| std::io::ErrorKind::OutOfMemory)?;
    bytes.resize(length, 0);
    let mut bytes = SecretBytes::new(bytes);
    file.read_exact(bytes.expose_mut()).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => changed(),
        _ => error,
    })?;
    match file.read(&mut [0])? {
        0 => Ok(bytes),
        _ => Err(changed()),
    }
}

pub(in crate::mailbox) fn too_large(octets: u64, largest: u64) -> String {
    format!("it has {octets} octets, more than the {largest} that max-message allows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grew_or_shrank_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let read = |length| whole(&mut File::open(&path).unwrap(), length);
        assert_eq!(read(10).unwrap().expose(), b"0123456789");
        for length in [9, 11, 0] {
            let error = read(length).err().unwrap().to_string();
            assert_eq!(error, "its size changed meanwhile, which no file of a Maildir does");
        }
    }
}

//! A store in memory, for tests, whose n-th stage or commit fails on wish.

use crate::engine::{Content, Copy, LargeContent, Mailstore, Place, Staged, StoreError};
use crate::mail::{Address, Flag, FolderName, MailboxName};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What shall fail, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This call of `stage`.
    Stage(usize),
    /// This call of `commit`; nothing becomes visible.
    Commit(usize),
    /// This call of `commit`, after the message became visible.
    CommitLate(usize),
    /// Every question whether something is there.
    Lookup,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its base name.
    pub name: String,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Who consented, if it is clear.
    pub plain_source: Option<&'static str>,
}

/// An account's mailbox, or a folder of its files with the name of a file.
type Spot = (Address, Place);

#[derive(Debug, Default)]
struct State {
    mailboxes: HashMap<Spot, Vec<Stored>>,
    stages: usize,
    commits: usize,
    staged_now: usize,
}

/// Mailboxes in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    fault: Option<Fault>,
}

impl MemoryStore {
    /// The same mailboxes with a fault.
    pub fn failing(&self, fault: Fault) -> MemoryStore {
        MemoryStore { state: Arc::clone(&self.state), fault: Some(fault) }
    }
    /// Makes a mailbox.
    pub fn create(&self, owner: &Address, mailbox: &MailboxName) {
        self.lock().mailboxes.entry(spot(owner, mailbox)).or_default();
    }
    /// The messages of a mailbox, oldest first.
    pub fn messages(&self, owner: &Address, mailbox: &MailboxName) -> Vec<Stored> {
        self.lock().mailboxes.get(&spot(owner, mailbox)).cloned().unwrap_or_default()
    }
    /// The files of an account by folder and name; several of one name are one after the other.
    pub fn files(&self, owner: &Address) -> Vec<(String, Stored)> {
        let state = self.lock();
        let mut files: Vec<(String, Stored)> = Vec::new();
        for ((_, place), stored) in state.mailboxes.iter().filter(|((of, _), _)| of == owner) {
            if let Place::File(folder, name) = place {
                files.extend(stored.iter().map(|file| (format!("{folder}/{name}"), file.clone())));
            }
        }
        files.sort_by(|one, other| (&one.0, &one.1.name).cmp(&(&other.0, &other.1.name)));
        files
    }
    /// How many messages and files are visible at all.
    pub fn total(&self) -> usize {
        self.lock().mailboxes.values().map(Vec::len).sum()
    }
    /// How many are staged and neither committed nor dropped.
    pub fn staged(&self) -> usize {
        self.lock().staged_now
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail_lookup(&self) -> Result<(), StoreError> {
        if self.fault == Some(Fault::Lookup) { Err(injected("look for")) } else { Ok(()) }
    }
}

fn spot(owner: &Address, mailbox: &MailboxName) -> Spot {
    (owner.clone(), Place::Mailbox(mailbox.clone()))
}

fn injected(doing: &'static str) -> StoreError {
    StoreError::Io { doing, path: "memory".into(), source: std::io::Error::other("injected") }
}

fn poured(content: &LargeContent<'_>) -> Result<(Vec<u8>, Option<&'static str>), StoreError> {
    let mut bytes = Vec::new();
    let written = content.write(&mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    written.map_err(|_| injected("write"))?;
    let source = match content {
        LargeContent::Sealed(_) => None,
        LargeContent::Plain(_, consent) => Some(consent.source()),
    };
    Ok((bytes, source))
}

impl Mailstore for MemoryStore {
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError> {
        let place = (copy.owner.clone(), copy.place.clone());
        let mut state = self.lock();
        state.stages += 1;
        if self.fault == Some(Fault::Stage(state.stages)) {
            return Err(injected("write"));
        }
        if !copy.create && !state.mailboxes.contains_key(&place) {
            let (owner, mailbox) = (copy.owner.to_string(), copy.place.name().to_owned());
            return Err(StoreError::NoMailbox { owner, mailbox });
        }
        let (bytes, plain_source) = match &copy.content {
            Content::Sealed(sealed) => (sealed.bytes().to_vec(), None),
            Content::Plain(bytes, consent) => (bytes.to_vec(), Some(consent.source())),
            Content::Large(content) => poured(content)?,
        };
        state.staged_now += 1;
        let name = format!("m{}", state.stages);
        let message = Stored { name, flags: copy.flags.clone(), bytes, plain_source };
        Ok(Box::new(StagedMessage { store: self.clone(), place, message }))
    }

    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError> {
        self.fail_lookup()?;
        Ok(self.lock().mailboxes.contains_key(&spot(owner, mailbox)))
    }

    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        self.fail_lookup()?;
        let state = self.lock();
        let own = state.mailboxes.keys().filter(|(of, _)| of == owner);
        let mut names: Vec<String> =
            own.filter_map(|(_, place)| Some(place.mailbox()?.as_str().to_owned())).collect();
        names.sort_by_key(|name| (name != "INBOX", name.clone()));
        Ok(names)
    }

    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError> {
        self.fail_lookup()?;
        Ok(self.messages(owner, mailbox).iter().any(|message| message.name == name))
    }

    fn holds_file(&self, owner: &Address, folder: &FolderName, name: &str) -> Result<bool, StoreError> {
        self.fail_lookup()?;
        let wanted = format!("{folder}/{name}");
        Ok(self.files(owner).iter().any(|(file, _)| *file == wanted))
    }
}

struct StagedMessage {
    store: MemoryStore,
    place: Spot,
    message: Stored,
}

impl Staged for StagedMessage {
    fn name(&self) -> &str {
        &self.message.name
    }
    fn size(&self) -> u64 {
        self.message.bytes.len() as u64
    }
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let mut state = self.store.lock();
        state.commits += 1;
        let count = state.commits;
        if self.store.fault == Some(Fault::Commit(count)) {
            return Err(injected("link"));
        }
        state.mailboxes.entry(self.place.clone()).or_default().push(self.message.clone());
        match self.store.fault {
            Some(Fault::CommitLate(late)) if late == count => Err(injected("sync")),
            _ => Ok(()),
        }
    }
}

impl Drop for StagedMessage {
    fn drop(&mut self) {
        self.store.lock().staged_now -= 1;
    }
}

//! A new file beside its old one, until one of them is gone.

use super::atomic::{Files, failed, link_new};
use super::find::{Found, find_one, is_there};
use super::identity::Identity;
use super::name;
use super::replace::Step;
use super::stored::{Part, StoredMessage};
use crate::engine::StoreError;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often a message whose letters change meanwhile is tried.
pub(super) const TRIES: usize = 100;

/// How far a pair has come.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing is decided.
    Open,
    /// We removed the old file.
    OldRemoved,
    /// Somebody else did, or moved it to another mailbox.
    OldGone,
    /// Neither is there.
    BothGone,
    /// Somebody removed the new one, and the old one is there.
    NewGone,
    /// Another file than the one that was replaced has the old name now.
    Stranger,
    /// Something failed.
    Failed(StoreError),
}

/// Two files that are one message.
#[derive(Debug)]
pub(super) struct Pair {
    /// Under the name that it had last.
    pub(super) old: StoredMessage,
    /// The same of the new one.
    pub(super) new: StoredMessage,
    /// Which file the old one is: none but this one is removed.
    file: Identity,
    /// What the old one's letters were when the new one's were set after them.
    letters: String,
    /// Octets, as the quota counts them.
    sizes: (u64, u64),
    /// Was the new file made visible?
    pub(super) linked: bool,
    pub(super) state: State,
}

impl Pair {
    /// Of a new file that is not visible yet, with the place and the letters of the old one.
    pub(super) fn planned(
        (old, file): (&StoredMessage, &Identity),
        base: &str,
        (before, after): (u64, u64),
    ) -> Pair {
        Pair {
            file: file.clone(),
            new: beside(old, base),
            letters: old.letters().to_owned(),
            sizes: (name::size_in(&old.file_name).unwrap_or(before), after),
            old: old.clone(),
            linked: false,
            state: State::Open,
        }
    }

    /// Of the files of a step, which may both be visible. Both are looked up before anything is done. The names that stand
    /// here until then carry the letters with which the new one was made: a file of that name has nothing to hand on.
    pub(super) fn left_behind(step: &Step) -> Pair {
        let [old, new] = [&step.old, &step.new].map(|base| {
            let file_name = format!("{base}:2,{}", step.letters);
            StoredMessage { mailbox: Arc::clone(&step.mailbox), part: Part::Cur, file_name }
        });
        let (file, letters) = (step.file.clone(), step.letters.clone());
        Pair { old, new, file, letters, sizes: (0, 0), linked: true, state: State::Open }
    }

    /// Of files that were found.
    pub(super) fn measure(&mut self) {
        self.sizes = (size(&self.old), size(&self.new));
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Does the old one have another name now, or another file its name? Then it must be looked up.
    pub(super) fn is_astray(&mut self) -> bool {
        match is_there(&self.old) {
            Ok(there) => !there || self.file.lacks(&self.old),
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    /// Where the old one is now, before the new one is made visible.
    pub(super) fn follow(&mut self, found: &Found) {
        match found.get(self.old.base()) {
            Some(old) if self.file.lacks(old) => self.state = State::Stranger,
            Some(old) => {
                self.new = beside(old, self.new.base());
                self.letters = old.letters().to_owned();
                self.old = old.clone();
            }
            None => self.state = State::OldGone,
        }
    }

    /// Makes the new file visible. After an error its name is taken away in case that it was made all the same: nobody
    /// else has such a name.
    pub(super) fn link(&mut self, files: &impl Files, staged: &Path) {
        match link_new(files, staged, &self.new.path()) {
            Ok(()) => self.linked = true,
            Err(error) => {
                let _ = files.remove(&self.new.path());
                self.fail(error);
            }
        }
    }

    /// Removes the old file by its whole name. It stays, and the pair open, where either has another name now.
    ///
    /// Between the look for the new file and the removal a client may still expunge the new one; then the message is
    /// gone by the wish of whoever did that.
    pub(super) fn remove_old(&mut self, files: &impl Files) {
        match is_there(&self.new) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return self.fail(error),
        }
        if self.file.lacks(&self.old) {
            return self.state = State::Stranger;
        }
        match files.remove(&self.old.path()) {
            Ok(()) => self.state = State::OldRemoved,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => self.fail(failed("remove", &self.old.path())(source)),
        }
    }

    /// Hands on to the new file what was done to the old one's name. What was learnt counts only once it is handed on: a
    /// pair whose new file has another name meanwhile stays as it was, and is looked up again.
    pub(super) fn hand_on(&mut self, files: &impl Files, found: &Found) {
        let (old, new) = (found.get(self.old.base()), found.get(self.new.base()));
        self.new = new.unwrap_or(&self.new).clone();
        let (old, new) = match (old, new) {
            (None, None) => return self.state = State::BothGone,
            (None, Some(_)) => return self.state = State::OldGone,
            (Some(old), None) => {
                self.old = old.clone();
                return self.state = State::NewGone;
            }
            (Some(old), Some(_)) if self.file.lacks(old) => return self.state = State::Stranger,
            (Some(old), Some(new)) => (old, new),
        };
        let target = caught_up(&self.letters, old, new);
        if target != *new {
            match files.rename(&new.path(), &target.path()) {
                Ok(()) => self.new = target,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(source) => return self.fail(failed("rename", &new.path())(source)),
            }
        }
        self.letters = old.letters().to_owned();
        self.old = old.clone();
    }

    /// Takes the new file away where the message shall stay as it is, or is gone. After a failure that is done only if the old
    /// one is seen: what failed may have been its removal, with the answer lost on its way.
    pub(super) fn tidy(&mut self, files: &impl Files) {
        let withdrawn = match self.state {
            State::OldGone | State::BothGone if self.linked => self.withdraw(files),
            State::Failed(_) if self.linked && self.old_is_seen() => self.withdraw(files),
            _ => Ok(()),
        };
        if let Err(error) = withdrawn {
            tracing::warn!(path = %self.new.path().display(), %error, "a new copy of a message stays beside the old one");
            self.fail(error);
        }
    }

    fn old_is_seen(&self) -> bool {
        let found = || find_one(&self.old).ok().flatten();
        self.file.has(&self.old) || found().is_some_and(|old| self.file.has(&old))
    }

    fn withdraw(&mut self, files: &impl Files) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let path = self.new.path();
            match files.remove(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => match find_one(&self.new)? {
                    Some(new) => self.new = new,
                    None => return Ok(()),
                },
                removed => return removed.map_err(failed("remove", &path)),
            }
        }
        Err(restless(&self.new))
    }

    /// Where something was removed.
    pub(super) fn folder_to_sync(&self) -> Option<PathBuf> {
        match self.state {
            State::OldRemoved => Some(folder(&self.old)),
            State::OldGone | State::BothGone | State::Failed(_) if self.linked => Some(folder(&self.new)),
            _ => None,
        }
    }

    /// Where the new file is visible.
    pub(super) fn folder_of_new(&self) -> Option<PathBuf> {
        (self.linked && self.is_open()).then(|| folder(&self.new))
    }

    /// The octets before and after, of one that was replaced.
    pub(super) fn change(&self) -> Option<(&StoredMessage, (u64, u64))> {
        matches!(self.state, State::OldRemoved).then_some((&self.new, self.sizes))
    }

    /// The first failure is the one that is told.
    pub(super) fn fail(&mut self, error: StoreError) {
        if !matches!(self.state, State::Failed(_)) {
            self.state = State::Failed(error);
        }
    }

    pub(super) fn give_up(&mut self) {
        let error = restless(&self.old);
        self.fail(error);
    }
}

/// The new file in the same part as the old one, with everything that stands behind the base name.
fn beside(old: &StoredMessage, base: &str) -> StoredMessage {
    let file_name = format!("{base}{}", name::info(&old.file_name));
    StoredMessage { mailbox: Arc::clone(&old.mailbox), part: old.part, file_name }
}

/// How the new file shall be called: with what was done to the letters of the old one since they were `before`, and where
/// clients have moved the old one from `new/` to `cur/`, there.
fn caught_up(before: &str, old: &StoredMessage, new: &StoredMessage) -> StoredMessage {
    let part = if old.part == Part::Cur { Part::Cur } else { new.part };
    let needs_info =
        part != new.part && name::info(&new.file_name).is_empty() && !name::info(&old.file_name).is_empty();
    let letters = name::merged(before, old.letters(), new.letters());
    let file_name = match letters {
        Some(letters) => name::with_letters(&new.file_name, &letters),
        None if needs_info => name::with_letters(&new.file_name, ""),
        None => new.file_name.clone(),
    };
    StoredMessage { mailbox: Arc::clone(&new.mailbox), part, file_name }
}

fn folder(message: &StoredMessage) -> PathBuf {
    message.mailbox.folder.join(message.part.name())
}

/// As the quota counts it. One that is gone meanwhile counts nothing.
fn size(message: &StoredMessage) -> u64 {
    let size = || message.path().symlink_metadata().map_or(0, |data| data.len());
    name::size_in(&message.file_name).unwrap_or_else(size)
}

fn restless(message: &StoredMessage) -> StoreError {
    let text = format!("its name changed {TRIES} times meanwhile; try again");
    failed("replace", &message.path())(io::Error::other(text))
}

//! Many pairs at a time: folders are synced once for all, and listed once for all whose names changed.

use super::atomic::{Files, failed};
use super::find::{Found, find};
use super::moving::{Patience, may_be_moved, rest};
use super::pair::{Pair, TRIES};
use super::quota;
use super::stored::StoredMailbox;
use crate::engine::StoreError;
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Looks up the old files that are not where they were listed, before anything is made visible.
pub(super) fn locate(pairs: &mut [Pair]) {
    let mut astray: Vec<&mut Pair> =
        pairs.iter_mut().filter_map(|pair| pair.is_astray().then_some(pair)).collect();
    look_up(&mut astray, |pair, bases| bases.extend([pair.old.base().to_owned()]), &mut Pair::follow);
}

/// New files are visible: makes that last, removes the old ones, and makes that last.
pub(super) fn settle(files: &impl Files, pairs: &mut [Pair]) {
    sync(files, pairs, Pair::folder_of_new);
    remove_old(files, pairs);
    conclude(files, pairs);
    pairs.iter_mut().for_each(|pair| pair.tidy(files));
    sync(files, pairs, Pair::folder_to_sync);
}

/// The same for what a dead run left, however long ago. A new file is not dropped then, whatever becomes of the old one:
/// whoever saw both may have removed one of them because they saw both.
pub(super) fn settle_late(files: &impl Files, pairs: &mut [Pair]) {
    catch_up(files, pairs);
    pairs.iter_mut().filter(|pair| pair.is_open()).for_each(Pair::measure);
    remove_old(files, pairs);
    conclude(files, pairs);
    sync(files, pairs, Pair::folder_to_sync);
}

/// Each time that a removal finds nothing, letters changed in between, which takes a client: the rounds end soon. Messages
/// that may be on their way elsewhere rest together, so that a thousand of them take no longer than one.
fn remove_old(files: &impl Files, pairs: &mut [Pair]) {
    let mut patience = Patience::default();
    for _ in 0..TRIES {
        remove_round(files, pairs, &mut patience);
        if !pairs.iter().any(Pair::is_open) {
            return;
        }
        catch_up(files, pairs);
    }
}

/// Tries each open pair once, those later that may be on their way to another mailbox.
fn remove_round(files: &impl Files, pairs: &mut [Pair], patience: &mut Patience) {
    let mut open: Vec<&mut Pair> = pairs.iter_mut().filter(|pair| pair.is_open()).collect();
    while !open.is_empty() {
        let limit = patience.limit(open.iter().map(|pair| &pair.old));
        let mut waiting = Vec::new();
        for pair in open {
            if may_be_moved(&pair.old, limit) {
                waiting.push(pair);
            } else {
                pair.remove_old(files);
            }
        }
        open = waiting;
        if !open.is_empty() {
            rest();
        }
    }
}

fn conclude(files: &impl Files, pairs: &mut [Pair]) {
    pairs.iter_mut().filter(|pair| pair.is_open()).for_each(Pair::give_up);
    quota::record_changes(files, pairs.iter().filter_map(Pair::change));
}

/// Looks up both files of every open pair and hands on what was done to the old one. Where the new one is now, whoever moved
/// it there, its folder is synced before the old one is tried again.
fn catch_up(files: &impl Files, pairs: &mut [Pair]) {
    let mut open: Vec<&mut Pair> = pairs.iter_mut().filter(|pair| pair.is_open()).collect();
    let both = |pair: &Pair, bases: &mut HashSet<String>| {
        bases.extend([&pair.old, &pair.new].map(|message| message.base().to_owned()));
    };
    look_up(&mut open, both, &mut |pair, found| pair.hand_on(files, found));
    sync(files, pairs, Pair::folder_of_new);
}

/// One search in each mailbox for the base names that its pairs ask for.
fn look_up(
    pairs: &mut [&mut Pair],
    ask: impl Fn(&Pair, &mut HashSet<String>),
    tell: &mut dyn FnMut(&mut Pair, &Found),
) {
    let mailboxes: HashSet<Arc<StoredMailbox>> =
        pairs.iter().map(|pair| Arc::clone(&pair.old.mailbox)).collect();
    for mailbox in mailboxes {
        let mut bases = HashSet::new();
        let here = || pairs.iter().filter(|pair| pair.old.mailbox == mailbox);
        here().for_each(|pair| ask(pair, &mut bases));
        let found = find(&mailbox, &bases);
        for pair in pairs.iter_mut().filter(|pair| pair.old.mailbox == mailbox) {
            match &found {
                Ok(found) => tell(pair, found),
                Err(error) => pair.fail(same(error)),
            }
        }
    }
}

/// Syncs each folder once. Where that fails, it failed for every pair that asked for it.
fn sync(files: &impl Files, pairs: &mut [Pair], folder: fn(&Pair) -> Option<PathBuf>) {
    let folders: BTreeSet<PathBuf> = pairs.iter().filter_map(folder).collect();
    for synced in folders {
        if let Err(error) = files.sync_folder(&synced).map_err(failed("sync the folder", &synced)) {
            let concerned = pairs.iter_mut().filter(|pair| folder(pair).as_ref() == Some(&synced));
            concerned.for_each(|pair| pair.fail(same(&error)));
        }
    }
}

/// The error that is one for many messages.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::NoMailbox { owner, mailbox } => {
            StoreError::NoMailbox { owner: owner.clone(), mailbox: mailbox.clone() }
        }
        StoreError::OverQuota(owner) => StoreError::OverQuota(owner.clone()),
        StoreError::Unanswered { copies, answers } => {
            StoreError::Unanswered { copies: *copies, answers: *answers }
        }
        StoreError::Io { doing, path, source } => {
            let copy = match source.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(source.kind(), source.to_string()),
            };
            StoreError::Io { doing, path: path.clone(), source: copy }
        }
    }
}

//! The second stage of a run: the work says what becomes of each message.

use super::batch::{Batch, Entry};
use super::read::Loaded;
use crate::mailbox::{Made, Notes, Outcome, Proof, Read, Work};
use crate::store::NewContent;
use std::fs::Metadata;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What shall take the place of a message.
pub(super) struct Change {
    /// What the inode of the old file says.
    pub(super) data: Metadata,
    pub(super) content: NewContent,
    pub(super) proof: Proof,
    pub(super) notes: Notes,
}

/// Has the work done for all of them at once. What was read is wiped here.
pub(super) fn make<'a>(work: &dyn Work, batch: Batch<'a, Loaded>, is_dry: bool) -> Batch<'a, Change> {
    let Batch { entries, not_meant, unlisted, permits, in_hand } = batch;
    let mut made = made(work, &entries).into_iter();
    let entries = entries.into_iter().map(|Entry { stored, state }| {
        let state = state.and_then(|loaded| settle(loaded, made.next(), is_dry));
        Entry { stored, state }
    });
    Batch { entries: entries.collect(), not_meant, unlisted, permits, in_hand }
}

fn settle(loaded: Loaded, made: Option<Made>, is_dry: bool) -> Result<Change, Outcome> {
    match made.unwrap_or_else(bug) {
        Made::Leave(left) => Err(Outcome::Left(left)),
        Made::Fail(reason) => Err(Outcome::Failed(reason)),
        Made::Replace(_, _, notes) if is_dry => Err(Outcome::WouldReplace(notes)),
        Made::Replace(content, proof, notes) => Ok(Change { data: loaded.data, content, proof, notes }),
    }
}

/// One answer for each that goes on. Where a message among them brings the work down (a panic is a fault of ours, and
/// mail comes from everywhere), each is tried by itself, so that the others do not suffer for it.
fn made(work: &dyn Work, entries: &[Entry<Loaded>]) -> Vec<Made> {
    let reads: Vec<Read<'_>> = entries.iter().filter_map(read).collect();
    if reads.is_empty() {
        return Vec::new();
    }
    match attempt(work, &reads) {
        Some(made) if made.len() == reads.len() => made,
        _ => reads.iter().map(|read| alone(work, read)).collect(),
    }
}

fn read(entry: &Entry<Loaded>) -> Option<Read<'_>> {
    let loaded = entry.state.as_ref().ok()?;
    Some(Read { stored: &entry.stored, bytes: loaded.bytes.expose() })
}

fn alone(work: &dyn Work, read: &Read<'_>) -> Made {
    let made = attempt(work, std::slice::from_ref(read));
    made.and_then(|mut made| made.pop()).unwrap_or_else(bug)
}

fn attempt(work: &dyn Work, reads: &[Read<'_>]) -> Option<Vec<Made>> {
    catch_unwind(AssertUnwindSafe(|| work.make(reads))).ok()
}

fn bug() -> Made {
    Made::Fail("internal error: this is a bug, please report it".into())
}

//! From a batch of clear messages in memory to sealed ones on the disk.

use super::batch::{Batch, Item, Pending, Said, Whole, told};
use super::{Arrived, Import, Imported};
use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::mailbox::{Made, Read};
use crate::smime::encrypted_as_it_is;
use crate::store::{Arrival, NamedArrival, NewContent, StagedArrival, StoredMessage};
use crate::system::side_by_side;

/// So many files are written and synced side by side.
const LANES: usize = 8;

/// What is stored, and what is said of it.
type Content = (NewContent, Said);

/// A message that is sealed.
struct Prepared {
    content: NewContent,
    arrival: Arrival,
    said: Said,
}

/// A message that is about to be written.
struct Ready {
    content: NewContent,
    arrival: NamedArrival,
    said: Said,
}

/// A message that is on the disk, or why it is not.
struct Staged {
    file: Result<StagedArrival, StoreError>,
    size: u64,
    said: Said,
}

impl Import<'_> {
    /// Seals, writes, makes visible, and tells. Where the disk says no, or the quota, what is whole is made visible first.
    pub(super) fn place(&self, batch: Batch, tell: &mut dyn FnMut(Imported)) -> Result<(), StoreError> {
        let sealed = self.seal(batch);
        if self.dry_run {
            sealed.into_iter().for_each(|item| tell(would_be(item)));
            return Ok(());
        }
        let (ready, refused) = self.name(sealed);
        let staged = side_by_side(ready, LANES, |item| item.map(|ready| self.stage(ready)));
        let failed = commit(staged, tell);
        refused.or(failed).map_or(Ok(()), Err)
    }

    /// What each message becomes. Nothing clear is in it.
    fn seal(&self, batch: Batch) -> Vec<Item<Prepared>> {
        let to_come = |arrival: &Arrival| StoredMessage::to_come(self.mailbox, arrival.mark);
        let messages: Vec<(StoredMessage, &SecretBytes)> = batch
            .entries
            .iter()
            .filter_map(|entry| entry.state.as_ref().ok())
            .map(|Whole { message, arrival, .. }| (to_come(arrival), message))
            .collect();
        let reads: Vec<Read<'_>> =
            messages.iter().map(|(stored, message)| Read { stored, bytes: message.expose() }).collect();
        let mut made = self.work.make(&reads).into_iter();
        let sealed = |pending: Pending| {
            pending.and_then(|Whole { message, arrival, note }| {
                let (content, mut said) = content(made.next(), &message).map_err(Arrived::Failed)?;
                said.notes.extend(note.map(str::to_owned));
                Ok(Prepared { content, arrival, said })
            })
        };
        batch.entries.into_iter().map(sealed).collect()
    }

    /// Those that have room, in their order, under names in that order; and why there is no room for the rest.
    fn name(&self, sealed: Vec<Item<Prepared>>) -> (Vec<Item<Ready>>, Option<StoreError>) {
        let is_tight = match self.store.has_room(self.mailbox, needed(&sealed)) {
            Ok(()) => false,
            Err(StoreError::OverQuota(_)) => true,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let (mut octets, mut messages) = (0, 0);
        let mut ready = Vec::with_capacity(sealed.len());
        for Item { place, state } in sealed {
            let named = match state {
                Err(arrived) => Ok(Err(arrived)),
                Ok(sealed) => {
                    octets += sealed.content.bytes().len() as u64;
                    messages += 1;
                    let room = (octets, messages);
                    let has_room = if is_tight { self.store.has_room(self.mailbox, room) } else { Ok(()) };
                    has_room.and_then(|()| self.ready(sealed)).map(Ok)
                }
            };
            match named {
                Ok(state) => ready.push(Item { place, state }),
                Err(error) => return (ready, Some(error)),
            }
        }
        (ready, None)
    }

    fn ready(&self, sealed: Prepared) -> Result<Ready, StoreError> {
        let Prepared { content, arrival, mut said } = sealed;
        let arrival = self.store.name_arrival(self.mailbox, &content, &arrival)?;
        let dropped = arrival.dropped.iter();
        said.notes.extend(
            dropped.map(|word| format!("stored without {word}: the mailbox has 26 keywords already")),
        );
        Ok(Ready { content, arrival, said })
    }

    fn stage(&self, ready: Ready) -> Staged {
        let Ready { content, arrival, said } = ready;
        let size = content.bytes().len() as u64;
        Staged { file: self.store.stage_arrival(arrival, &content), size, said }
    }
}

/// Octets and messages that all of them take. The quota is asked for these together; only where there is no room for all, one
/// by one, for those that still have some.
fn needed(sealed: &[Item<Prepared>]) -> (u64, u64) {
    let prepared = || sealed.iter().filter_map(|item| item.state.as_ref().ok());
    let octets = prepared().map(|sealed| sealed.content.bytes().len() as u64).sum();
    (octets, prepared().count() as u64)
}

/// The bytes to store. What its sender encrypted, and shall be left so, is stored as it is.
fn content(made: Option<Made>, message: &SecretBytes) -> Result<Content, String> {
    match made {
        Some(Made::Replace(content, _, notes)) => Ok((content, Said { left: None, notes: notes.texts })),
        Some(Made::Leave(left)) => {
            let sealed = encrypted_as_it_is(message.expose()).ok_or("it was not sealed")?;
            Ok((NewContent::Sealed(sealed), Said { left: Some(left), notes: Vec::new() }))
        }
        Some(Made::Fail(reason)) => Err(reason),
        None => Err("nothing was made of it".into()),
    }
}

fn would_be(item: Item<Prepared>) -> Imported {
    match item.state {
        Ok(sealed) => told(item.place, Arrived::WouldStore, sealed.said),
        Err(arrived) => told(item.place, arrived, Said::default()),
    }
}

/// Makes visible what was written, tells of each, and gives the first error: it says why the import cannot go on.
fn commit(staged: Vec<Item<Staged>>, tell: &mut dyn FnMut(Imported)) -> Option<StoreError> {
    let mut trouble = None;
    let mut files = Vec::with_capacity(staged.len());
    let mut items = Vec::with_capacity(staged.len());
    for Item { place, state } in staged {
        match state {
            Ok(Staged { file: Err(error), .. }) => trouble = trouble.or(Some(error)),
            Ok(Staged { file: Ok(file), size, said }) => {
                files.push(file);
                items.push(Item { place, state: Ok((size, said)) });
            }
            Err(arrived) => items.push(Item { place, state: Err(arrived) }),
        }
    }
    let mut committed = StagedArrival::commit_all(files).into_iter();
    for Item { place, state } in items {
        match state {
            Err(arrived) => tell(told(place, arrived, Said::default())),
            Ok((size, said)) => match committed.next() {
                Some(Err(error)) => trouble = trouble.or(Some(error)),
                _ => tell(told(place, Arrived::Stored(size), said)),
            },
        }
    }
    trouble
}

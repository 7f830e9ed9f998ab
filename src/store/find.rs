//! Where files of known base names are now.
//!
//! readdir(3) beside a rename may show the file under both names, one or neither. So a base name that is not found is looked
//! for again before it is believed to be gone, and what follows from a wrong belief must leave the old message in its place:
//!
//! - *The old file is believed to be gone, and is there:* the new one is dropped. The old message is there, unchanged, and the
//!   next listing shows it again.
//! - *The new file is believed to be gone, and is there:* the old one stays. Both are there, and that is told as a failure, so
//!   that the step stays in the journal and is finished by the next run.
//! - *A name is shown that is not there any more:* renaming or removing by it finds nothing, and it is looked up anew.
//! - *A file is shown whose letters changed meanwhile:* the same, for the letters are in the name.
//!
//! The one belief that costs a message is "the old file is there still, so the new one may be dropped" after the old one was
//! removed by us; it is never held, because for that the old file must have been *seen*, and we remove it only once.

use super::atomic::failed;
use super::stored::{Entries, StoredMailbox, StoredMessage};
use crate::engine::StoreError;
use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::sync::Arc;

/// How often a mailbox is listed before a base name is believed to be gone: a rename must have hidden it each time.
const LISTINGS: usize = 3;

/// What was found, by base name.
pub(super) type Found = HashMap<String, StoredMessage>;

/// Is there a file of exactly that name?
pub(super) fn is_there(message: &StoredMessage) -> Result<bool, StoreError> {
    let path = message.path();
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("look for", &path)(source)),
    }
}

/// The files of those base names, with the letters that they have now. The mailbox is listed once for all of them, and again
/// for those that are missing. Where a folder cannot be listed, or somebody took the whole mailbox away, nothing is believed to
/// be gone.
pub(super) fn find(mailbox: &Arc<StoredMailbox>, bases: &HashSet<String>) -> Result<Found, StoreError> {
    let mut found = Found::new();
    for _ in 0..LISTINGS {
        let fault = list(mailbox, bases, &mut found);
        if found.len() == bases.len() {
            break;
        }
        fault?;
        mailbox.folder.symlink_metadata().map_err(failed("look into the mailbox", &mailbox.folder))?;
    }
    Ok(found)
}

/// What is seen later is nearer to what is there now.
fn list(mailbox: &Arc<StoredMailbox>, bases: &HashSet<String>, found: &mut Found) -> Result<(), StoreError> {
    let mut fault = Ok(());
    for entry in Entries::of(mailbox) {
        let (part, file_name) = match entry {
            Ok((part, file_name)) => (part, file_name.into_string()),
            Err(error) => {
                fault = Err(error);
                continue;
            }
        };
        // All base names that are looked for are text.
        let Ok(file_name) = file_name else { continue };
        let message = StoredMessage { mailbox: Arc::clone(mailbox), part, file_name };
        if bases.contains(message.base()) {
            found.insert(message.base().to_owned(), message);
        }
    }
    fault
}

/// The file of that base name.
pub(super) fn find_one(message: &StoredMessage) -> Result<Option<StoredMessage>, StoreError> {
    let bases = HashSet::from([message.base().to_owned()]);
    Ok(find(&message.mailbox, &bases)?.remove(message.base()))
}

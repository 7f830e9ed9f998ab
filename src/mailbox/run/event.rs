//! What a run tells while it works: enough for a bar, for lines of JSON and for a summary.

use super::{Ended, RunError};
use crate::directory::StepMark;
use crate::mail::Address;
use crate::mailbox::Seen;
use crate::store::StoredMailbox;
use std::sync::Arc;

/// Something happened. Those of one account come between its `Begins` and its `Ends` or `Fails`, in the order of the listing;
/// accounts that are worked on side by side mix. One with which nothing can be begun has its `Fails` alone.
#[derive(Debug)]
pub enum Event {
    /// Work on the messages of an account begins.
    Begins {
        /// Whose.
        owner: Address,
        /// So many messages were made by this run before it was interrupted; they are not looked at again.
        done_before: u64,
    },
    /// A replacement that a dead run left half done is finished: the old file is gone.
    Finished(StepMark),
    /// Something to know that is no failure.
    Warning {
        /// Whose account it is about.
        owner: Address,
        /// What.
        text: String,
    },
    /// A mailbox is not worked on, because what a dead run left there could not be finished.
    LeftOut {
        /// The mailbox.
        mailbox: Arc<StoredMailbox>,
        /// Why.
        reason: String,
    },
    /// What became of a message.
    Message(Seen),
    /// A file whose name cannot be read, or a folder that cannot be listed: nothing is done with what is there, and that is a
    /// failure. It is told once.
    Unlisted {
        /// Where.
        mailbox: Arc<StoredMailbox>,
        /// Why, with the path.
        reason: String,
    },
    /// So many messages that [`super::Run::count`] counted are not meant by the selection.
    NotMeant {
        /// Whose.
        owner: Address,
        /// How many.
        messages: u64,
    },
    /// The work on an account is over.
    Ends {
        /// Whose.
        owner: Address,
        /// How.
        ended: Ended,
    },
    /// The work on an account is over before its end. What it did is done.
    Fails {
        /// Whose.
        owner: Address,
        /// Why.
        error: RunError,
    },
}

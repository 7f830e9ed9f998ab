//! Messages that a client may be moving to another mailbox.
//!
//! Dovecot's MOVE makes a hard link in the other mailbox and removes the old name some time later, and it is no fault to it
//! if the old name is gone by then. Whoever replaces the message in between leaves two: the new one here, the moved one
//! there. A COPY begins the same way and ends with the link. link(2) sets the time at which the inode changed, so that a
//! file with several names and a fresh time is left for a moment; after that it was a COPY, or the old name is gone. Of very many messages the last
//! links may be made long before the first names go: while there are fresh ones in a batch, older ones are left too.

use super::stored::StoredMessage;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between the link and the removal. Measured: some ms for one message, a tenth of a second for a thousand at once.
const MOVE: Duration = Duration::from_secs(1);
/// The same while others of the batch are being linked. What takes longer leaves two.
const LONG_MOVE: Duration = Duration::from_secs(30);
/// Until it is looked at again.
const REST: Duration = Duration::from_millis(20);

/// How long a batch is waited for: a client that links for ever keeps nobody for ever.
pub(super) struct Patience(Instant);

impl Default for Patience {
    fn default() -> Patience {
        Patience(Instant::now())
    }
}

impl Patience {
    /// Until what age a link of these may belong to a move that goes on.
    pub(super) fn limit<'a>(&self, mut messages: impl Iterator<Item = &'a StoredMessage>) -> Duration {
        if self.0.elapsed() >= LONG_MOVE {
            return Duration::ZERO;
        }
        if messages.any(|message| may_be_moved(message, MOVE)) { LONG_MOVE } else { MOVE }
    }
}

/// May it be on its way to another mailbox? Asked right before its old name would go.
pub(super) fn may_be_moved(message: &StoredMessage, limit: Duration) -> bool {
    age_of_link(message).is_some_and(|age| age < limit)
}

/// How long ago a file with several names was linked, if its clock is ours. What cannot be looked at was not.
fn age_of_link(message: &StoredMessage) -> Option<Duration> {
    let data = message.path().symlink_metadata().ok().filter(|data| data.nlink() > 1)?;
    let changed = u64::try_from(data.ctime()).map(Duration::from_secs).unwrap_or_default();
    let changed = changed + Duration::from_nanos(data.ctime_nsec().unsigned_abs());
    // A time that is to come says nothing: clocks of servers differ.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().checked_sub(changed)
}

/// Gives the client time.
pub(super) fn rest() {
    std::thread::sleep(REST);
}

//! Messages that a client may be moving to another mailbox.
//!
//! Dovecot's MOVE makes a hard link in the other mailbox and removes the old name some time later, and it is no fault to it
//! if the old name is gone by then. Whoever replaces the message in between leaves two: the new one here, the moved one
//! there. A COPY begins the same way and ends with the link. link(2) sets the time at which the inode changed, so that a
//! file with several names and a fresh time is left for a moment; after that it was a COPY, or the old name is gone.

use super::stored::StoredMessage;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Between the link and the removal. Measured: some ms for one message, a tenth of a second for a thousand at once.
const MOVE: Duration = Duration::from_secs(1);
/// Until it is looked at again.
const REST: Duration = Duration::from_millis(20);

/// Was it linked a moment ago? What cannot be looked at was not.
pub(super) fn may_be_moved(message: &StoredMessage) -> bool {
    let Ok(data) = message.path().symlink_metadata() else { return false };
    let changed = u64::try_from(data.ctime()).map(Duration::from_secs).unwrap_or_default();
    let changed = changed + Duration::from_nanos(data.ctime_nsec().unsigned_abs());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // A time that is to come says nothing: clocks of servers differ.
    data.nlink() > 1 && now.checked_sub(changed).is_some_and(|age| age < MOVE)
}

/// Gives the client time.
pub(super) fn rest() {
    std::thread::sleep(REST);
}

//! What lies beside the messages of an account and is not looked at.

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::words::counted;
use crate::mail::{Address, printable};
use crate::store::MaildirStore;

/// Warns of mailboxes that are links, and of what dead runs left in `tmp/`.
pub(super) fn warn(store: &MaildirStore, owner: &Address) -> Result<(), Failure> {
    for mailbox in store.linked_mailboxes(owner)? {
        output::warn(&format!(
            "{} of {owner} is a link to another folder, and was not looked at",
            printable(&mailbox)
        ));
    }
    for mailbox in store.stored_mailboxes(owner)? {
        // What cannot be listed is told with the messages.
        let left = store.left_in_tmp(&mailbox).unwrap_or_default();
        if left > 0 {
            output::warn(&format!(
                "{} that a run left lie in tmp of {} of {owner}, perhaps in the clear: any run in that account removes them",
                counted(left, "file"),
                printable(&mailbox.name)
            ));
        }
    }
    Ok(())
}

//! A private Postfix and a private Dovecot, and a store between them. Both live in a temporary folder, on free ports of 127.0.0.1,
//! and are stopped by their process ids.

mod dovecot;
mod house;
mod postfix;
mod wire;

pub(crate) use dovecot::Dovecot;
pub(crate) use house::{House, OWNER, give, open_to_all};
pub(crate) use postfix::{Fate, Postfix, parts};
pub(crate) use wire::Wire;

/// What tests with all of them need.
pub(crate) fn can_run() -> bool {
    super::root(&["openssl", "postfix", "dovecot"])
}

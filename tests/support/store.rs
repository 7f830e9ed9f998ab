//! A store.
pub(crate) struct Store;

//! Which messages of a mailbox are meant.

use crate::store::StoredMessage;
use std::fs::Metadata;

/// Criteria that all must hold. What the file's name tells is asked first, then the inode, then the bytes.
#[derive(Debug, Clone, Default)]
pub struct Selection {}

impl Selection {
    /// May it be meant, by its name?
    pub fn by_name(&self, _stored: &StoredMessage) -> bool {
        true
    }

    /// May it be meant, by size and date?
    pub fn by_metadata(&self, _data: &Metadata) -> bool {
        true
    }

    /// Is it meant?
    pub fn by_bytes(&self, _bytes: &[u8]) -> bool {
        true
    }
}

//! One stored message into memory.

use super::run::{too_large, whole};
use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::store::StoredMessage;

/// Why a stored message cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would have to be in memory as a whole.
    #[error("{0}")]
    TooLarge(String),
}

/// All of a stored message; nothing if it is not there under that name any more.
pub fn load(stored: &StoredMessage, largest: u64) -> Result<Option<SecretBytes>, LoadError> {
    let Some((mut file, data)) = stored.open()? else { return Ok(None) };
    if data.len() > largest {
        return Err(LoadError::TooLarge(too_large(data.len(), largest)));
    }
    let read = whole(&mut file, data.len());
    let failed = |source| StoreError::Io { doing: "read", path: stored.path(), source };
    Ok(Some(read.map_err(failed)?))
}

//! The key by which imported messages are known again. It follows from that of the queue, so that the site has one file
//! less to keep; without that file an import that is repeated doubles its messages, and nothing else is lost.

use super::super::{AdminError, SqliteDirectory};
use super::key;
use crate::crypto::{Entropy, MarkKey};

const PURPOSE: &str = "sealpost mailbox import 1";

impl SqliteDirectory {
    /// The key, if there is one.
    pub fn import_key_if_there(&self) -> Result<Option<MarkKey>, AdminError> {
        Ok(self.queue_key()?.map(|key| MarkKey::derive(&key.key, PURPOSE)))
    }

    /// The key; the first import makes it.
    pub fn import_key(&self, entropy: &dyn Entropy) -> Result<MarkKey, AdminError> {
        match self.import_key_if_there()? {
            Some(key) => Ok(key),
            None => Ok(MarkKey::derive(&key::make(self.root(), entropy)?.key, PURPOSE)),
        }
    }
}

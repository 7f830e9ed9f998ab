//! Which messages are meant. Provisional: all of them.

use crate::cli::failure::Failure;
use crate::mailbox::Selection;

/// All.
#[derive(clap::Args)]
pub(super) struct SelectionOptions {
    /// Every message
    #[arg(long, required = true)]
    all: bool,
}

impl SelectionOptions {
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        let _ = self.all;
        Ok(Selection::default())
    }
}

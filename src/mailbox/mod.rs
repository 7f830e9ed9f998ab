//! Operations on stored messages: select, encrypt, decrypt, rekey, inspect; runs that can be stopped and go on.
//!
//! A run reads the messages of the mailboxes that it is given (`run`), hands them in batches to a [`Work`], which says what
//! becomes of each, and has the store replace those that change. The work sees bytes and touches no disk; the run knows
//! nothing of keys and certificates.

mod export;
mod import;
mod outcome;
mod run;
mod selection;
mod work;

pub use export::{Export, ExportError, Exported, Opener, read_whole};
pub use import::{Arrived, Import, ImportError, Imported};
pub use outcome::{Left, Outcome, Seen};
pub use run::{Ended, Run, RunError, Scope};
pub use selection::Selection;
pub use work::{Made, Proof, Read, Work};

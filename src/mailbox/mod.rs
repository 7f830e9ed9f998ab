//! Operations on stored messages: select, encrypt, decrypt, rekey, inspect; runs that can be stopped and go on.
//!
//! A run reads the messages of the mailboxes that it is given (`run`), hands them in batches to a [`Work`], which says what
//! becomes of each, and has the store replace those that change. The work sees bytes and touches no disk; the run knows
//! nothing of keys and certificates.

mod decrypt;
mod encrypt;
mod export;
mod import;
mod load;
mod look;
mod outcome;
mod proof;
mod rekey;
mod run;
mod selection;
mod target;
mod wanted;
mod work;

pub use decrypt::{Clear, Decrypt, open};
pub use encrypt::Encrypt;
pub use export::{Export, ExportError, Exported, Opener};
pub use import::{Arrived, Import, ImportError, Imported};
pub use load::{LoadError, load};
pub use look::{Looked, Sealing, State, look};
pub use outcome::{Left, Notes, Outcome, Seen};
pub use proof::Proof;
pub use rekey::Rekey;
pub use run::{Accounts, Ended, Event, GivenUp, Run, RunError, Scope, Works};
pub use selection::{Criterion, MessageName, MessageNameError, Selection, SelectionError};
pub use wanted::{NamedAccount, NamedReader, Readers, Share, Wanted};
pub use work::{Made, Read, Stays, Work};

//! `sealpost.toml`: raw TOML to a checked [`Config`], all faults at once, each value with its origin.
//!
//! Every key is a row of one list (`keys.rs`): its default, its help, what it allows and how it is read. The file that
//! `init` writes, `config show` and the errors come from that list.

mod fault;
mod issue;
mod keys;
mod lmtp;
mod programs;
mod read;
mod submission;
mod trust_bundle;
mod value;

pub use fault::{ConfigError, ConfigFaults, Fault};
pub use issue::{IssueSettings, MOST_CRL_DAYS, MOST_ISSUE_DAYS, SubjectStyle};
pub use keys::{LONGEST_DEADLINE, MEMORY_LIMIT};
pub use lmtp::{Listen, LmtpSettings};
pub use read::{Config, Entry, LogTarget, Origin};
pub use trust_bundle::{BuiltInSet, TrustBundle};
pub use value::size_of;

/// The name of the file in the root.
pub const FILE: &str = "sealpost.toml";

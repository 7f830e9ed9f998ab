//! From a message and its envelope to stored copies: plan, stage, commit, and the one outcome.

pub mod account;
pub mod choice;
pub mod consent;
pub mod outcome;
pub mod settings;
pub mod traits;

pub use account::{
    Account, AccountOverrides, CertificateState, Domain, DomainMode, DomainOverrides, HeldCertificate, Route,
};
pub use choice::Choice;
pub use consent::PlainConsent;
pub use outcome::Disposition;
pub use settings::{Expired, InboxPolicy, MissingCertificate, OpenPgp, Settings, Trust, Unusable};
pub use traits::{
    Clock, Content, Copy, Directory, DirectoryError, InstalledRules, Mailstore, ServerCopy, ServerCopyState,
    Staged, StoreError,
};

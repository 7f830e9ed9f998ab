//! From a message and its envelope to stored copies: plan, stage, commit, and the one outcome.

pub mod account;
mod addressee;
mod anchors;
mod attached;
pub mod batch;
mod certificates;
pub mod choice;
pub mod consent;
mod deliver;
mod discards;
mod effects;
mod error;
mod execute;
mod explain;
mod gathered;
pub mod helpers;
mod judgements;
mod known;
mod large;
mod mails;
mod offer;
pub mod outcome;
pub mod outgoing;
mod owners;
mod plan;
mod planned;
mod programs;
mod prospect;
mod recent;
mod remember;
mod report;
mod request;
mod rule_cache;
mod runs;
mod seal;
pub mod service;
pub mod settings;
mod settle;
pub mod submission;
#[cfg(test)]
mod tests;
mod time_zone;
pub mod traits;

pub use account::{
    Account, AccountOverrides, CertificateState, Domain, DomainMode, DomainOverrides, DomainTrust,
    HeldCertificate, Route,
};
pub use anchors::{anchors, check_chain, kept, recorded};
pub use batch::{Batch, InFlight, Load, Parcel};
pub use choice::Choice;
pub use consent::PlainConsent;
pub use deliver::Engine;
pub use error::{EngineError, Refusal};
pub use explain::{Explanation, PlannedCopyReport, ProgramTrace};
pub use helpers::{CommandRun, FilterSetting, HelperError, HelperSettings, Helpers, NoHelpers};
pub use large::LargeContent;
pub use mails::PlannedMailReport;
pub use offer::{
    CertificateSource, LARGEST_OFFER, NoOffer, Offer, may_offer, offered, sole_author, without_chain,
};
pub use outcome::{Disposition, Outcome};
pub use outgoing::{Carried, CopyName, Courier, Held, NoOutbox, Outbox, OutboxError, OutgoingMail, ReplyKey};
pub use planned::PlannedEffectReport;
pub use prospect::{Prospect, foresee, foresee_domain_key, foresee_recovery, issuers};
pub use report::{CopyReport, Fired, RecipientRole, SealedToReport};
pub use request::{Recipient, Request};
pub use rule_cache::RuleCache;
pub use service::{House, Queue, Service};
pub use settings::{
    AttachmentPolicy, CertificatePolicy, CrlPolicy, Expired, InboxPolicy, MissingCertificate, Naming,
    OpenPgp, Outgoing, Recovery, SealedToOthers, Settings, Trust, Unusable,
};
pub use submission::{HostPort, Submission, SubmissionSettings, SubmissionTls};
pub use time_zone::TimeZone;
pub use traits::{
    AccountFacts, BuiltIn, BuiltInError, Clock, Content, Copy, Directory, DirectoryError, Generation,
    InstalledRules, Mailstore, Place, Remembered, ServerCopy, ServerCopyState, Staged, StoreError,
};

//! Why a message was not delivered, and the one map from there to what the peer is told.

use super::{BuiltInError, DirectoryError, Disposition, HelperError, OutboxError, StoreError};
use crate::crypto::EntropyError;
use crate::mail::Address;
use crate::pki::{Fingerprint, Unfit};
use crate::rules::RuleFaults;
use crate::smime::SealError;
use std::io::ErrorKind;

/// A delivery that came to nothing. `Display` and the sources are for the log; the peer gets [`EngineError::disposition`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The hook named nobody.
    #[error("the hook named no recipient")]
    NoRecipient,
    /// A domain that is not ours, or ours without a single account.
    #[error("{0}: the domain is unknown here or has no account; is this the right directory?")]
    UnknownDomain(Address),
    /// A domain of ours without such an account.
    #[error("{0}: no account of this domain has that address")]
    UnknownUser(Address),
    /// Larger than `max-message`.
    #[error("the message has {size} bytes, max-message allows {limit}")]
    TooLarge {
        /// As received.
        size: u64,
        /// `max-message`.
        limit: u64,
    },
    /// It is too large to be held, and cannot be read again where it waits.
    #[error("the message could not be read: {0}")]
    Source(#[source] std::io::Error),
    /// It is too large to be held, and what the rules want takes all of it: whoever delivers holds it after all.
    #[error("the rules want something of the message that takes all of it")]
    TakesWhole,
    /// Its sender waits no more, and may have begun to try again: what would become visible now might come twice.
    #[error("the delivery took too long: the time was over before anything was visible")]
    Late,
    /// Routed to an account that the directory then did not have.
    #[error("account {0} vanished from the directory between two look-ups")]
    Vanished(Address),
    /// Installed rules that no longer compile.
    #[error("the installed rule file {file} of {holder} is wrong")]
    BrokenRules {
        /// Domain, account, or "the server".
        holder: String,
        /// Its name.
        file: String,
        /// Each fault.
        #[source]
        faults: Box<RuleFaults>,
    },
    /// `Reject with`.
    #[error("rule \"{rule}\" rejects the message")]
    RuleRejects {
        /// The rule's name.
        rule: String,
        /// Its text, for the peer.
        text: String,
    },
    /// `~owner` is nobody.
    #[error("rule \"{rule}\" stores in a mailbox of {owner}, and there is no such account")]
    UnknownOwner {
        /// The rule's name.
        rule: String,
        /// As it names the owner.
        owner: String,
    },
    /// A mailbox of the acting account in the server scope, which acts for nobody, or `~owner` without a domain for
    /// recipients in several.
    #[error("rule \"{rule}\" of the server stores in {mailbox}: name the owner as ~account@domain/…")]
    OwnerlessMailbox {
        /// The rule's name.
        rule: String,
        /// The mailbox.
        mailbox: String,
    },
    /// No insert right on a foreign mailbox.
    #[error(
        "rule \"{rule}\" stores in {mailbox}, and {actor} has no insert right there: sealpost acl grant --mailbox '{mailbox}' --account {actor}"
    )]
    NoRight {
        /// The rule's name.
        rule: String,
        /// `~owner@domain/Box`.
        mailbox: String,
        /// For whom the rule acts.
        actor: Address,
    },
    /// A mailbox that is not there, and that this rule may not make.
    #[error("rule \"{rule}\" stores in {mailbox}, which does not exist")]
    NoMailbox {
        /// The rule's name.
        rule: String,
        /// `~owner@domain/Box`.
        mailbox: String,
        /// What to do.
        hint: String,
    },
    /// No certificate to seal to.
    #[error("{account} has no active certificate{}", if *.disabled { ", because its domain is not enabled" } else { "" })]
    NoCertificate {
        /// Whose.
        account: Address,
        /// The mode of its domain forbids them.
        disabled: bool,
        /// By `missing-certificate`.
        refusal: Refusal,
    },
    /// Certificates, and none that may be sealed to.
    #[error("none of the {count} active certificates of {account} may be sealed to; the newest, {certificate}: {}", list(.reasons))]
    NoUsableCertificate {
        /// Whose.
        account: Address,
        /// How many were tried.
        count: usize,
        /// The newest.
        certificate: Fingerprint,
        /// What is wrong with the newest.
        reasons: Vec<Unfit>,
        /// By `unusable`, `expired` and `not-yet-valid`.
        refusal: Refusal,
    },
    /// Nor does the key of its domain take the place of an account's.
    #[error("{first}, and the key of {domain} cannot stand in: {reason}; {mend}")]
    DomainKeyUnfit {
        /// Whose key.
        domain: String,
        /// What is wrong with it.
        reason: String,
        /// The command that mends it.
        mend: String,
        /// Why the account's own certificates are not sealed to.
        first: String,
    },
    /// Rejected for some recipients and deliverable for others: one answer cannot say that.
    #[error(
        "{rejected} of {all} recipients are rejected and the others are not: set …_destination_recipient_limit = 1"
    )]
    Mixed {
        /// How many.
        rejected: usize,
        /// Of how many.
        all: usize,
        /// Why the first was.
        #[source]
        first: Box<EngineError>,
    },
    /// The directory did not answer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Under `trust = "chain"`, and nobody knows whom the site trusts.
    #[error(transparent)]
    BuiltIn(#[from] BuiltInError),
    /// Nothing became visible.
    #[error("no copy was stored")]
    Stage(#[source] StoreError),
    /// Some copies are visible and stay.
    #[error("{visible} of {all} copies are visible and stay; the next may not be")]
    Commit {
        /// How many surely are.
        visible: usize,
        /// Of how many.
        all: usize,
        /// What happened to the next.
        #[source]
        source: StoreError,
    },
    /// Sealing failed.
    #[error("the copy for {mailbox} cannot be sealed")]
    Seal {
        /// `~owner@domain/Box`.
        mailbox: String,
        /// Why.
        #[source]
        source: SealError,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// What the server's rules say of the message whoever of its recipients is meant: broken, rejecting, or a program of theirs
    /// that failed.
    #[error(transparent)]
    OfServer(Box<EngineError>),
    /// A command or a filter failed.
    #[error("rule \"{rule}\"")]
    Helper {
        /// The rule's name.
        rule: String,
        /// What failed.
        #[source]
        source: HelperError,
    },
    /// Mail that rules send could not be enqueued.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// It could not be released, and the copies are visible.
    #[error(transparent)]
    Unreleased(OutboxError),
}

/// What policy says of an account that cannot be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The sender tries again.
    Defer,
    /// The message is refused.
    Reject,
}

fn list(reasons: &[Unfit]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl EngineError {
    /// The same fault as a doubt: the owner of an archive must not have the mail of others refused.
    pub(super) fn never_rejected(mut self) -> EngineError {
        if let EngineError::NoCertificate { refusal, .. } | EngineError::NoUsableCertificate { refusal, .. } =
            &mut self
        {
            *refusal = Refusal::Defer;
        }
        self
    }

    /// See [`EngineError::OfServer`].
    pub(super) fn of_server_if(self, is_of_server: bool) -> EngineError {
        if is_of_server { EngineError::OfServer(Box::new(self)) } else { self }
    }

    /// For a rule that acts for this account; absent: for the server.
    pub(super) fn no_mailbox(
        rule: Option<&str>,
        (owner, mailbox): (&Address, &str),
        acting: Option<&Address>,
    ) -> EngineError {
        let place = format!("~{owner}/{mailbox}");
        let hint = match acting {
            None => "make the mailbox in a mail program: a rule of the server makes none".to_owned(),
            Some(acting) if acting == owner => {
                "set create-mailboxes = true in sealpost.toml, or make the mailbox in a mail program"
                    .to_owned()
            }
            Some(acting) => format!("sealpost acl grant --mailbox '{place}' --account {acting} --create"),
        };
        EngineError::NoMailbox { rule: rule.unwrap_or_default().to_owned(), mailbox: place, hint }
    }

    /// What to do, where the text of the error does not say it.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            EngineError::NoMailbox { hint, .. } => Some(hint.clone()),
            EngineError::Mixed { first, .. } => first.hint(),
            EngineError::OfServer(error) => error.hint(),
            _ => None,
        }
    }

    /// May some of several recipients fare better by themselves? Surely nothing is stored then, and no mail goes. Each by name, so
    /// that a new one must be thought of here.
    pub(super) fn is_divisible(&self) -> bool {
        match self {
            EngineError::UnknownDomain(_)
            | EngineError::UnknownUser(_)
            | EngineError::Vanished(_)
            | EngineError::BrokenRules { .. }
            | EngineError::RuleRejects { .. }
            | EngineError::UnknownOwner { .. }
            | EngineError::OwnerlessMailbox { .. }
            | EngineError::NoRight { .. }
            | EngineError::NoMailbox { .. }
            | EngineError::NoCertificate { .. }
            | EngineError::NoUsableCertificate { .. }
            | EngineError::DomainKeyUnfit { .. }
            | EngineError::Mixed { .. }
            | EngineError::Stage(_)
            | EngineError::Seal { .. }
            | EngineError::Helper { .. }
            | EngineError::Outbox(_) => true,
            // All share it, or something may be visible, or released, already.
            EngineError::NoRecipient
            | EngineError::OfServer(_)
            | EngineError::TooLarge { .. }
            | EngineError::Source(_)
            | EngineError::TakesWhole
            | EngineError::Late
            | EngineError::Directory(_)
            | EngineError::BuiltIn(_)
            | EngineError::Entropy(_)
            | EngineError::Commit { .. }
            | EngineError::Unreleased(_) => false,
        }
    }

    /// The one map. Fixed texts: nothing of the message, nothing of the house, but a rule's own words.
    pub fn disposition(&self) -> Disposition {
        match self {
            EngineError::NoRecipient => retry((3, 5), "no recipient was named"),
            EngineError::UnknownDomain(_) => retry((3, 5), "the recipient's domain is not ready here"),
            EngineError::UnknownUser(_) => no_such_user(),
            EngineError::TooLarge { .. } => reject((3, 4), "the message is too big"),
            EngineError::Source(_) | EngineError::TakesWhole => {
                retry((3, 0), "the message could not be read")
            }
            EngineError::Late => retry((3, 0), "the delivery took too long"),
            EngineError::Vanished(_) => retry((3, 0), "the recipient could not be looked up"),
            EngineError::BrokenRules { .. } => retry((3, 5), "the mail rules are being repaired"),
            EngineError::RuleRejects { text, .. } => reject((7, 1), text),
            EngineError::UnknownOwner { .. }
            | EngineError::OwnerlessMailbox { .. }
            | EngineError::NoRight { .. }
            | EngineError::NoMailbox { .. } => {
                retry((3, 5), "a mail rule names a mailbox that it cannot use")
            }
            EngineError::NoCertificate { refusal, .. } | EngineError::NoUsableCertificate { refusal, .. } => {
                no_sealing(*refusal)
            }
            EngineError::DomainKeyUnfit { .. } => no_sealing(Refusal::Defer),
            EngineError::Mixed { .. } => retry(
                (5, 3),
                "not the same answer for all recipients: deliver them one by one (..._destination_recipient_limit = 1)",
            ),
            EngineError::Directory(
                DirectoryError::Busy | DirectoryError::FullDataset { .. } | DirectoryError::Failed(_),
            ) => retry((3, 0), "the directory is not available"),
            EngineError::BuiltIn(_) => retry((3, 5), "the trusted authorities are not ready here"),
            EngineError::Stage(error) | EngineError::Commit { source: error, .. } => not_stored(error),
            EngineError::Seal { source, .. } => not_sealed(source),
            EngineError::Entropy(_) => retry((3, 0), "the system has no randomness"),
            EngineError::OfServer(error) => error.disposition(),
            EngineError::Helper { .. } => retry((3, 0), "a program that looks at the mail is not available"),
            EngineError::Outbox(_) | EngineError::Unreleased(_) => {
                retry((3, 0), "the queue of outgoing mail is not available")
            }
        }
    }
}

fn retry(detail: (u16, u16), text: &str) -> Disposition {
    Disposition::Retry { detail, text: text.into() }
}

fn reject(detail: (u16, u16), text: &str) -> Disposition {
    Disposition::Reject { detail, text: text.into(), unknown_user: false }
}

fn no_such_user() -> Disposition {
    Disposition::Reject { detail: (1, 1), text: "no such user here".into(), unknown_user: true }
}

/// X.7.5: cryptographic failure.
fn no_sealing(refusal: Refusal) -> Disposition {
    match refusal {
        Refusal::Defer => retry((7, 5), "no usable certificate to encrypt the message to"),
        Refusal::Reject => reject((7, 5), "no usable certificate to encrypt the message to"),
    }
}

fn not_sealed(error: &SealError) -> Disposition {
    match error {
        SealError::NoRecipient
        | SealError::TooManyRecipients { .. }
        | SealError::ProfileCannotServe { .. }
        | SealError::NothingPostQuantum { .. }
        | SealError::KeyUnusable { .. }
        | SealError::Primitive(_)
        | SealError::TooLarge(_) => retry((7, 5), "the message could not be encrypted"),
    }
}

fn not_stored(error: &StoreError) -> Disposition {
    match error {
        StoreError::NoMailbox { .. } => retry((3, 5), "a mail rule names a mailbox that it cannot use"),
        StoreError::OverQuota(_) => retry((2, 2), "the mailbox is full"),
        StoreError::Unanswered { .. } => retry((3, 0), "the message could not be stored"),
        StoreError::Io { source, .. } => match source.kind() {
            ErrorKind::StorageFull => retry((3, 1), "the mail system's disk is full"),
            ErrorKind::QuotaExceeded => retry((2, 2), "the mailbox is full"),
            _ => retry((3, 0), "the message could not be stored"),
        },
    }
}

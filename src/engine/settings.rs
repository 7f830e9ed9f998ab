//! The site's policy, as plain values.

use super::Account;
use crate::crypto::{Classical, Profile};
use crate::mail::HeaderPolicy;
use crate::smime::Form;
pub use crate::smime::{Naming, OpenPgp};

/// How the INBOX copy is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InboxPolicy {
    /// As `Store Encrypted in INBOX` would.
    #[default]
    Seal,
    /// In the clear: a written consent.
    Plain,
}

/// Which certificates of an account are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// What the directory holds.
    #[default]
    Pinned,
    /// What chains to a trusted authority.
    Chain,
}

/// A certificate outside its time and right otherwise (expired, not yet valid).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expired {
    /// Seal to it and warn: its owner still has the key.
    #[default]
    Seal,
    /// Tell the sender to try again.
    Defer,
}

/// An account whose certificates cannot be used (wrong usage or address, broken, too weak).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unusable {
    /// Tell the sender to try again.
    #[default]
    Defer,
    /// Refuse the message.
    Reject,
}

/// An account with no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingCertificate {
    /// Tell the sender to try again.
    #[default]
    Defer,
    /// Refuse the message.
    Reject,
    /// Store in the clear: a written consent.
    Plain,
}

/// What the engine obeys. Made by `config`, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `+` in `bob+lists@…`.
    pub recipient_delimiter: Option<char>,
    /// Bytes; a larger message is refused with 5.3.4.
    pub max_message: u64,
    /// For domains and accounts that say nothing.
    pub inbox: InboxPolicy,
    /// For domains and accounts that say nothing.
    pub profile: Profile,
    /// For domains and accounts that say nothing.
    pub also_classical: Classical,
    /// How messages name their recipients.
    pub naming: Naming,
    /// What of a sealed message's header stays readable, for rules that say nothing.
    pub headers: HeaderPolicy,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Certificates past their end.
    pub expired: Expired,
    /// Certificates before their begin.
    pub not_yet_valid: Expired,
    /// Certificates that cannot be used.
    pub unusable: Unusable,
    /// Accounts without one.
    pub missing_certificate: MissingCertificate,
    /// Messages that came encrypted with OpenPGP.
    pub openpgp: OpenPgp,
    /// May a rule create a mailbox in the acting account?
    pub create_mailboxes: bool,
    /// Smaller RSA keys are too weak.
    pub minimum_rsa_bits: usize,
}

impl Settings {
    /// How mail for an account's mailboxes is sealed: as a rule says (`profile`, `headers`), else the account, its
    /// domain, the site.
    pub fn form(&self, owner: &Account, profile: Option<Profile>, headers: Option<HeaderPolicy>) -> Form {
        let (account, domain) = (&owner.overrides, &owner.domain.overrides);
        let profile = profile.or(account.profile).or(domain.profile);
        let classical = account.also_classical.or(domain.also_classical);
        Form {
            profile: profile.unwrap_or(self.profile),
            classical: classical.unwrap_or(self.also_classical),
            naming: self.naming,
            headers: headers.unwrap_or(self.headers),
        }
    }
}

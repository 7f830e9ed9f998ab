//! The site's policy, as plain values.

use super::{Account, Domain, TimeZone};
use crate::crypto::{Classical, Profile};
use crate::mail::{Address, HeaderPolicy};
use crate::rules::RulesAllowed;
use crate::smime::Form;
pub use crate::smime::{Naming, OpenPgp};
use std::time::Duration;
use time::OffsetDateTime;

/// How the INBOX copy is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InboxPolicy {
    /// As `Store Encrypted in INBOX` would.
    #[default]
    Seal,
    /// In the clear: a written consent.
    Plain,
}

/// How the files are stored that `Copy Attachments into` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttachmentPolicy {
    /// Each as a message with that one attachment, sealed as a copy in the account's mailbox would be.
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

/// An account whose certificates cannot be used (revoked, wrong usage or address, broken, too weak).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unusable {
    /// Tell the sender to try again.
    #[default]
    Defer,
    /// Refuse the message.
    Reject,
    /// Seal to the domain's own certificate instead: the administrator can open it.
    DomainKey,
}

/// Certificates whose revocation list is missing or old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrlPolicy {
    /// Seal to them and warn.
    #[default]
    Soft,
    /// Tell the sender to try again.
    Hard,
}

/// Is a domain's recovery certificate a further recipient of an account's mail?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recovery {
    /// No.
    #[default]
    No,
    /// Yes, where the domain has one.
    Yes,
}

/// An account with no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingCertificate {
    /// Tell the sender to try again.
    #[default]
    Defer,
    /// Refuse the message.
    Reject,
    /// Seal to the domain's own certificate instead: the administrator can open it.
    DomainKey,
    /// Store in the clear: a written consent.
    Plain,
}

/// A stored message that is sealed, and not to the certificates that mail for its mailbox is sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealedToOthers {
    /// It stays as it is.
    #[default]
    Leave,
    /// It is sealed once more, as a whole.
    Wrap,
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
    pub attachments: AttachmentPolicy,
    /// For domains and accounts that say nothing.
    pub profile: Profile,
    /// For domains and accounts that say nothing.
    pub also_classical: Classical,
    /// How messages name their recipients.
    pub naming: Naming,
    /// What of a sealed message's header stays readable, for rules that say nothing.
    pub headers: HeaderPolicy,
    /// What the certificates of accounts may be, for domains that say nothing.
    pub certificates: CertificatePolicy,
    /// Messages that came encrypted with OpenPGP.
    pub openpgp: OpenPgp,
    /// Stored messages that are sealed to others.
    pub sealed_to_others: SealedToOthers,
    /// May a rule create a mailbox in the acting account?
    pub create_mailboxes: bool,
    /// Smaller RSA keys are too weak.
    pub minimum_rsa_bits: usize,
    /// Where the hours and days of rules are told.
    pub time_zone: TimeZone,
    /// The mail that rules send.
    pub outgoing: Outgoing,
    /// What the owners of accounts may install, for domains and accounts that say nothing.
    pub rules_allowed: RulesAllowed,
}

/// What holds for mail that rules send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// In whose name the server's rules send; absent: `postmaster@` the domain that the message is for.
    pub from: Option<Address>,
    /// A rule answers one sender once in this time; zero: each message.
    pub reply_interval: Duration,
    /// A message that went over more servers goes on to nobody. What Postfix bounces when it comes back (`hopcount_limit`)
    /// is not worth sending; RFC 5321 6.3 asks for 100 where a message would be refused, and here its copies are stored.
    pub hop_limit: usize,
}

impl Outgoing {
    /// Who was answered at this time or later is not answered at `at`; absent: each message is.
    pub fn answered_since(&self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        let interval = time::Duration::try_from(self.reply_interval).unwrap_or(time::Duration::MAX);
        (!interval.is_zero()).then(|| at.saturating_sub(interval))
    }
}

impl Default for Outgoing {
    fn default() -> Outgoing {
        Outgoing { from: None, reply_interval: Duration::from_secs(7 * 86_400), hop_limit: 50 }
    }
}

/// What the certificates of a domain's accounts may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CertificatePolicy {
    /// Which certificates are believed.
    pub trust: Trust,
    /// Certificates past their end.
    pub expired: Expired,
    /// Certificates before their begin.
    pub not_yet_valid: Expired,
    /// Certificates that cannot be used.
    pub unusable: Unusable,
    /// Certificates whose revocation list is missing or old.
    pub crl: CrlPolicy,
    /// Accounts without one.
    pub missing_certificate: MissingCertificate,
}

impl Settings {
    /// How mail for a domain's accounts is sealed, where they say nothing themselves.
    pub fn form_of_domain(&self, domain: &Domain) -> Form {
        let own = &domain.overrides;
        Form {
            profile: own.profile.unwrap_or(self.profile),
            classical: own.also_classical.unwrap_or(self.also_classical),
            naming: self.naming,
            headers: self.headers,
        }
    }

    /// What the domain says of certificates, else the site.
    pub fn certificate_policy(&self, domain: &Domain) -> CertificatePolicy {
        let (own, site) = (&domain.overrides, self.certificates);
        CertificatePolicy {
            trust: own.trust.unwrap_or(site.trust),
            expired: own.expired.unwrap_or(site.expired),
            not_yet_valid: own.not_yet_valid.unwrap_or(site.not_yet_valid),
            unusable: own.unusable.unwrap_or(site.unusable),
            crl: own.crl.unwrap_or(site.crl),
            missing_certificate: own.missing_certificate.unwrap_or(site.missing_certificate),
        }
    }

    /// What the account's owner may install: as the account says, else its domain, else the site.
    pub fn rules_allowed(&self, account: &Account) -> RulesAllowed {
        let own = account.overrides.rules_allowed.or(account.domain.overrides.rules_allowed);
        own.unwrap_or(self.rules_allowed)
    }

    /// How mail for an account's mailboxes is sealed: as a rule says (`profile`, `headers`), else the account, its
    /// domain, the site.
    pub fn form(&self, owner: &Account, profile: Option<Profile>, headers: Option<HeaderPolicy>) -> Form {
        let (own, of_domain) = (&owner.overrides, self.form_of_domain(&owner.domain));
        Form {
            profile: profile.or(own.profile).unwrap_or(of_domain.profile),
            classical: own.also_classical.unwrap_or(of_domain.classical),
            headers: headers.unwrap_or(of_domain.headers),
            ..of_domain
        }
    }
}

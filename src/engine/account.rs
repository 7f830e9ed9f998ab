//! Domains and accounts as delivery sees them.

use super::{
    AttachmentPolicy, CrlPolicy, Expired, InboxPolicy, MissingCertificate, Recovery, Trust, Unusable,
};
use crate::crypto::{Classical, Profile};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, Revocation};
use crate::rules::RulesAllowed;

/// May the keys and certificates of a domain be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DomainMode {
    /// No.
    Disabled,
    /// For TLS only.
    Test,
    /// Yes.
    #[default]
    Enabled,
}

/// What a domain says otherwise than the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainOverrides {
    /// How the INBOX copy is stored.
    pub inbox: Option<InboxPolicy>,
    /// Which algorithms.
    pub profile: Option<Profile>,
    /// May classical keys stand beside post-quantum ones?
    pub also_classical: Option<Classical>,
    /// What becomes of mail for an account with no certificate.
    pub missing_certificate: Option<MissingCertificate>,
    /// Which certificates are believed.
    pub trust: Option<Trust>,
    /// Certificates past their end.
    pub expired: Option<Expired>,
    /// Certificates before their begin.
    pub not_yet_valid: Option<Expired>,
    /// Certificates that cannot be used.
    pub unusable: Option<Unusable>,
    /// Certificates whose revocation list is missing or old.
    pub crl: Option<CrlPolicy>,
    /// Is its recovery certificate a further recipient, for accounts that say nothing?
    pub recovery: Option<Recovery>,
    /// What the owners of its accounts may install, for accounts that say nothing.
    pub rules_allowed: Option<RulesAllowed>,
    /// How copied attachments are stored.
    pub attachments: Option<AttachmentPolicy>,
}

/// What an account says otherwise than its domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountOverrides {
    /// How the INBOX copy is stored.
    pub inbox: Option<InboxPolicy>,
    /// Which algorithms.
    pub profile: Option<Profile>,
    /// May classical keys stand beside post-quantum ones?
    pub also_classical: Option<Classical>,
    /// Is the domain's recovery certificate a further recipient?
    pub recovery: Option<Recovery>,
    /// What its owner may install.
    pub rules_allowed: Option<RulesAllowed>,
    /// How copied attachments are stored.
    pub attachments: Option<AttachmentPolicy>,
}

/// A local domain.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Its main name, lower-case A-labels.
    pub name: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// May its keys and certificates be used?
    pub mode: DomainMode,
    /// Who gets mail for unknown local parts.
    pub catch_all: Option<Address>,
    /// Its own policy.
    pub overrides: DomainOverrides,
    /// Its certificates (generic and S/MIME authority): trust anchors for its users.
    pub authorities: Vec<Certificate>,
    /// Whom it trusts besides.
    pub trust: DomainTrust,
    /// A certificate of its key that is made to be sealed to.
    pub sealing: Option<Certificate>,
    /// The further recipient of accounts that have one.
    pub recovery: Option<Certificate>,
}

impl Domain {
    /// What its own key may be sealed to by, the one that is made for it first.
    pub(crate) fn sealing_candidates(&self) -> impl Iterator<Item = &Certificate> {
        self.sealing.iter().chain(&self.authorities)
    }
}

/// Whom a domain trusts beside its own certificates.
#[derive(Debug, Clone, Default)]
pub struct DomainTrust {
    /// Its authorities that were replaced: what they issued stays valid.
    pub retired: Vec<Certificate>,
    /// Above its own certificate, the issuer first. They help to build a path; none of them is trusted for it.
    pub chain: Vec<Certificate>,
    /// Its own set.
    pub domain: Vec<Certificate>,
    /// The server's set.
    pub server: Vec<Certificate>,
}

/// Is a certificate sealed to?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateState {
    /// Sealed to.
    Active,
    /// Kept for reading and reports.
    Retired,
    /// Came from elsewhere and waits for somebody to accept it.
    Pending,
}

/// A certificate that the directory holds for an account.
#[derive(Debug, Clone)]
pub struct HeldCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Sealed to or not.
    pub state: CertificateState,
    /// Its issuer, a domain of ours, took it back.
    pub revoked: Option<Revocation>,
}

/// A local account with all that delivery needs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its address.
    pub address: Address,
    /// Other addresses of it, in all names of its domain.
    pub aliases: Vec<Address>,
    /// Its own policy.
    pub overrides: AccountOverrides,
    /// Oldest first.
    pub certificates: Vec<HeldCertificate>,
    /// Its domain.
    pub domain: Domain,
}

impl Account {
    /// Its newest certificate of a key. What waits to be accepted is none of its certificates yet.
    pub fn newest_of(&self, key: Fingerprint) -> Option<&HeldCertificate> {
        let accepted = self.certificates.iter().filter(|held| held.state != CertificateState::Pending);
        let mut of_key = accepted.filter(|held| held.certificate.key_fingerprint().is_ok_and(|of| of == key));
        of_key.next_back()
    }

    /// Every address of it, its main one first.
    pub fn addresses(&self) -> Vec<Address> {
        std::iter::once(&self.address).chain(&self.aliases).cloned().collect()
    }

    /// Shall the recovery certificate of its domain be a further recipient?
    pub fn recovery(&self) -> Recovery {
        self.overrides.recovery.or(self.domain.overrides.recovery).unwrap_or_default()
    }
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To this account: exact, by alias, without its detail, or by the catch-all.
    Account(Address),
    /// The domain is ours and has accounts, and this is none of them: 5.1.1.
    UnknownUser,
    /// The domain is unknown, or ours without a single account: a doubt, never a bounce.
    UnknownDomain,
}

//! A domain at work as the authority of its accounts.

use super::failure::{Code, Failure};
use super::fitness::{Fitness, lists};
use super::words::day;
use super::{authority, keyring};
use crate::config::{Config, IssueSettings, SubjectStyle};
use crate::crypto::Entropy;
use crate::directory::{
    AddedCertificate, AdminError, CertificateUse, DomainCertificate, Follows, Issue, NewVaultKey,
    SqliteDirectory,
};
use crate::engine::{Account, Choice, Clock, Domain, DomainMode};
use crate::pki::{
    Authority, Certificate, Crl, PkiError, PublicKey, Reads, Terms, Unfit, UnlockedKey, UserProfile, Validity,
};
use crate::system::{SystemClock, SystemEntropy};
use time::Duration;

/// A domain with its key, ready to sign.
pub(super) struct Issuer<'d> {
    directory: &'d SqliteDirectory,
    config: Config,
    pub(super) domain: Domain,
    pub(super) certificate: Certificate,
    purpose: CertificateUse,
    key: UnlockedKey,
    terms: Terms,
    /// The revocation lists that the site was given.
    lists: Vec<Crl>,
}

/// What a certificate is to say beside what the account and the site say.
pub(super) struct Wish<'a> {
    /// The person's name.
    pub(super) name: Option<&'a str>,
    /// Days of validity, if not those of the site.
    pub(super) days: Option<u32>,
    /// What the holder's mail programs read.
    pub(super) reads: Reads,
}

/// For whom, and what comes with it.
pub(super) struct Order<'a> {
    pub(super) account: &'a Account,
    pub(super) key: &'a PublicKey,
    pub(super) follows: Follows,
    /// The key that was made for it, to be stored in the same transaction.
    pub(super) made: Option<NewVaultKey<'a>>,
}

/// A certificate that is recorded.
pub(super) struct Issued {
    pub(super) certificate: Certificate,
    pub(super) added: AddedCertificate,
    pub(super) warnings: Vec<Unfit>,
}

impl<'d> Issuer<'d> {
    /// Opens the domain's authority and tests its key.
    pub(super) fn open(
        directory: &'d SqliteDirectory,
        config: Config,
        name: &str,
    ) -> Result<Issuer<'d>, Failure> {
        let domain = directory.domain(name)?;
        if domain.mode != DomainMode::Enabled {
            let text = format!("{} issues nothing while its mode is {}", domain.name, domain.mode.name());
            return Err(Failure::new(Code::No, text)
                .hint(format!("sealpost domain set {} --mode enabled", domain.name)));
        }
        let key = keyring::domain_key(directory, &domain.name)?;
        key.test()?;
        let DomainCertificate { certificate, purpose, .. } = issuing_certificate(directory, &domain.name)?;
        let authority = Authority::new(&certificate, &key);
        let authority = authority.map_err(|error| no_authority(error, &domain.name))?;
        let terms = terms(&config.issue, &domain.name, &authority)?;
        let lists = lists(directory)?;
        let issuer = Issuer { directory, config, domain, certificate, purpose, key, terms, lists };
        issuer.require_going_on()?;
        Ok(issuer)
    }

    fn require_going_on(&self) -> Result<(), Failure> {
        let end = self.certificate.not_after();
        if end >= SystemClock.now() {
            return Ok(());
        }
        let text =
            format!("{} issues nothing: its authority's certificate ended on {}", self.domain.name, day(end));
        Err(Failure::new(Code::No, text).hint(format!("renew it first: {}", self.renewal())))
    }

    /// The command that renews the authority.
    pub(super) fn renewal(&self) -> String {
        let purpose = match self.purpose {
            CertificateUse::Generic => String::new(),
            other => format!(" --purpose {}", other.name()),
        };
        let name = &self.domain.name;
        if self.certificate.is_self_issued() {
            return format!("sealpost cert self-sign --domain {name}{purpose} --refresh");
        }
        format!(
            "sealpost cert request --domain {name}, and then sealpost cert set --domain {name}{purpose} --file FILE"
        )
    }

    /// Signs a certificate, checks it as delivery will, records it and gives it to the account.
    pub(super) fn issue(&self, order: &Order<'_>, wish: &Wish<'_>) -> Result<Issued, Failure> {
        Ok(self.attempt(order, wish)??)
    }

    /// The same, for who can go on when the directory says no.
    pub(super) fn attempt(
        &self,
        order: &Order<'_>,
        wish: &Wish<'_>,
    ) -> Result<Result<Issued, AdminError>, Failure> {
        let certificate = self.sign(order, wish)?;
        let fitness = Fitness::by(&self.config, &self.lists);
        let warnings = fitness.require(order.account, &certificate, &[])?;
        let added = self.directory.record_issue(&Issue {
            account: &order.account.address,
            certificate: &certificate,
            issuer: &self.certificate,
            follows: order.follows,
            key: order.made,
        });
        Ok(added.map(|added| Issued { certificate, added, warnings }))
    }

    fn sign(&self, order: &Order<'_>, wish: &Wish<'_>) -> Result<Certificate, Failure> {
        let addresses = order.account.addresses();
        let address = order.account.address.to_string();
        let name = wish.name.filter(|_| self.config.issue.subject == SubjectStyle::Name);
        let days = wish.days.unwrap_or(self.config.issue.days);
        let user = UserProfile {
            common_name: name.unwrap_or(&address),
            addresses: &addresses,
            validity: Validity::lasting(SystemClock.now(), Duration::days(days.into())),
            reads: wish.reads,
        };
        let authority = Authority::new(&self.certificate, &self.key)?.stating(&self.terms);
        Ok(authority.issue(order.key, &user, SystemEntropy.seed()?)?)
    }
}

/// The special S/MIME certificate of the domain, or else the generic one.
fn issuing_certificate(directory: &SqliteDirectory, domain: &str) -> Result<DomainCertificate, Failure> {
    let held = directory.domain_certificates(domain)?;
    authority::issuer(&held).cloned().ok_or_else(|| {
        Failure::new(Code::NotFound, format!("{domain} has no certificate to issue with"))
            .hint(format!("make one: sealpost cert self-sign --domain {domain}"))
    })
}

/// A certificate for TLS can stay: the special one issues beside it.
fn no_authority(error: PkiError, domain: &str) -> Failure {
    let is_for_tls = matches!(error, PkiError::NotAnAuthority { .. });
    let failure = Failure::from(error);
    if !is_for_tls {
        return failure;
    }
    failure.hint(format!("make one that can: sealpost cert self-sign --domain {domain} --purpose smime"))
}

fn terms(settings: &IssueSettings, domain: &str, authority: &Authority<'_>) -> Result<Terms, Failure> {
    let list = authority.list_name()?;
    let url = settings.crl_url.as_ref().map(|url| filled_in(url, domain, &list));
    Ok(Terms { crl_urls: url.into_iter().collect(), policies: settings.policies.clone() })
}

/// A URL or a path with `{domain}` and `{authority}` in it.
pub(super) fn filled_in(template: &str, domain: &str, authority: &str) -> String {
    template.replace("{domain}", domain).replace("{authority}", authority)
}

//! A domain at work as the authority of its accounts.

use super::failure::{Code, Failure};
use super::fitness::{self, Fitness, lists};
use super::{authority, keyring};
use crate::config::{Config, IssueSettings, SubjectStyle};
use crate::crypto::Entropy;
use crate::directory::{AddedCertificate, Follows, Issue, NewVaultKey, SqliteDirectory};
use crate::engine::{Account, Choice, Clock, Domain, DomainMode};
use crate::pki::{
    Authority, Certificate, Crl, PublicKey, Reads, Terms, Unfit, UnlockedKey, UserProfile, Validity,
};
use crate::system::{SystemClock, SystemEntropy};
use time::Duration;

/// A domain with its key, ready to sign.
pub(super) struct Issuer<'d> {
    directory: &'d SqliteDirectory,
    config: Config,
    pub(super) domain: Domain,
    pub(super) certificate: Certificate,
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
        let certificate = issuing_certificate(directory, &domain.name)?;
        let terms = terms(&config.issue, &domain.name, &Authority::new(&certificate, &key)?)?;
        let lists = lists(directory)?;
        Ok(Issuer { directory, config, domain, certificate, key, terms, lists })
    }

    /// Signs a certificate, checks it as delivery will, records it and gives it to the account.
    pub(super) fn issue(&self, order: &Order<'_>, wish: &Wish<'_>) -> Result<Issued, Failure> {
        let certificate = self.sign(order, wish)?;
        let fitness = Fitness::by(&self.config, &self.lists);
        let warnings = fitness.require(order.account, &certificate, &[])?;
        let added = self.directory.record_issue(&Issue {
            account: &order.account.address,
            certificate: &certificate,
            issuer: &self.certificate,
            follows: order.follows,
            key: order.made,
        })?;
        Ok(Issued { certificate, added, warnings })
    }

    fn sign(&self, order: &Order<'_>, wish: &Wish<'_>) -> Result<Certificate, Failure> {
        let addresses = fitness::addresses(order.account);
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
fn issuing_certificate(directory: &SqliteDirectory, domain: &str) -> Result<Certificate, Failure> {
    let held = directory.domain_certificates(domain)?;
    authority::issuer(&held).map(|held| held.certificate.clone()).ok_or_else(|| {
        Failure::new(Code::NotFound, format!("{domain} has no certificate to issue with"))
            .hint(format!("make one: sealpost cert self-sign --domain {domain}"))
    })
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

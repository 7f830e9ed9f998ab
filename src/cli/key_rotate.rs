//! `sealpost key rotate`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use super::words::{KeyTypeParser, counted, day, short};
use super::{key, key_domain, keyring};
use crate::crypto::Entropy;
use crate::directory::{CertificateUse, DomainCertificate, IssuedCertificate, Rotation, SqliteDirectory};
use crate::engine::{Choice, Clock};
use crate::pki::{
    self, AUTHORITY_LIFETIME, Certificate, Fingerprint, KeyType, TLS_LIFETIME, UnlockedKey, Validity,
};
use crate::system::{SystemClock, SystemEntropy};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Give a domain a new key; the old one still vouches for what it issued
///
/// The new key gets self-signed certificates with the subject of those that are there. The old key is kept with its
/// certificate: what it issued stays valid, and it can be revoked. Nothing changes for mail until the accounts get
/// certificates of the new authority.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key rotate --domain north.example
  sealpost key rotate --domain north.example --type ec-p384
  sealpost cert renew --domain north.example
  sealpost key remove --domain north.example --forget 7e255b918935e66f")]
pub(super) struct Rotate {
    /// Whose key
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// Which kind; the same as before if it is not said
    #[arg(long = "type", value_name = "TYPE", value_parser = KeyTypeParser)]
    kind: Option<KeyType>,
    /// How long the new certificates are valid
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: Option<i64>,
}

/// A certificate before and after.
struct Succession {
    purpose: CertificateUse,
    old: Certificate,
    new: Certificate,
}

impl Rotate {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let name = directory.domain(&self.domain)?.name;
        let old = keyring::domain_key(&directory, &name)?;
        let held = directory.domain_certificates(&name)?;
        require_authority(&name, &held)?;
        let kind = self.kind(&name, &old)?;
        require_recipient(&name, &held, kind)?;
        let key = key::generate(kind, out)?;
        let made = held.into_iter().map(|held| self.succeed(held, &key)).collect::<Result<Vec<_>, _>>()?;
        let replaced = old.fingerprint()?;
        store(&directory, &name, replaced, &key, &made)?;
        let issued = in_use(&directory, &name, &made)?;
        Report { name: &name, replaced, key: &key, made: &made, issued: &issued }.print(out)
    }

    /// As it was said, or as before.
    fn kind(&self, name: &str, old: &UnlockedKey) -> Result<KeyType, Failure> {
        let kind = self.kind.or_else(|| KeyType::of(&old.public())).ok_or_else(|| {
            let text = format!("the key of {name} is {}, and no such key is made", old.public());
            Failure::new(Code::Usage, text).hint("say which kind the new one is: --type")
        })?;
        // Before seconds are spent on making one.
        key_domain::require_signing_type(kind)?;
        Ok(kind)
    }

    fn succeed(&self, held: DomainCertificate, key: &UnlockedKey) -> Result<Succession, Failure> {
        let old = held.certificate;
        let is_for_tls = held.purpose == CertificateUse::Generic && !old.may_sign_certificates();
        let usual = if is_for_tls { TLS_LIFETIME } else { AUTHORITY_LIFETIME };
        let validity = Validity::lasting(SystemClock.now(), self.days.map_or(usual, Duration::days));
        let new = pki::succeed(&old, key, validity, SystemEntropy.seed()?)?;
        Ok(Succession { purpose: held.purpose, old, new })
    }
}

/// Where mail is sealed to the key of the domain, the new one must be able to open it.
fn require_recipient(name: &str, held: &[DomainCertificate], kind: KeyType) -> Result<(), Failure> {
    if kind.encrypts() || !held.iter().any(|held| held.purpose == CertificateUse::Sealing) {
        return Ok(());
    }
    let text = format!(
        "a key of the kind {} signs and does nothing else, and mail is sealed to the key of {name} in the place of \
         accounts (domain-key)",
        kind.words()
    );
    let remove = format!("without that: sealpost cert remove --domain {name} --purpose sealing");
    Err(Failure::new(Code::No, text).hint(remove))
}

/// Without one there is nothing to vouch for.
fn require_authority(name: &str, held: &[DomainCertificate]) -> Result<(), Failure> {
    if held.iter().any(|held| held.certificate.may_sign_certificates()) {
        return Ok(());
    }
    let text = format!("{name} has no certificate that may sign others: there is no authority to replace");
    Err(Failure::new(Code::No, text).hint(format!(
        "make it one: sealpost cert self-sign --domain {name}\n\
         or replace its key: sealpost key remove --domain {name}, then key generate"
    )))
}

fn store(
    directory: &SqliteDirectory,
    name: &str,
    replaced: Fingerprint,
    key: &UnlockedKey,
    made: &[Succession],
) -> Result<(), Failure> {
    let certificates: Vec<_> = made.iter().map(|made| (made.purpose, made.new.clone())).collect();
    let (fingerprint, pkcs8) = (key.fingerprint()?, &key.to_pkcs8()?);
    let rotation = Rotation { replaced, fingerprint, pkcs8, certificates: &certificates };
    Ok(directory.rotate_domain_key(name, &rotation)?)
}

/// What the old authority issued and has neither ended nor been revoked.
fn in_use(
    directory: &SqliteDirectory,
    name: &str,
    made: &[Succession],
) -> Result<Vec<IssuedCertificate>, Failure> {
    let now: OffsetDateTime = SystemClock.now();
    let mut issued = directory.issued(name)?;
    issued.retain(|one| {
        let lives = one.revoked.is_none() && one.certificate.not_after() >= now;
        lives && made.iter().any(|made| one.certificate.names_as_issuer(&made.old))
    });
    Ok(issued)
}

struct Report<'a> {
    name: &'a str,
    replaced: Fingerprint,
    key: &'a UnlockedKey,
    made: &'a [Succession],
    issued: &'a [IssuedCertificate],
}

impl Report<'_> {
    fn print(&self, out: &mut Output) -> Result<(), Failure> {
        let (name, replaced, fingerprint) = (self.name, self.replaced, self.key.fingerprint()?);
        let kind = self.key.public();
        out.line(format!("{kind} key {fingerprint} of {name} takes the place of {replaced}"))?;
        for Succession { purpose, new, .. } in self.made {
            let (purpose, print, until) = (purpose.name(), new.fingerprint(), day(new.not_after()));
            out.line(format!("{purpose} certificate {print} signed by the new key, valid until {until}"))?;
        }
        self.next(out)?;
        let made = self.made.iter().map(|made| {
            let (old, new) = (made.old.fingerprint().to_string(), made.new.fingerprint().to_string());
            json!({"purpose": made.purpose.name(), "replaced": old, "fingerprint": new})
        });
        out.json(json!({
            "domain": name, "fingerprint": fingerprint.to_string(), "type": kind.to_string(),
            "replaced": replaced.to_string(), "certificates": made.collect::<Vec<_>>(),
            "issued_in_use": self.issued.len(), "in_use_until": self.last_end(),
        }))
    }

    /// What to do now.
    fn next(&self, out: &mut Output) -> Result<(), Failure> {
        let name = self.name;
        let old = short(self.replaced);
        match self.last_end() {
            None => out.line("no certificate of the old authority is in use")?,
            Some(until) => out.line(format!(
                "still valid of the old authority: {}, the last until {until}; renew what is in use: \
                 sealpost cert renew --domain {name}",
                counted(self.issued.len(), "certificate")
            ))?,
        }
        out.line(format!(
            "give the new certificate to whom trusts the old one: sealpost cert show --domain {name} \
             --output FILE"
        ))?;
        for Succession { purpose, old, .. } in self.made.iter().filter(|made| !made.old.is_self_issued()) {
            let (purpose, issuer) = (purpose.name(), old.issuer());
            out.line(format!(
                "the {purpose} certificate was signed by {issuer}: ask there again (sealpost cert request --domain {name})"
            ))?;
        }
        out.line(format!(
            "when the old authority is needed no more: sealpost key remove --domain {name} --forget {old}"
        ))
    }

    fn last_end(&self) -> Option<String> {
        self.issued.iter().map(|one| one.certificate.not_after()).max().map(day)
    }
}

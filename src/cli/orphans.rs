//! What an authority of a domain issued and nobody vouches for when it goes.

use super::failure::{Code, Failure};
use super::words::counted;
use crate::directory::{CertificateUse, IssuedCertificate, SqliteDirectory};
use crate::engine::{Choice, Clock};
use crate::pki::Certificate;
use crate::system::SystemClock;

/// Whether an authority may go that others name, and what is said first to whom it may not.
pub(super) struct Consent {
    /// `--anyway`
    pub(super) anyway: bool,
    /// What to name first.
    pub(super) instead: Instead,
}

/// What perhaps was meant.
pub(super) enum Instead {
    /// Nothing else.
    Nothing,
    /// The same certificate with a new validity.
    Refresh,
}

impl Consent {
    /// What was said too late otherwise: an error, or a warning if somebody wants it so.
    pub(super) fn to_orphans(
        &self,
        directory: &SqliteDirectory,
        domain: &str,
        purpose: CertificateUse,
        new: Option<&Certificate>,
    ) -> Result<Option<String>, Failure> {
        let Some(orphans) = orphans(directory, domain, purpose, new)? else { return Ok(None) };
        if self.anyway {
            return Ok(Some(orphans.warning(domain)));
        }
        let option = match purpose {
            CertificateUse::Generic => String::new(),
            other => format!(" --purpose {}", other.name()),
        };
        let first = match self.instead {
            Instead::Nothing => String::new(),
            Instead::Refresh => format!(
                "to renew its validity alone: sealpost cert self-sign --domain {domain}{option} --refresh\n"
            ),
        };
        Err(orphans.refusal(domain, &first))
    }
}

/// Certificates that live on under an authority that goes.
struct Orphans {
    number: usize,
    authority: String,
}

/// What a certificate of the domain issued, still lives, and is vouched for by nobody when `new` or nothing takes its place.
fn orphans(
    directory: &SqliteDirectory,
    domain: &str,
    purpose: CertificateUse,
    new: Option<&Certificate>,
) -> Result<Option<Orphans>, Failure> {
    let (replaced, others): (Vec<_>, Vec<_>) =
        directory.domain_certificates(domain)?.into_iter().partition(|held| held.purpose == purpose);
    let Some(old) =
        replaced.into_iter().map(|held| held.certificate).find(Certificate::may_sign_certificates)
    else {
        return Ok(None);
    };
    let trust = directory.domain(domain)?.trust;
    let others = others.into_iter().map(|held| held.certificate);
    let anchors: Vec<Certificate> =
        others.chain(new.cloned()).chain(trust.retired).chain(trust.domain).collect();
    let has_issuer = |one: &Certificate| {
        anchors.iter().any(|anchor| anchor.may_sign_certificates() && one.names_as_issuer(anchor))
    };
    let issued = living(directory, domain)?;
    let lost = issued.iter().map(|issued| &issued.certificate).filter(|one| one.names_as_issuer(&old));
    let number = lost.filter(|one| !has_issuer(one)).count();
    Ok((number > 0).then(|| Orphans { number, authority: old.subject() }))
}

/// What the domain issued, has not ended, and was not taken back.
pub(super) fn living(directory: &SqliteDirectory, domain: &str) -> Result<Vec<IssuedCertificate>, Failure> {
    let now = SystemClock.now();
    let mut issued = directory.issued(domain)?;
    issued.retain(|one| one.revoked.is_none() && one.certificate.not_after() >= now);
    Ok(issued)
}

impl Orphans {
    fn named(&self) -> String {
        let verb = if self.number == 1 { "was" } else { "were" };
        format!("{} {verb} issued by", counted(self.number, "valid certificate"))
    }

    /// Nothing was done, and what to do.
    fn refusal(&self, domain: &str, first: &str) -> Failure {
        let text = format!(
            "{} {}, and that authority would be gone: nobody would believe what it issued where trust is \"chain\", and \
             mail would wait",
            self.named(),
            self.authority
        );
        Failure::new(Code::No, text).hint(format!(
            "{first}to keep the old authority valid beside the new one, first: sealpost key rotate --domain {domain}\n\
             to do it all the same: --anyway"
        ))
    }

    /// It was done all the same.
    fn warning(&self, domain: &str) -> String {
        format!(
            "{} {}, and that authority is gone: renew what is in use (sealpost cert renew --domain {domain})",
            self.named(),
            self.authority
        )
    }
}

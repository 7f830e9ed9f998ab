//! Certificates that are no account's: of domains, chains, trusted sets and recovery; and revocation lists.

use super::{Round, Severity};
use crate::cli::failure::Failure;
use crate::cli::words::{self, day};
use crate::cli::{crl_sign, recovery};
use crate::directory::AuthorityPlace;
use crate::engine::{Choice, Domain, Recovery};
use crate::pki::{Certificate, Crl};
use time::OffsetDateTime;

impl Round {
    /// Says when it ends, if that is soon, and whether its key is too weak.
    fn look_at_certificate(&mut self, about: &str, what: &str, certificate: &Certificate, mend: &str) {
        let end = certificate.not_after();
        if end < self.now {
            self.advise(Severity::Problem, about, format!("{what} ended on {}", day(end)), mend);
        } else if end < self.soon {
            self.advise(Severity::Warning, about, format!("{what} ends on {}", day(end)), mend);
        }
        let minimum = self.config.settings.minimum_rsa_bits;
        let bits = certificate.public_key().ok().and_then(|key| key.modulus_bits());
        if let Some(bits) = bits.filter(|bits| *bits < minimum) {
            let text = format!("{what} has a weak key: {bits} bits, at least {minimum} are required");
            self.advise(Severity::Warning, about, text, mend);
        }
    }

    /// Certificates of domains, the chains above them, and whom domains and server trust.
    pub(super) fn look_at_authorities(&mut self) -> Result<(), Failure> {
        for held in self.directory.authority_certificates()? {
            let print = words::short(held.certificate.fingerprint());
            let about = held.domain.as_deref().unwrap_or("the server");
            let (what, mend) = match held.place {
                AuthorityPlace::Domain(purpose) => {
                    let purpose = purpose.name();
                    let own =
                        format!("sealpost cert self-sign --domain {about} --purpose {purpose} --refresh");
                    let outer = format!("sealpost cert request --domain {about}");
                    let mend = if held.certificate.is_self_issued() { own } else { outer };
                    (format!("its {purpose} certificate"), mend)
                }
                AuthorityPlace::Chain => (
                    format!("certificate {print} of its chain"),
                    format!("sealpost chain set --domain {about}"),
                ),
                AuthorityPlace::Trusted => {
                    let holder = held.domain.as_ref().map(|name| format!("--domain {name}"));
                    let holder = holder.unwrap_or_else(|| "--server".to_owned());
                    let mend = if held.certificate.not_after() < self.now {
                        format!("sealpost trust remove {print} {holder}")
                    } else {
                        format!("sealpost trust add {holder} --file NEWER")
                    };
                    (format!("the trusted certificate {print}"), mend)
                }
            };
            self.look_at_certificate(about, &what, &held.certificate, &mend);
        }
        Ok(())
    }

    /// Is it there where somebody counts on it, and could a delivery use it?
    pub(super) fn look_at_recovery(&mut self, domain: &Domain) {
        let name = &domain.name;
        let mend = format!("sealpost recovery set --domain {name} --file FILE");
        match &domain.recovery {
            None if domain.overrides.recovery == Some(Recovery::Yes) => {
                let text = "it says recovery = yes and has no recovery certificate";
                self.advise(Severity::Problem, name, text, mend);
            }
            None => {}
            Some(certificate) => {
                let ended = certificate.not_after() < self.now;
                self.look_at_certificate(name, "its recovery certificate", certificate, &mend);
                if let (false, Err(reasons)) = (ended, recovery::check(domain, certificate, &self.config)) {
                    let text =
                        format!("its recovery certificate cannot be sealed to: {}", reasons.join("; "));
                    self.advise(Severity::Problem, name, text, mend);
                }
            }
        }
    }

    /// An old list still revokes what it lists; of the rest it says nothing any more.
    pub(super) fn look_at_lists(&mut self) {
        let overdue = |crl: &Crl| Some((crl.issuer(), due_before(crl, self.now)?));
        let old: Vec<_> = self.lists.iter().filter_map(overdue).collect();
        for (issuer, due) in old {
            let text = format!("the revocation list is old: the next one was due on {}", day(due));
            self.advise(Severity::Warning, issuer, text, "get the issuer's newest revocation list");
        }
    }

    /// Where the domain has signed lists, others count on the next one. Of an authority that it has no more it signs none.
    pub(super) fn look_at_own_lists(&mut self, domain: &Domain) -> Result<(), Failure> {
        let name = &domain.name;
        let issuers = || domain.authorities.iter().chain(&domain.trust.retired);
        for signed in crl_sign::latest(self.directory.signed_crls(name)?)? {
            let can_sign =
                |issuer: &Certificate| issuer.not_after() >= self.now && signed.crl.is_signed_by(issuer);
            let due = due_before(&signed.crl, self.now).filter(|_| issuers().any(can_sign));
            if let Some(due) = due {
                let (number, issuer) = (signed.number, signed.crl.issuer());
                let text = format!(
                    "its revocation list {number} of {issuer} is old: the next one was due on {}",
                    day(due)
                );
                self.advise(Severity::Warning, name, text, format!("sealpost crl sign --domain {name}"));
            }
        }
        Ok(())
    }
}

fn due_before(crl: &Crl, now: OffsetDateTime) -> Option<OffsetDateTime> {
    crl.next_update().filter(|due| *due < now)
}

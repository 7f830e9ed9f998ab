//! What was found out about certificates, kept for the messages of a batch.

use super::recent::Recent;
use crate::mail::Address;
use crate::pki::{Fingerprint, Unfit, ValidatedCertificate};
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// May it be sealed to? If not, why.
pub(super) type Judgement = Result<ValidatedCertificate, Vec<Unfit>>;

/// For whom a certificate is judged: what must be in it, and what is let pass, depends on that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// An account.
    Account(Address),
    /// A domain, for the key that stands in for its accounts.
    DomainKey(String),
    /// A domain, for its recovery certificate.
    Recovery(String),
}

/// Judgements and the second in which each was made. Certificates and revocation lists begin and end with seconds (RFC 5280
/// 4.1.2.5, 5.1.2.5), so that within one a judgement stays what it is, if nothing in the directory changes.
#[derive(Debug, Default)]
pub(super) struct Judgements(Mutex<Judged>);

type Judged = Recent<(Whose, Fingerprint), (i64, Judgement)>;

impl Judgements {
    /// The judgement of this second, made now if there is none.
    pub(super) fn of<E>(
        &self,
        key: (Whose, Fingerprint),
        at: OffsetDateTime,
        judge: impl FnOnce() -> Result<Judgement, E>,
    ) -> Result<Judgement, E> {
        let second = at.unix_timestamp();
        let mut judged = self.lock();
        match judged.ask(&key) {
            Some((made, judgement)) if *made == second => Ok(judgement.clone()),
            _ => {
                let judgement = judge()?;
                judged.learn(key, (second, judgement.clone()));
                Ok(judgement)
            }
        }
    }

    /// Forgets what was not asked since the last sweep, once so many others were.
    pub(super) fn sweep(&self, enough: usize) {
        self.lock().sweep(enough);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Judged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn a_judgement_holds_for_its_second_and_for_whom_it_was_made() {
        let (judgements, made) = (Judgements::default(), Cell::new(0));
        let at = datetime!(2026-11-01 12:00:00.25 UTC);
        let north = || Whose::DomainKey("north.example".into());
        let ask = |whose: Whose, at: OffsetDateTime| {
            let judge = || {
                made.set(made.get() + 1);
                Ok::<_, ()>(Err(Vec::new()))
            };
            assert!(judgements.of((whose, Fingerprint([1; 32])), at, judge).unwrap().is_err());
            made.get()
        };
        assert_eq!(ask(north(), at), 1);
        assert_eq!(ask(north(), at + Duration::milliseconds(700)), 1);
        assert_eq!(ask(north(), at + Duration::milliseconds(750)), 2, "another second");
        assert_eq!(ask(north(), at), 3, "an earlier one is another one too");
        assert_eq!(ask(Whose::Recovery("north.example".into()), at), 4, "for another purpose");
        judgements.clear();
        assert_eq!(ask(north(), at), 5);
    }

    #[test]
    fn what_cannot_be_found_out_is_not_kept() {
        let judgements = Judgements::default();
        let key = || (Whose::DomainKey("north.example".into()), Fingerprint([1; 32]));
        let at = datetime!(2026-11-01 12:00 UTC);
        assert_eq!(judgements.of(key(), at, || Err("busy")).err(), Some("busy"));
        assert!(judgements.of(key(), at, || Ok::<_, &str>(Err(Vec::new()))).unwrap().is_err());
    }
}

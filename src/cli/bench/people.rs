//! Whom the messages are sealed to, and the messages.

use super::super::failure::{Code, Failure};
use crate::crypto::{Entropy, Profile};
use crate::engine::Clock;
use crate::mail::Address;
use crate::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, MINIMUM_RSA_BITS, Reads, SealingCheck, Subject,
    UnlockedKey, UserProfile, ValidatedCertificate, Validity, self_sign,
};
use crate::smime::{Mark, OpeningKey, SealError, SealJob, Sealed, seal_many};
use crate::system::{SystemClock, SystemEntropy};
use time::Duration;

/// Of each profile, and the key that it is measured with.
const KINDS: [(Profile, KeyType); 3] = [
    (Profile::Compatible, KeyType::Rsa2048),
    (Profile::Modern, KeyType::EcP256),
    (Profile::PostQuantum, KeyType::MlKem768),
];

/// Somebody with a key that nobody else will ever see.
pub(super) struct Holder {
    pub(super) profile: Profile,
    pub(super) kind: KeyType,
    key: UnlockedKey,
    /// Two of the same key.
    certificates: Vec<Certificate>,
    recipients: Vec<ValidatedCertificate>,
}

/// One for each profile.
pub(super) fn holders() -> Result<Vec<Holder>, Failure> {
    let now = SystemClock.now();
    let validity = Validity::lasting(now - Duration::DAY, Duration::WEEK);
    let key = UnlockedKey::generate(KeyType::EcP256, SystemEntropy.seed()?)?;
    let subject = Subject::named("bench.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
    let certificate = self_sign(&key, &profile, SystemEntropy.seed()?)?;
    let authority = Authority::new(&certificate, &key)?;
    KINDS.into_iter().map(|kind| Holder::new(&authority, kind, validity)).collect()
}

impl Holder {
    fn new(
        authority: &Authority<'_>,
        (profile, kind): (Profile, KeyType),
        validity: Validity,
    ) -> Result<Holder, Failure> {
        let key = UnlockedKey::generate(kind, SystemEntropy.seed()?)?;
        let address = Address::parse("anna@bench.example").map_err(|_| nobody())?;
        let addresses = [address];
        let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
        let check = SealingCheck::by_itself(&addresses, SystemClock.now(), MINIMUM_RSA_BITS);
        let (mut certificates, mut recipients) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let certificate = authority.issue(&key.public(), &user, SystemEntropy.seed()?)?;
            recipients.push(ValidatedCertificate::for_sealing(&certificate, &check).map_err(|_| nobody())?);
            certificates.push(certificate);
        }
        Ok(Holder { profile, kind, key, certificates, recipients })
    }

    /// To seal a message as often as that, to one certificate or to both.
    pub(super) fn jobs<'a>(
        &'a self,
        message: &'a [u8],
        count: usize,
        recipients: Recipients,
    ) -> Result<Vec<SealJob<'a>>, Failure> {
        let recipients = self.recipients.get(..recipients as usize).unwrap_or(&self.recipients);
        let mark = || Mark { at: SystemClock.now(), rule: None, marked: Vec::new(), edited: Vec::new() };
        let job = |_| {
            let seed = SystemEntropy.seed()?;
            Ok(SealJob { message, recipients, form: self.profile.into(), mark: mark(), seed })
        };
        (0..count).map(job).collect()
    }

    /// The same, sealed.
    pub(super) fn sealed(&self, message: &[u8], count: usize) -> Result<Vec<Sealed>, Failure> {
        seal_all(self.jobs(message, count, Recipients::One)?)
    }

    /// What opens them.
    pub(super) fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: &self.key, certificate: self.certificates.first() }
    }
}

/// How many a message is sealed to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recipients {
    One = 1,
    Two = 2,
}

pub(super) fn seal_all(jobs: Vec<SealJob<'_>>) -> Result<Vec<Sealed>, Failure> {
    let sealed: Result<Vec<Sealed>, SealError> = seal_many(jobs).into_iter().collect();
    sealed.map_err(|error| Failure::new(Code::Internal, format!("the message could not be sealed: {error}")))
}

/// What is made here is fit for what it is made for.
pub(super) fn nobody() -> Failure {
    Failure::new(Code::Internal, "the keys to measure with could not be made: please report it")
}

/// A message of exactly so many bytes, or of the least that a message has: a header and lines of text.
pub(super) fn letter(bytes: usize) -> Vec<u8> {
    const HEADER: &str = "Received: from mx.example by bench.example with ESMTPS id 4F; Thu, 26 Nov 2026 08:00:00 +0000\n\
        From: Bo Ek <bo@bench.example>\nTo: Anna Lind <anna@bench.example>\nSubject: The minutes of Thursday\n\
        Date: Thu, 26 Nov 2026 08:00:00 +0000\nMessage-ID: <4F@bench.example>\nMIME-Version: 1.0\n\
        Content-Type: text/plain; charset=utf-8\n\n";
    const LINE: &str = "The quick brown fox jumps over the lazy dog, and the dog seals its mail.\n";
    let text = LINE.bytes().cycle().take(bytes.saturating_sub(HEADER.len()));
    HEADER.bytes().chain(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Message;

    #[test]
    fn a_letter_is_a_message_as_long_as_it_shall_be() {
        for size in super::super::SIZES {
            assert_eq!(letter(size.bytes).len(), size.bytes);
        }
        let least = letter(0);
        let fields = Message::new(&least).fields().len();
        assert_eq!((fields, least.ends_with(b"\n\n")), (8, true));
    }
}

//! Messages and people to seal them to, for every benchmark.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

pub(crate) mod rules;
pub(crate) mod site;

use mail_builder::MessageBuilder;
use sealpost::crypto::{Entropy, Profile, Seed};
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, MINIMUM_RSA_BITS, Reads, SealingCheck, Subject,
    UnlockedKey, UserProfile, ValidatedCertificate, Validity, self_sign,
};
use sealpost::smime::{Mark, OpeningKey, SealError, SealJob, Sealed, seal_many};
use sealpost::system::SystemEntropy;
use time::{Duration, OffsetDateTime};

/// Who reads the mail.
pub(crate) const READER: &str = "anna@north.example";

/// Somebody with a key.
pub(crate) struct Holder {
    pub(crate) kind: KeyType,
    pub(crate) key: UnlockedKey,
    pub(crate) certificate: Certificate,
    pub(crate) recipients: Vec<ValidatedCertificate>,
}

impl Holder {
    pub(crate) fn keys(&self) -> [OpeningKey<'_>; 1] {
        [OpeningKey { key: &self.key, certificate: Some(&self.certificate) }]
    }
}

pub(crate) fn seed(first: u8) -> Seed {
    Seed::from_bytes(&mut [first; 32])
}

/// When all of it happens: certificates are as good in ten years as today.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

pub(crate) fn holder(kind: KeyType) -> Holder {
    holder_of(kind, 3)
}

/// Different numbers are different keys.
pub(crate) fn holder_of(kind: KeyType, number: u8) -> Holder {
    let validity = Validity::lasting(now(), Duration::days(100));
    let authority_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).expect("a key");
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &["north.example".into()], validity };
    let authority = self_sign(&authority_key, &profile, seed(2)).expect("an authority");
    let key = UnlockedKey::generate(kind, seed(number)).expect("a key");
    let addresses = [reader()];
    let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
    let issuer = Authority::new(&authority, &authority_key).expect("an issuer");
    let certificate = issuer.issue(&key.public(), &user, seed(number + 1)).expect("a certificate");
    let recipients = vec![fit(&certificate)];
    Holder { kind, key, certificate, recipients }
}

pub(crate) fn reader() -> Address {
    Address::parse(READER).expect("an address")
}

fn fit(certificate: &Certificate) -> ValidatedCertificate {
    let addresses = [reader()];
    let check = SealingCheck::by_itself(&addresses, now(), MINIMUM_RSA_BITS);
    ValidatedCertificate::for_sealing(certificate, &check).expect("a fit certificate")
}

/// The certificates of all of them.
pub(crate) fn everybody(holders: &[Holder]) -> Vec<ValidatedCertificate> {
    holders.iter().map(|holder| fit(&holder.certificate)).collect()
}

/// Text, HTML and an attachment that fills it up, as a mail program would write it.
pub(crate) fn message(size: usize) -> Vec<u8> {
    let line = "The quick brown fox jumps over the lazy dog, and the dog seals its mail at night.\n";
    let text = line.repeat(1 + size / 8 / line.len());
    let attachment: Vec<u8> =
        (0u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).take(size / 2).collect();
    MessageBuilder::new()
        .from(("Bo Ek", "bo@north.example"))
        .to(("Anna Lind", READER))
        .subject("Minutes of the meeting on Thursday, and the bench in the garden")
        .date(1_700_000_000_i64)
        .message_id("bench@north.example")
        .text_body(text.as_str())
        .html_body(format!("<p>{text}</p>"))
        .attachment("application/octet-stream", "bench.bin", attachment)
        .write_to_vec()
        .expect("a message")
}

/// The same of about this size altogether: a short message is mostly header and borders.
pub(crate) fn message_of(size: usize) -> Vec<u8> {
    let mut wanted = size;
    for _ in 0..4 {
        let len = message(wanted).len();
        wanted = (wanted + size).saturating_sub(len);
    }
    message(wanted)
}

/// What the product does for a message: a seed from the system, and what is written into it.
pub(crate) fn job<'a>(
    message: &'a [u8],
    recipients: &'a [ValidatedCertificate],
    profile: Profile,
) -> SealJob<'a> {
    let mark = Mark { at: now(), rule: Some("bench"), marked: Vec::new(), edited: Vec::new() };
    let seed = SystemEntropy.seed().expect("the system's randomness");
    SealJob { message, recipients, form: profile.into(), mark, seed }
}

/// Seals the message.
pub(crate) fn seal_to(
    message: &[u8],
    recipients: &[ValidatedCertificate],
    profile: Profile,
) -> Result<Sealed, SealError> {
    seal_many(vec![job(message, recipients, profile)]).remove(0)
}

/// Seals the message to the holder.
pub(crate) fn seal(message: &[u8], holder: &Holder, profile: Profile) -> Result<Sealed, SealError> {
    seal_to(message, &holder.recipients, profile)
}

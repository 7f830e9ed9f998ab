//! A message and people to seal it to, for every benchmark.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

use mail_builder::MessageBuilder;
use sealpost::crypto::{Profile, Seed};
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, MINIMUM_RSA_BITS, Reads, SealingCheck, Subject,
    UnlockedKey, UserProfile, ValidatedCertificate, Validity, self_sign,
};
use sealpost::smime::{Mark, SealError, SealJob, Sealed, seal_many};
use time::{Duration, OffsetDateTime};

/// Somebody with a key.
pub(crate) struct Holder {
    pub(crate) kind: KeyType,
    pub(crate) key: UnlockedKey,
    pub(crate) certificate: Certificate,
    pub(crate) recipients: Vec<ValidatedCertificate>,
}

pub(crate) fn seed(first: u8) -> Seed {
    Seed::from_bytes(&mut [first; 32])
}

pub(crate) fn holder(kind: KeyType) -> Holder {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let validity = Validity::lasting(now, Duration::days(100));
    let authority_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).expect("a key");
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &["north.example".into()], validity };
    let authority = self_sign(&authority_key, &profile, seed(2)).expect("an authority");
    let key = UnlockedKey::generate(kind, seed(3)).expect("a key");
    let addresses = [Address::parse("anna@north.example").expect("an address")];
    let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
    let issuer = Authority::new(&authority, &authority_key).expect("an issuer");
    let certificate = issuer.issue(&key.public(), &user, seed(4)).expect("a certificate");
    let check = SealingCheck::by_itself(&addresses, now, MINIMUM_RSA_BITS);
    let recipients =
        vec![ValidatedCertificate::for_sealing(&certificate, &check).expect("a fit certificate")];
    Holder { kind, key, certificate, recipients }
}

/// Text, HTML and an attachment that fills it up, as a mail program would write it.
pub(crate) fn message(size: usize) -> Vec<u8> {
    let line = "The quick brown fox jumps over the lazy dog, and the dog seals its mail at night.\n";
    let text = line.repeat(1 + size / 8 / line.len());
    let attachment: Vec<u8> =
        (0u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).take(size / 2).collect();
    MessageBuilder::new()
        .from(("Bo Ek", "bo@north.example"))
        .to(("Anna Lind", "anna@north.example"))
        .subject("Minutes of the meeting on Thursday, and the bench in the garden")
        .date(1_700_000_000_i64)
        .message_id("bench@north.example")
        .text_body(text.as_str())
        .html_body(format!("<p>{text}</p>"))
        .attachment("application/octet-stream", "bench.bin", attachment)
        .write_to_vec()
        .expect("a message")
}

/// Seals the message to the holder.
pub(crate) fn seal(message: &[u8], holder: &Holder, profile: Profile) -> Result<Sealed, SealError> {
    let at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let mark = Mark { at, rule: Some("bench"), marked: Vec::new(), edited: Vec::new() };
    let job = SealJob { message, recipients: &holder.recipients, form: profile.into(), mark, seed: seed(9) };
    seal_many(vec![job]).remove(0)
}

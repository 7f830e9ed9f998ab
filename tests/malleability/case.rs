//! What is damaged: a structure, and the one whose key opens it.

use super::{Outcome, open};
use crate::laws::people::Person;
use crate::laws::structure::{RECIPIENTS, Structure, mail, structures};
use crate::laws::tree::Node;
use sealpost::cms::RecipientId;
use sealpost::pki::{Certificate, UnlockedKey, read_private_key};
use sealpost::smime::OpeningKey;
use std::sync::OnceLock;

/// Messages of OpenSSL with their key. The unit tests open them too.
#[path = "../../src/smime/tests/curve/samples.rs"]
mod samples;

/// A structure and one of those who open it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
    message: Vec<u8>,
    key: &'static UnlockedKey,
    certificate: &'static Certificate,
}

/// Ours, for the last of its recipients, and those of OpenSSL.
pub(super) fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| ours().chain(foreign()).collect())
}

fn ours() -> impl Iterator<Item = Case> {
    structures().iter().filter_map(|made| Some(Case::new(made, made.people.last()?)))
}

fn foreign() -> impl Iterator<Item = Case> {
    static KEY: OnceLock<UnlockedKey> = OnceLock::new();
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let decode = |text: &str| encodify::base64::MIME.decode(text).unwrap();
    let key = KEY.get_or_init(|| read_private_key(samples::KEY.as_bytes(), None).unwrap());
    let certificate =
        CERTIFICATE.get_or_init(|| Certificate::from_der(&decode(samples::CERTIFICATE)).unwrap());
    let messages = [
        samples::LIKE_OURS,
        samples::DEFAULT,
        samples::COFACTOR,
        samples::AUTHENTICATED,
        samples::STREAMED,
        samples::STREAMED_AUTHENTICATED,
    ];
    messages.into_iter().zip(1..).map(move |(text, number)| Case {
        name: format!("openssl-{number}"),
        octets: decode(text),
        message: b"Subject: hi\r\n\r\nx\r\n".to_vec(),
        key,
        certificate,
    })
}

impl Case {
    pub(super) fn new(made: &Structure, person: &'static Person) -> Case {
        Case {
            name: format!("{} as {}", made.name, person.name),
            octets: made.octets.clone(),
            message: made.message.clone(),
            key: person.key(),
            certificate: person.certificate(),
        }
    }

    pub(super) fn certificate(&self) -> &Certificate {
        self.certificate
    }

    /// Of the certificate, as a RecipientInfo has it.
    pub(super) fn serial(&self) -> Vec<u8> {
        let serial = |id| match id {
            RecipientId::IssuerAndSerialNumber { serial, .. } => Some(serial),
            RecipientId::SubjectKeyIdentifier(_) => None,
        };
        self.certificate.recipient_ids().into_iter().find_map(serial).expect("a certificate has one")
    }

    /// Not made by others.
    pub(super) fn is_ours(&self) -> bool {
        !self.name.starts_with("openssl")
    }

    pub(super) fn tree(&self) -> Node {
        Node::read(&self.octets).expect("it is BER")
    }

    pub(super) fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: self.key, certificate: Some(self.certificate) }
    }

    /// How these octets end in the place of the structure.
    pub(super) fn outcome(&self, octets: &[u8]) -> Outcome {
        self.outcome_of_mail(&mail(octets))
    }

    pub(super) fn outcome_of_mail(&self, message: &[u8]) -> Outcome {
        match open(message, &[self.opening()]) {
            Ok(opened) if opened.message.expose() == self.message => Outcome::Same,
            Ok(_) => Outcome::Changed,
            Err(error) => Outcome::of(&error),
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        sealpost::cms::read(&self.octets).unwrap().authenticated
    }

    /// The place among the RecipientInfos of the one that names this key.
    pub(super) fn own_recipient(&self) -> usize {
        let names = self.certificate.recipient_ids().into_iter().map(|id| match id {
            RecipientId::IssuerAndSerialNumber { serial, .. } => {
                [&[2, serial.len() as u8], &serial[..]].concat()
            }
            RecipientId::SubjectKeyIdentifier(key) => key,
        });
        let names: Vec<Vec<u8>> = names.collect();
        let tree = self.tree();
        let infos = tree.below(&RECIPIENTS).children();
        let holds = |info: &Node, name: &[u8]| info.write().windows(name.len()).any(|octets| octets == name);
        let is_own = |info: &Node| names.iter().any(|name| holds(info, name));
        infos.iter().position(is_own).expect("one of the recipients is this one")
    }
}

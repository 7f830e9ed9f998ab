//! What can be said about a message without any key, for people and for JSON.

mod layer;
mod recipient;
#[cfg(test)]
mod tests;

pub use layer::{Layer, LayerKind, Limit};
pub use recipient::{Holder, HolderRole, HolderState, KeyEncryptionReport, RecipientReport};

use super::names::oid_name;
use super::{CmsError, Enveloped, Input, InputForm, Protection, RecipientId, RecipientKind};
use const_oid::ObjectIdentifier;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Allowed, and said to whoever makes such a message or looks at one.
pub(crate) const RSA_BESIDE_EC: &str =
    "RSA and EC recipients stand side by side: NSS before 3.100 cannot read it with an RSA key";

/// What protects a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Structure {
    /// Nothing that we know.
    #[serde(rename = "none")]
    None,
    /// A signature, of S/MIME or OpenPGP.
    #[serde(rename = "signed")]
    Signed,
    /// S/MIME, RFC 5652 6.
    EnvelopedData,
    /// S/MIME, RFC 5083.
    AuthEnvelopedData,
    /// An OpenPGP encrypted message.
    OpenPGP,
}

/// What would show that the ciphertext was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// Nothing (CBC).
    None,
    /// An authentication tag of so many octets.
    Tag(usize),
}

/// An algorithm by its object identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlgorithmReport {
    /// The object identifier, dotted.
    pub oid: String,
    /// Its usual name; the dotted form again if it has none that we know.
    pub name: String,
}

impl AlgorithmReport {
    /// Of an object identifier, whatever it stands for.
    pub fn of(oid: &ObjectIdentifier) -> AlgorithmReport {
        AlgorithmReport { oid: oid.to_string(), name: oid_name(oid) }
    }
}

/// The encrypted content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentReport {
    /// contentEncryptionAlgorithm.
    pub algorithm: AlgorithmReport,
    /// Octets of ciphertext.
    pub encrypted_octets: usize,
    /// What protects it from change.
    pub integrity: Integrity,
}

/// An EnvelopedData or AuthEnvelopedData.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvelopeReport {
    /// Who can open it, in their order.
    pub recipients: Vec<RecipientReport>,
    /// What is encrypted.
    pub content: ContentReport,
}

/// All of it. As JSON it repeats `recipients` and `content` of [`Report::envelope`] beside `layers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the input is.
    pub form: InputForm,
    /// What protects all of it. What lies in a part of it protects that part only, and stands in `layers`.
    pub structure: Structure,
    /// What lies in what, from the outside in. What is encrypted hides what is in it.
    pub layers: Vec<Layer>,
    /// Why there may be more layers than are shown.
    pub limit: Option<Limit>,
    /// Why what seems to be S/MIME is none.
    pub fault: Option<String>,
}

/// Reports what protects a message, or a CMS structure by itself.
pub fn inspect(input: &Input<'_>) -> Report {
    let (structure, fault) = match input.examine() {
        Ok(protection) => (structure_of(&protection), None),
        // Something else than a message of ours need not be broken.
        Err(CmsError::NotEnveloped(_)) => (Structure::None, None),
        Err(fault) => (Structure::None, Some(fault.to_string())),
    };
    let (layers, limit) = layer::layers(input, structure);
    Report { form: input.form(), structure, layers, limit, fault }
}

fn structure_of(protection: &Protection) -> Structure {
    match protection {
        Protection::None => Structure::None,
        Protection::Signed => Structure::Signed,
        Protection::Encrypted(enveloped) if enveloped.authenticated => Structure::AuthEnvelopedData,
        Protection::Encrypted(_) => Structure::EnvelopedData,
        Protection::OpenPgp => Structure::OpenPGP,
    }
}

impl Structure {
    /// Is it EnvelopedData or AuthEnvelopedData?
    fn is_sealed(self) -> bool {
        matches!(self, Structure::EnvelopedData | Structure::AuthEnvelopedData)
    }
}

impl Report {
    /// The encryption of all of it, if it is S/MIME.
    pub fn envelope(&self) -> Option<&EnvelopeReport> {
        // Nothing but wrappers of one part can stand before it.
        self.envelopes().next().filter(|_| self.structure.is_sealed())
    }

    fn envelopes(&self) -> impl Iterator<Item = &EnvelopeReport> {
        self.layers.iter().filter_map(|layer| layer.envelope.as_ref())
    }

    /// Asks once who holds the certificates that all the recipients name. The answers stand in the order of the
    /// questions.
    pub fn match_recipients<E>(
        &mut self,
        look_up: impl FnOnce(&[&RecipientId]) -> Result<Vec<Vec<Holder>>, E>,
    ) -> Result<(), E> {
        let recipients = self.envelopes().flat_map(|envelope| &envelope.recipients);
        let ids: Vec<&RecipientId> = recipients.filter_map(|to| to.id.as_ref()).collect();
        let answers = look_up(&ids)?;
        let envelopes = self.layers.iter_mut().filter_map(|layer| layer.envelope.as_mut());
        let named = envelopes.flat_map(|envelope| &mut envelope.recipients).filter(|to| to.id.is_some());
        named.zip(answers).for_each(|(recipient, holders)| recipient.holders = holders);
        Ok(())
    }

    /// What a reader of the message should know besides.
    pub fn notes(&self) -> Vec<&'static str> {
        const BROKEN_LATER: &str = "ML-KEM and classical recipients stand side by side: the message is as safe as its weakest, \
             not post-quantum";
        let mixed = self.envelopes().any(EnvelopeReport::is_mixed).then_some(RSA_BESIDE_EC);
        let hybrid = self.envelopes().any(EnvelopeReport::is_hybrid).then_some(BROKEN_LATER);
        mixed.into_iter().chain(hybrid).collect()
    }
}

impl EnvelopeReport {
    /// What can be said of it. Nobody was asked yet who its recipients are.
    pub fn of(enveloped: Enveloped) -> EnvelopeReport {
        let content = ContentReport {
            algorithm: AlgorithmReport::of(&enveloped.algorithm.oid),
            encrypted_octets: enveloped.encrypted_content.len(),
            integrity: enveloped.tag.as_ref().map_or(Integrity::None, |tag| Integrity::Tag(tag.len())),
        };
        EnvelopeReport { recipients: recipient::report_recipients(enveloped.recipients), content }
    }

    /// Would it stand up to a quantum computer? It is as strong as the weakest way to its key.
    pub fn is_post_quantum(&self) -> bool {
        self.recipients.iter().all(|to| to.post_quantum) && !self.recipients.is_empty()
    }

    fn is_hybrid(&self) -> bool {
        self.recipients.iter().any(|to| to.post_quantum) && !self.is_post_quantum()
    }

    fn is_mixed(&self) -> bool {
        let has = |kind| self.recipients.iter().any(|recipient| recipient.kind == kind);
        has(RecipientKind::KeyTransport) && has(RecipientKind::KeyAgreement)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let envelope = self.envelope();
        let recipients = envelope.map_or(&[][..], |envelope| &envelope.recipients);
        let mut shown = serializer.serialize_struct("Report", 9)?;
        shown.serialize_field("form", &self.form)?;
        shown.serialize_field("structure", &self.structure)?;
        shown.serialize_field("recipients", recipients)?;
        shown.serialize_field("content", &envelope.map(|envelope| &envelope.content))?;
        shown.serialize_field("post_quantum", &envelope.map(EnvelopeReport::is_post_quantum))?;
        shown.serialize_field("layers", &self.layers)?;
        shown.serialize_field("limit", &self.limit)?;
        shown.serialize_field("notes", &self.notes())?;
        shown.serialize_field("fault", &self.fault)?;
        shown.end()
    }
}

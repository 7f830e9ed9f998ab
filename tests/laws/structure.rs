//! Sealed structures that are always the same: where damage begins, and what is known of them.

use super::checksum;
use super::inside::{content_key, encrypt, enveloped};
use super::people::{ELLA, KINDS, Person, opening, owned, seal, seed, served, validated};
use super::tree::{Content, Length, Node};
use sealpost::crypto::{Classical, Profile};
use sealpost::mail::{Message, TransferEncoding};
use sealpost::smime::{Form, Naming, rekey};
use std::sync::OnceLock;

/// Where things are in a ContentInfo: the EnvelopedData or AuthEnvelopedData,
pub(crate) const DATA: [usize; 2] = [1, 0];
/// its recipientInfos,
pub(crate) const RECIPIENTS: [usize; 3] = [1, 0, 1];
/// its encryptedContentInfo,
pub(crate) const INFO: [usize; 3] = [1, 0, 2];
/// in that the contentEncryptionAlgorithm
pub(crate) const CIPHER: [usize; 4] = [1, 0, 2, 1];
/// with its parameters,
pub(crate) const PARAMETERS: [usize; 5] = [1, 0, 2, 1, 1];
/// and the encryptedContent.
pub(crate) const CIPHERTEXT: [usize; 4] = [1, 0, 2, 2];
/// The tag of an AuthEnvelopedData.
pub(crate) const MAC: [usize; 3] = [1, 0, 3];

/// One sealed message.
pub(crate) struct Structure {
    /// `compatible-ella`
    pub(crate) name: String,
    /// Who opens it.
    pub(crate) people: Vec<&'static Person>,
    /// What it opens to; another message for each structure.
    pub(crate) message: Vec<u8>,
    /// The CMS structure, in DER or BER.
    pub(crate) octets: Vec<u8>,
    /// AES-256.
    pub(crate) content_key: [u8; 32],
}

/// The header that the CMS octets are put behind.
const HEADER: &[u8] = b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n";

/// Two words of every message in here: they must be in no error.
pub(crate) const SECRET: &str = "xyzzy plugh";

/// A message whose body is these octets in base64.
pub(crate) fn mail(octets: &[u8]) -> Vec<u8> {
    let mut message = HEADER.to_vec();
    encodify::base64::MIME.encode_append(octets, &mut message);
    message
}

/// These octets by themselves in PEM.
pub(crate) fn pem(octets: &[u8]) -> String {
    encodify::pem::STANDARD.encode("CMS", octets)
}

/// The CMS octets of a message.
pub(crate) fn octets(sealed: &[u8]) -> Vec<u8> {
    let message = Message::new(sealed);
    TransferEncoding::of(&message).decode(message.body()).expect("it is base64").into_owned()
}

/// Under every profile that writes in a way of its own: to each kind of key alone, the first of them in BER, and to all
/// kinds that may stand together.
pub(crate) fn structures() -> &'static [Structure] {
    static STRUCTURES: OnceLock<Vec<Structure>> = OnceLock::new();
    STRUCTURES.get_or_init(|| {
        let profiles = Profile::ALL.into_iter().filter(|profile| *profile != Profile::Auto);
        profiles.flat_map(of_profile).collect()
    })
}

fn of_profile(profile: Profile) -> Vec<Structure> {
    let people = served(profile);
    let mut made: Vec<Structure> = people.iter().map(|person| Structure::new(profile, &[person])).collect();
    // Post-quantum keys are only one kind here, and let the others in beside them.
    let together = if profile == Profile::PostQuantum { &KINDS } else { people };
    let first = &made[0];
    let ber =
        Structure { name: format!("{}-ber", first.name), octets: streamed(&first.octets), ..first.clone() };
    made.push(ber);
    made.push(Structure::new(Form { classical: Classical::Beside, ..profile.into() }, together));
    made
}

impl Structure {
    pub(crate) fn new(form: impl Into<Form>, people: &[&'static Person]) -> Structure {
        let form = form.into();
        let names: Vec<&str> = people.iter().map(|person| person.name).collect();
        let name = format!("{}-{}", form.profile.name(), names.join("-"));
        let message = format!("Subject: {name}\r\n\r\n{SECRET} {name}\r\n").into_bytes();
        // Each has another content key.
        let sealed = seal(&message, people, form, checksum(&message) as u8).unwrap();
        let octets = octets(sealed.bytes());
        let content_key = handed_over(sealed.bytes(), people);
        Structure { name, people: people.to_vec(), message, octets, content_key }
    }

    /// Another content under the same key and IV, for those whom it was made for.
    pub(crate) fn with_content(&self, content: &[u8]) -> Vec<u8> {
        let iv = enveloped(&mail(&self.octets)).algorithm.parameters.expect("an IV").value().to_vec();
        let ciphertext = encrypt(&self.content_key, &iv, content);
        let replace = |node: &mut Node| node.content = Content::Primitive(ciphertext);
        self.tree().with_below(&CIPHERTEXT, replace).write()
    }

    pub(crate) fn tree(&self) -> Node {
        Node::read(&self.octets).expect("it is BER")
    }
}

impl Clone for Structure {
    fn clone(&self) -> Structure {
        Structure {
            name: self.name.clone(),
            people: self.people.clone(),
            message: self.message.clone(),
            octets: self.octets.clone(),
            content_key: self.content_key,
        }
    }
}

/// The content key, whoever has it: it is handed to Ella, from whom the primitives take it.
fn handed_over(sealed: &[u8], people: &[&Person]) -> [u8; 32] {
    let rekeyed =
        rekey(owned(sealed), &opening(people), &validated(&[&ELLA]), Naming::Certificate, seed(6)).unwrap();
    content_key(&enveloped(rekeyed.bytes()), &ELLA).expect("it was wrapped for Ella")
}

/// Indefinite lengths around the ciphertext, which comes in pieces of at most 50 octets: as writers of streams do.
pub(crate) fn streamed(der: &[u8]) -> Vec<u8> {
    let mut root = Node::read(der).expect("it is DER");
    let around: [&[usize]; 4] = [&[], &[1], &DATA, &INFO];
    around.iter().for_each(|path| root.below_mut(path).length = Length::Indefinite);
    let content = root.below_mut(&CIPHERTEXT);
    let pieces = content.content.write();
    let pieces = pieces.chunks(50).map(|piece| Node::primitive(0x04, piece)).collect();
    *content = Node { identifier: 0xa0, length: Length::Indefinite, content: Content::Constructed(pieces) };
    root.write()
}

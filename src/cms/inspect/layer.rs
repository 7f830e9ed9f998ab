//! What lies in what: wrappers, signatures, compression and encryption, from the outside in.
//!
//! Whoever nests deep or encodes again and again wants to have the same octets read many times. So they are read for so
//! many times the size of the input and no more, and so many layers and recipients are shown; then it is said that there
//! may be more.

use super::{EnvelopeReport, Structure};
use crate::cms::element::Elements;
use crate::cms::enveloped::{Parsed, content_info, enveloped_data};
use crate::cms::input::{is_content_info, unarmored};
use crate::cms::names::oid_name;
use crate::cms::protection::{Octets, decode, glance, is_detached_signature, sole_element};
use crate::cms::signed::{Signed, signed_data};
use crate::cms::{CmsError, Enveloped, Input, MAX_RECIPIENTS, openpgp};
use crate::mail::{MediaType, Message, TransferEncoding, sole_part, split_multipart};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CT_AUTH_ENVELOPED_DATA, ID_DATA, ID_ENVELOPED_DATA, ID_SIGNED_DATA};
use serde::Serialize;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// More layers are not shown (spec: "Limits").
const MAX_LAYERS: usize = 100;
/// All octets of the input are searched for parts and structures at most so often. Honest mail needs one or two times for
/// each wrapper around its largest part.
const SEARCHES: usize = 8;
/// What bodies and BER are decoded to has at most so many times the octets of the input: an envelope in a signature, each
/// of them in base64 and in BER, has two and a half times.
const DECODINGS: usize = 3;
/// Smaller inputs count as so large.
const SMALL: usize = 1024 * 1024;
/// Longer names of media types are cut off.
const MAX_NAME: usize = 64;

/// What a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// A multipart (RFC 2046 5.1).
    Multipart,
    /// A message in a message (RFC 2046 5.2).
    Message,
    /// A ContentInfo, or what a SignedData signs instead of data (RFC 5652 3).
    Cms,
    /// OpenPGP in armor.
    OpenPgp,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// How many layers are around it.
    pub depth: usize,
    /// What it is.
    pub kind: LayerKind,
    /// The media type, or the name of the CMS content type.
    pub name: String,
    /// Its size: of a body as it is encoded, of a structure in DER.
    pub octets: usize,
    /// Parts of a multipart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<usize>,
    /// Signers of a SignedData.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signers: Option<usize>,
    /// What there is to say of an EnvelopedData or AuthEnvelopedData.
    #[serde(flatten)]
    pub envelope: Option<EnvelopeReport>,
    /// Why it is not what it seems to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Layer {
    fn new(depth: usize, kind: LayerKind, name: &str, octets: usize) -> Layer {
        let name = match name.char_indices().nth(MAX_NAME) {
            Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
            None => name.to_owned(),
        };
        Layer { depth, kind, name, octets, parts: None, signers: None, envelope: None, fault: None }
    }
}

/// What kept further layers from being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// 100 layers are shown.
    Layers,
    /// 10 000 recipients of all layers are shown.
    Recipients,
    /// The same octets would have to be read too often.
    Work,
}

/// All layers that the limits let us see, of an input that is protected so.
pub(super) fn layers(input: &Input<'_>, structure: Structure) -> (Vec<Layer>, Option<Limit>) {
    let size = input.bytes().len().max(SMALL);
    let mut walk = Walk {
        is_sealed: structure.is_sealed(),
        layers: Vec::new(),
        limit: None,
        recipients: MAX_RECIPIENTS,
        searches: size.saturating_mul(SEARCHES),
        decodings: size.saturating_mul(DECODINGS),
    };
    match input {
        Input::Message(message) => walk.entity(Entity::of(message), 0),
        Input::Bare(octets) => walk.content_info(octets, 0),
        Input::Pem(block) => match unarmored(block) {
            Ok(octets) => walk.content_info(octets.bytes(), 0),
            Err(fault) => walk.broken(block, 0, &fault),
        },
    }
    (walk.layers, walk.limit)
}

/// What a MIME entity says of itself, without its header: of many entities in each other one header is held at a time.
struct Entity<'a> {
    essence: String,
    boundary: String,
    encoding: TransferEncoding,
    body: &'a [u8],
}

impl<'a> Entity<'a> {
    fn of(message: &Message<'a>) -> Entity<'a> {
        let media = MediaType::of(message);
        Entity {
            essence: media.essence().to_owned(),
            boundary: media.parameter("boundary").unwrap_or_default().to_owned(),
            encoding: TransferEncoding::of(message),
            body: message.body(),
        }
    }
}

/// The way inwards, and what may still be spent on it.
struct Walk {
    /// All of the input is one encrypted structure.
    is_sealed: bool,
    layers: Vec<Layer>,
    limit: Option<Limit>,
    recipients: usize,
    searches: usize,
    decodings: usize,
}

impl Walk {
    fn entity(&mut self, entity: Entity<'_>, depth: usize) {
        match entity.essence.as_str() {
            "message/rfc822" | "message/global" => self.message(&entity, depth),
            essence if essence.starts_with("multipart/") => self.multipart(&entity, depth),
            _ => self.leaf(&entity, depth),
        }
    }

    fn multipart(&mut self, entity: &Entity<'_>, depth: usize) {
        let Some(mut parts) = self.parts(entity) else { return };
        let mut layer = Layer::new(depth, LayerKind::Multipart, &entity.essence, entity.body.len());
        layer.parts = Some(parts.len());
        if entity.essence == "multipart/signed" {
            match parts.as_slice() {
                [_, signature] if is_detached_signature(signature) => parts.truncate(1),
                _ => layer.fault = Some("it does not end with a signature of its first part".to_owned()),
            }
        }
        self.push(layer);
        for part in parts {
            self.within(part, depth);
        }
    }

    /// Nothing if that would be too much. What is sealed as a whole has one part in each multipart, and can have them in
    /// any number: looking at their ends costs nothing.
    fn parts<'a>(&mut self, entity: &Entity<'a>) -> Option<Vec<&'a [u8]>> {
        if self.is_sealed {
            return sole_part(entity.body, &entity.boundary).map(|part| vec![part]);
        }
        self.may_search(entity.body)?;
        Some(split_multipart(entity.body, &entity.boundary).map_or_else(Vec::new, |split| split.parts))
    }

    fn message(&mut self, entity: &Entity<'_>, depth: usize) {
        self.push(Layer::new(depth, LayerKind::Message, &entity.essence, entity.body.len()));
        if let Some(Ok(message)) = self.decode(entity) {
            self.within(message.bytes(), depth);
        }
    }

    /// The entity that lies in a layer of that depth.
    fn within(&mut self, bytes: &[u8], depth: usize) {
        if self.limit.is_none() {
            // A statement of its own: the fields of the header are gone before the next header is read.
            let entity = Entity::of(&Message::new(bytes));
            self.entity(entity, depth + 1);
        }
    }

    /// A body that is no multipart. Clear text and pictures are no layers.
    fn leaf(&mut self, entity: &Entity<'_>, depth: usize) {
        let start = Zeroizing::new(glance(entity.encoding, entity.body));
        let is_openpgp = start.starts_with(b"-----BEGIN PGP MESSAGE-----");
        if !is_openpgp && !is_content_info(&start) {
            return;
        }
        match self.decode(entity) {
            Some(Ok(octets)) if is_openpgp => self.openpgp(octets.bytes(), depth),
            Some(Ok(octets)) => self.content_info(octets.bytes(), depth),
            Some(Err(fault)) => self.broken(entity.body, depth, &fault),
            None => {}
        }
    }

    fn openpgp(&mut self, octets: &[u8], depth: usize) {
        if self.may_decode(octets.len()).is_some() && openpgp::is_armored_message(octets) {
            self.push(Layer::new(depth, LayerKind::OpenPgp, "OpenPGP message", octets.len()));
        }
    }

    /// A ContentInfo and nothing else.
    fn content_info(&mut self, octets: &[u8], depth: usize) {
        match self.element(octets) {
            Some(Ok(der)) => match content_info(der.bytes()) {
                Ok((content_type, content)) => self.content(content_type, content, der.bytes().len(), depth),
                Err(fault) => self.broken(octets, depth, &fault),
            },
            Some(Err(fault)) => self.broken(octets, depth, &fault),
            None => {}
        }
    }

    /// What a ContentInfo holds, or what is signed.
    fn content(
        &mut self,
        content_type: ObjectIdentifier,
        content: Elements<'_>,
        octets: usize,
        depth: usize,
    ) {
        let layer = Layer::new(depth, LayerKind::Cms, &oid_name(&content_type), octets);
        match content_type {
            ID_ENVELOPED_DATA => {
                self.enveloped(layer, enveloped_data(content, false).map(Parsed::into_owned))
            }
            ID_CT_AUTH_ENVELOPED_DATA => {
                self.enveloped(layer, enveloped_data(content, true).map(Parsed::into_owned))
            }
            ID_SIGNED_DATA => self.signed(layer, signed_data(content)),
            _ => self.push(layer),
        }
    }

    fn enveloped(&mut self, mut layer: Layer, read: Result<Enveloped, CmsError>) {
        match read {
            Ok(enveloped) => match self.recipients.checked_sub(enveloped.recipients.len()) {
                Some(left) => {
                    self.recipients = left;
                    layer.envelope = Some(EnvelopeReport::of(enveloped));
                }
                None => return self.stop(Limit::Recipients),
            },
            Err(fault) => layer.fault = Some(fault.to_string()),
        }
        self.push(layer);
    }

    fn signed(&mut self, mut layer: Layer, read: Result<Signed<'_>, CmsError>) {
        let depth = layer.depth;
        match read {
            Ok(signed) => {
                layer.signers = Some(signed.signers);
                self.push(layer);
                self.signed_content(&signed, depth);
            }
            Err(fault) => {
                layer.fault = Some(fault.to_string());
                self.push(layer);
            }
        }
    }

    /// Data is a MIME entity (RFC 8551 3.5.2); every other type stands there without a ContentInfo around it.
    fn signed_content(&mut self, signed: &Signed<'_>, depth: usize) {
        let Some(content) = signed.content else { return };
        if signed.content_type == ID_DATA {
            self.within(content, depth);
        } else if self.limit.is_none()
            && let Some(Ok(der)) = self.element(content)
        {
            self.content(signed.content_type, Elements(der.bytes()), der.bytes().len(), depth + 1);
        }
    }

    fn broken(&mut self, octets: &[u8], depth: usize, fault: &CmsError) {
        let layer = Layer::new(depth, LayerKind::Cms, "ContentInfo", octets.len());
        self.push(Layer { fault: Some(fault.to_string()), ..layer });
    }

    /// The one element that the octets are, in DER; nothing if looking would be too much.
    fn element<'a>(&mut self, octets: &'a [u8]) -> Option<Result<Octets<'a>, CmsError>> {
        self.may_search(octets)?;
        let element = sole_element(octets.trim_ascii_start());
        if let Ok(Octets(Cow::Owned(der))) = &element {
            self.may_decode(der.len())?;
        }
        Some(element)
    }

    /// What a body stands for; nothing if decoding it would be too much.
    fn decode<'a>(&mut self, entity: &Entity<'a>) -> Option<Result<Octets<'a>, CmsError>> {
        let octets = entity.body.len();
        self.may_decode(match entity.encoding {
            TransferEncoding::Base64 => octets / 4 * 3,
            TransferEncoding::QuotedPrintable => octets,
            TransferEncoding::Identity | TransferEncoding::Unknown => 0,
        })?;
        Some(decode(entity.encoding, entity.body))
    }

    fn may_search(&mut self, octets: &[u8]) -> Option<()> {
        match self.searches.checked_sub(octets.len()) {
            Some(left) => self.searches = left,
            None => self.stop(Limit::Work),
        }
        self.limit.is_none().then_some(())
    }

    fn may_decode(&mut self, octets: usize) -> Option<()> {
        match self.decodings.checked_sub(octets) {
            Some(left) => self.decodings = left,
            None => self.stop(Limit::Work),
        }
        self.limit.is_none().then_some(())
    }

    fn push(&mut self, layer: Layer) {
        if self.layers.len() < MAX_LAYERS {
            self.layers.push(layer);
        } else {
            self.stop(Limit::Layers);
        }
    }

    /// Nothing further is looked at. The first limit is the one that is told.
    fn stop(&mut self, limit: Limit) {
        self.limit = self.limit.or(Some(limit));
    }
}

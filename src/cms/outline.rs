//! An envelope written in base64, of which the two ends are decoded and the ciphertext between them is not.

use super::base64_text::{Base64Text, letters_for};
use super::ber::{der_from_ber, read_header, write_header};
use super::element::Elements;
use super::enveloped::read;
use super::protection::{envelope_text, seems_enveloped};
use super::tags::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, constructed, context};
use super::{CmsError, Enveloped, Input, Parts, parts};
use std::borrow::Cow;
use std::ops::Range;

/// What stands before the ciphertext or behind it is not looked for in more text than this.
const MOST: usize = 1024 * 1024;
/// So much of the end of a ciphertext is decoded: two of the longest blocks.
const END: usize = 32;

/// An EnvelopedData or AuthEnvelopedData in DER that was read off both ends of its text.
///
/// It is what [`Input::examine`] finds, but for its ciphertext, if the text is nothing but white space and so many letters as
/// [`letters`](Outline::letters) says: nothing here is to be believed before somebody has counted them.
pub(crate) struct Outline<'a> {
    /// All that stands for it.
    piece: &'a [u8],
    text: Base64Text<'a>,
    /// The first octets: all that stands before the ciphertext, and some of it.
    front: Vec<u8>,
    /// The last octets of the ciphertext.
    last: Vec<u8>,
    shape: Shape,
    /// The structure with an empty ciphertext, in DER.
    skeleton: Vec<u8>,
    enveloped: Enveloped,
}

impl<'a> Outline<'a> {
    /// Nothing where only the whole can tell: it is no envelope, not in base64, not in DER with its ciphertext in one piece, or
    /// has more around its ciphertext than fits into a MiB of text.
    pub(crate) fn of(input: &Input<'a>) -> Option<Outline<'a>> {
        let piece = input.envelope_text()?;
        let text = Base64Text::of(piece)?;
        let (front, shape) = read_front(text)?;
        let end = shape.content.len().min(END);
        let mut last = text.end(shape.whole.end, shape.content.end - end, MOST)?;
        let skeleton = shape.skeleton(&front, &last.split_off(end))?;
        let enveloped = read(&skeleton).ok()?;
        Some(Outline { piece, text, front, last, shape, skeleton, enveloped })
    }

    /// With an empty ciphertext.
    pub(crate) fn enveloped(&self) -> &Enveloped {
        &self.enveloped
    }

    /// What stays when its recipients are replaced, but for the ciphertext, which is empty.
    pub(crate) fn parts(&self) -> Result<Parts<'_>, CmsError> {
        parts(&self.skeleton)
    }

    /// The piece of the input that stands for it, and nothing else of it.
    pub(crate) fn piece(&self) -> &'a [u8] {
        self.piece
    }

    /// The same without the `=` that ends it.
    pub(crate) fn text(&self) -> Base64Text<'a> {
        self.text
    }

    /// How many letters the text has.
    pub(crate) fn letters(&self) -> usize {
        letters_for(self.len())
    }

    /// Octets of all of it.
    pub(crate) fn len(&self) -> usize {
        self.shape.whole.end
    }

    /// Octets of its ciphertext.
    pub(crate) fn content_len(&self) -> usize {
        self.shape.content.len()
    }

    /// The first octets of the ciphertext and of what follows it, as many as are wanted if there are so many.
    pub(crate) fn first(&self, wanted: usize) -> Vec<u8> {
        let start = self.shape.content.start;
        let end = start.saturating_add(wanted).min(self.len());
        let octets = match self.front.get(..end) {
            Some(front) => Cow::Borrowed(front),
            None => Cow::Owned(self.text.start(end)),
        };
        octets.get(start..end.min(octets.len())).unwrap_or_default().to_vec()
    }

    /// The last two blocks of the ciphertext or more, and all of it if it has no more.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    /// The ciphertext and what follows it, piece by piece. False where the text does not decode.
    pub(crate) fn for_each_piece(&self, take: &mut dyn FnMut(&[u8])) -> bool {
        let mut before = self.shape.content.start;
        self.text.for_each_piece(&mut |piece| {
            let (passed, piece) = piece.split_at(before.min(piece.len()));
            before -= passed.len();
            take(piece);
        })
    }
}

impl<'a> Input<'a> {
    /// The text in base64 of what seems to be an envelope, without the white space around it.
    fn envelope_text(&self) -> Option<&'a [u8]> {
        let text = match self {
            Input::Message(message) => envelope_text(message)?,
            Input::Pem(_) => self.carrier().map(|(text, _)| text).filter(|text| seems_enveloped(text))?,
            Input::Bare(_) => return None,
        };
        Some(text.trim_ascii())
    }
}

/// Where the elements around a ciphertext begin and end. All but `whole` begin where their identifier stands.
struct Shape {
    /// What the ContentInfo holds.
    whole: Range<usize>,
    explicit: Inside,
    data: Inside,
    info: Inside,
    /// Where the element begins that holds the ciphertext.
    content_head: usize,
    content: Range<usize>,
}

/// An element inside of others.
struct Inside {
    head: usize,
    content: Range<usize>,
}

/// As much of the octets as it takes to see their shape.
fn read_front(text: Base64Text<'_>) -> Option<(Vec<u8>, Shape)> {
    let front = text.start(0);
    let whole = Cursor::new(&front).enter(SEQUENCE)?.content;
    // Not worth more than a look: it is cut off, whatever it is.
    if letters_for(whole.end) > text.bytes().len() {
        return None;
    }
    if let Some(shape) = Shape::of(&front) {
        return Some((front, shape));
    }
    if front.len() >= whole.end {
        return None;
    }
    let front = text.start(MOST.min(whole.end));
    Shape::of(&front).map(|shape| (front, shape))
}

impl Shape {
    /// RFC 5652 3 and 6.1, RFC 5083 2.1. Nothing if the elements do not end where those end that hold them.
    fn of(front: &[u8]) -> Option<Shape> {
        let mut cursor = Cursor::new(front);
        let whole = cursor.enter(SEQUENCE)?.content;
        cursor.pass(OBJECT_IDENTIFIER)?;
        let explicit = cursor.enter(constructed(0))?;
        let data = cursor.enter(SEQUENCE)?;
        cursor.pass(INTEGER)?;
        // OriginatorInfo.
        let _ = cursor.pass(constructed(0));
        cursor.pass(SET)?;
        let info = cursor.enter(SEQUENCE)?;
        cursor.pass(OBJECT_IDENTIFIER)?;
        cursor.pass(SEQUENCE)?;
        let Inside { head: content_head, content } = cursor.enter(context(0))?;
        let fits = explicit.content.end == whole.end
            && data.content.end == whole.end
            && info.content.end == content.end
            && content.end <= whole.end;
        fits.then_some(Shape { whole, explicit, data, info, content_head, content })
    }

    /// The structure with an empty ciphertext; nothing if something in it is not in DER.
    fn skeleton(&self, front: &[u8], after: &[u8]) -> Option<Vec<u8>> {
        let algorithm = front.get(self.info.content.start..self.content_head)?;
        let info = element(SEQUENCE, &[algorithm, &[context(0), 0]]);
        let recipients = front.get(self.data.content.start..self.info.head)?;
        let data = element(SEQUENCE, &[recipients, &info, after]);
        let content_type = front.get(self.whole.start..self.explicit.head)?;
        let whole = element(SEQUENCE, &[content_type, &element(constructed(0), &[&data])]);
        let is_der = matches!(der_from_ber(&whole), Ok((Cow::Borrowed(_), [])));
        is_der.then_some(whole)
    }
}

/// Goes into elements of DER that may be cut off.
struct Cursor<'o> {
    octets: &'o [u8],
    rest: &'o [u8],
}

impl<'o> Cursor<'o> {
    fn new(octets: &'o [u8]) -> Cursor<'o> {
        Cursor { octets, rest: octets }
    }

    fn at(&self) -> usize {
        self.octets.len() - self.rest.len()
    }

    /// Goes behind the header of the next element.
    fn enter(&mut self, tag: u8) -> Option<Inside> {
        let head = self.at();
        let header = read_header(&mut self.rest).ok()?;
        let length = header.length().filter(|_| header.first() == tag && header.is_der())?;
        let start = self.at();
        Some(Inside { head, content: start..start.checked_add(length)? })
    }

    /// Goes behind the next element.
    fn pass(&mut self, tag: u8) -> Option<()> {
        let mut elements = Elements(self.rest);
        elements.optional(tag).ok()??;
        self.rest = elements.0;
        Some(())
    }
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut whole = Vec::new();
    write_header(&[tag], parts.iter().map(|part| part.len()).sum(), &mut whole);
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

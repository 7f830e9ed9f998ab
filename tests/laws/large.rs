//! Messages that are read piece by piece: the same answers as of the whole.

use super::long::{Fickle, LONG, Watched, spoiled};
use super::people::{ELLA, KINDS, now, opening, seal, seed, validated};
use super::script::scripted;
use super::structure::{mail, pem};
use super::{checksum, crlf};
use sealpost::cms::LargeError as Unread;
use sealpost::cms::{CmsError, Protection, find, find_large, wrapping, wrapping_large};
use sealpost::crypto::Profile;
use sealpost::mail::{HeaderPolicy, Message, PIECE, Span};
use sealpost::smime::{
    Form, LargeError, LargeMessage, LargeOpened, LargeSealed, Mark, OpenError, OpenPgp, OpeningKey, open,
    open_large, open_large_raw, open_raw, recognise, recognise_large, seal_large,
};
use std::fmt::Display;

/// The input says how to spoil a known structure or a known long message, or is a message or a structure itself. It comes
/// in one of the forms that a structure can have; now and then the border of two pieces lies in the middle of it. Read
/// piece by piece, with everybody's keys:
///
/// - What opens, opens to what the whole opens to, and errors are those of the whole; else the whole is asked for. The
///   same without the look at what comes out.
/// - What protects it is what protects the whole, and so is what it is wrapped in.
/// - Sealed as a stream it is, octet for octet, what it is when it is sealed as a whole; and it is kept as it is, if the
///   whole is.
/// - What is read for it does not grow faster than the message.
/// - Whoever changes it meanwhile sees an error, or one of the two messages, and never a third one.
pub(crate) fn hold(input: &[u8]) {
    let sum = checksum(input);
    if let Some((message, other)) = spoiled(input) {
        assert_alike(&message);
        return assert_one_of_two(&message, &other, sum);
    }
    let octets = scripted(input);
    let message = form(octets.as_deref().unwrap_or(input), sum);
    assert_alike(&message);
    let mut other = message.clone();
    let at = sum % message.len().max(1);
    other.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= 1 << (sum % 7));
    assert_one_of_two(&message, &other, sum / 7);
}

/// The octets as a message or as the structure in one, whichever the number says.
fn form(octets: &[u8], number: usize) -> Vec<u8> {
    let part = |end: &str| {
        let head = format!("Subject: x{end}Content-Type: multipart/mixed; boundary=b{end}{end}--b{end}");
        [head.as_bytes(), &mail(octets), format!("{end}--b--{end}").as_bytes()].concat()
    };
    match number % 8 {
        0 => octets.to_vec(),
        1 => pem(octets).into_bytes(),
        2 => part("\n"),
        3 => part("\r\n"),
        4 => [b"Content-Transfer-Encoding: binary\n\n", octets].concat(),
        5 => across_a_border(&mail(octets), number / 8),
        6 => crlf(&mail(octets)),
        _ => mail(octets),
    }
}

/// The end of the first piece is somewhere in the message.
fn across_a_border(message: &[u8], number: usize) -> Vec<u8> {
    let before = PIECE - (number % message.len().clamp(1, PIECE / 2));
    let field = [b"X-Long: ".as_slice(), &vec![b'x'; before - 9], b"\n"].concat();
    [field.as_slice(), message].concat()
}

/// The laws of one message that does not change.
pub(super) fn assert_alike(message: &[u8]) {
    let keys = opening(&KINDS);
    let source = Watched::new(message);
    assert_opens(
        written(open_large(source.span(), &keys)),
        open(message, &keys).map(|held| held.message.expose().to_vec()),
    );
    source.assert_little_read();
    assert_opens(
        written(open_large_raw(source.span(), &keys)),
        open_raw(message, &keys).map(|held| held.expose().to_vec()),
    );
    source.assert_little_read();
    assert_found(message);
    assert_sealed(message);
}

fn assert_opens(pieces: Result<Vec<u8>, LargeError>, whole: Result<Vec<u8>, OpenError>) {
    match (pieces, whole) {
        (Err(LargeError::Whole), _) => {}
        (Ok(pieces), Ok(whole)) => assert!(pieces == whole, "opens to something else"),
        // Of two faults the one is met first by who looks into everything, the other by who passes small things on unread.
        (Err(LargeError::Open(pieces)), Err(whole)) if is_broken(&pieces) && is_broken(&whole) => {}
        (Err(LargeError::Open(pieces)), Err(whole)) => assert_eq!(pieces.to_string(), whole.to_string()),
        (pieces, whole) => panic!("in pieces {:?}, as a whole {:?}", said(pieces), said(whole)),
    }
}

/// Is the structure itself at fault, whatever of it?
fn is_broken(error: &OpenError) -> bool {
    matches!(error, OpenError::Cms(CmsError::Malformed(_) | CmsError::TooMany { .. }))
}

fn said<E: Display>(outcome: Result<Vec<u8>, E>) -> Result<usize, String> {
    outcome.map(|octets| octets.len()).map_err(|error| error.to_string())
}

/// All of it.
fn written(opened: Result<LargeOpened<'_>, LargeError>) -> Result<Vec<u8>, LargeError> {
    let (opened, mut out) = (opened?, Vec::new());
    let write = opened.write(&mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    });
    write.map(|()| assert_eq!(opened.len(), out.len() as u64))?;
    Ok(out)
}

fn assert_found(message: &[u8]) {
    let (source, whole) = (Watched::new(message), Message::new(message));
    match find_large(source.span()) {
        Ok(found) => assert_eq!(shown(found), shown(find(&whole))),
        Err(Unread::Undecided) => {}
        Err(error) => panic!("{error}"),
    }
    source.assert_little_read();
    match wrapping_large(source.span()) {
        Ok(found) => assert_eq!(format!("{found:?}"), format!("{:?}", wrapping(&whole))),
        Err(Unread::Undecided) => {}
        Err(error) => panic!("{error}"),
    }
    source.assert_little_read();
}

/// Without the ciphertext.
fn shown(protection: Protection) -> String {
    match protection {
        Protection::Encrypted(mut found) => {
            found.encrypted_content = Vec::new().into();
            format!("{found:?}")
        }
        other => format!("{other:?}"),
    }
}

fn assert_sealed(message: &[u8]) {
    let source = Watched::new(message);
    let large = match LargeMessage::survey(source.span()) {
        Err(LargeError::Whole) => return,
        surveyed => surveyed.expect("nothing else can be wrong with octets in memory"),
    };
    source.assert_little_read();
    let is_sure = large.undecided().is_none();
    let headers = if is_sure { HeaderPolicy::HideSubject } else { HeaderPolicy::Keep };
    let form = Form { headers, ..Profile::Compatible.into() };
    let (to, mark) =
        (validated(&[&ELLA]), Mark { at: now(), rule: Some("Laws"), marked: Vec::new(), edited: Vec::new() });
    let sealed = seal_large(&large, &to, form, &mark, seed(5)).expect("the profile serves this key");
    let whole = seal(message, &[&ELLA], form, 5).expect("the profile serves this key");
    assert!(streamed(&sealed) == whole.bytes(), "sealed to something else");
    assert_eq!(sealed.facts().headers_kept, whole.facts().headers_kept);
    let own = [ELLA.certificate().clone()];
    for openpgp in [OpenPgp::Keep, OpenPgp::Seal] {
        let kept = recognise_large(&large, &[&own], openpgp);
        let is_kept = recognise(message, &[&own], openpgp).is_some();
        assert!(kept.is_some() == is_kept || !is_sure, "kept as it is: {is_kept}");
        assert!(kept.is_none_or(|kept| streamed(&kept) == message));
    }
}

fn streamed(sealed: &LargeSealed<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let write = sealed.write(&mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    });
    write.expect("nothing can be wrong with octets in memory");
    assert_eq!((sealed.len(), sealed.crlf_len()), (out.len() as u64, crlf(&out).len() as u64));
    out
}

/// The one message becomes the other after so many reads.
fn assert_one_of_two(one: &[u8], other: &[u8], reads: usize) {
    if one.len() != other.len() {
        return;
    }
    let keys = opening(&KINDS);
    let source = Fickle::new(one, other, reads % 24);
    let mut out = Vec::new();
    let opened = open_large(Span::of(&source), &keys);
    let whole = opened.and_then(|opened| {
        opened.write(&mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })
    });
    if whole.is_err() && out.is_empty() {
        return;
    }
    let is = |message: &[u8], keys: &[OpeningKey<'_>]| {
        open(message, keys).is_ok_and(|held| match whole {
            Ok(()) => held.message.expose() == out,
            Err(_) => held.message.expose().starts_with(&out),
        })
    };
    assert!(is(one, &keys) || is(other, &keys), "neither the one nor the other");
}

/// Long messages as they are, and with a change of each kind.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let whole = (0..5).map(|number| (format!("whole-{number}"), vec![LONG + number]));
    let changed =
        (0..8).map(|what| (format!("change-{what}"), vec![LONG + what % 5, what, 0x50, what * 31, b'A']));
    // A name that seems to go on behind the empty line.
    let cut = ("cut-name".to_owned(), vec![LONG + 1, 0, 0, 0xf8, 0, 3, 0, 40, 40]);
    whole.chain(changed).chain([cut]).collect()
}

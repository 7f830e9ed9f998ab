//! From an opened message to what lay in the mailbox before it was sealed, or before its sender encrypted it.

use super::Opened;
use super::outer::{is_bound, is_lf};
use crate::cms::Input;
use crate::crypto::SecretBytes;
use crate::mail::{Eol, Field, Message, eol, lf_in_place};
use std::collections::HashSet;

/// A message for a mailbox.
pub struct Restored {
    /// All of it.
    pub message: SecretBytes,
    /// Had it both kinds of line ends? Now all of them are CRLF.
    pub was_mixed: bool,
    /// How many fields stood outside only.
    pub from_outside: usize,
}

/// What was sealed by us comes out octet for octet, with the line ends that `Sealpost-Sealed` tells of; where they were mixed
/// it comes with CRLF. What its sender encrypted is a MIME entity, whose header may say no more than what it is (RFC 8551
/// 3.1): the fields of `sealed` whose names it does not have come in front of it, in their order and with its line ends; not
/// those that describe the sealed message. Of a message that we sealed all names outside are inside too, so nothing comes.
pub fn restore(sealed: &Input<'_>, opened: Opened) -> Restored {
    let Opened { mut message, eol } = opened;
    if eol == Some(Eol::Lf) {
        let length = lf_in_place(message.expose_mut());
        message.truncate(length);
    }
    let missing = sealed.message().map_or_else(Vec::new, |sealed| missing_inside(sealed, message.expose()));
    let (was_mixed, from_outside) = (eol == Some(Eol::Mixed), missing.len());
    if !missing.is_empty() {
        message = behind(&missing, &message);
    }
    Restored { message, was_mixed, from_outside }
}

/// The fields outside whose names the header inside does not have.
fn missing_inside<'a>(sealed: &Message<'a>, inside: &[u8]) -> Vec<Field<'a>> {
    let inside = Message::new(inside);
    let names: HashSet<String> =
        inside.fields().iter().map(|field| field.name().to_ascii_lowercase()).collect();
    let is_missing =
        |field: &&Field<'_>| !is_bound(field) && !names.contains(&field.name().to_ascii_lowercase());
    sealed.fields().iter().filter(is_missing).copied().collect()
}

/// The fields, then the message, in a buffer that has its size from the start.
fn behind(fields: &[Field<'_>], message: &SecretBytes) -> SecretBytes {
    let message = message.expose();
    let end: &[u8] = if is_lf(eol(message)) { b"\n" } else { b"\r\n" };
    // A body that begins at once must not be taken for a part of the header.
    let empty_line = if begins_with_header(message) { b"" } else { end };
    let lines = || fields.iter().flat_map(|field| field.raw().split_inclusive(|&octet| octet == b'\n'));
    let header: usize = lines().map(|line| without_end(line).len() + end.len()).sum();
    let mut whole = Vec::with_capacity(header + empty_line.len() + message.len());
    for line in lines() {
        whole.extend_from_slice(without_end(line));
        whole.extend_from_slice(end);
    }
    whole.extend_from_slice(empty_line);
    whole.extend_from_slice(message);
    SecretBytes::new(whole)
}

fn begins_with_header(message: &[u8]) -> bool {
    message.starts_with(b"\n") || message.starts_with(b"\r\n") || !Message::new(message).fields().is_empty()
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

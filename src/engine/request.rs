//! What a hook hands over.

use crate::mail::{Address, without_mbox_line};
use crate::rules::Source;
use crate::smime::LargeMessage;
use time::OffsetDateTime;

/// A message and its envelope. No `Debug`: what a message says belongs into no log.
#[derive(Clone)]
pub struct Request<'m> {
    /// The bytes as they arrived; the MTA's mbox line may stand in front.
    pub message: &'m [u8],
    /// The message, if it is too large to be held; then `message` is its begin ([`Engine::deliver_large`]).
    ///
    /// [`Engine::deliver_large`]: super::Engine::deliver_large
    pub large: Option<&'m LargeMessage<'m>>,
    /// Return path; empty for the null sender; absent if the hook did not say.
    pub sender: Option<String>,
    /// At least one. Several that lead to one account are one delivery.
    pub recipients: Vec<Recipient>,
    /// How it came in.
    pub source: Source,
    /// The client that handed it to the MTA, as the hook reports it; for the log.
    pub client: Option<String>,
    /// The MTA's queue id: with it the copies of server rules are stored once, however often the MTA calls.
    pub queue_id: Option<String>,
    /// Where there is no queue id, the sender and the message are its name: a client that tries again sends the same.
    pub known_by_content: bool,
    /// When its sender waits no more: after that no program is begun and nothing becomes visible. Absent: whoever delivers has a
    /// watch of his own.
    pub until: Option<OffsetDateTime>,
}

impl<'m> Request<'m> {
    /// The same envelope around a message that is too large to be held.
    pub fn of_large(&self, large: &'m LargeMessage<'m>) -> Request<'m> {
        Request { message: large.begin(), large: Some(large), ..self.clone() }
    }

    /// Is it known again when it comes again? Then what the server's rules store and send of it has marks.
    pub(super) fn is_known_again(&self) -> bool {
        self.queue_id.is_some() || self.known_by_content
    }

    /// Octets as they arrived.
    pub fn size(&self) -> u64 {
        self.large.map_or(self.message.len() as u64, LargeMessage::len)
    }

    /// The message without the MTA's mbox line, or the begin of one that is too large to be held.
    pub(super) fn octets(&self) -> &'m [u8] {
        if self.large.is_some() { self.message } else { without_mbox_line(self.message) }
    }
}

/// An envelope recipient.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// To whom the MTA delivers.
    pub address: Address,
    /// What the sender wrote (ORCPT), if the MTA says so.
    pub original: Option<String>,
}

impl Recipient {
    /// As rules see it: the original if it is known.
    pub(super) fn as_sent(&self) -> String {
        self.original.as_deref().map_or_else(|| self.address.to_string(), without_type)
    }
}

/// The address of `rfc822;address` in xtext (RFC 3461 4.2); what an MTA hands over without a type is one as it stands.
fn without_type(original: &str) -> String {
    const TYPE: &str = "rfc822;";
    match original.split_at_checked(TYPE.len()) {
        Some((name, xtext)) if name.eq_ignore_ascii_case(TYPE) => decode_xtext(xtext),
        _ => original.to_owned(),
    }
}

/// `+2B` is an octet in hexadecimal (RFC 3461 4); anything else stands for itself.
fn decode_xtext(xtext: &str) -> String {
    let mut parts = xtext.split('+');
    let first = parts.next().unwrap_or_default().as_bytes().to_vec();
    let octets = parts.fold(first, |mut octets, part| {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (octet, part.get(2..)) {
            (Some(octet), Some(rest)) => octets.extend(std::iter::once(octet).chain(rest.bytes())),
            _ => octets.extend(b"+".iter().copied().chain(part.bytes())),
        }
        octets
    });
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_original_recipient_is_read_with_or_without_its_type() {
        let plain = ["bob+lists@north.example", "", "rfc8", "x400;/S=bob", "bob+2Bc@north.example"];
        plain.iter().for_each(|text| assert_eq!(without_type(text), *text));
        assert_eq!(without_type("RFC822;bob+2Blists@north.example"), "bob+lists@north.example");
        assert_eq!(without_type("rfc822;a+++zz+4@b+C3+A4"), "a+++zz+4@b\u{e4}");
    }
}

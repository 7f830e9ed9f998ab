//! A message as an mbox holds it.

use super::keeping::{Keeping, Shape};
use super::quoting;
use crate::mail::header_fields;
use memchr::memchr;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Octets that are given on at a time.
const CHUNK: usize = 64 << 10;
/// No path is longer (RFC 5321 4.5.3.1.3, and room).
const LONGEST_SENDER: usize = 320;
/// Who sent what nobody sent.
const NOBODY: &str = "MAILER-DAEMON";

/// Writes a message in mboxrd, piece by piece: `From sender date` with the date in UTC (whole seconds), our fields, the
/// message with lines that end in LF, an empty line. One whose lines end in both ways is written as it is. Reading it as
/// [`Variant::Rd`](super::Variant::Rd) gives back message, date and keeping.
pub fn write<E>(
    message: &[u8],
    (date, keeping): (OffsetDateTime, &Keeping),
    sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    write_opened(message, message, (date, keeping), sink)
}

/// The same of a message that was opened: who sent it stands in the header outside, which whoever stored it wrote.
pub fn write_opened<E>(
    outside: &[u8],
    message: &[u8],
    (date, keeping): (OffsetDateTime, &Keeping),
    sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let shape = Shape::of(message);
    let from = sender(outside).or_else(|| sender(message)).unwrap_or_else(|| NOBODY.to_owned());
    let mut out = Chunks { held: Zeroizing::new(Vec::with_capacity(CHUNK)), sink };
    out.put(format!("From {} {}\n", from, asctime(date)).as_bytes())?;
    out.put(keeping.text(shape).as_bytes())?;
    let mut rest = message;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        if quoting::marks(line).is_some() {
            out.put(b">")?;
        }
        match line.strip_suffix(b"\r\n").filter(|_| shape.crlf) {
            Some(text) => {
                out.put(text)?;
                out.put(b"\n")?;
            }
            None => out.put(line)?,
        }
        rest = after;
    }
    out.put(if shape.cut { b"\n\n" } else { b"\n" })?;
    out.flush()
}

/// The address of the first `Return-Path`, if it is one that leaves the line readable.
fn sender(message: &[u8]) -> Option<String> {
    let field = header_fields(message).find(|field| field.name().eq_ignore_ascii_case("Return-Path"));
    let address = field.and_then(|field| field.mailboxes().into_iter().next()).map(|mailbox| mailbox.address);
    let fits = |address: &String| {
        (1..=LONGEST_SENDER).contains(&address.len()) && address.bytes().all(|byte| byte.is_ascii_graphic())
    };
    address.filter(fits)
}

/// `Thu Nov 26 03:41:02 2026`, in UTC.
fn asctime(date: OffsetDateTime) -> String {
    let date = date.to_offset(time::UtcOffset::UTC);
    let (weekday, month) = (date.weekday().to_string(), date.month().to_string());
    let (hour, minute, second) = date.to_hms();
    format!(
        "{weekday:.3} {month:.3} {:>2} {hour:02}:{minute:02}:{second:02} {:04}",
        date.day(),
        date.year().clamp(1, 9999)
    )
}

/// Gathers small pieces. The buffer never grows, and is wiped.
struct Chunks<'s, E> {
    held: Zeroizing<Vec<u8>>,
    sink: &'s mut dyn FnMut(&[u8]) -> Result<(), E>,
}

impl<E> Chunks<'_, E> {
    fn put(&mut self, piece: &[u8]) -> Result<(), E> {
        if self.held.len() + piece.len() > CHUNK {
            self.flush()?;
        }
        if piece.len() > CHUNK {
            return (self.sink)(piece);
        }
        self.held.extend_from_slice(piece);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), E> {
        (self.sink)(&self.held)?;
        self.held.clear();
        Ok(())
    }
}

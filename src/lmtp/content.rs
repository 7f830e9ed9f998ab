//! A message as it follows DATA: dots are unstuffed (RFC 5321 4.5.2), and a line ends with CR LF and nothing else, so that the end
//! is where every server sees it.

/// Where the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of a line.
    Start,
    /// Behind a dot at the start of a line.
    Dot,
    /// Behind such a dot and CR.
    DotCr,
    /// In a line.
    Inside,
    /// Behind a CR in a line.
    Cr,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'o> {
    /// Nothing of the message.
    Nothing,
    /// A part of the message.
    Text(&'o [u8]),
    /// A CR or LF that stands alone. What is read from now on is of no worth, up to the end.
    Bare,
    /// The dot at the end.
    End,
}

/// Takes the dots away and finds the end.
pub(super) struct Unstuffer {
    place: Place,
}

impl Unstuffer {
    pub(super) fn new() -> Unstuffer {
        Unstuffer { place: Place::Start }
    }

    /// Reads one piece: how many octets it used of one or more, and what they are.
    pub(super) fn take<'o>(&mut self, octets: &'o [u8]) -> (usize, Piece<'o>) {
        match (self.place, octets.first()) {
            (Place::Start, Some(b'.')) => self.at(Place::Dot, 1, Piece::Nothing),
            (Place::Dot, Some(b'\r')) => self.at(Place::DotCr, 1, Piece::Nothing),
            (Place::DotCr, Some(b'\n')) => self.at(Place::Start, 1, Piece::End),
            (Place::Cr, Some(b'\n')) => {
                self.at(Place::Start, 1, Piece::Text(octets.get(..1).unwrap_or_default()))
            }
            (Place::DotCr | Place::Cr, Some(_)) => self.at(Place::Inside, 0, Piece::Bare),
            (Place::Start | Place::Dot | Place::Inside, Some(_)) => self.lines(octets),
            (_, None) => (0, Piece::Nothing),
        }
    }

    /// From inside a line up to a line that begins with a dot, or to what may be wrong.
    fn lines<'o>(&mut self, octets: &'o [u8]) -> (usize, Piece<'o>) {
        let mut from = 0;
        while let Some(rest) = octets.get(from..)
            && let Some(found) = memchr::memchr2(b'\r', b'\n', rest)
        {
            let end = from + found;
            match rest.get(found..) {
                Some([b'\r', b'\n', b'.', ..] | [b'\r', b'\n']) => {
                    return self.text(octets, end + 2, Place::Start);
                }
                Some([b'\r', b'\n', ..]) => from = end + 2,
                Some([b'\r', ..]) => return self.text(octets, end + 1, Place::Cr),
                _ if end == 0 => return self.at(Place::Inside, 1, Piece::Bare),
                _ => return self.text(octets, end, Place::Inside),
            }
        }
        self.text(octets, octets.len(), Place::Inside)
    }

    fn text<'o>(&mut self, octets: &'o [u8], end: usize, place: Place) -> (usize, Piece<'o>) {
        let text = octets.get(..end).unwrap_or(octets);
        self.at(place, text.len(), Piece::Text(text))
    }

    fn at<'o>(&mut self, place: Place, used: usize, piece: Piece<'o>) -> (usize, Piece<'o>) {
        self.place = place;
        (used, piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courier::wire_form;
    use crate::mail::crlf;
    use proptest::prelude::*;

    /// What is read up to the end, how many octets that takes, and whether something stands alone.
    fn read(octets: &[u8], piece: usize) -> Option<(Vec<u8>, usize, bool)> {
        let (mut unstuffer, mut text, mut used, mut is_bare) = (Unstuffer::new(), Vec::new(), 0, false);
        for mut rest in octets.chunks(piece) {
            while !rest.is_empty() {
                let (taken, piece) = unstuffer.take(rest);
                used += taken;
                rest = &rest[taken..];
                match piece {
                    Piece::Nothing => {}
                    Piece::Text(more) => text.extend_from_slice(more),
                    Piece::Bare => is_bare = true,
                    Piece::End => return Some((text, used, is_bare)),
                }
            }
        }
        None
    }

    #[test]
    fn dots_in_front_go_and_one_alone_is_the_end() {
        let read = |text: &str| read(text.as_bytes(), usize::MAX).map(|(text, used, _)| (text, used));
        assert_eq!(read(".\r\nQUIT\r\n"), Some((b"".to_vec(), 3)));
        assert_eq!(read("..\r\n.a\r\n...\r\na.\r\n.\r\n"), Some((b".\r\na\r\n..\r\na.\r\n".to_vec(), 20)));
        assert_eq!(read("a\r\n."), None);
        assert_eq!(read("a\r\n.\r"), None);
    }

    proptest! {
        /// The other side of the same grammar is `courier`: what it sends is what arrives, in whatever pieces.
        #[test]
        fn what_a_client_sends_arrives(message in "[.\r\na]{0,40}", piece in 1_usize..9) {
            // A CR alone ends a line for the client, as it says, and for `crlf` it does not.
            let message = message.replace('\r', "");
            let wire = wire_form(message.as_bytes());
            let mut wanted = crlf(message.as_bytes()).into_owned();
            if !wanted.is_empty() && !wanted.ends_with(b"\r\n") {
                wanted.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(read(wire.expose(), piece), Some((wanted, wire.expose().len(), false)));
        }

        /// Nobody who takes less, or more, for the end of a line finds another end in what is accepted.
        #[test]
        fn what_is_accepted_has_one_end(sent in "[.\r\na]{0,30}\r\n[.]\r\n", piece in 1_usize..9) {
            let (text, used, is_bare) = read(sent.as_bytes(), piece).unwrap();
            let sent_until_end = sent.get(..used).unwrap();
            let strange = sent_until_end.replace("\r\n", "").contains(['\r', '\n']);
            prop_assert_eq!(is_bare, strange);
            prop_assert_eq!(&read(sent.as_bytes(), usize::MAX), &Some((text, used, is_bare)));
            if !is_bare {
                let lines = format!("\r\n{sent_until_end}").replace("\r\n", "\n");
                prop_assert_eq!(lines.find("\n.\n"), Some(lines.len() - 3));
            }
        }
    }
}

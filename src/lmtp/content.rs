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

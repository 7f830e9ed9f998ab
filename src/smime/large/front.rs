//! The front of a message: all that is looked at when something is put in or taken out.
//!
//! That is all up to the first empty line, which need not come. Where it is far, names that matter are looked for piece by
//! piece: if there are none nothing is put in or taken out, and a shorter front does.

use crate::crypto::SecretBytes;
use crate::mail::PIECE;
use memchr::memmem;
use zeroize::Zeroizing;

/// A front has no more octets.
pub(super) const MOST: usize = 1024 * 1024;

/// Room for an ordinary one: what is reserved is wiped in the end, and with that it is taken from the machine.
const ORDINARY: usize = PIECE;

/// Takes a message from its begin on.
pub(super) struct Front {
    octets: Zeroizing<Vec<u8>>,
    /// The empty line was there.
    ended: bool,
    /// Looks behind what is held.
    search: Option<Search>,
    names: &'static [&'static str],
}

/// What is known of a front.
pub(super) enum Settled {
    /// It is all of it.
    Whole(SecretBytes),
    /// It is the begin of a message without an empty line for long, in which none of the names stands.
    Begin(SecretBytes),
    /// It is the begin of one in which a name may stand.
    Unsure,
}

impl Front {
    /// `names` are in lower case and without white space.
    pub(super) fn new(names: &'static [&'static str]) -> Front {
        Front { octets: Zeroizing::new(Vec::with_capacity(ORDINARY)), ended: false, search: None, names }
    }

    /// Is nothing more to be learned?
    pub(super) fn is_settled(&self) -> bool {
        self.ended || self.search.as_ref().is_some_and(|search| search.found)
    }

    /// The next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        if self.ended {
            return;
        }
        let room = MOST - self.octets.len();
        let (fitting, beyond) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.hold(fitting);
        if !self.ended && !beyond.is_empty() {
            self.look_beyond(beyond);
        }
    }

    fn hold(&mut self, piece: &[u8]) {
        // An empty line may begin in the two octets before.
        let from = self.octets.len().saturating_sub(2);
        self.reserve(piece.len());
        self.octets.extend_from_slice(piece);
        let fresh = self.octets.get(from..).unwrap_or_default();
        if let Some(end) = header_end(fresh, from == 0) {
            self.octets.truncate(from + end);
            self.ended = true;
        }
    }

    /// Where it grows, what was held before is wiped.
    fn reserve(&mut self, more: usize) {
        if self.octets.capacity() - self.octets.len() < more {
            let mut roomy = Zeroizing::new(Vec::with_capacity(MOST));
            roomy.extend_from_slice(&self.octets);
            self.octets = roomy;
        }
    }

    fn look_beyond(&mut self, beyond: &[u8]) {
        let (names, held) = (self.names, &self.octets);
        let search = self.search.get_or_insert_with(|| {
            let mut search = Search::new(names);
            search.pass(held);
            search
        });
        if search.pass(beyond) {
            self.ended = true;
        }
    }

    /// There are no more, or nothing more is to be learned.
    pub(super) fn settle(self) -> Settled {
        let octets = SecretBytes::from(self.octets);
        match self.search {
            None => Settled::Whole(octets),
            Some(search) if search.found => Settled::Unsure,
            Some(_) => Settled::Begin(octets),
        }
    }
}

/// Behind the first empty line: at the very start, or behind an LF.
fn header_end(octets: &[u8], is_start: bool) -> Option<usize> {
    if is_start && let Some(length) = empty_line(octets) {
        return Some(length);
    }
    memchr::memchr_iter(b'\n', octets)
        .find_map(|at| octets.get(at + 1..).and_then(empty_line).map(|length| at + 1 + length))
}

fn empty_line(octets: &[u8]) -> Option<usize> {
    match octets {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// Looks for names up to the first empty line. Case and white space do not hide them: readers differ in what they drop.
struct Search {
    names: &'static [&'static str],
    /// The last octets without white space, in lower case.
    plain: Zeroizing<Vec<u8>>,
    /// The last two octets as they were.
    last: [u8; 2],
    found: bool,
}

impl Search {
    fn new(names: &'static [&'static str]) -> Search {
        Search { names, plain: Zeroizing::new(Vec::with_capacity(MOST + PIECE)), last: [0; 2], found: false }
    }

    /// Did the empty line come?
    fn pass(&mut self, piece: &[u8]) -> bool {
        let end = self.empty_line(piece);
        let looked_at = end.and_then(|end| piece.get(..end)).unwrap_or(piece);
        let longest = self.names.iter().map(|name| name.len()).max().unwrap_or_default();
        let (held, kept) = (self.plain.len(), self.plain.len().min(longest));
        self.plain.copy_within(held - kept.., 0);
        self.plain.truncate(kept);
        let plain = looked_at.iter().filter(|octet| !octet.is_ascii_whitespace());
        self.plain.extend(plain.map(u8::to_ascii_lowercase));
        self.found |= self.names.iter().any(|name| memmem::find(&self.plain, name.as_bytes()).is_some());
        self.last = match piece {
            [.., before, last] => [*before, *last],
            [last] => [self.last[1], *last],
            [] => self.last,
        };
        end.is_some()
    }

    fn empty_line(&self, piece: &[u8]) -> Option<usize> {
        match (self.last, piece) {
            ([_, b'\n'], piece) if empty_line(piece).is_some() => empty_line(piece),
            ([b'\n', b'\r'], [b'\n', ..]) => Some(1),
            _ => header_end(piece, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: &[&str] = &["hp-outer:", "content-type:"];

    fn front(message: &[u8], size: usize) -> Settled {
        let mut front = Front::new(NAMES);
        message.chunks(size).for_each(|piece| front.add(piece));
        front.settle()
    }

    /// The definition: lines end with LF, and the first that is nothing but its end ends the front.
    fn reference(message: &[u8]) -> usize {
        let mut end = 0;
        for line in message.split_inclusive(|&octet| octet == b'\n') {
            end += line.len();
            if line == b"\n" || line == b"\r\n" {
                break;
            }
        }
        end
    }

    #[test]
    fn a_name_far_behind_is_found_however_it_is_spelled() {
        let far = |name: &[u8], end: &[u8]| [b"x\n".repeat(MOST).as_slice(), name, end].concat();
        for name in [&b"HP-Outer:"[..], b"hp-\r\n out er :", b"Content-Type: x", b"CONTENT\n-\tTYPE:"] {
            for size in [1000, 65_536, MOST] {
                assert!(matches!(front(&far(name, b"\n\n"), size), Settled::Unsure));
                let behind = far(b"\n\r\n", name);
                assert!(
                    matches!(front(&behind, size), Settled::Begin(_)),
                    "behind the empty line nobody looks"
                );
            }
        }
        let Settled::Begin(begin) = front(&far(b"HP-Oute:", b""), 777) else { panic!("no name") };
        assert_eq!(begin.expose().len(), MOST);
    }

    proptest! {
        #[test]
        fn it_ends_with_the_first_empty_line(message in prop::collection::vec(prop::sample::select(b"\r\n\na".to_vec()), 0..40), size in 1_usize..6) {
            let Settled::Whole(front) = front(&message, size) else { panic!("it is short") };
            prop_assert_eq!(front.expose(), &message[..reference(&message)]);
            for cut in 0..=message.len() {
                let mut search = Search::new(NAMES);
                search.last = [0, b'a'];
                let (one, other) = message.split_at(cut);
                let ended = search.pass(one) || search.pass(other);
                let behind = [b"a".as_slice(), &message].concat();
                let end = reference(&behind);
                let has_end = behind[..end].ends_with(b"\n\n") || behind[..end].ends_with(b"\n\r\n");
                prop_assert_eq!(ended, has_end);
            }
        }
    }
}

//! Messages of which more comes than is held: they are given piece by piece.

use super::counted::Ending;
use super::{CONTEXT, Held, Open, Part, Place, Splitter, State, TooLarge, Turn, empty_line_before};
use crate::mail::PIECE;
use crate::mail::mbox::keeping::Shape;
use crate::mail::mbox::quoting::{self, Begin};
use crate::mail::mbox::{FromLine, Keeping, Variant};
use memchr::{memchr, memrchr};
use zeroize::Zeroizing;

/// So much is held at least: what a mailbox knows of a message stands in it.
const LEAST: usize = 64 << 10;
/// So much more is pushed at a time, at most, by whoever wants little to be held.
const PUSHED: usize = 256 << 10;

/// A message that is given in pieces.
pub struct Head {
    /// Which: the first is 1.
    pub number: u64,
    /// Where in the file its `From ` line begins, in octets.
    pub offset: u64,
    /// What that line says.
    pub from: FromLine,
    /// What its mailbox knew beside it, as far as its begin says.
    pub keeping: Keeping,
}

/// What the next octets of it are.
#[derive(Clone, Copy)]
pub(super) struct Passing {
    variant: Variant,
    shape: Shape,
    /// Octets of the file that were given, or passed over because it is too large.
    passed: u64,
    /// The last line that was given has not ended.
    in_line: bool,
    /// Octets from here to where a field says that it ends, until that is seen.
    end: Option<usize>,
}

impl Passing {
    /// So many of these octets can be given, and whether a line has begun with the last: whole lines, or of one that goes on what
    /// its begin tells.
    fn fitting(&self, octets: &[u8]) -> (usize, bool) {
        match memrchr(b'\n', octets) {
            Some(at) => (at + 1, false),
            None if self.in_line => (octets.len(), true),
            None => match quoting::begin(octets, self.variant) {
                Begin::Shown => (octets.len(), true),
                Begin::Marks(marks) => (marks, false),
            },
        }
    }

    fn give(&mut self, octets: &[u8], shape: Shape) -> Zeroizing<Vec<u8>> {
        let begun = if self.in_line { memchr(b'\n', octets).map_or(octets.len(), |at| at + 1) } else { 0 };
        let (begun, lines) = octets.split_at_checked(begun).unwrap_or((octets, b""));
        let lines = quoting::unquoted(lines, self.variant);
        let mut piece = Zeroizing::new(Vec::with_capacity(begun.len() + lines.len()));
        piece.extend_from_slice(begun);
        piece.extend_from_slice(&lines);
        self.passed += octets.len() as u64;
        shape.restore(piece)
    }
}

impl Splitter {
    /// The same, but of a message not more than about `held` octets are held: a larger one is given in pieces, which only
    /// [`Splitter::next_part`] does. A length that a field says is seen if the header ends in what is held; if lines of the message look as
    /// if another began there, it is held from the first of them to its end, to see which is true.
    pub fn in_pieces(variant: Variant, held: usize, limit: usize) -> Splitter {
        let hold = held.max(LEAST);
        let held = Held::of_about(hold.saturating_add(2 * PUSHED));
        Splitter { hold, held, ..Splitter::new(variant, limit) }
    }

    /// What is held is given from now on.
    pub(super) fn begin_passing(&mut self, open: Open, end: Option<usize>) -> Turn {
        let (keeping, shape, octets) = Keeping::front(self.held.octets());
        let looked = self.looked;
        self.advance(octets);
        self.looked = looked.saturating_sub(octets);
        let (variant, passed) = (self.variant, octets as u64);
        let end = end.map(|end| end.saturating_sub(octets));
        self.state = State::Passing(open, Passing { variant, shape, passed, in_line: false, end });
        let Open { offset, from } = open;
        Turn::Found(Part::Begins(Head { number: self.number, offset, from, keeping }))
    }

    /// Gives what belongs to it, to its end.
    pub(super) fn passing(&mut self, open: Open, passing: Passing) -> Turn {
        let found = self.next_begin(false);
        match passing.end.map(|end| (end, self.ending(end))) {
            Some((end, Ending::Here(next, begins))) => self.pass_last(passing, end, next, begins),
            Some((_, Ending::Elsewhere)) => {
                self.state = State::Passing(open, Passing { end: None, ..passing });
                Turn::Again
            }
            Some((_, Ending::Unknown)) if found.is_some() => Turn::Wait,
            Some((_, Ending::Unknown)) => self.pass(open, passing),
            None => self.pass_lines(open, passing, found),
        }
    }

    fn pass_lines(&mut self, open: Open, passing: Passing, found: Option<(usize, Place)>) -> Turn {
        let held = self.held.octets();
        let (next, begins) = match found {
            Some((at, Place::Begins(from, line))) => (at, Some((from, line))),
            _ if self.ended => (held.len(), None),
            _ => return self.pass(open, passing),
        };
        let end = next - empty_line_before(held, next, false).unwrap_or(0);
        self.pass_last(passing, end, next, begins)
    }

    fn pass_last(
        &mut self,
        mut passing: Passing,
        end: usize,
        next: usize,
        begins: Option<(FromLine, usize)>,
    ) -> Turn {
        let size = passing.passed + end as u64;
        let last = self.held.octets().get(..end).unwrap_or_default();
        let end = if size > self.limit as u64 {
            Err(TooLarge { size, limit: self.limit })
        } else {
            Ok(passing.give(last, passing.shape))
        };
        self.go_to(next, begins);
        Turn::Found(Part::Ends(end))
    }

    /// Gives of what was looked at as much as is given at a time, but for what tells whether an empty line stands before what
    /// follows.
    fn pass(&mut self, open: Open, mut passing: Passing) -> Turn {
        let looked = self.looked;
        let most = passing.end.map_or(PIECE, |end| end.min(PIECE));
        let octets = self.held.octets().get(..looked.saturating_sub(CONTEXT)).unwrap_or_default();
        let octets = octets.get(..most).unwrap_or(octets);
        let is_too_large = passing.passed + octets.len() as u64 > self.limit as u64;
        let (fitting, in_line) =
            if is_too_large { (octets.len(), passing.in_line) } else { passing.fitting(octets) };
        let piece = if is_too_large {
            passing.passed += fitting as u64;
            None
        } else {
            let shape = Shape { cut: false, ..passing.shape };
            octets
                .get(..fitting)
                .filter(|octets| !octets.is_empty())
                .map(|octets| passing.give(octets, shape))
        };
        passing.in_line = in_line;
        passing.end = passing.end.map(|end| end - fitting);
        self.advance(fitting);
        self.looked = looked - fitting;
        self.state = State::Passing(open, passing);
        match piece {
            Some(piece) => Turn::Found(Part::Piece(piece)),
            None if fitting > 0 => Turn::Again,
            None => Turn::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::NoMbox;
    use super::*;
    use proptest::prelude::*;

    const FROM: &str = "From anna@north.example Thu Nov 26 03:41:02 2026\n";

    type Read = Vec<(u64, u64, FromLine, Result<Vec<u8>, u64>)>;

    /// Messages of an mbox that comes in pieces of `chunk` octets, of which `hold` are held.
    fn read(mbox: &[u8], variant: Variant, (hold, limit): (usize, usize), chunk: usize) -> (Read, usize) {
        let mut splitter = Splitter { hold, ..Splitter::new(variant, limit) };
        let (mut read, mut open, mut most) = (Read::new(), None::<(Head, Vec<u8>)>, 0);
        let mut take = |splitter: &mut Splitter| {
            while let Some(part) = splitter.next_part().map_err(|NoMbox| ()).unwrap() {
                match part {
                    Part::Whole(Entry { number, offset, from, content }) => {
                        assert!(open.is_none());
                        let content = content.map(|cut| cut.message.to_vec()).map_err(|large| large.size);
                        read.push((number, offset, from, content));
                    }
                    Part::Begins(head) => assert!(open.replace((head, Vec::new())).is_none()),
                    Part::Piece(piece) => open.as_mut().unwrap().1.extend_from_slice(&piece),
                    Part::Ends(end) => {
                        let (head, mut octets) = open.take().unwrap();
                        let content = end.map_err(|large| large.size).map(|last| {
                            octets.extend_from_slice(&last);
                            octets
                        });
                        read.push((head.number, head.offset, head.from, content));
                    }
                }
            }
            most = most.max(splitter.held.octets().len());
        };
        for piece in mbox.chunks(chunk) {
            splitter.push(piece);
            take(&mut splitter);
        }
        splitter.end();
        take(&mut splitter);
        assert!(splitter.is_done() && open.is_none());
        (read, most)
    }

    use super::super::Entry;

    /// In pieces, and held.
    fn assert_same(mbox: &[u8], variant: Variant, (hold, limit): (usize, usize), chunk: usize) {
        let (held, _) = read(mbox, variant, (limit, limit), chunk);
        let (pieces, _) = read(mbox, variant, (hold, limit), chunk);
        assert!(pieces == held, "{}", String::from_utf8_lossy(mbox));
    }

    #[test]
    fn what_comes_in_pieces_is_what_is_held() {
        let ours = "Status: RO\nSealpost-Mbox: v=1; eol=crlf; end=cut\n";
        let body = "A: b\n\n>From x\n>>From y\n>From\n> From z\nFrom here on\n\nlast line\n";
        for front in ["", ours] {
            for end in ["", "\n", "no end"] {
                let message = format!("{FROM}{front}{}{end}", body.repeat(5));
                let mbox = format!("{message}\n\n{FROM}A: 2\n\n\n{message}");
                for mbox in [mbox.clone(), mbox.replace('\n', "\r\n")] {
                    for variant in [Variant::Rd, Variant::O, Variant::Cl2] {
                        for chunk in [1, 7, 100, 1000] {
                            assert_same(mbox.as_bytes(), variant, (64, 1 << 20), chunk);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn lines_of_any_length_come_through() {
        for line in [
            "x".repeat(900),
            ">".repeat(900),
            format!("{}From x", ">".repeat(900)),
            format!(">From {}", "x".repeat(900)),
            format!("{}Fromage", ">".repeat(900)),
            format!("{}\r", ">".repeat(900)),
        ] {
            let mbox = format!("{FROM}{line}\n{line}\n\n{FROM}{line}");
            for chunk in [1, 10, 4000] {
                for variant in [Variant::Rd, Variant::O, Variant::Cl2] {
                    assert_same(mbox.as_bytes(), variant, (30, 1 << 20), chunk);
                    let crlf = mbox.replace('\n', "\r\n");
                    assert_same(crlf.as_bytes(), variant, (30, 1 << 20), chunk);
                }
            }
        }
    }

    /// A message with a header that says how long it is.
    fn counted(length: usize, body: &str, between: &str) -> String {
        format!("{FROM}A: b\nContent-Length: {length}\n\n{body}{between}")
    }

    #[test]
    fn a_length_that_is_true_is_believed_of_pieces_too() {
        let line = "A line of the body.\n";
        let looks_so = format!("\n{FROM}{line}");
        for body in [
            line.repeat(50),
            format!("{}no end", line.repeat(50)),
            format!("{}\n\n", line.repeat(50)),
            format!("{}{looks_so}{}", line.repeat(3), line.repeat(30)),
            format!("{}{looks_so}{}", line.repeat(30), line.repeat(3)),
            format!("\n{FROM}{}", line.repeat(30)),
            format!("{}{looks_so}", line.repeat(30)),
        ] {
            for (more, between) in [(0, "\n"), (0, ""), (0, "\r\n"), (1, "\n"), (10_000, "\n"), (300, "\n\n")]
            {
                let first = counted(body.len() + more, &body, between);
                for rest in ["".to_owned(), counted(5, "short\n", ""), counted(9, "short\n", &first)] {
                    let mbox = first.clone() + &rest;
                    for variant in [Variant::Cl, Variant::Cl2] {
                        for chunk in [1, 7, 100, 10_000] {
                            assert_same(mbox.as_bytes(), variant, (64, 1 << 20), chunk);
                            assert_same(mbox.as_bytes(), variant, (64, 500), chunk);
                        }
                    }
                }
            }
        }
    }

    /// What is held of it is what lies between a line that looks like the next message and where a field says that it is.
    #[test]
    fn a_message_is_not_held_to_see_whether_its_length_is_true() {
        let line = "A line of the body.\n";
        for (front, behind, bound) in [(50_000, 0, 12_000), (49_000, 1000, 34_000)] {
            let body = format!("{}\n{FROM}{}", line.repeat(front), line.repeat(behind));
            let body = if behind == 0 { line.repeat(front) } else { body };
            for length in [body.len(), body.len() + 5, 1 << 25] {
                let mbox = counted(length, &body, "\n") + &counted(6, "short\n", "\n");
                let (messages, most) = read(mbox.as_bytes(), Variant::Cl2, (10_000, 1 << 26), 1000);
                let is_true = length == body.len();
                assert_eq!(messages.len(), if behind == 0 || is_true { 2 } else { 3 });
                assert!(most < bound, "{most}");
                assert_same(mbox.as_bytes(), Variant::Cl2, (10_000, 1 << 26), 1000);
            }
        }
    }

    /// Wherever the cut falls: into a line, into marks, before a line end.
    #[test]
    fn however_much_is_pushed_it_is_given_in_small_pieces() {
        for shift in [0, 1, 5, 11] {
            let front = "x".repeat(PIECE - shift);
            for rest in [">>>>>>From x", ">From x", "\r", "\n\n", "\n>From x\n>>From y"] {
                let lines = format!("{front}{rest}\n{front}\n{}\n", ">".repeat(PIECE - shift));
                let mbox = format!("{FROM}A: b\n\n{lines}\n{FROM}A: c\n");
                for variant in [Variant::Rd, Variant::O] {
                    for limit in [1 << 30, 120_000] {
                        assert_same(mbox.as_bytes(), variant, (100_000, limit), 110_000);
                    }
                }
            }
        }
        let mut splitter = Splitter::in_pieces(Variant::Rd, 0, 1 << 30);
        splitter.push(format!("{FROM}A: b\n\n{}", "a line\n".repeat(200_000)).as_bytes());
        while let Some(part) = splitter.next_part().ok().unwrap() {
            assert!(
                matches!(part, Part::Begins(_)) || matches!(part, Part::Piece(piece) if piece.len() <= PIECE)
            );
        }
        assert!(splitter.held.octets().len() < 100);
    }

    /// Whatever a line begins with, not more of it is held than of others, and nothing is looked at again and again.
    #[test]
    fn a_line_of_nothing_but_marks_is_not_held() {
        let size = 1 << 20;
        for line in [">".repeat(size), format!("{}From x", ">".repeat(size)), ">F".repeat(size / 2)] {
            let mbox = format!("{FROM}A: b\n\n{line}\n\n{FROM}A: c\n");
            for variant in [Variant::Rd, Variant::O, Variant::Cl2] {
                for limit in [1 << 30, 100_000] {
                    let (messages, most) = read(mbox.as_bytes(), variant, (10_000, limit), 1000);
                    assert!(messages.len() == 2 && most < 12_000, "{most}");
                }
                let mut splitter = Splitter { hold: 10_000, ..Splitter::new(variant, 1 << 30) };
                let mut looked_at = 0;
                for piece in mbox.as_bytes().chunks(1000) {
                    splitter.push(piece);
                    loop {
                        let is_passing = matches!(splitter.state, State::Passing(..));
                        looked_at += if is_passing { splitter.held.octets().len() } else { 0 };
                        if splitter.next_part().ok().unwrap().is_none() {
                            break;
                        }
                    }
                }
                assert!(looked_at < 4 * mbox.len(), "{looked_at}");
            }
        }
    }

    /// Where its end is far nobody asks it for a length.
    #[test]
    fn a_header_without_end_is_not_held() {
        let mbox = format!("{FROM}{}\n{FROM}A: c\n", "A: b\n".repeat(100_000));
        for variant in [Variant::Cl, Variant::Cl2] {
            let (messages, most) = read(mbox.as_bytes(), variant, (10_000, 1 << 30), 1000);
            assert!(messages.len() == 2 && most < 12_000, "{most}");
            assert_same(mbox.as_bytes(), variant, (10_000, 1 << 30), 1000);
        }
    }

    #[test]
    fn no_more_is_held_than_was_said_whatever_the_size() {
        let mbox = format!("{FROM}A: b\n\n{}\n{FROM}A: c\n", "A line of the body.\n".repeat(50_000));
        let (messages, most) = read(mbox.as_bytes(), Variant::Rd, (10_000, 1 << 30), 1000);
        assert_eq!(messages.len(), 2);
        assert!(most < 12_000, "{most}");
        let (messages, most) = read(mbox.as_bytes(), Variant::Rd, (10_000, 20_000), 1000);
        assert!(messages[0].3.is_err() && messages[1].3.is_ok() && most < 12_000, "{most}");
    }

    proptest! {
        #[test]
        fn any_text_is_cut_into_the_same_messages(
            words in prop::collection::vec(prop::sample::select(vec![
                FROM, "From ", ">From x\n", "\n", "\n\n", "\r\n", "\r", ">", "a line\n", "Status: RO\n",
                "Sealpost-Mbox: v=1; eol=crlf; end=cut\n", "word", ">>>>>>>>", "Fro", "\n>",
                "Content-Length: 70\n\n", "Content-Length: 200\n\n", "Content-Length: 300\n\n", "Content-Length: 0\n\n",
            ]), 0..60),
            hold in 64_usize..200,
            limit in 0_usize..400,
            chunk in 1_usize..60,
        ) {
            let mbox = format!("{FROM}{}", words.concat());
            for variant in [Variant::Rd, Variant::O, Variant::Cl, Variant::Cl2] {
                assert_same(mbox.as_bytes(), variant, (hold, hold + limit), chunk);
            }
        }
    }
}

//! From octets in pieces of any size to messages.

mod counted;
mod passing;

use super::from_line::{self, FromLine};
use super::held::Held;
use super::{Keeping, Variant, quoting};
use memchr::{memchr, memmem};
use passing::Passing;
use zeroize::Zeroizing;

pub use passing::Head;

/// What is kept of a message that is left out: enough to see whether an empty line stands before what follows.
const CONTEXT: usize = 3;

/// Cuts an mbox into its messages as it is read: [`Splitter::push`] octets, take out with [`Splitter::next_entry`] what is
/// whole, [`Splitter::end`] it, and take out the rest. It holds one message, and what was pushed since. Linear in what is
/// pushed, whatever that is.
pub struct Splitter {
    variant: Variant,
    limit: usize,
    /// Of more than so many a message is given in pieces.
    hold: usize,
    held: Held,
    /// Where in `held` no message begins before.
    looked: usize,
    state: State,
    ended: bool,
    /// Octets that are gone from `held`.
    passed: u64,
    number: u64,
}

/// A message of an mbox, or what kept it from being one.
pub struct Entry {
    /// Which: the first is 1.
    pub number: u64,
    /// Where in the file its `From ` line begins, in octets.
    pub offset: u64,
    /// What that line says.
    pub from: FromLine,
    /// The message.
    pub content: Result<Cut, TooLarge>,
}

/// What comes next.
pub enum Part {
    /// A message, whole.
    Whole(Entry),
    /// A message of which more comes than is held: its pieces follow.
    Begins(Head),
    /// The next octets of it.
    Piece(Zeroizing<Vec<u8>>),
    /// The last octets of it, or it was too large after all.
    Ends(Result<Zeroizing<Vec<u8>>, TooLarge>),
}

/// A message, cut out.
pub struct Cut {
    /// The message as it was before it came into the mbox.
    pub message: Zeroizing<Vec<u8>>,
    /// What its mailbox knew beside it.
    pub keeping: Keeping,
}

/// The message is larger than the limit and was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message has {size} octets, and the most is {limit}")]
pub struct TooLarge {
    /// Its octets.
    pub size: u64,
    /// The most.
    pub limit: usize,
}

/// The octets do not begin with a `From ` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no mbox: it does not begin with a line \"From SENDER DATE\"")]
pub struct NoMbox;

enum State {
    /// Before the first message.
    Begin,
    /// `held` begins with the message after this line.
    Inside(Open, Phase),
    /// The same, but most of it is dropped already.
    Dropping(Open, u64),
    /// The same, but most of it is given already.
    Passing(Open, Passing),
    /// Nothing follows.
    Done,
}

#[derive(Clone, Copy)]
struct Open {
    offset: u64,
    from: FromLine,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The end of the header is looked for, because it may say how long the body is.
    Header,
    /// It says that the message ends there.
    Counted(usize),
    /// The next `From ` line is looked for.
    Lines,
}

/// What a place in the octets is.
enum Place {
    /// A message begins here, behind a line of that many octets.
    Begins(FromLine, usize),
    /// None does.
    Nothing,
    /// What follows decides.
    Unknown,
}

impl Splitter {
    /// Messages of more than `limit` octets (as they stand in the file) are passed over.
    pub fn new(variant: Variant, limit: usize) -> Splitter {
        Splitter {
            variant,
            limit: limit.max(CONTEXT),
            hold: usize::MAX,
            held: Held::of_about(usize::MAX),
            looked: 0,
            state: State::Begin,
            ended: false,
            passed: 0,
            number: 0,
        }
    }

    /// Takes in what was read.
    pub fn push(&mut self, chunk: &[u8]) {
        self.held.push(chunk);
    }

    /// Nothing more will be pushed.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Was the end said?
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Was the last message given?
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The next message, if it is there whole. One that is given in pieces is passed over.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, NoMbox> {
        loop {
            match self.next_part()? {
                Some(Part::Whole(entry)) => return Ok(Some(entry)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next message, or what comes next of one that is given in pieces.
    pub fn next_part(&mut self) -> Result<Option<Part>, NoMbox> {
        loop {
            let found = match self.state {
                State::Begin => self.begin()?,
                State::Inside(open, phase) => self.inside(open, phase),
                State::Dropping(open, dropped) => self.dropping(open, dropped),
                State::Passing(open, passing) => self.passing(open, passing),
                State::Done => return Ok(None),
            };
            match found {
                Turn::Again => {}
                Turn::Wait => return Ok(None),
                Turn::Found(part) => return Ok(Some(part)),
            }
        }
    }

    /// Empty lines may stand before the first message.
    fn begin(&mut self) -> Result<Turn, NoMbox> {
        let held = self.held.octets();
        let blank = held.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.advance(blank);
        match self.place(0) {
            Place::Unknown => Ok(Turn::Wait),
            Place::Nothing if self.ended && self.held.octets().is_empty() => {
                self.state = State::Done;
                Ok(Turn::Again)
            }
            Place::Nothing => Err(NoMbox),
            Place::Begins(from, length) => {
                self.open(from, length);
                Ok(Turn::Again)
            }
        }
    }

    fn open(&mut self, from: FromLine, line: usize) {
        let open = Open { offset: self.passed, from };
        self.advance(line);
        let phase = if self.variant.counts() { Phase::Header } else { Phase::Lines };
        self.state = State::Inside(open, phase);
        self.number += 1;
    }

    fn advance(&mut self, octets: usize) {
        self.held.advance(octets);
        self.passed += octets as u64;
        self.looked = 0;
    }

    fn inside(&mut self, open: Open, phase: Phase) -> Turn {
        match phase {
            Phase::Header => self.header(open),
            Phase::Counted(end) => self.counted(open, end),
            Phase::Lines => self.lines(open),
        }
    }

    fn go_on(&mut self, open: Open, phase: Phase) -> Turn {
        self.looked = 0;
        self.state = State::Inside(open, phase);
        Turn::Again
    }

    /// Is so much of one message here that the rest is given in pieces?
    fn is_too_much(&self) -> bool {
        self.held.octets().len() > self.hold.saturating_add(2) && self.hold < self.limit
    }

    /// Looks for the next `From ` line behind an empty one.
    fn lines(&mut self, open: Open) -> Turn {
        match self.next_begin(true) {
            Some((at, Place::Begins(from, line))) => {
                let end = at - empty_line_before(self.held.octets(), at, true).unwrap_or(0);
                self.give(open, end, at, Some((from, line)))
            }
            _ if self.ended => {
                let all = self.held.octets().len();
                let end = all - empty_line_before(self.held.octets(), all, true).unwrap_or(0);
                self.give(open, end, all, None)
            }
            _ if self.looked > self.hold.saturating_add(2) && self.hold < self.limit => {
                self.begin_passing(open, None)
            }
            // An empty line of two octets may stand before what is looked at.
            _ if self.looked > self.limit.saturating_add(2) => {
                self.state = State::Dropping(open, 0);
                Turn::Again
            }
            _ => Turn::Wait,
        }
    }

    /// Passes over the rest of a message that is too large.
    fn dropping(&mut self, open: Open, dropped: u64) -> Turn {
        let found = self.next_begin(false);
        let held = self.held.octets();
        let (next, begins) = match found {
            Some((at, Place::Begins(from, line))) => (at, Some((from, line))),
            _ if self.ended => (held.len(), None),
            _ => return self.drop_looked(open, dropped),
        };
        let empty = empty_line_before(held, next, false).unwrap_or(0);
        let size = dropped + (next - empty) as u64;
        let content = Err(TooLarge { size, limit: self.limit });
        self.close(open, content, next, begins)
    }

    fn drop_looked(&mut self, open: Open, dropped: u64) -> Turn {
        let passed = self.looked.saturating_sub(CONTEXT);
        let context = self.looked - passed;
        self.advance(passed);
        self.looked = context;
        self.state = State::Dropping(open, dropped + passed as u64);
        Turn::Wait
    }

    /// The first place from `looked` on where a message begins. `whole`: the held octets are all of the message.
    fn next_begin(&mut self, whole: bool) -> Option<(usize, Place)> {
        loop {
            let held = self.held.octets();
            let rest = held.get(self.looked..).unwrap_or_default();
            let Some(at) = memmem::find(rest, b"From ").map(|at| self.looked + at) else {
                // `From` may stand at the very end.
                self.looked = self.looked.max(held.len().saturating_sub(4));
                return None;
            };
            self.looked = at;
            if empty_line_before(held, at, whole).is_some() {
                match self.place(at) {
                    Place::Unknown => return None,
                    Place::Nothing => {}
                    begins => return Some((at, begins)),
                }
            }
            self.looked = at + 1;
        }
    }

    /// Does a message begin at `at`, as far as that line goes?
    fn place(&self, at: usize) -> Place {
        let rest = self.held.octets().get(at..).unwrap_or_default();
        let seen = rest.get(..5).unwrap_or(rest);
        if !b"From ".starts_with(seen) || (self.ended && seen.len() < 5) {
            return Place::Nothing;
        }
        // A CR may stand before the LF.
        let front = rest.get(..from_line::LONGEST + 7).unwrap_or(rest);
        let (line, length) = match memchr(b'\n', front) {
            Some(end) => (front.get(..end).unwrap_or_default(), end + 1),
            None if front.len() < rest.len() => return Place::Nothing,
            None if self.ended => (front, front.len()),
            None => return Place::Unknown,
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        FromLine::parse(line).map_or(Place::Nothing, |from| Place::Begins(from, length))
    }

    /// Gives the message up to `end`, and goes on at `next`.
    fn give(&mut self, open: Open, end: usize, next: usize, begins: Option<(FromLine, usize)>) -> Turn {
        let quoted = self.held.octets().get(..end).unwrap_or_default();
        let content = if quoted.len() > self.limit {
            Err(TooLarge { size: quoted.len() as u64, limit: self.limit })
        } else {
            let (keeping, message) = Keeping::take(quoting::unquoted(quoted, self.variant));
            Ok(Cut { message, keeping })
        };
        self.close(open, content, next, begins)
    }

    fn close(
        &mut self,
        open: Open,
        content: Result<Cut, TooLarge>,
        next: usize,
        begins: Option<(FromLine, usize)>,
    ) -> Turn {
        let entry = Entry { number: self.number, offset: open.offset, from: open.from, content };
        self.go_to(next, begins);
        Turn::Found(Part::Whole(entry))
    }

    /// To the message that begins there, or to the end.
    fn go_to(&mut self, next: usize, begins: Option<(FromLine, usize)>) {
        self.advance(next);
        match begins {
            Some((from, line)) => self.open(from, line),
            None => self.state = State::Done,
        }
    }
}

/// What a step of the splitter came to.
enum Turn {
    Again,
    Wait,
    Found(Part),
}

/// The length of the empty line that ends just before `at`, if one does. Before the first octet of a `whole` message stands
/// its `From ` line.
fn empty_line_before(held: &[u8], at: usize, whole: bool) -> Option<usize> {
    let before = held.get(..at)?.strip_suffix(b"\n")?;
    let ends_line = |text: &[u8]| text.last().map_or(whole, |last| *last == b'\n');
    if ends_line(before) {
        return Some(1);
    }
    before.strip_suffix(b"\r").is_some_and(ends_line).then_some(2)
}

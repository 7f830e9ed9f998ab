//! A conversation with one client.

use super::command::{Command, Sender};
use super::content::{Piece, Unstuffer};
use super::line::LineReader;
use super::reply::{Farewell, Reply};
use crate::engine::Disposition;
use crate::mail::Address;

/// Recipients of one message (RFC 5321 4.5.3.1.8 asks for a hundred).
const MOST_RECIPIENTS: usize = 1000;
/// Faults of a client between two messages that were taken.
const MOST_FAULTS: u32 = 20;
/// Octets of replies that wait to be sent, before nothing more is read.
const MOST_REPLIES: usize = 4096;
/// Octets above twice the limit that are read of a message that is too large, so that its client hears why.
const OVERRUN: u64 = 1 << 20;

/// What a session announces.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What this machine calls itself.
    pub host: String,
    /// Octets of a message, at most: SIZE (RFC 1870).
    pub max_message: u64,
}

/// Whom a message is from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Return path, as the client wrote it; empty: the null sender. No control is in it.
    pub sender: String,
    /// Who was accepted, in the order of RCPT; at least one, and none of them is left out if he is named twice.
    pub recipients: Vec<Address>,
}

/// What came of octets.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<'o> {
    /// How many of them were used; the rest is given again.
    pub used: usize,
    /// What the host does before it gives more.
    pub want: Want<'o>,
}

/// What the host of a session has to do before it goes on. A message is one [`Begin`](Want::Begin), any number of
/// [`Content`](Want::Content), and then one of [`Deliver`](Want::Deliver), [`Forget`](Want::Forget) and [`Close`](Want::Close);
/// after the host's own [`Session::refuse`] neither of the first three comes.
#[derive(Debug, PartialEq, Eq)]
pub enum Want<'o> {
    /// Send the replies, then read more from the client. All octets were used.
    More,
    /// Send the replies, which are many, then give the rest of the octets.
    Send,
    /// RCPT: say whether there is such a recipient, by [`Session::judged`].
    Judge(Address),
    /// A message begins, with so many octets if its client said how many. Make room for it, or [`Session::refuse`] it.
    Begin(Option<u64>),
    /// The next octets of the message, dots unstuffed, lines ended by CR LF after DATA; anything after BDAT. Keep them, or
    /// [`Session::refuse`] the message.
    Content(&'o [u8]),
    /// The message is whole: deliver it, and tell by [`Session::delivered`].
    Deliver(Envelope),
    /// Nothing becomes of the message: its octets can go.
    Forget,
    /// Send the replies and close the connection.
    Close,
}

/// What is expected of the client or the host.
enum State {
    /// A command.
    Command,
    /// [`Session::judged`].
    Judged(Address),
    /// The host's word on a message that follows DATA.
    Begun,
    /// What follows DATA.
    Data(Unstuffer),
    /// What follows BDAT.
    Chunk {
        left: u64,
        is_last: bool,
    },
    /// [`Session::delivered`], for so many recipients.
    Delivered(usize),
    Closed,
}

/// A message that has begun.
#[derive(Default)]
struct Message {
    /// Octets of it.
    length: u64,
    /// Octets of the wire.
    read: u64,
    /// What is told in the end, if it is not to be delivered.
    refusal: Option<Reply>,
}

/// A conversation: octets in; replies and what is to be done out. Who does not do what is wanted is answered for: with a doubt, so
/// that the client tries again.
pub struct Session {
    terms: Terms,
    state: State,
    line: LineReader,
    replies: Vec<u8>,
    is_greeted: bool,
    /// MAIL, and then RCPT.
    sender: Option<Sender>,
    recipients: Vec<Address>,
    message: Option<Message>,
    /// The host holds octets of a message that is given up.
    forgets: bool,
    faults: u32,
}

impl Session {
    /// At its begin: the greeting waits to be sent.
    pub fn new(terms: Terms) -> Session {
        let replies = format!("220 {} LMTP Sealpost\r\n", terms.host).into_bytes();
        Session {
            terms,
            state: State::Command,
            line: LineReader::new(),
            replies,
            is_greeted: false,
            sender: None,
            recipients: Vec::new(),
            message: None,
            forgets: false,
            faults: 0,
        }
    }

    /// All that a client is told who comes when nobody has time: it is sent instead of a greeting.
    pub fn turned_away(why: Farewell) -> Vec<u8> {
        let mut reply = Vec::new();
        why.reply().write(&mut reply);
        reply
    }

    /// What is to be sent now. Replies wait here until the host asks for them; it does so at [`Want::More`], [`Want::Send`] and
    /// [`Want::Close`], and may at any time.
    pub fn replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    /// Does the client send a message, or wait for what became of one? Who stops the daemon lets such a session go on.
    pub fn has_message(&self) -> bool {
        self.message.is_some() || matches!(self.state, State::Delivered(_))
    }

    /// Who sends the message that has begun; empty: the null sender.
    pub fn sender(&self) -> &str {
        self.sender.as_ref().map_or("", |sender| sender.path.as_str())
    }

    /// Ends the session from this side, at a moment when nothing is wanted of the host but more octets.
    pub fn leave(&mut self, why: Farewell) {
        if !matches!(self.state, State::Closed) {
            self.say(&why.reply());
            self.state = State::Closed;
        }
    }

    /// Reads octets until the host has something to do.
    pub fn take<'o>(&mut self, octets: &'o [u8]) -> Taken<'o> {
        self.answer_for_the_host();
        let mut used = 0;
        loop {
            let rest = octets.get(used..).unwrap_or_default();
            let (more, want) = match self.due(rest) {
                Some(want) => (0, Some(want)),
                None => self.step(rest),
            };
            used += more;
            if let Some(want) = want {
                return Taken { used, want };
            }
        }
    }

    /// What comes before the next octet.
    fn due<'o>(&mut self, rest: &[u8]) -> Option<Want<'o>> {
        match self.state {
            State::Closed => Some(Want::Close),
            _ if std::mem::take(&mut self.forgets) => Some(Want::Forget),
            State::Chunk { left: 0, .. } => None,
            _ if rest.is_empty() => Some(Want::More),
            _ if self.replies.len() >= MOST_REPLIES => Some(Want::Send),
            _ => None,
        }
    }

    fn step<'o>(&mut self, rest: &'o [u8]) -> (usize, Option<Want<'o>>) {
        match &mut self.state {
            State::Data(unstuffer) => {
                let (used, piece) = unstuffer.take(rest);
                (used, self.take_piece(used, piece))
            }
            State::Chunk { left, .. } => {
                let used = usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                *left -= used as u64;
                let octets = rest.get(..used).unwrap_or_default();
                (used, self.take_chunk(octets))
            }
            _ => {
                let (used, is_whole) = self.line.take(rest);
                (used, if is_whole { self.obey() } else { None })
            }
        }
    }

    /// Does what a line says.
    fn obey<'o>(&mut self) -> Option<Want<'o>> {
        let command = self.line.read(Command::read);
        match command {
            Ok(Command::Lhlo) => self.greet(),
            Ok(Command::Mail(sender)) => self.mail(sender),
            Ok(Command::Rcpt(path)) => return self.recipient(&path).map(Want::Judge),
            Ok(Command::Data) => return self.data(),
            Ok(Command::Bdat { octets, is_last }) => return self.chunk(octets, is_last),
            Ok(Command::LostBdat) => self.leave(Farewell::Lost),
            Ok(Command::Rset) => {
                self.reset();
                self.say(&Reply::DONE);
            }
            Ok(Command::Noop) => self.say(&Reply::DONE),
            Ok(Command::Vrfy) => self.say(&Reply::VERIFY),
            Ok(Command::Help) => self.say(&Reply::HELP),
            Ok(Command::Quit) => {
                self.say(&Reply::BYE);
                self.state = State::Closed;
            }
            Ok(Command::Http) => self.leave(Farewell::Web),
            Err(refusal) => self.refuse_command(&refusal),
        }
        None
    }

    fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.replies);
    }

    /// Too many faults end the session: instead of the reply to the last one.
    fn refuse_command(&mut self, refusal: &Reply) {
        self.faults += u32::from(refusal.is_fault());
        if self.faults > MOST_FAULTS { self.leave(Farewell::Faults) } else { self.say(refusal) }
    }

    fn greet(&mut self) {
        self.reset();
        self.is_greeted = true;
        let Terms { host, max_message } = &self.terms;
        let reply = format!(
            "250-{host}\r\n250-PIPELINING\r\n250-SIZE {max_message}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n\
             250 ENHANCEDSTATUSCODES\r\n"
        );
        self.replies.extend_from_slice(reply.as_bytes());
    }

    /// No message, no sender, no recipients.
    fn reset(&mut self) {
        self.forgets |= self.message.take().is_some_and(|message| message.refusal.is_none());
        self.sender = None;
        self.recipients = Vec::new();
    }

    fn mail(&mut self, sender: Sender) {
        let is_too_large = sender.size.is_some_and(|size| size > self.terms.max_message);
        match () {
            () if !self.is_greeted => self.refuse_command(&Reply::NO_GREETING),
            () if self.sender.is_some() => self.refuse_command(&Reply::SECOND_SENDER),
            () if is_too_large => self.refuse_command(&Reply::TOO_LARGE),
            () => {
                self.sender = Some(sender);
                self.say(&Reply::SENDER);
            }
        }
    }

    fn recipient<'o>(&mut self, path: &str) -> Option<Address> {
        match self.read_recipient(path) {
            Ok(address) => {
                self.state = State::Judged(address.clone());
                Some(address)
            }
            Err(refusal) => {
                self.refuse_command(&refusal);
                None
            }
        }
    }

    fn read_recipient(&self, path: &str) -> Result<Address, Reply> {
        let sender = self.sender.as_ref().ok_or(Reply::NO_SENDER)?;
        if self.message.is_some() {
            return Err(Reply::INSIDE_CHUNKS);
        }
        if self.recipients.len() == MOST_RECIPIENTS {
            return Err(Reply::MANY_RECIPIENTS);
        }
        if !path.is_ascii() && !sender.is_utf8 {
            return Err(Reply::NOT_ASCII);
        }
        // RFC 5321 4.5.1: he has no domain.
        let host = path.eq_ignore_ascii_case("postmaster").then(|| format!("{path}@{}", self.terms.host));
        Address::parse(host.as_deref().unwrap_or(path)).map_err(|_| Reply::RECIPIENT_SYNTAX)
    }

    /// Is there such a recipient? [`Disposition::Delivered`] says yes.
    pub fn judged(&mut self, disposition: &Disposition) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Judged(address) if *disposition == Disposition::Delivered => {
                self.recipients.push(address);
                self.say(&Reply::RECIPIENT);
            }
            State::Judged(_) => self.say(&Reply::of(disposition)),
            other => self.state = other,
        }
    }

    fn data<'o>(&mut self) -> Option<Want<'o>> {
        if self.message.is_some() {
            self.refuse_command(&Reply::INSIDE_CHUNKS);
            return None;
        }
        if self.recipients.is_empty() {
            self.refuse_for_want_of_recipients();
            return None;
        }
        self.message = Some(Message::default());
        self.state = State::Begun;
        Some(Want::Begin(self.declared()))
    }

    /// A client that sends its commands together cannot know that all recipients were refused: that is no fault.
    fn refuse_for_want_of_recipients(&mut self) {
        match self.sender {
            Some(_) => self.say(&Reply::NO_RECIPIENT),
            None => self.refuse_command(&Reply::NO_SENDER),
        }
    }

    fn declared(&self) -> Option<u64> {
        self.sender.as_ref().and_then(|sender| sender.size)
    }

    /// The octets follow in any case, and are read.
    fn chunk<'o>(&mut self, octets: u64, is_last: bool) -> Option<Want<'o>> {
        self.state = State::Chunk { left: octets, is_last };
        if self.message.is_some() {
            return None;
        }
        let has_recipients = !self.recipients.is_empty();
        let refusal = (!has_recipients).then_some(Reply::NO_RECIPIENT);
        self.message = Some(Message { refusal, ..Message::default() });
        let declared =
            if is_last { Some(octets) } else { self.declared().map(|declared| declared.max(octets)) };
        has_recipients.then_some(Want::Begin(declared))
    }

    /// Of what follows DATA.
    fn take_piece<'o>(&mut self, used: usize, piece: Piece<'o>) -> Option<Want<'o>> {
        if self.is_overrun(used) {
            return None;
        }
        match piece {
            Piece::Nothing => None,
            Piece::Text(text) => self.content(text),
            Piece::Bare => {
                self.give_up(Reply::BARE);
                None
            }
            Piece::End => self.end(),
        }
    }

    /// Of what follows BDAT.
    fn take_chunk<'o>(&mut self, octets: &'o [u8]) -> Option<Want<'o>> {
        if self.is_overrun(octets.len()) {
            return None;
        }
        if !octets.is_empty() {
            return self.content(octets);
        }
        match self.state {
            State::Chunk { is_last: true, .. } => return self.end(),
            _ => self.end_chunk(),
        }
        None
    }

    /// A message that is refused in any case is read for a while, so that its client hears why, and then cut.
    fn is_overrun(&mut self, used: usize) -> bool {
        let most = self.terms.max_message.saturating_mul(2).saturating_add(OVERRUN);
        let Some(message) = &mut self.message else { return false };
        message.read = message.read.saturating_add(used as u64);
        let is_overrun = message.read > most;
        if is_overrun {
            self.give_up(Reply::TOO_LARGE);
            match self.state {
                State::Chunk { is_last: false, .. } => self.end_chunk(),
                _ => self.tell_refusal(),
            }
            self.state = State::Closed;
        }
        is_overrun
    }

    fn content<'o>(&mut self, octets: &'o [u8]) -> Option<Want<'o>> {
        let message = self.message.as_mut().filter(|message| message.refusal.is_none())?;
        message.length = message.length.saturating_add(octets.len() as u64);
        if message.length > self.terms.max_message {
            self.give_up(Reply::TOO_LARGE);
            return None;
        }
        (!octets.is_empty()).then_some(Want::Content(octets))
    }

    /// Unless it was refused before.
    fn give_up(&mut self, refusal: Reply) {
        if let Some(message) = self.message.as_mut().filter(|message| message.refusal.is_none()) {
            message.refusal = Some(refusal);
            self.forgets = true;
        }
    }

    /// The host has no room for the message, or cannot keep it, and holds no octet of it any more. The client hears it where an
    /// answer is due; nobody can be told "delivered" in this way.
    pub fn refuse(&mut self, disposition: &Disposition) {
        if let Some(message) = self.message.as_mut().filter(|message| message.refusal.is_none()) {
            message.refusal = Some(match disposition {
                Disposition::Delivered => Reply::of(&doubt()),
                refusal => Reply::of(refusal),
            });
        }
    }

    /// Between two chunks.
    fn end_chunk(&mut self) {
        self.state = State::Command;
        let refusal = self.message.as_ref().and_then(|message| message.refusal.clone());
        self.say(refusal.as_ref().unwrap_or(&Reply::CHUNK));
        // The next chunk may come after a recipient.
        if self.recipients.is_empty() {
            self.message = None;
        }
    }

    /// The message is whole.
    fn end<'o>(&mut self) -> Option<Want<'o>> {
        self.state = State::Command;
        if self.message.as_ref().is_some_and(|message| message.refusal.is_some()) {
            self.tell_refusal();
            return None;
        }
        self.message = None;
        self.faults = 0;
        let sender = self.sender.take().map(|sender| sender.path).unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        self.state = State::Delivered(recipients.len());
        Some(Want::Deliver(Envelope { sender, recipients }))
    }

    /// One reply for each recipient, or one where there is none (RFC 2033 4.2).
    fn tell_refusal(&mut self) {
        let refusal = self.message.take().and_then(|message| message.refusal);
        let replies = self.recipients.len().max(1);
        self.reset();
        if let Some(refusal) = refusal {
            (0..replies).for_each(|_| self.say(&refusal));
        }
    }

    /// What became of the message, for each recipient of its envelope in their order.
    pub fn delivered(&mut self, dispositions: &[Disposition]) {
        let State::Delivered(recipients) = self.state else { return };
        self.state = State::Command;
        for at in 0..recipients {
            self.say(&Reply::of(dispositions.get(at).unwrap_or(&doubt())));
        }
    }

    /// If it did not do what was wanted. That it says nothing at [`Want::Begin`] means that there is room.
    fn answer_for_the_host(&mut self) {
        match self.state {
            State::Judged(_) => self.judged(&doubt()),
            State::Delivered(_) => self.delivered(&[]),
            State::Begun => self.invite(),
            _ => {}
        }
    }

    /// After DATA.
    fn invite(&mut self) {
        self.state = State::Command;
        match &self.message {
            Some(Message { refusal: Some(refusal), .. }) => {
                let refusal = refusal.clone();
                self.say(&refusal);
                self.message = None;
                self.reset();
            }
            _ => {
                self.replies.extend_from_slice(b"354 go on, and end with a dot\r\n");
                self.state = State::Data(Unstuffer::new());
            }
        }
    }
}

/// Of a host that did not say what it should.
fn doubt() -> Disposition {
    Disposition::doubt("internal error")
}

#[cfg(test)]
mod tests;

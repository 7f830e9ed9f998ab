//! A conversation with one client.

mod arrival;

use super::command::{Command, Sender};
use super::content::Unstuffer;
use super::line::LineReader;
use super::message::Message;
use super::reply::{Farewell, Reply, capabilities, greeting};
use super::transaction::Transaction;
use super::want::{Taken, Terms, Want};
use crate::engine::Disposition;
use crate::mail::Address;

/// Faults of a client between two messages that were taken.
const MOST_FAULTS: u32 = 20;
/// Octets of replies that wait to be sent, before nothing more is read.
const MOST_REPLIES: usize = 4096;

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

/// A conversation: octets in; replies and what is to be done out. Who does not do what is wanted is answered for: with a doubt, so
/// that the client tries again.
pub struct Session {
    terms: Terms,
    state: State,
    line: LineReader,
    replies: Vec<u8>,
    is_greeted: bool,
    transaction: Transaction,
    message: Option<Message>,
    /// The host holds octets of a message that is given up.
    forgets: bool,
    faults: u32,
}

impl Session {
    /// At its begin: the greeting waits to be sent.
    pub fn new(terms: Terms) -> Session {
        let replies = greeting(&terms);
        Session {
            terms,
            state: State::Command,
            line: LineReader::new(),
            replies,
            is_greeted: false,
            transaction: Transaction::default(),
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
        self.replies.extend(capabilities(&self.terms));
    }

    /// No message, no sender, no recipients.
    fn reset(&mut self) {
        self.forgets |= self.message.take().is_some_and(|message| message.refusal().is_none());
        self.transaction = Transaction::default();
    }

    fn mail(&mut self, sender: Sender) {
        let taken = match self.is_greeted {
            true => self.transaction.open(sender, self.terms.size()),
            false => Err(Reply::NO_GREETING),
        };
        match taken {
            Ok(()) => self.say(&Reply::SENDER),
            Err(refusal) => self.refuse_command(&refusal),
        }
    }

    fn recipient(&mut self, path: &str) -> Option<Address> {
        let read = match self.message {
            Some(_) => Err(Reply::INSIDE_CHUNKS),
            None => self.transaction.read_recipient(path, &self.terms.host),
        };
        match read {
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

    /// Is there such a recipient? [`Disposition::Delivered`] says yes.
    pub fn judged(&mut self, disposition: &Disposition) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Judged(address) if *disposition == Disposition::Delivered => {
                self.transaction.add(address);
                self.say(&Reply::RECIPIENT);
            }
            State::Judged(_) => self.say(&Reply::of(disposition)),
            other => self.state = other,
        }
    }

    /// There is such a recipient, by this address.
    pub fn judged_as(&mut self, address: Address) {
        if let State::Judged(said) = &mut self.state {
            *said = address;
            self.judged(&Disposition::Delivered);
        }
    }

    /// The host has no room for the message, or cannot keep it, and holds no octet of it any more. The client hears it where an
    /// answer is due; nobody can be told "delivered" in this way.
    pub fn refuse(&mut self, disposition: &Disposition) {
        let refusal = match disposition {
            Disposition::Delivered => Reply::of(&doubt()),
            refusal => Reply::of(refusal),
        };
        if let Some(message) = &mut self.message {
            message.refuse(refusal);
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
}

/// Of a host that did not say what it should.
fn doubt() -> Disposition {
    Disposition::doubt("internal error")
}

#[cfg(test)]
mod tests;

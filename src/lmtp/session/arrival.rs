//! The part of a conversation in which a message comes.

use super::{Session, State};
use crate::lmtp::content::{Piece, Unstuffer};
use crate::lmtp::message::Message;
use crate::lmtp::reply::{GO_ON, Reply};
use crate::lmtp::want::Want;

impl Session {
    pub(super) fn data<'o>(&mut self) -> Option<Want<'o>> {
        let refusal = match (&self.message, self.transaction.recipients()) {
            (Some(_), _) => Reply::INSIDE_CHUNKS,
            (None, 0) if self.transaction.is_open() => {
                // A client that sends its commands together cannot know that all recipients were refused: that is no fault.
                self.say(&Reply::NO_RECIPIENT);
                return None;
            }
            (None, 0) => Reply::NO_SENDER,
            _ => {
                self.state = State::Begun;
                return Some(self.begin(self.transaction.declared()));
            }
        };
        self.refuse_command(&refusal);
        None
    }

    fn begin<'o>(&mut self, declared: Option<u64>) -> Want<'o> {
        self.message = Some(Message::new(self.terms.size()));
        Want::Begin { declared, return_path: self.transaction.return_path() }
    }

    /// The octets follow in any case, and are read.
    pub(super) fn chunk<'o>(&mut self, octets: u64, is_last: bool) -> Option<Want<'o>> {
        self.state = State::Chunk { left: octets, is_last };
        if self.message.is_some() {
            return None;
        }
        let refusal = match self.transaction.recipients() {
            0 => Some(Reply::NO_RECIPIENT),
            _ => (octets > self.terms.size()).then_some(Reply::TOO_LARGE),
        };
        if let Some(refusal) = refusal {
            self.message.insert(Message::new(self.terms.size())).refuse(refusal);
            return None;
        }
        let declared = self.transaction.declared().map(|declared| declared.max(octets));
        Some(self.begin(if is_last { Some(octets) } else { declared }))
    }

    /// Of what follows DATA.
    pub(super) fn take_piece<'o>(&mut self, used: usize, piece: Piece<'o>) -> Option<Want<'o>> {
        if self.is_cut(used) {
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
    pub(super) fn take_chunk<'o>(&mut self, octets: &'o [u8]) -> Option<Want<'o>> {
        if self.is_cut(octets.len()) {
            return None;
        }
        match self.state {
            _ if !octets.is_empty() => self.content(octets),
            State::Chunk { is_last: true, .. } => self.end(),
            _ => {
                self.end_chunk();
                None
            }
        }
    }

    /// A message that is refused in any case is read for a while, so that its client hears why, and then cut.
    fn is_cut(&mut self, octets: usize) -> bool {
        let is_cut = self.message.as_mut().is_some_and(|message| message.is_overrun_by(octets));
        if is_cut {
            self.give_up(Reply::TOO_LARGE);
            match self.state {
                State::Chunk { is_last: false, .. } => self.end_chunk(),
                _ => self.tell_refusal(),
            }
            self.state = State::Closed;
        }
        is_cut
    }

    fn content<'o>(&mut self, octets: &'o [u8]) -> Option<Want<'o>> {
        let message = self.message.as_mut().filter(|message| message.refusal().is_none())?;
        if message.has_room_for(octets.len()) {
            return Some(Want::Content(octets));
        }
        self.give_up(Reply::TOO_LARGE);
        None
    }

    fn give_up(&mut self, refusal: Reply) {
        self.forgets |= self.message.as_mut().is_some_and(|message| message.refuse(refusal));
    }

    /// Between two chunks.
    fn end_chunk(&mut self) {
        self.state = State::Command;
        let refusal = self.message.as_ref().and_then(Message::refusal).cloned();
        self.say(refusal.as_ref().unwrap_or(&Reply::CHUNK));
        // No message has begun where there is nobody to have it.
        if self.transaction.recipients() == 0 {
            self.message = None;
        }
    }

    /// The message is whole.
    fn end<'o>(&mut self) -> Option<Want<'o>> {
        self.state = State::Command;
        if self.message.as_ref().is_some_and(|message| message.refusal().is_some()) {
            self.tell_refusal();
            return None;
        }
        self.message = None;
        self.faults = 0;
        self.state = State::Delivered(self.transaction.recipients());
        Some(Want::Deliver(self.transaction.close()))
    }

    /// One reply for each recipient, or one where there is none (RFC 2033 4.2).
    fn tell_refusal(&mut self) {
        let refusal = self.message.take().and_then(|message| message.refusal().cloned());
        let replies = self.transaction.recipients().max(1);
        self.reset();
        if let Some(refusal) = refusal {
            (0..replies).for_each(|_| self.say(&refusal));
        }
    }

    /// After DATA.
    pub(super) fn invite(&mut self) {
        let refusal = self.message.as_ref().and_then(Message::refusal).cloned();
        match refusal {
            Some(refusal) => {
                self.state = State::Command;
                self.say(&refusal);
                self.reset();
            }
            None => {
                self.state = State::Data(Unstuffer::new());
                self.replies.extend_from_slice(GO_ON);
            }
        }
    }
}

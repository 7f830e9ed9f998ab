//! What a client says to an SMTP (RFC 5321) or LMTP server (RFC 2033), and what the replies mean for each recipient. No
//! sockets, no clock: whoever drives it asks what is wanted, and hands over the replies. Each reply moves it forward, so
//! that it ends whatever the server says.

use super::content::{Measure, wire_form};
use super::extensions::Extensions;
use super::login::Login;
use super::reply::Reply;
use crate::crypto::SecretBytes;
use crate::engine::Carried;
use crate::mail::Address;

/// Which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One reply for a mail.
    Smtp,
    /// One reply for each recipient of it.
    Lmtp,
}

/// How much of the conversation is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    Clear,
    /// All after STARTTLS, if the server offers it.
    StartTlsIfOffered,
    /// All after STARTTLS, or nothing is sent.
    StartTls,
    /// All.
    Encrypted,
}

/// How to talk to a server.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// What this machine calls itself.
    pub name: &'a str,
    /// Where TLS begins.
    pub way: Way,
    /// Who logs in, and only after TLS has begun.
    pub login: Option<&'a Login>,
}

/// What is to be sent.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// Return path; empty: the null sender.
    pub sender: &'a str,
    /// To whom.
    pub recipients: &'a [Address],
    /// Header and body, with any line ends.
    pub message: &'a [u8],
}

/// What the conversation needs next.
pub enum Want {
    /// The next reply: [`Dialogue::take`].
    Reply,
    /// These octets sent.
    Send(SecretBytes),
    /// TLS, on a connection on which nothing waits to be read: [`Dialogue::is_encrypted_now`].
    Tls,
    /// Nothing: the connection can be closed.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    TlsAtOnce,
    Greeting,
    Hello,
    StartTls,
    TlsAfterClear,
    AuthPlain,
    AuthLogin,
    AuthUser,
    AuthPassword,
    Mail,
    Recipient(usize),
    Data,
    /// The n-th of the recipients that were accepted.
    Content(usize),
    Quit,
    End,
}

/// One mail to one server.
pub struct Dialogue<'a> {
    terms: Terms<'a>,
    letter: Letter<'a>,
    measure: Measure,
    extensions: Extensions,
    is_encrypted: bool,
    step: Step,
    pending: Option<SecretBytes>,
    accepted: Vec<usize>,
    outcomes: Vec<Option<Carried>>,
}

impl<'a> Dialogue<'a> {
    /// Before the first octet.
    pub fn new(terms: Terms<'a>, letter: Letter<'a>) -> Dialogue<'a> {
        let step = if terms.way == Way::Encrypted { Step::TlsAtOnce } else { Step::Greeting };
        let mut dialogue = Dialogue {
            terms,
            letter,
            measure: Measure::of(letter.message),
            extensions: Extensions::default(),
            is_encrypted: false,
            step,
            pending: None,
            accepted: Vec::new(),
            outcomes: vec![None; letter.recipients.len()],
        };
        if let Some(why) = dialogue.unfit() {
            dialogue.settle(Carried::Refused(why));
        }
        if dialogue.is_decided() {
            dialogue.step = Step::End;
        }
        dialogue
    }

    /// What no server could take.
    fn unfit(&self) -> Option<String> {
        if self.measure.has_nul {
            return Some("the message holds octets of zero, at which servers cut mail off".to_owned());
        }
        let sender = self.letter.sender;
        let fits = sender.is_empty() || Address::parse(sender).is_ok();
        (!fits).then(|| "its return path is no mail address".to_owned())
    }

    /// Is there an outcome for every recipient?
    pub fn is_decided(&self) -> bool {
        self.outcomes.iter().all(Option::is_some)
    }

    /// Does the server have the whole mail, and its answer is not there yet?
    pub fn awaits_verdict(&self) -> bool {
        matches!(self.step, Step::Content(_)) && self.pending.is_none()
    }

    /// What comes next.
    pub fn want(&mut self) -> Want {
        match (self.pending.take(), self.step) {
            (Some(octets), _) => Want::Send(octets),
            (None, Step::TlsAtOnce | Step::TlsAfterClear) => Want::Tls,
            (None, Step::End) => Want::End,
            (None, _) => Want::Reply,
        }
    }

    /// TLS has begun, and the server is who it should be. What it said before counts no more (RFC 3207 4.2).
    pub fn is_encrypted_now(&mut self) {
        self.is_encrypted = true;
        self.extensions = Extensions::default();
        match self.step {
            Step::TlsAfterClear => self.hello(),
            _ => self.step = Step::Greeting,
        }
    }

    /// The connection is lost, or was never there: who has no outcome yet is tried again later.
    pub fn fail(&mut self, why: &str) {
        self.settle(Carried::Later(why.to_owned()));
        self.pending = None;
        self.step = Step::End;
    }

    /// One for each recipient, in their order.
    pub fn outcomes(self) -> Vec<Carried> {
        let open = || Carried::Later("the conversation with the server was cut off".to_owned());
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(open)).collect()
    }

    /// The server's answer to what was sent last.
    pub fn take(&mut self, reply: &Reply) {
        match self.step {
            Step::Quit | Step::End | Step::TlsAtOnce | Step::TlsAfterClear => self.step = Step::End,
            // RFC 5321 3.8: it goes away.
            _ if reply.code == 421 => {
                let why = self.told(reply);
                self.fail(&why);
            }
            Step::Greeting if reply.code == 220 => self.hello(),
            Step::Hello if reply.code == 250 => self.greeted(reply),
            Step::StartTls if reply.code == 220 => self.step = Step::TlsAfterClear,
            Step::AuthPlain | Step::AuthPassword if reply.code == 235 => self.mail(),
            Step::AuthLogin if reply.code == 334 => self.login_step(Step::AuthUser, Login::user),
            Step::AuthUser if reply.code == 334 => self.login_step(Step::AuthPassword, Login::password),
            Step::Mail if reply.is_positive() => self.recipient_from(0),
            Step::Recipient(at) => self.took_recipient(at, reply),
            Step::Data if reply.code == 354 => {
                self.say(wire_form(self.letter.message), Step::Content(0));
            }
            Step::Content(at) => self.took_content(at, reply),
            Step::Mail | Step::Data => {
                let outcome = self.judged(reply);
                self.settle(outcome);
                self.quit();
            }
            _ => {
                let why = self.told(reply);
                self.settle(Carried::Later(why));
                self.quit();
            }
        }
    }

    fn greeted(&mut self, reply: &Reply) {
        self.extensions = Extensions::read(reply);
        let (offers, way) = (self.extensions.starttls, self.terms.way);
        match way {
            _ if self.is_encrypted => self.log_in(),
            Way::StartTls | Way::StartTlsIfOffered if offers => self.command("STARTTLS", Step::StartTls),
            Way::StartTls => self.give_up("the server offers no STARTTLS, and submission-tls requires it"),
            _ => self.log_in(),
        }
    }

    fn log_in(&mut self) {
        match self.terms.login {
            None => self.mail(),
            Some(_) if !self.is_encrypted => {
                self.give_up("the server offers no TLS, and a password never goes in the clear");
            }
            Some(login) if self.extensions.plain => self.say(login.plain(), Step::AuthPlain),
            Some(_) if self.extensions.login => self.command("AUTH LOGIN", Step::AuthLogin),
            Some(_) => self.give_up("the server offers neither AUTH PLAIN nor AUTH LOGIN"),
        }
    }

    fn login_step(&mut self, step: Step, answer: fn(&Login) -> SecretBytes) {
        match self.terms.login {
            Some(login) => self.say(answer(login), step),
            None => self.give_up("the server asks for a login that nobody began"),
        }
    }

    fn mail(&mut self) {
        if let Some(why) = self.beyond_the_server() {
            self.settle(Carried::Refused(why));
        }
        if !self.extensions.utf8 {
            self.refuse_odd_recipients();
        }
        if self.is_decided() {
            return self.quit();
        }
        let sender = Address::parse(self.letter.sender).map(|sender| sender.to_string()).unwrap_or_default();
        let mut command = format!("MAIL FROM:<{sender}>");
        if self.extensions.size.is_some() {
            command += &format!(" SIZE={}", self.measure.octets);
        }
        if self.measure.is_8bit {
            command += " BODY=8BITMIME";
        }
        if !sender.is_ascii() || self.letter.recipients.iter().any(is_odd) {
            // Recipients that the server cannot take are decided by now.
            command += if self.extensions.utf8 { " SMTPUTF8" } else { "" };
        }
        self.command(&command, Step::Mail);
    }

    /// Nothing is rewritten for a server that can do less: that would break the signatures of others.
    fn beyond_the_server(&self) -> Option<String> {
        let Measure { octets, is_8bit, .. } = self.measure;
        if let Some(most) = self.extensions.is_too_small_for(octets) {
            return Some(format!("the message has {octets} octets, and the server takes {most} at most"));
        }
        if is_8bit && !self.extensions.eight_bit {
            return Some("the message has octets above 127, and the server offers no 8BITMIME".to_owned());
        }
        let odd_sender = !self.letter.sender.is_ascii() && !self.extensions.utf8;
        odd_sender.then(|| "its return path is not ASCII, and the server offers no SMTPUTF8".to_owned())
    }

    fn refuse_odd_recipients(&mut self) {
        for (recipient, outcome) in self.letter.recipients.iter().zip(&mut self.outcomes) {
            if is_odd(recipient) && outcome.is_none() {
                let why = "the address is not ASCII, and the server offers no SMTPUTF8";
                *outcome = Some(Carried::Refused(why.to_owned()));
            }
        }
    }

    fn recipient_from(&mut self, first: usize) {
        let mut open = self.letter.recipients.iter().zip(&self.outcomes).enumerate().skip(first);
        let next = open.find(|(_, (_, outcome))| outcome.is_none()).map(|(at, (to, _))| (at, to));
        match next {
            Some((at, to)) => self.command(&format!("RCPT TO:<{to}>"), Step::Recipient(at)),
            None if self.accepted.is_empty() => self.quit(),
            None => self.command("DATA", Step::Data),
        }
    }

    fn took_recipient(&mut self, at: usize, reply: &Reply) {
        if reply.is_positive() {
            self.accepted.push(at);
        } else {
            let outcome = self.judged(reply);
            self.decide(at, outcome);
        }
        self.recipient_from(at + 1);
    }

    fn took_content(&mut self, nth: usize, reply: &Reply) {
        let outcome = if reply.is_positive() { Carried::Sent } else { self.judged(reply) };
        match self.terms.dialect {
            Dialect::Smtp => {
                self.settle(outcome);
                self.quit();
            }
            Dialect::Lmtp => {
                if let Some(at) = self.accepted.get(nth).copied() {
                    self.decide(at, outcome);
                }
                self.step = Step::Content(nth + 1);
                if nth + 1 >= self.accepted.len() {
                    self.quit();
                }
            }
        }
    }

    /// Refused for good, or later. What is wrong with this site's login is nothing against the mail; and too many recipients
    /// are too many for today (RFC 5321 4.5.3.1.10).
    fn judged(&self, reply: &Reply) -> Carried {
        let passes = matches!(reply.code, 530 | 534 | 535 | 538)
            || (reply.code == 552 && matches!(self.step, Step::Recipient(_)));
        match reply.is_permanent() && !passes {
            true => Carried::Refused(self.told(reply)),
            false => Carried::Later(self.told(reply)),
        }
    }

    /// Once the server has seen the message or a password, its words are not repeated: it may quote them.
    fn told(&self, reply: &Reply) -> String {
        let (asked, said) = match self.step {
            Step::Greeting | Step::TlsAtOnce => ("being connected", reply.words()),
            Step::Hello => ("the greeting", reply.words()),
            Step::StartTls | Step::TlsAfterClear => ("STARTTLS", reply.words()),
            Step::AuthPlain | Step::AuthLogin | Step::AuthUser | Step::AuthPassword => {
                ("the login", reply.codes())
            }
            Step::Mail => ("MAIL", reply.words()),
            Step::Recipient(_) => ("RCPT", reply.words()),
            Step::Data => ("DATA", reply.words()),
            Step::Content(_) | Step::Quit | Step::End => ("the message", reply.codes()),
        };
        format!("the server's answer to {asked}: {said}")
    }

    fn hello(&mut self) {
        let verb = if self.terms.dialect == Dialect::Lmtp { "LHLO" } else { "EHLO" };
        self.command(&format!("{verb} {}", self.terms.name), Step::Hello);
    }

    fn command(&mut self, line: &str, step: Step) {
        self.say(SecretBytes::new(format!("{line}\r\n").into_bytes()), step);
    }

    fn say(&mut self, octets: SecretBytes, step: Step) {
        self.pending = Some(octets);
        self.step = step;
    }

    fn give_up(&mut self, why: &str) {
        self.settle(Carried::Later(why.to_owned()));
        self.quit();
    }

    fn quit(&mut self) {
        self.command("QUIT", Step::Quit);
    }

    fn decide(&mut self, at: usize, outcome: Carried) {
        if let Some(open) = self.outcomes.get_mut(at).filter(|open| open.is_none()) {
            *open = Some(outcome);
        }
    }

    /// For all who have no outcome yet.
    fn settle(&mut self, outcome: Carried) {
        let open = self.outcomes.iter_mut().filter(|open| open.is_none());
        open.for_each(|open| *open = Some(outcome.clone()));
    }
}

fn is_odd(address: &Address) -> bool {
    !address.local().is_ascii()
}

#[cfg(test)]
mod tests;

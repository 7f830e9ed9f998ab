//! A server over a socket.

use super::dialogue::{Dialect, Dialogue, Letter, Terms, Want, Way};
use super::link::{Link, left};
use super::login::Login;
use super::reply::{Reply, ReplyReader};
use super::{CourierError, Equipment};
use crate::engine::{Carried, Courier, HostPort, Submission};
use crate::mail::Address;
use crate::pki::tls_client;
use rustls::ClientConfig;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For a name to be found, and for a connection and its TLS.
const CONNECTING: Duration = Duration::from_secs(30);
/// For a command and its reply: RFC 5321 4.5.3.2 gives five minutes to servers that do much before they answer. Those that a
/// site submits to answer sooner.
const ANSWERING: Duration = Duration::from_secs(120);
/// After everything is decided.
const LEAVING: Duration = Duration::from_secs(2);
/// What is read at a time.
const PIECE: usize = 4096;

/// Where a server listens.
pub(super) enum Place {
    Host(HostPort),
    Socket(PathBuf),
}

impl Place {
    /// Of the server that the setting names, and what it speaks.
    pub(super) fn of(to: &Submission) -> (Place, Dialect) {
        match to {
            Submission::Smtp(to) | Submission::Smtps(to) => (Place::Host(to.clone()), Dialect::Smtp),
            Submission::Lmtp(to) => (Place::Host(to.clone()), Dialect::Lmtp),
            Submission::LmtpUnix(path) | Submission::Program(path) => {
                (Place::Socket(path.clone()), Dialect::Lmtp)
            }
        }
    }

    pub(super) fn connect(&self, until: Instant) -> Result<Link, String> {
        let link = match self {
            Place::Host(to) => Link::tcp(&to.host, to.port, until),
            Place::Socket(path) => Link::unix(path, until),
        };
        link.map_err(|error| format!("cannot connect to {self}: {}", shown(&error)))
    }

    pub(super) fn broken(&self, error: &io::Error) -> String {
        format!("the connection to {self} broke: {}", shown(error))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(to) => write!(out, "{to}"),
            Place::Socket(path) => write!(out, "{}", path.display()),
        }
    }
}

/// Speaks SMTP or LMTP.
pub(super) struct SmtpCourier {
    place: Place,
    dialect: Dialect,
    way: Way,
    name: String,
    login: Option<Login>,
    tls: Option<Arc<ClientConfig>>,
    limit: Duration,
    answer: Duration,
}

impl SmtpCourier {
    pub(super) fn new(
        to: &Submission,
        way: Way,
        equipment: Equipment<'_>,
    ) -> Result<SmtpCourier, CourierError> {
        let (place, dialect) = Place::of(to);
        let tls = match way {
            Way::Clear => None,
            _ => {
                let authorities = (equipment.authorities)().map_err(CourierError::Tls)?;
                Some(tls_client(&authorities).map_err(|error| CourierError::Tls(error.to_string()))?)
            }
        };
        let Equipment { login, name, limit, answer, .. } = equipment;
        Ok(SmtpCourier { place, dialect, way, name, login, tls, limit, answer })
    }

    fn encrypt(&self, link: Link) -> io::Result<Link> {
        match (&self.tls, &self.place) {
            (Some(config), Place::Host(to)) => link.encrypt(Arc::clone(config), &to.host),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Drives the conversation to its end; or what broke it off.
    fn talk(&self, dialogue: &mut Dialogue<'_>) -> Result<(), String> {
        let mut end = Instant::now() + self.limit;
        let mut link = self.place.connect(soon(end, CONNECTING))?;
        let mut incoming = Incoming::default();
        loop {
            match dialogue.want() {
                Want::End => return Ok(()),
                Want::Send(octets) => {
                    // Large messages take their time.
                    link.until(if octets.expose().len() > PIECE { end } else { soon(end, ANSWERING) });
                    link.send(octets.expose()).map_err(|error| self.place.broken(&error))?;
                    if dialogue.awaits_verdict() {
                        end = Instant::now() + self.answer;
                    }
                }
                Want::Tls => {
                    incoming.refuse_leftovers()?;
                    link.until(soon(end, CONNECTING));
                    link = self.encrypt(link).map_err(|error| self.untrusted(&error))?;
                    dialogue.is_encrypted_now();
                }
                Want::Reply => {
                    link.until(match dialogue.is_decided() {
                        true => soon(end, LEAVING),
                        false if dialogue.awaits_verdict() => end,
                        false => soon(end, ANSWERING),
                    });
                    dialogue.take(&incoming.reply(&mut link).map_err(|error| self.place.broken(&error))?);
                }
            }
            left(end).map_err(|error| self.place.broken(&error))?;
        }
    }

    fn untrusted(&self, error: &io::Error) -> String {
        let hint = "who may vouch for it: sealpost trust list";
        format!("no TLS with {}: {} ({hint})", self.place, shown(error))
    }
}

/// So long from now, and no later than the end.
fn soon(end: Instant, time: Duration) -> Instant {
    end.min(Instant::now() + time)
}

/// As a person says it.
fn shown(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut => "it took too long".to_owned(),
        ErrorKind::UnexpectedEof => "the server hung up".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}

impl Courier for SmtpCourier {
    fn carry(&self, sender: &str, recipients: &[Address], message: &[u8]) -> Vec<Carried> {
        let (name, login) = (self.name.as_str(), self.login.as_ref());
        let terms = Terms { dialect: self.dialect, name, way: self.way, login };
        let mut dialogue = Dialogue::new(terms, Letter { sender, recipients, message });
        if !dialogue.is_decided()
            && let Err(why) = self.talk(&mut dialogue)
        {
            dialogue.fail(&why);
        }
        dialogue.outcomes()
    }
}

/// Octets that came and belong to no reply yet.
#[derive(Default)]
pub(super) struct Incoming {
    reader: ReplyReader,
    waiting: Vec<u8>,
}

impl Incoming {
    /// Reads on until a reply is whole. What came with it and behind it waits, one piece at most.
    pub(super) fn reply(&mut self, link: &mut Link) -> io::Result<Reply> {
        loop {
            let (taken, reply) = self.reader.take(&self.waiting).map_err(io::Error::other)?;
            self.waiting.drain(..taken);
            if let Some(reply) = reply {
                return Ok(reply);
            }
            let mut piece = [0; PIECE];
            let got = link.receive(&mut piece)?;
            self.waiting.extend_from_slice(piece.get(..got).unwrap_or_default());
        }
    }

    /// What somebody put behind the answer to STARTTLS would pass for the server's word inside of TLS.
    fn refuse_leftovers(&self) -> Result<(), String> {
        match self.waiting.is_empty() && self.reader.is_empty() {
            true => Ok(()),
            false => Err("the server went on talking after it agreed to STARTTLS".to_owned()),
        }
    }
}

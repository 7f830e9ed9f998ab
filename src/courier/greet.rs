//! Does a server answer? It is greeted, and nothing is sent.

use super::reply::Reply;
use super::smtp::{Incoming, Place};
use crate::engine::Submission;
use std::time::{Duration, Instant};

/// Greets the LMTP server (RFC 2033) as `name` and leaves; in words what went otherwise than it should.
pub fn greet(to: &Submission, name: &str, limit: Duration) -> Result<(), String> {
    let until = Instant::now() + limit;
    let (place, _) = Place::of(to);
    let mut link = place.connect(until)?;
    let mut incoming = Incoming::default();
    for command in ["", &format!("LHLO {name}\r\n"), "QUIT\r\n"] {
        link.send(command.as_bytes()).map_err(|error| place.broken(&error))?;
        let reply = incoming.reply(&mut link).map_err(|error| place.broken(&error))?;
        refuse_other(&place, command, &reply)?;
    }
    Ok(())
}

fn refuse_other(place: &Place, command: &str, reply: &Reply) -> Result<(), String> {
    if reply.is_positive() {
        return Ok(());
    }
    let to = command.split([' ', '\r']).next().filter(|verb| !verb.is_empty()).unwrap_or("the connection");
    Err(format!("{place} answers {to} with \"{}\"", reply.words()))
}

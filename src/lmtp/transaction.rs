//! From whom and to whom: what MAIL and RCPT said.

use super::command::Sender;
use super::reply::Reply;
use super::want::{Envelope, LONGEST_RETURN_PATH};
use crate::mail::Address;

/// Recipients of one message (RFC 5321 4.5.3.1.8 asks for a hundred).
pub(super) const MOST_RECIPIENTS: usize = 1000;

/// What is known of the envelope so far.
#[derive(Default)]
pub(super) struct Transaction {
    sender: Option<Sender>,
    recipients: Vec<Address>,
}

impl Transaction {
    /// Takes a sender.
    pub(super) fn open(&mut self, sender: Sender, max_message: u64) -> Result<(), Reply> {
        if self.is_open() {
            return Err(Reply::SECOND_SENDER);
        }
        if sender.size.is_some_and(|size| size > max_message) {
            return Err(Reply::TOO_LARGE);
        }
        if return_path(&sender.path).len() > LONGEST_RETURN_PATH {
            return Err(Reply::SENDER_SYNTAX);
        }
        self.sender = Some(sender);
        Ok(())
    }

    /// Was there MAIL?
    pub(super) fn is_open(&self) -> bool {
        self.sender.is_some()
    }

    /// Octets that the client expects to send.
    pub(super) fn declared(&self) -> Option<u64> {
        self.sender.as_ref().and_then(|sender| sender.size)
    }

    /// The field that whoever delivers at last puts in front of a message (RFC 5321 4.4).
    pub(super) fn return_path(&self) -> String {
        return_path(self.sender.as_ref().map_or("", |sender| &sender.path))
    }

    /// The address of a path, if it may be a recipient here; whether there is such an account is not known yet.
    pub(super) fn read_recipient(&self, path: &str, host: &str) -> Result<Address, Reply> {
        let sender = self.sender.as_ref().ok_or(Reply::NO_SENDER)?;
        if self.recipients.len() == MOST_RECIPIENTS {
            return Err(Reply::MANY_RECIPIENTS);
        }
        if !path.is_ascii() && !sender.is_utf8 {
            return Err(Reply::NOT_ASCII);
        }
        // RFC 5321 4.5.1: he has no domain.
        let postmaster = path.eq_ignore_ascii_case("postmaster").then(|| format!("{path}@{host}"));
        Address::parse(postmaster.as_deref().unwrap_or(path)).map_err(|_| Reply::RECIPIENT_SYNTAX)
    }

    pub(super) fn add(&mut self, recipient: Address) {
        self.recipients.push(recipient);
    }

    /// How many recipients.
    pub(super) fn recipients(&self) -> usize {
        self.recipients.len()
    }

    /// The envelope, and then there is none.
    pub(super) fn close(&mut self) -> Envelope {
        let Transaction { sender, recipients } = std::mem::take(self);
        Envelope { sender: sender.map(|sender| sender.path).unwrap_or_default(), recipients }
    }
}

fn return_path(path: &str) -> String {
    format!("Return-Path: <{path}>\r\n")
}

//! What an evaluation is given: the message, its envelope, and what was looked up for the rules.

use crate::cms::{RecipientId, Wrapping};
use crate::mail::{HeaderEdits, Message};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// How the message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// From a host that the site trusts.
    Trusted,
    /// From an authenticated sender.
    Authenticated,
    /// Over LMTP.
    Lmtp,
    /// Through the pipe hook.
    #[default]
    Pipe,
}

impl Source {
    /// Its word in rules.
    pub(super) fn name(self) -> &'static str {
        match self {
            Source::Trusted => "trusted",
            Source::Authenticated => "authenticated",
            Source::Lmtp => "lmtp",
            Source::Pipe => "pipe",
        }
    }

    /// Over what the message was handed over. Who is trusted or authenticated is known of the pipe hook alone.
    pub(super) fn transport(self) -> &'static str {
        match self {
            Source::Lmtp => "LMTP",
            Source::Trusted | Source::Authenticated | Source::Pipe => "PIPE",
        }
    }
}

/// The SMTP envelope as rules see it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Return path; empty for the null sender; absent if the hook did not say.
    pub sender: Option<String>,
    /// Recipients before routing (ORCPT if given). Account level: only this account's.
    pub recipients: Vec<String>,
    /// How it came in.
    pub source: Source,
    /// The address of the client that handed it over, if the hook says so.
    pub client: Option<String>,
}

/// What was seen of a message of which only the begin is at hand.
#[derive(Debug, Clone, Default)]
pub struct Beyond {
    /// Octets of the whole message.
    pub size: u64,
    /// What it is wrapped in.
    pub wrapping: Wrapping,
}

/// What the engine looked up for this evaluation; see [`Needs`].
#[derive(Debug, Clone)]
pub struct Facts {
    /// How RecipientInfos name the acting account's certificates (for `encrypted-to-owner`).
    pub owner_ids: Vec<RecipientId>,
    /// The acting account's mailboxes.
    pub mailboxes: Vec<String>,
    /// Its datasets that the rules name. One that is not there has no members.
    pub datasets: BTreeMap<String, Vec<String>>,
    /// Its preferences: name, value.
    pub preferences: Vec<(String, String)>,
    /// Where the recipients lead: `LOCAL(account@domain)`, `RELAY(address)`. Server scope only.
    pub routes: Vec<String>,
    /// Now, in the zone of the site.
    pub now: OffsetDateTime,
    /// Absent where the whole message is at hand.
    pub beyond: Option<Beyond>,
}

impl Default for Facts {
    /// Nothing was looked up, at the begin of 1970 in UTC.
    fn default() -> Facts {
        Facts {
            owner_ids: Vec::new(),
            mailboxes: Vec::new(),
            datasets: BTreeMap::new(),
            preferences: Vec::new(),
            routes: Vec::new(),
            now: OffsetDateTime::UNIX_EPOCH,
            beyond: None,
        }
    }
}

/// Which facts a program looks at: known before the first message comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// [`Facts::owner_ids`]
    pub owner_ids: bool,
    /// [`Facts::mailboxes`]
    pub mailboxes: bool,
    /// These of [`Facts::datasets`].
    pub datasets: BTreeSet<String>,
    /// [`Facts::preferences`]
    pub preferences: bool,
    /// [`Facts::routes`]
    pub routes: bool,
    /// [`Envelope::recipients`]
    pub recipients: bool,
    /// [`Facts::now`]
    pub now: bool,
}

/// What an evaluation looks at.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The message as it was received.
    pub message: &'a Message<'a>,
    /// Its envelope.
    pub envelope: &'a Envelope,
    /// What was looked up.
    pub facts: &'a Facts,
    /// What rules of the server did to the header before.
    pub edits: &'a HeaderEdits,
}

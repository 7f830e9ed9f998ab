//! What many messages come to.

use super::line::sealing;
use crate::cli::failure::Failure;
use crate::cli::mailbox::leftovers::Leftovers;
use crate::cli::output::{Output, Table, with};
use crate::cms::{Holder, HolderRole, HolderState};
use crate::mailbox::{Looked, Sealing, State};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// Numbers of messages.
#[derive(Default)]
pub(super) struct Tally {
    messages: usize,
    /// Octets.
    bytes: u64,
    clear: usize,
    /// Of those in the clear.
    signed: usize,
    sealed: usize,
    post_quantum: usize,
    /// They name a certificate that was retired or taken back, and no active one of an account or a domain's key.
    only_retired: usize,
    /// They name such a one beside an active one.
    also_retired: usize,
    weak: usize,
    /// They name nobody whom we know.
    to_nobody_here: usize,
    open_pgp: usize,
    broken: usize,
    pub(super) unreadable: usize,
    /// Mailboxes that could not be listed.
    pub(super) unlisted: usize,
    /// In the order of a report: whose, which certificate.
    to: BTreeMap<(String, String), (Holder, usize)>,
}

/// Is mail not sealed to it any more? Then `mailbox rekey` hands on what names nothing better.
fn is_past(holder: &Holder) -> bool {
    matches!(holder.state, HolderState::Retired | HolderState::Revoked | HolderState::Hold)
}

impl Tally {
    pub(super) fn count(&mut self, message: &Looked) {
        self.messages += 1;
        self.bytes += message.size;
        match &message.state {
            State::Clear => self.clear += 1,
            State::Signed => {
                self.clear += 1;
                self.signed += 1;
            }
            State::Sealed(_) => self.sealed += 1,
            State::OpenPgp => self.open_pgp += 1,
            State::Broken(_) => self.broken += 1,
            State::Unreadable(_) => self.unreadable += 1,
        }
        if let Some(sealing) = sealing(&message.state) {
            self.count_sealed(sealing);
        }
    }

    /// A file that lies there and whose name cannot be read.
    pub(super) fn count_unnamed(&mut self) {
        self.messages += 1;
        self.unreadable += 1;
    }

    fn count_sealed(&mut self, sealing: &Sealing) {
        let holders = || sealing.envelope.recipients.iter().flat_map(|to| &to.holders);
        // What is there for recovery does not make a lost key good.
        let active = holders().any(|holder| holder.active && holder.role != HolderRole::Recovery);
        let retired = holders().any(is_past);
        self.only_retired += usize::from(retired && !active);
        self.also_retired += usize::from(retired && active);
        self.weak += usize::from(!sealing.weak.is_empty());
        self.post_quantum += usize::from(sealing.envelope.is_post_quantum());
        self.to_nobody_here += usize::from(holders().next().is_none());
        // A message may name one certificate twice.
        let mut seen = HashSet::new();
        for holder in holders().filter(|holder| seen.insert((&holder.account, &holder.certificate))) {
            let key = (holder.account.clone(), holder.certificate.clone());
            self.to.entry(key).or_insert_with(|| (holder.clone(), 0)).1 += 1;
        }
    }

    pub(super) fn show(&self, leftovers: &Leftovers, out: &mut Output) -> Result<(), Failure> {
        out.table(&self.table())?;
        if !self.to.is_empty() {
            out.line("")?;
            out.table(&self.to_whom())?;
        }
        leftovers.tell(out);
        out.json(with(self.json(), [("leftovers", leftovers.json())]))
    }

    fn table(&self) -> Table {
        let total = format!("{}, {} bytes", self.messages, self.bytes);
        let clear = match self.signed {
            0 => self.clear.to_string(),
            signed => format!("{}, {signed} of them signed", self.clear),
        };
        let always = [("messages", total), ("in the clear", clear), ("sealed", self.sealed.to_string())];
        let some = [
            ("  only on retired or revoked keys", self.only_retired),
            ("  also on retired or revoked keys", self.also_retired),
            ("  on weak algorithms", self.weak),
            ("  to nobody here", self.to_nobody_here),
            ("  post-quantum", self.post_quantum),
            ("OpenPGP", self.open_pgp),
            ("broken S/MIME", self.broken),
            ("unreadable", self.unreadable),
            ("mailboxes not listed", self.unlisted),
        ];
        let some = some.into_iter().filter(|(_, number)| *number > 0);
        Table::fields(always.into_iter().chain(some.map(|(name, number)| (name, number.to_string()))))
    }

    fn to_whom(&self) -> Table {
        let mut table = Table::new(&["sealed to", "certificate", "since", "state", "messages"], "");
        for (holder, messages) in self.to.values() {
            let whose = match holder.role {
                HolderRole::Account => holder.account.clone(),
                HolderRole::DomainKey => format!("key of {}", holder.account),
                HolderRole::Recovery => format!("recovery of {}", holder.account),
            };
            let certificate = crate::cli::words::short(&holder.certificate);
            let (since, state) = (holder.since.clone(), holder.state.name().to_owned());
            table.row([whose, certificate, since, state, messages.to_string()]);
        }
        table
    }

    fn json(&self) -> Value {
        let to: Vec<Value> = self
            .to
            .values()
            .map(|(holder, messages)| json!({"holder": holder, "messages": messages}))
            .collect();
        json!({
            "event": "summary",
            "messages": self.messages,
            "bytes": self.bytes,
            "clear": self.clear,
            "signed": self.signed,
            "sealed": self.sealed,
            "only_retired": self.only_retired,
            "also_retired": self.also_retired,
            "weak": self.weak,
            "to_nobody_here": self.to_nobody_here,
            "post_quantum": self.post_quantum,
            "openpgp": self.open_pgp,
            "broken": self.broken,
            "unreadable": self.unreadable,
            "unlisted_mailboxes": self.unlisted,
            "to": to,
        })
    }
}

//! Who besides the owners kept copies of messages, and who lost them.

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table};
use crate::mailbox::{Notes, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Messages that each address kept and lost. No address is left out: an account that somebody wrote into messages is to be
/// seen among many that have a right.
#[derive(Default)]
pub(super) struct Readers {
    keep: BTreeMap<String, u64>,
    lose: BTreeMap<String, u64>,
}

impl Readers {
    pub(super) fn take(&mut self, outcome: &Outcome) {
        let (Outcome::Replaced { notes, .. } | Outcome::WouldReplace(notes)) = outcome else { return };
        let Notes { keep, lose, .. } = notes;
        for (counts, addresses) in [(&mut self.keep, keep), (&mut self.lose, lose)] {
            for address in addresses {
                *counts.entry(address.to_string()).or_default() += 1;
            }
        }
    }

    pub(super) fn tell(&self, dry_run: bool, out: &mut Output) -> Result<(), Failure> {
        if self.keep.is_empty() && self.lose.is_empty() {
            return Ok(());
        }
        let [keeps, loses] = match dry_run {
            true => ["would keep its copy", "could no longer open it: no right on the mailbox, no --keep"],
            false => ["keeps its copy", "can no longer open it: no right on the mailbox, no --keep"],
        };
        let mut table = Table::new(&["other account", "messages", "what becomes of its copies"], "");
        for (counts, what) in [(&self.keep, keeps), (&self.lose, loses)] {
            for (address, messages) in counts {
                table.row([address.clone(), messages.to_string(), what.to_owned()]);
            }
        }
        if out.is_text() {
            out.line("")?;
        }
        out.table(&table)
    }

    pub(super) fn json(&self) -> [(&'static str, Value); 2] {
        let listed = |counts: &BTreeMap<String, u64>| {
            let one =
                |(account, messages): (&String, &u64)| json!({"account": account, "messages": messages});
            Value::Array(counts.iter().map(one).collect())
        };
        [("kept_by", listed(&self.keep)), ("lost_by", listed(&self.lose))]
    }
}

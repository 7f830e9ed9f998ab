//! What Dovecot may still hold of messages that were replaced, and the commands that drop it.

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::words::shell_word;
use crate::store::StoredMailbox;
use crate::store::leftovers::{self, Leftover, LeftoverKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What was found beside some mailboxes.
pub(in crate::cli) struct Leftovers(Vec<Leftover>);

impl Leftovers {
    /// Beside these mailboxes.
    pub(in crate::cli) fn of(mailboxes: &[Arc<StoredMailbox>]) -> Result<Leftovers, Failure> {
        Ok(Leftovers(leftovers::of(mailboxes)?))
    }

    /// Tells a person, beside the result.
    pub(in crate::cli) fn tell(&self, out: &Output) {
        if !self.0.is_empty() {
            out.note(&self.lines().join("\n"));
        }
    }

    /// For the field `leftovers` of a JSON object: each with its account, and the commands.
    pub(in crate::cli) fn json(&self) -> Value {
        let found: Vec<Value> = self.0.iter().map(described).collect();
        json!({"found": found, "commands": self.commands()})
    }

    /// What to type, in a shell, where Dovecot runs; Dovecot is taken to call its users by their addresses.
    pub(in crate::cli) fn commands(&self) -> Vec<String> {
        self.by_account().into_iter().flat_map(|(owner, found)| commands(&owner, &found)).collect()
    }

    fn lines(&self) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let kept: BTreeSet<&str> = self.0.iter().map(|one| words(one.kind)).collect();
        let kept = kept.into_iter().collect::<Vec<_>>().join(", ");
        let mut lines = vec![format!(
            "warning: Dovecot may still hold words of messages that were replaced: {kept}. Drop them:"
        )];
        lines.extend(self.commands().into_iter().map(|command| format!("  {command}")));
        if self.0.iter().any(|one| one.kind == LeftoverKind::Elsewhere) {
            let text =
                "what lies outside the Maildir (INDEX=) or in a search server cannot be seen from here";
            lines.push(format!("{text}: where messages are searched by a full-text index, drop that too"));
        }
        lines
    }

    fn by_account(&self) -> BTreeMap<String, BTreeSet<(LeftoverKind, &str)>> {
        let mut accounts: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for one in &self.0 {
            let path = one.path.to_str().unwrap_or_default();
            accounts.entry(one.mailbox.owner.to_string()).or_default().insert((one.kind, path));
        }
        accounts
    }
}

fn described(one: &Leftover) -> Value {
    json!({
        "account": one.mailbox.owner.to_string(),
        "mailbox": one.mailbox.name,
        "kind": one.kind.name(),
        "path": one.path,
    })
}

fn words(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::Cache => "the cache of headers and first lines",
        LeftoverKind::Elsewhere => "what it keeps in another place",
        _ => "the full-text index",
    }
}

/// Dovecot's names of mailboxes depend on its separator, so that it lists them itself.
fn commands(owner: &str, found: &BTreeSet<(LeftoverKind, &str)>) -> Vec<String> {
    let user = shell_word(owner);
    let has = |wanted: &[LeftoverKind]| found.iter().any(|(kind, _)| wanted.contains(kind));
    let mut commands = Vec::new();
    if has(&[LeftoverKind::Cache, LeftoverKind::Elsewhere]) {
        commands.push(format!(
            "doveadm mailbox list -u {user} | while IFS= read -r box; do doveadm mailbox cache purge -u {user} \"$box\"; done"
        ));
    }
    if has(&[LeftoverKind::Flatcurve]) {
        // Of Dovecot 2.4, and of the plugin for 2.3.
        commands.push(format!(
            "doveadm fts flatcurve remove -u {user} '*' || doveadm fts-flatcurve remove -u {user} '*'"
        ));
    }
    // No command of these two takes more out than terms: octets would stay.
    let removed = found.iter().filter(|(kind, _)| [LeftoverKind::Squat, LeftoverKind::Lucene].contains(kind));
    commands.extend(removed.map(|(_, path)| format!("rm -rf -- {}", shell_word(path))));
    if has(&[LeftoverKind::Squat, LeftoverKind::Lucene, LeftoverKind::Xapian]) {
        commands.push(format!("doveadm fts rescan -u {user}"));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(account: &str, found: &[(LeftoverKind, &str)]) -> Vec<String> {
        commands(account, &found.iter().copied().collect())
    }

    #[test]
    fn each_kind_has_what_drops_it() {
        let found =
            [(LeftoverKind::Cache, "/m/dovecot.index.cache"), (LeftoverKind::Xapian, "/m/xapian-indexes")];
        let cache = "doveadm mailbox list -u bob@north.example | while IFS= read -r box; do doveadm mailbox cache purge -u bob@north.example \"$box\"; done";
        assert_eq!(of("bob@north.example", &found), [cache, "doveadm fts rescan -u bob@north.example"]);
        let found = [(LeftoverKind::Lucene, "/m/lucene-indexes"), (LeftoverKind::Squat, "/m/Bob's/search")];
        let commands = [
            r"rm -rf -- '/m/Bob'\''s/search'",
            "rm -rf -- /m/lucene-indexes",
            "doveadm fts rescan -u bob@north.example",
        ];
        assert_eq!(of("bob@north.example", &found), commands);
        let flatcurve = "doveadm fts flatcurve remove -u bob@north.example '*' || doveadm fts-flatcurve remove -u bob@north.example '*'";
        assert_eq!(of("bob@north.example", &[(LeftoverKind::Flatcurve, "/m/fts-flatcurve")]), [flatcurve]);
    }

    #[test]
    fn an_address_is_one_word() {
        let commands = of("o'brien@north.example", &[(LeftoverKind::Xapian, "/m/x")]);
        assert_eq!(commands, [r"doveadm fts rescan -u 'o'\''brien@north.example'"]);
    }

    #[test]
    fn nothing_found_is_nothing_told() {
        assert_eq!(Leftovers(Vec::new()).lines(), Vec::<String>::new());
        assert_eq!(Leftovers(Vec::new()).json(), json!({"found": [], "commands": []}));
    }
}

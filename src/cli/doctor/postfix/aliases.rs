//! What Postfix makes of an account's address before it hands mail over (virtual(5)).

use super::ask::look_up;
use super::lists::words;
use std::collections::{BTreeMap, BTreeSet};

/// What is made of what was made. Postfix gives up later, and so does nobody's mail.
const MOST_ROUNDS: usize = 20;
/// `virtual_alias_recursion_limit`, which nobody changes.
const MOST_NESTED: usize = 1000;
/// Kinds of maps in which only whole addresses are looked up.
const PATTERNS: &[&str] = &["regexp:", "pcre:", "cidr:", "tcp:", "socketmap:", "randmap:", "fail:"];

/// What decides how Postfix looks up.
pub(super) struct Rewriting {
    /// `virtual_alias_maps`
    pub(super) maps: String,
    /// `myorigin`: its users are known by their local part alone.
    pub(super) origin: String,
    /// `recipient_delimiter`: any of these.
    pub(super) delimiters: String,
}

/// What a map says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The address, or the part of it that stands there.
    pub(super) key: String,
    /// As it stands there.
    pub(super) says: String,
    /// The addresses that this means.
    to: Vec<String>,
}

/// Entries by address, in lower case.
#[derive(Debug, Default)]
pub(super) struct Entries(BTreeMap<String, Option<Entry>>);

impl Rewriting {
    /// What becomes of these addresses, and of all that is made of them. An error is in Postfix's words.
    pub(super) fn ask(&self, addresses: &[String]) -> Result<Entries, String> {
        let maps = words(&self.maps);
        let is_fixed = |map: &&String| !PATTERNS.iter().any(|kind| map.contains(kind));
        let fixed: Vec<String> = maps.iter().filter(is_fixed).cloned().collect();
        let mut entries = Entries::default();
        let mut open: BTreeSet<String> = addresses.iter().map(|one| one.to_ascii_lowercase()).collect();
        for _ in 0..MOST_ROUNDS {
            open.retain(|address| !entries.0.contains_key(address));
            if open.is_empty() {
                break;
            }
            let found = self.round(&maps, &fixed, std::mem::take(&mut open))?;
            open.extend(
                found.values().flatten().flat_map(|entry| &entry.to).map(|to| to.to_ascii_lowercase()),
            );
            entries.0.extend(found);
        }
        Ok(entries)
    }

    /// Whole addresses first, in all maps, and then parts of those that nobody knows.
    fn round(
        &self,
        maps: &[String],
        fixed: &[String],
        open: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Option<Entry>>, String> {
        let open: Vec<String> = open.into_iter().collect();
        let whole = look_up(maps, &open)?;
        let unknown = open.iter().filter(|address| !whole.contains_key(*address));
        let parts: BTreeSet<String> = unknown.flat_map(|address| self.parts(address)).collect();
        let parts = look_up(fixed, &parts.into_iter().collect::<Vec<_>>())?;
        let entry = |address: String| {
            let keys = std::iter::once((&whole, address.clone()))
                .chain(self.parts(&address).into_iter().map(|key| (&parts, key)));
            let mut found = keys.filter_map(|(said, key)| Some((said.get(&key)?.clone(), key)));
            let entry = found.next().map(|(says, key)| self.entry(&address, key, says));
            (address, entry)
        };
        Ok(open.into_iter().map(entry).collect())
    }

    /// Under what an address may stand besides, in this order.
    fn parts(&self, address: &str) -> Vec<String> {
        let Some((local, domain)) = address.rsplit_once('@') else { return Vec::new() };
        let bare = local.split_once(|char| self.delimiters.contains(char)).map(|(bare, _)| bare);
        let bare = bare.filter(|bare| !bare.is_empty());
        let is_origin = domain.eq_ignore_ascii_case(&self.origin);
        let locals = [Some(local), bare].into_iter().flatten().filter(|_| is_origin).map(str::to_owned);
        let whole = bare.map(|bare| format!("{bare}@{domain}"));
        whole.into_iter().chain(locals).chain([format!("@{domain}")]).collect()
    }

    /// `@other.example` in the first place means the same user there; who has no domain is at home.
    fn entry(&self, address: &str, key: String, says: String) -> Entry {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        let to = words(&says).into_iter().enumerate().map(|(at, word)| {
            if at == 0 && word.starts_with('@') {
                format!("{local}{word}")
            } else if word.contains('@') {
                word
            } else {
                format!("{word}@{}", self.origin)
            }
        });
        Entry { key, to: to.collect(), says }
    }
}

impl Entries {
    /// What the maps say of this address itself.
    pub(super) fn of(&self, address: &str) -> Option<&Entry> {
        self.0.get(&address.to_ascii_lowercase())?.as_ref()
    }

    /// To whom mail for this address goes in the end: to nobody if it goes round in circles. An address that leads to itself, among
    /// others, stays.
    pub(super) fn ends(&self, address: &str) -> BTreeSet<String> {
        let mut walk =
            Walk { entries: self, path: Vec::new(), walked: BTreeSet::new(), ends: BTreeSet::new() };
        if walk.from(address.to_ascii_lowercase()) { walk.ends } else { BTreeSet::new() }
    }
}

/// From address to address.
struct Walk<'e> {
    entries: &'e Entries,
    path: Vec<String>,
    /// Addresses whose ends are known.
    walked: BTreeSet<String>,
    ends: BTreeSet<String>,
}

impl Walk<'_> {
    /// False for circles, and for what Postfix takes for one.
    fn from(&mut self, address: String) -> bool {
        let Some(entry) = self.entries.of(&address) else {
            self.ends.insert(address);
            return true;
        };
        if self.walked.contains(&address) {
            return true;
        }
        if self.path.contains(&address) || self.path.len() >= MOST_NESTED {
            return false;
        }
        self.path.push(address.clone());
        for to in entry.to.iter().map(|to| to.to_ascii_lowercase()) {
            if to == address {
                self.ends.insert(to);
            } else if !self.from(to) {
                return false;
            }
        }
        self.path.pop();
        self.walked.insert(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewriting() -> Rewriting {
        Rewriting { maps: String::new(), origin: "north.example".into(), delimiters: "+-".into() }
    }

    #[test]
    fn an_address_is_looked_for_in_parts() {
        let parts = |address: &str| rewriting().parts(address);
        assert_eq!(parts("bob@south.example"), ["@south.example"]);
        assert_eq!(parts("bob-x@south.example"), ["bob@south.example", "@south.example"]);
        let all = ["bob@north.example", "bob+x", "bob", "@north.example"];
        assert_eq!(parts("bob+x@north.example"), all);
        assert_eq!(parts("-x@south.example"), ["@south.example"]);
    }

    #[test]
    fn what_a_map_says_means_addresses() {
        let to = |says: &str| rewriting().entry("bob@x", "@x".into(), says.into()).to;
        assert_eq!(to("@east.example"), ["bob@east.example"]);
        assert_eq!(to("eve@x, ada"), ["eve@x", "ada@north.example"]);
    }

    #[test]
    fn addresses_are_followed_to_their_ends() {
        let pairs = [
            ("bob@x", "bob@x, list@x"),
            ("list@x", "Eve@x,ada@x"),
            ("eve@x", "eve@y"),
            ("twice@x", "list@x, ada@x, also@x"),
            ("also@x", "list@x"),
            ("loop@x", "ada@x, round@x"),
            ("round@x", "loop@x"),
        ];
        let entry = |(key, says): (&str, &str)| {
            (key.to_owned(), Some(rewriting().entry(key, key.to_owned(), says.to_owned())))
        };
        let entries = Entries(pairs.map(entry).into());
        let ends = |address: &str| entries.ends(address).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(ends("Bob@x"), "ada@x bob@x eve@y");
        assert_eq!(ends("nobody@x"), "nobody@x");
        assert_eq!(ends("twice@x"), "ada@x eve@y");
        assert_eq!(ends("loop@x"), "", "Postfix delivers to none of them");
    }
}

//! Unique names of messages, by the Maildir convention, and the letters after them.

use crate::mail::Flag;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// `seconds.MmicrosecondsPpidQcounterRrandom.host,S=size,W=wire size`. Any one of pid, counter and 64 random bits
/// would do; together they hold also where pids repeat (containers) or the clock goes back.
pub(super) fn unique(host: &str, size: usize, wire_size: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let count = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}.M{}P{}Q{count}R{:016x}.{host},S={size},W={wire_size}",
        now.as_secs(),
        now.subsec_micros(),
        std::process::id(),
        rand::random::<u64>(),
    )
}

/// Digits that no other name has.
pub(super) fn random() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// The machine's name as a Maildir name may carry it.
pub(super) fn host() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let name: String = name.to_string_lossy().chars().filter(|char| !char.is_control()).collect();
    match name.as_str() {
        "" => "localhost".into(),
        name => name.replace('/', "\\057").replace(':', "\\072").replace(',', "\\054"),
    }
}

/// The size that `,S=` in the name says.
pub(super) fn size_in(name: &str) -> Option<u64> {
    let (_, rest) = name.split_once(",S=")?;
    rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

/// Does the name carry this flag's letter?
pub(super) fn has_letter(name: &str, letter: char) -> bool {
    name.rsplit_once(":2,").is_some_and(|(_, letters)| letters.contains(letter))
}

/// Letters of the system flags and of the keywords (already letters), sorted as the convention asks.
pub(super) fn letters(flags: &[Flag], keywords: &[char]) -> String {
    let system = flags.iter().filter_map(|flag| match flag {
        Flag::Draft => Some('D'),
        Flag::Flagged => Some('F'),
        Flag::Answered => Some('R'),
        Flag::Seen => Some('S'),
        Flag::Deleted => Some('T'),
        Flag::Keyword(_) => None,
    });
    system.chain(keywords.iter().copied()).collect::<BTreeSet<char>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_tell_the_size() {
        let (one, two) = (unique("mx", 12, 14), unique("mx", 12, 14));
        assert_ne!(one, two);
        assert!(one.ends_with(".mx,S=12,W=14"), "{one}");
        assert_eq!(size_in(&one), Some(12));
        assert_eq!(size_in("1.x.mx"), None);
    }

    #[test]
    fn letters_are_sorted_and_once() {
        assert_eq!(letters(&[Flag::Seen, Flag::Flagged, Flag::Seen], &['b', 'a']), "FSab");
        assert!(has_letter("1.x.mx,S=1:2,ST", 'T'));
        assert!(!has_letter("1.T.mx,S=1", 'T'));
    }
}

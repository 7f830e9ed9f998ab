//! Unique names of messages, by the Maildir convention, and the letters after them.

use super::stored::RunId;
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

/// The name of what takes the place of `old`: with its time, so that mailboxes keep their order, and the run that makes it:
/// `seconds.MmicrosecondsPpidQcounterRrandomXrun.host,S=size,W=wire size`.
pub(super) fn replacing(old: &str, run: RunId, host: &str, size: usize, wire_size: usize) -> String {
    let fresh = unique(host, size, wire_size);
    let (_, rest) = fresh.split_once('.').unwrap_or(("", &fresh));
    let (unique, host) = rest.split_once('.').unwrap_or((rest, ""));
    let time = old.split_once('.').map(|(time, _)| time).filter(|time| is_time(time));
    format!("{}.{unique}X{run}.{host}", time.unwrap_or("0"))
}

fn is_time(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The run that made a file of that base name, if one did.
pub(super) fn run_in(base: &str) -> Option<RunId> {
    let (_, run) = base.split('.').nth(1)?.rsplit_once('X')?;
    let run = Some(run).filter(|run| run.len() == 16)?;
    u64::from_str_radix(run, 16).ok().map(RunId)
}

/// The part of a file's name that stays when flags change.
pub(super) fn base(file_name: &str) -> &str {
    file_name.split_once(":2,").map_or(file_name, |(base, _)| base)
}

/// The letters of flags and keywords.
pub(super) fn letters_in(file_name: &str) -> &str {
    file_name.split_once(":2,").map_or("", |(_, letters)| letters)
}

/// The name of what comes from elsewhere, with a mark by which it is known again, where other files name their run:
/// `seconds.MmicrosecondsPpidQcounterRrandomXmark.host,S=size,W=wire size`.
pub(super) fn arriving(mark: RunId, host: &str, (size, wire_size): (usize, usize)) -> String {
    let fresh = unique(host, size, wire_size);
    let mut levels = fresh.splitn(3, '.');
    let mut level = || levels.next().unwrap_or_default();
    let (seconds, unique, rest) = (level(), level(), level());
    format!("{seconds}.{unique}X{mark}.{rest}")
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

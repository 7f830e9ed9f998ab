//! Unique names of messages, by the Maildir convention, and the letters after them.

use super::import::Mark;
use super::stored::RunId;
use crate::mail::Flag;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static DELIVERIES: AtomicU64 = AtomicU64::new(0);
/// The latest moment that a name of this process says, in microseconds since 1970.
static LATEST: AtomicU64 = AtomicU64::new(0);
/// Microseconds: a clock that was set back by more than this is believed.
const SET_BACK: u64 = 1_000_000;

/// `seconds.MmicrosecondsPpidQcounterRrandom.host,S=size,W=wire size`. Any one of pid, counter and 64 random bits
/// would do; together they hold also where pids repeat (containers) or the clock goes back. Names of one process say moments
/// in the order in which they were given, which readers follow, be it as numbers or as text.
pub(super) fn unique(host: &str, size: usize, wire_size: usize) -> String {
    let moment = moment();
    let count = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}P{}Q{count}R{:016x}.{host},S={size},W={wire_size}",
        said(moment),
        std::process::id(),
        rand::random::<u64>(),
    )
}

/// A moment in microseconds since 1970, with zeros in front: as text, 99 999 would lie behind 100 000.
fn said(moment: u64) -> String {
    format!("{}.M{:06}", moment / 1_000_000, moment % 1_000_000)
}

/// Now, in microseconds since 1970, and later than any before: two messages of the same microsecond would lie in the order
/// of their counters as text, 10 before 9.
fn moment() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let next = |latest: u64| if latest.wrapping_sub(now) < SET_BACK { latest.saturating_add(1) } else { now };
    let latest = LATEST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |latest| Some(next(latest)));
    latest.map_or(now, next)
}

/// The name of what takes the place of `old`, whose file was last modified at `date` (Unix seconds), with the run that
/// makes it: `seconds.middle.PpidQcounterRrandomXrun.host,S=size,W=wire size`. The mark of what came from elsewhere stays,
/// before the host.
pub(super) fn replacing(
    (old, date): (&str, i64),
    run: RunId,
    host: &str,
    (size, wire_size): (usize, usize),
) -> String {
    let count = DELIVERIES.fetch_add(1, Ordering::Relaxed);
    let mark = mark_in(old).map(|mark| format!(".I{mark}")).unwrap_or_default();
    format!(
        "{}.P{}Q{count}R{:016x}X{run}{mark}.{host},S={size},W={wire_size}",
        place_in_order(old, date),
        std::process::id(),
        rand::random::<u64>(),
    )
}

/// What readers sort a mailbox by. Dovecot compares the leading digits, then the digits behind the first `M` of the next
/// level (up to the next dot) if both have it, then the rest of the names octet by octet. So the first two levels are
/// kept as they are, and a dot follows them as it did: of two messages that are both replaced, or one of them, the same one
/// is first as before. What is replaced again keeps the same two levels, so that names do not grow.
fn place_in_order(old: &str, date: i64) -> String {
    let name = old.split([',', ':']).next().unwrap_or_default();
    let mut levels = name.split('.');
    let (first, second) = (levels.next().unwrap_or_default(), levels.next());
    let kept = match (first.starts_with(|char: char| char.is_ascii_digit()), second) {
        (true, second) => format!("{first}.{}", second.unwrap_or_default()),
        (false, _) => format!("{}.{first}", date.max(0)),
    };
    let short = kept.char_indices().take_while(|(at, char)| at + char.len_utf8() <= LONGEST_KEPT);
    short.map(|(_, char)| char).collect()
}

/// What names of replacements begin with, by the base name of what they replace: that of a replacement itself gives the same.
/// Nothing where a name does not begin with a number, so that a date stands there that it does not tell.
pub fn kept_beginning(base: &str) -> Option<String> {
    base.starts_with(|char: char| char.is_ascii_digit()).then(|| place_in_order(base, 0))
}

/// Octets. A file's name has 255 at most, and what we add to these, with a mark, all letters and a host's name of 64, is less
/// than 200.
const LONGEST_KEPT: usize = 55;

/// The run that made a file of that base name, if one did.
pub(super) fn run_in(base: &str) -> Option<RunId> {
    base.split('.').find_map(|level| {
        let (unique, run) = level.rsplit_once('X')?;
        let (_, random) = unique.rsplit_once('R')?;
        number(random).and(number(run)).map(RunId)
    })
}

/// The mark in a base name of what came from elsewhere, whatever was done with it since. It has a level of its own.
pub(super) fn mark_in(base: &str) -> Option<Mark> {
    let levels = base.split([',', ':']).next().unwrap_or_default().split('.').skip(2);
    levels.filter_map(|level| number(level.strip_prefix('I')?)).map(Mark).next()
}

/// Sixteen digits as we write them.
fn number(text: &str) -> Option<u64> {
    let is_ours = text.len() == 16 && text.bytes().all(is_hex);
    is_ours.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The part of a file's name that stays when flags change: up to the first colon, whatever stands behind it.
pub(super) fn base(file_name: &str) -> &str {
    file_name.split_once(':').map_or(file_name, |(base, _)| base)
}

/// What stands behind that part: nothing, `:2,` and letters, or what another program put there.
pub(super) fn info(file_name: &str) -> &str {
    file_name.strip_prefix(base(file_name)).unwrap_or_default()
}

/// The letters of flags and keywords. A further comma ends them.
pub(super) fn letters_in(file_name: &str) -> &str {
    info(file_name).strip_prefix(":2,").and_then(|letters| letters.split(',').next()).unwrap_or_default()
}

/// The same file name with other letters.
pub(super) fn with_letters(file_name: &str, letters: &str) -> String {
    let rest = info(file_name).strip_prefix(":2,").and_then(|info| info.split_once(','));
    let rest = rest.map(|(_, rest)| format!(",{rest}")).unwrap_or_default();
    format!("{}:2,{letters}{rest}", base(file_name))
}

/// The letters of a new file, with what was done to the letters of the old one since they were `before`; nothing if they
/// stay. Letters that nobody knows are letters.
pub(super) fn merged(before: &str, old: &str, new: &str) -> Option<String> {
    let set = |letters: &str| letters.chars().collect::<BTreeSet<char>>();
    let (before, old, new) = (set(before), set(old), set(new));
    let removed = &before - &old;
    let added = &old - &before;
    let merged = &(&new - &removed) | &added;
    (merged != new).then(|| merged.into_iter().collect())
}

/// The name of what comes from elsewhere, with a mark by which it is known again:
/// `seconds.MmicrosecondsPpidQcounterRrandom.Imark.host,S=size,W=wire size`.
pub(super) fn arriving(mark: Mark, host: &str, (size, wire_size): (usize, usize)) -> String {
    unique(&format!("I{mark}.{host}"), size, wire_size)
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
    letters_in(name).contains(letter)
}

/// Letters of the system flags and of the keywords (already letters), sorted as the convention asks.
pub(super) fn letters(flags: &[Flag], keywords: &[char]) -> String {
    let system = flags.iter().filter_map(letter);
    system.chain(keywords.iter().copied()).collect::<BTreeSet<char>>().into_iter().collect()
}

/// The letter of a system flag.
pub(super) fn letter(flag: &Flag) -> Option<char> {
    match flag {
        Flag::Draft => Some('D'),
        Flag::Flagged => Some('F'),
        Flag::Answered => Some('R'),
        Flag::Seen => Some('S'),
        Flag::Deleted => Some('T'),
        Flag::Keyword(_) => None,
    }
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
    fn moments_are_in_order_as_text_and_as_numbers() {
        let moments =
            [1_700_000_001_000_009, 1_700_000_001_099_999, 1_700_000_001_100_000, 1_700_000_002_000_000];
        let names = moments.map(|moment| format!("{}P1Q0R0.mx", said(moment)));
        assert!(names.is_sorted(), "{names:?}");
        assert!(names.is_sorted_by(|one, other| by_dovecot(one, other).is_lt()), "{names:?}");
    }

    const RUN: RunId = RunId(0xfe);

    fn replaced(old: &str) -> String {
        replacing((old, 1_600_000_000), RUN, "north", (3, 4))
    }

    /// Without what differs from call to call.
    fn shape(old: &str) -> String {
        let new = replaced(old);
        let (before, after) = new.rsplit_once(".P").unwrap();
        format!("{before} {}", after.split_once('X').unwrap().1)
    }

    #[test]
    fn the_beginning_tells_what_a_run_replaced() {
        for old in ["1700000001.M5P6.mx,S=9,W=10", "1234.567_1.host", "1234.host", "1234"] {
            let beginning = kept_beginning(old);
            assert!(beginning.is_some());
            let once = replaced(old);
            assert_eq!(
                (kept_beginning(&once), kept_beginning(&replaced(&once))),
                (beginning.clone(), beginning)
            );
        }
        assert_ne!(kept_beginning("1700000001.M5P6.mx"), kept_beginning("1700000001.M5P67.mx"));
        assert_eq!(kept_beginning("msg"), None);
    }

    #[test]
    fn a_new_name_keeps_what_mailboxes_are_sorted_by() {
        let rest = "00000000000000fe.north,S=3,W=4";
        for (old, kept) in [
            ("1700000001.M5P6.mx,S=9,W=10", "1700000001.M5P6"),
            ("1234.567_1.host", "1234.567_1"),
            ("1234.host", "1234.host"),
            ("1234", "1234."),
            ("1234_7.p.host,U=5,FMD5=00", "1234_7.p"),
            ("msg", "1600000000.msg"),
            ("cyrus.12.host", "1600000000.cyrus"),
            (",S=5", "1600000000."),
        ] {
            assert_eq!(shape(old), format!("{kept} {rest}"), "{old}");
            let again = replaced(&replaced(old));
            assert!(again.starts_with(&format!("{kept}.P")), "replaced again: {again}");
            assert_eq!((run_in(&again), run_in(old)), (Some(RUN), None));
        }
        let long = replaced(&format!("12.{}", "ü".repeat(200)));
        assert!(long.len() < 150 && long.starts_with("12.ü"), "{long}");
        assert!(replacing(("msg", -5), RUN, "north", (3, 4)).starts_with("0.msg.P"));
    }

    /// As Dovecot compares names: seconds, microseconds if both have them, then octet by octet.
    fn by_dovecot(one: &str, other: &str) -> std::cmp::Ordering {
        let split = |name: &str| {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            let (seconds, rest) = name.split_at(digits);
            let level = rest.strip_prefix('.').map(|rest| rest.split(['.', ':']).next().unwrap().to_owned());
            let micros = level.and_then(|level| {
                let (_, digits) = level.split_once('M')?;
                let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
                Some(digits.parse::<u64>().unwrap_or(0))
            });
            (seconds.parse::<u64>().unwrap_or(0), micros, base(rest).to_owned())
        };
        let (one, other) = (split(one), split(other));
        let micros = match (one.1, other.1) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => std::cmp::Ordering::Equal,
        };
        one.0.cmp(&other.0).then(micros).then_with(|| one.2.cmp(&other.2))
    }

    /// Where all are replaced, and where every second one is.
    #[test]
    fn mailboxes_keep_their_order() {
        let mut names: Vec<String> = [
            "1700000001.M5P6.mx",
            "1700000001.M50P6.mx,S=3",
            "1700000001.M6P6.mx",
            "1700000001.M6P6Q1.mx",
            "1700000001.V801I2M000007.mx",
            "1700000002.567_1.mx",
            "1700000002.567_10.mx",
            "1700000002.567_2.mx",
            "1700000002.567_2Z.mx",
            "1700000003.mx",
            "1700000004_0.12.mx",
            "1700000004_1.12.mx",
            "1700000005.Mail.mx",
        ]
        .map(str::to_owned)
        .to_vec();
        names.sort_by(|one, other| by_dovecot(one, other));
        for every in [1, 2, 3] {
            let new: Vec<String> = names
                .iter()
                .enumerate()
                .map(|(at, name)| if at % every == 0 { replaced(name) } else { name.clone() })
                .collect();
            let mut sorted = new.clone();
            sorted.sort_by(|one, other| by_dovecot(one, other));
            assert_eq!(new, sorted);
        }
    }

    #[test]
    fn foreign_names_have_a_base_and_letters() {
        for (name, is_base, has_letters) in [
            ("1.x.mx,S=1:2,ST", "1.x.mx,S=1", "ST"),
            ("1.x.mx", "1.x.mx", ""),
            ("1.x.mx:2,", "1.x.mx", ""),
            ("1.x.mx:1,exp", "1.x.mx", ""),
            ("1.x.mx:2,FZ9,more:2,T", "1.x.mx", "FZ9"),
            ("1.x.mx:", "1.x.mx", ""),
        ] {
            assert_eq!((base(name), letters_in(name)), (is_base, has_letters), "{name}");
            assert_eq!(format!("{}{}", base(name), info(name)), name);
        }
        assert_eq!(with_letters("1.x:2,FZ,more", "F"), "1.x:2,F,more");
        assert_eq!(with_letters("1.x:1,exp", "F"), "1.x:2,F");
    }

    #[test]
    fn a_run_is_known_by_what_we_write_only() {
        assert_eq!(run_in("1.M2P3Q4R0123456789abcdefX00000000000000fe.mx"), Some(RUN));
        assert_eq!(run_in("1.M2P3.P1Q4R0123456789abcdefX00000000000000fe.mx"), Some(RUN));
        for other in
            ["1.X00000000000000fe.mx", "1.R0123456789abcdefX00FE.mx", "X", "1.R0X0", "1.RüX00000000000000fe"]
        {
            assert_eq!(run_in(other), None, "{other}");
        }
    }

    #[test]
    fn a_mark_stays_however_often_a_message_is_replaced() {
        let host = "h".repeat(64);
        let sizes = (268_435_456, 268_435_456);
        let long = format!("1700000000.{}.I00000000000000fe.mx", "ü".repeat(100));
        for first in [arriving(Mark(0xfe), &host, sizes), long] {
            assert_eq!((mark_in(&first), run_in(&first)), (Some(Mark(0xfe)), None), "{first}");
            let mut name = first;
            for run in 1..30 {
                name = replacing((&format!("{name}:2,S"), 5), RunId(run), &host, sizes);
                assert_eq!((mark_in(&name), run_in(&name)), (Some(Mark(0xfe)), Some(RunId(run))));
                let whole = with_letters(&name, "DFPRSTabcdefghijklmnopqrstuvwxyz");
                assert!(whole.len() <= 255, "{} {whole}", whole.len());
            }
        }
    }

    #[test]
    fn a_mark_is_known_by_what_we_write_only() {
        for other in [
            "1.M2P3Q4R0123456789abcdefX00000000000000fe.mx",
            "1.I00000000000000fe.mx",
            "1.M2.I00FE.mx",
            "1.M2.I00000000000000FE.mx",
            "1.M2.mx,.I00000000000000fe",
            "",
        ] {
            assert_eq!(mark_in(other), None, "{other}");
        }
        let replaced = replaced("1.M2P3.mx");
        assert_eq!(mark_in(&replaced), None, "{replaced}");
    }

    #[test]
    fn changes_of_both_are_merged() {
        for (before, old, new, expected) in [
            ("S", "S", "S", None),
            ("S", "FS", "S", Some("FS")),
            ("S", "", "S", Some("")),
            ("S", "FS", "RS", Some("FRS")),
            ("FS", "S", "FRS", Some("RS")),
            ("S", "S", "", None),
            ("", "Zb", "a", Some("Zab")),
            ("S", "FS", "FS", None),
        ] {
            assert_eq!(merged(before, old, new).as_deref(), expected, "{before} {old} {new}");
        }
    }

    #[test]
    fn letters_are_sorted_and_once() {
        assert_eq!(letters(&[Flag::Seen, Flag::Flagged, Flag::Seen], &['b', 'a']), "FSab");
        assert!(has_letter("1.x.mx,S=1:2,ST", 'T'));
        assert!(!has_letter("1.T.mx,S=1", 'T'));
    }
}

use super::*;
use crate::mail::Flag;
use crate::system::worked_since;
use proptest::prelude::*;
use std::convert::Infallible;
use std::time::Duration;
use time::OffsetDateTime;

const LIMIT: usize = 1 << 20;
const FROM: &str = "From anna@north.example Thu Nov 26 03:41:02 2026\n";

fn split_in(mbox: &[u8], variant: Variant, (limit, chunk): (usize, usize)) -> Result<Vec<Entry>, NoMbox> {
    let mut splitter = Splitter::new(variant, limit);
    let mut entries = Vec::new();
    for piece in mbox.chunks(chunk) {
        splitter.push(piece);
        while let Some(entry) = splitter.next_entry()? {
            entries.push(entry);
        }
    }
    splitter.end();
    while let Some(entry) = splitter.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

fn split(mbox: &[u8], variant: Variant) -> Vec<Entry> {
    split_in(mbox, variant, (LIMIT, 1 << 16)).unwrap()
}

fn messages(mbox: &str, variant: Variant) -> Vec<String> {
    let text = |entry: Entry| String::from_utf8(entry.content.unwrap().message.to_vec()).unwrap();
    split(mbox.as_bytes(), variant).into_iter().map(text).collect()
}

type Shape = (u64, u64, FromLine, Result<(Vec<u8>, Keeping), u64>);

/// All that is known of the entries of an mbox, to be compared.
fn shape(entries: &[Entry]) -> Vec<Shape> {
    let content = |entry: &Entry| match &entry.content {
        Ok(cut) => Ok((cut.message.to_vec(), cut.keeping.clone())),
        Err(large) => Err(large.size),
    };
    entries.iter().map(|entry| (entry.number, entry.offset, entry.from, content(entry))).collect()
}

fn at(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap()
}

fn written(message: &[u8], unix: i64, keeping: &Keeping) -> Vec<u8> {
    let mut out = Vec::new();
    let sunk: Result<(), Infallible> = write(message, (at(unix), keeping), &mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    });
    sunk.unwrap();
    out
}

#[test]
fn the_empty_line_before_the_next_one_is_no_part_of_a_message() {
    let mbox = format!("{FROM}A: 1\n\none\n\n{FROM}A: 2\n\ntwo\n\n\n{FROM}A: 3\n\nthree");
    assert_eq!(messages(&mbox, Variant::Rd), ["A: 1\n\none\n", "A: 2\n\ntwo\n\n", "A: 3\n\nthree"]);
    let mbox = mbox.replace('\n', "\r\n");
    assert_eq!(
        messages(&mbox, Variant::Rd),
        ["A: 1\r\n\r\none\r\n", "A: 2\r\n\r\ntwo\r\n\r\n", "A: 3\r\n\r\nthree"]
    );
    assert_eq!(messages(&format!("{FROM}A: 1\n\n{FROM}\n{FROM}"), Variant::Rd), ["A: 1\n", "", ""]);
}

#[test]
fn entries_say_where_they_are() {
    let entries = split(format!("\n{FROM}A: 1\n\n{FROM}A: 2\n").as_bytes(), Variant::Rd);
    let places: Vec<_> = entries.iter().map(|entry| (entry.number, entry.offset)).collect();
    assert_eq!(places, [(1, 1), (2, FROM.len() as u64 + 7)]);
    assert_eq!(entries[0].from.date, Some(at(1_795_664_462)));
}

#[test]
fn a_message_begins_behind_an_empty_line_and_with_a_whole_date() {
    for body in [
        "x\nFrom anna@north.example Thu Nov 26 03:41:02 2026\n",
        "x\n\nFrom here we went on\n",
        "x\n\nFrom anna@north.example Thu Nov 26\n",
        "x\n\n>From anna@north.example Thu Nov 26 03:41:02\n",
    ] {
        let mbox = format!("{FROM}A: 1\n\n{body}\n{FROM}B: 2\n");
        assert_eq!(messages(&mbox, Variant::Cl2), [format!("A: 1\n\n{body}").as_str(), "B: 2\n"]);
    }
}

#[test]
fn what_does_not_begin_like_one_is_no_mbox() {
    for text in ["x", "From ", "From here\n", "Subject: a\n\nFrom x Thu Nov 26 03:41:02 2026\n", "\nx"] {
        for chunk in [1, 100] {
            let split = split_in(text.as_bytes(), Variant::Rd, (LIMIT, chunk));
            assert!(split.is_err(), "{text}");
        }
    }
    for text in ["", "\n", "\r\n\r\n"] {
        assert!(split(text.as_bytes(), Variant::Rd).is_empty());
    }
}

#[test]
fn a_length_is_believed_only_where_it_leads_to_the_next_message() {
    let body = format!("x\n\n{FROM}\ny\n");
    let inner = format!("Content-Length: {}\n\n{body}", body.len());
    assert_eq!(messages(&format!("{FROM}{inner}\n{FROM}B: 2\n"), Variant::Cl2), [inner.as_str(), "B: 2\n"]);
    assert_eq!(messages(&format!("{FROM}{inner}{FROM}B: 2\n"), Variant::Cl2), [inner.as_str(), "B: 2\n"]);
    for wrong in ["1", "3", "7", "58", "61", "1000000000", "99999999999999999999", "-1", "x", ""] {
        let mbox = format!("{FROM}Content-Length: {wrong}\n\nbody\n\n{FROM}B: 2\n");
        let first = format!("Content-Length: {wrong}\n\nbody\n");
        assert_eq!(messages(&mbox, Variant::Cl2), [first.as_str(), "B: 2\n"], "{wrong}");
    }
    let last = format!("{FROM}Content-Length: 4\n\nbody");
    assert_eq!(messages(&last, Variant::Cl), ["Content-Length: 4\n\nbody"]);
    assert_eq!(messages(&format!("{last}\n\n"), Variant::Cl), ["Content-Length: 4\n\nbody\n"]);
}

#[test]
fn a_message_that_is_too_large_is_passed_over() {
    let mbox = format!("{FROM}A: 1\n\n{FROM}A: 2\n\n{}\n\n{FROM}A: 3\n", "x".repeat(5000));
    for chunk in [1, 7, 4096, 1 << 20] {
        let entries = split_in(mbox.as_bytes(), Variant::Rd, (100, chunk)).unwrap();
        let large: Vec<_> = entries.iter().map(|entry| entry.content.as_ref().err().copied()).collect();
        assert_eq!(large, [None, Some(TooLarge { size: 5007, limit: 100 }), None], "{chunk}");
        assert_eq!(*entries[2].content.as_ref().unwrap().message, b"A: 3\n");
    }
}

#[test]
fn flags_of_other_programs_are_read_and_stay() {
    let read = |header: &str| {
        let mbox = format!("{FROM}{header}\n\nbody\n");
        let mut entries = split(mbox.as_bytes(), Variant::Rd);
        let cut = entries.remove(0).content.unwrap();
        assert_eq!(*cut.message, format!("{header}\n\nbody\n").as_bytes());
        cut.keeping
    };
    let flags = |flags: &[Flag]| Keeping { flags: flags.to_vec(), noticed: true };
    let word = |word: &str| Flag::Keyword(word.into());
    assert_eq!(read("Subject: a"), Keeping::default());
    assert_eq!(read("Status: O"), flags(&[]));
    assert_eq!(read("status: RO\nX-Status: AF"), flags(&[Flag::Seen, Flag::Flagged, Flag::Answered]));
    assert_eq!(read("X-Status: TD"), flags(&[Flag::Draft, Flag::Deleted]));
    assert_eq!(read("X-Keywords: Work  $Junk \\Seen a(b  "), flags(&[word("$Junk"), word("Work")]));
    assert_eq!(
        read("X-Mozilla-Status: 0005\nX-Mozilla-Keys: $label1"),
        flags(&[Flag::Seen, Flag::Flagged, word("$label1")])
    );
    assert_eq!(read("X-Mozilla-Status: zz"), Keeping::default());
    assert_eq!(read("X: a\n\nStatus: R"), Keeping::default());
}

#[test]
fn what_is_written_looks_like_this() {
    let keeping =
        Keeping { flags: vec![Flag::Seen, Flag::Flagged, Flag::Keyword("Work".into())], noticed: true };
    let mbox =
        written(b"Return-Path: <anna@north.example>\r\n\r\nFrom me\r\n>From you", 1_795_664_462, &keeping);
    assert_eq!(
        String::from_utf8(mbox).unwrap(),
        format!(
            "{FROM}Status: RO\nX-Status: F\nX-Keywords: Work\nSealpost-Mbox: v=1; eol=crlf; end=cut\n\
             Return-Path: <anna@north.example>\n\n>From me\n>>From you\n\n"
        )
    );
    let bare = written(b"\n", 0, &Keeping::default());
    assert_eq!(
        String::from_utf8(bare).unwrap(),
        "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\nSealpost-Mbox: v=1\n\n\n"
    );
    let odd = written(b"Return-Path: <\"a b\"@x.example>\n\n", 0, &Keeping::default());
    assert!(odd.starts_with(b"From MAILER-DAEMON "));
}

#[test]
fn only_our_own_fields_are_taken_off() {
    for header in
        ["Sealpost-Mbox: v=2", "Sealpost-Mbox: v=1; x", "A: 1\nSealpost-Mbox: v=1", "sealpost-mbox: v=1"]
    {
        let message = format!("{header}\n\nbody\n");
        assert_eq!(messages(&format!("{FROM}{message}\n"), Variant::Rd), [message]);
    }
}

/// Half a second for a million octets, in a build without optimisation, if each is looked at a bounded number of times.
#[test]
fn hostile_octets_cost_linear_time() {
    let size = 1 << 20;
    for pattern in ["\n\nFrom ", "From ", "\n", ">", "\n>From ", "\r\n\r\nFrom x Thu ", "\0", FROM] {
        let mbox = format!("{FROM}Content-Length: 900000\n\n{}", pattern.repeat(size / pattern.len()));
        for variant in [Variant::Rd, Variant::Cl] {
            let begun = worked_since(Duration::ZERO);
            let split = split_in(mbox.as_bytes(), variant, (LIMIT, 4096)).unwrap();
            assert!(!split.is_empty());
            assert!(worked_since(begun).as_secs() < 10, "{pattern:?} {:?}", worked_since(begun));
        }
    }
    // Each message claims a length that turns out wrong far behind it.
    let mbox = format!("{FROM}Content-Length: 900000\n\n\n").repeat(20_000);
    let begun = worked_since(Duration::ZERO);
    assert_eq!(split(mbox.as_bytes(), Variant::Cl).len(), 20_000);
    assert!(worked_since(begun).as_secs() < 10, "{:?}", worked_since(begun));
}

fn flag() -> impl Strategy<Value = Flag> {
    prop_oneof![
        prop::sample::select(Flag::SYSTEM.map(|(_, flag)| flag).to_vec()),
        "[a-z$][a-zA-Z0-9_]{0,8}".prop_map(Flag::Keyword),
    ]
    .prop_filter("a keyword that is no flag", |flag| Flag::parse(&flag.to_string()).as_ref() == Ok(flag))
}

fn keeping() -> impl Strategy<Value = Keeping> {
    (prop::collection::btree_set(flag(), 0..6), any::<bool>()).prop_map(|(flags, noticed)| {
        let noticed = noticed || !flags.is_empty();
        Keeping { flags: flags.into_iter().collect(), noticed }
    })
}

/// Octets of what matters to the format.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        ">",
        "From ",
        "From x Thu Nov 26 03:41:02 2026",
        "F",
        "Status: RO\n",
        "a: b\n",
        "\0",
        "\u{e4}",
        "Sealpost-Mbox: v=1\n",
        "Sealpost-Mbox: v=1; eol=crlf; end=cut\n",
        "Content-Length: 20\n",
        "X-Keywords: a\n",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reading_gives_back_what_was_written(
        mails in prop::collection::vec((hostile(), 0_i64..4_000_000_000, keeping()), 0..5),
        chunk in 1_usize..200,
    ) {
        let mbox: Vec<u8> = mails.iter().flat_map(|(message, unix, kept)| written(message, *unix, kept)).collect();
        let entries = split_in(&mbox, Variant::Rd, (LIMIT, chunk)).unwrap();
        prop_assert_eq!(entries.len(), mails.len());
        for (entry, (message, unix, kept)) in entries.iter().zip(&mails) {
            let cut = entry.content.as_ref().unwrap();
            prop_assert_eq!(&*cut.message, message);
            prop_assert_eq!(&cut.keeping, kept);
            prop_assert_eq!(entry.from.date, Some(at(*unix)));
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same(
        begun: bool,
        rest in hostile(),
        variant in prop::sample::select(vec![Variant::O, Variant::Rd, Variant::Cl, Variant::Cl2]),
        limit in prop::sample::select(vec![3_usize, 20, 60, 100_000]),
        chunk in 1_usize..40,
    ) {
        let mbox = if begun { [FROM.as_bytes(), &rest].concat() } else { rest };
        let whole = split_in(&mbox, variant, (limit, mbox.len().max(1)));
        let pieces = split_in(&mbox, variant, (limit, chunk));
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => prop_assert_eq!(shape(&whole), shape(&pieces)),
            (whole, pieces) => prop_assert_eq!(whole.is_err(), pieces.is_err()),
        }
    }

    /// No octet is lost or made: without quoting, the lines and the messages are the file.
    #[test]
    fn every_octet_is_in_one_message(rest in hostile()) {
        let mbox = [FROM.as_bytes(), &rest].concat();
        for entry in split(&mbox, Variant::Cl2) {
            let cut = entry.content.unwrap();
            let at = entry.offset as usize;
            let line = mbox[at..].iter().position(|byte| *byte == b'\n').map_or(mbox.len() - at, |end| end + 1);
            let raw = &mbox[at + line..];
            let taken = raw.starts_with(&cut.message) || raw.windows(13).any(|part| part == b"Sealpost-Mbox");
            prop_assert!(taken);
        }
    }
}

#[test]
fn who_sent_what_was_opened_stands_outside() {
    let keeping = Keeping { flags: Vec::new(), noticed: false };
    let line = |outside: &[u8], message: &[u8]| {
        let mut out = Vec::new();
        let sunk: Result<(), Infallible> = write_opened(outside, message, (at(0), &keeping), &mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        });
        sunk.unwrap();
        String::from_utf8(out).unwrap().split(' ').nth(1).unwrap().to_owned()
    };
    let (anna, bob) = (
        &b"Return-Path: <anna@north.example>\nA: b\n\nx\n"[..],
        &b"Return-Path: <bob@north.example>\n\n"[..],
    );
    assert_eq!(line(anna, b"A: b\n\nx\n"), "anna@north.example");
    assert_eq!(line(anna, bob), "anna@north.example");
    assert_eq!(line(b"A: b\n\nx\n", bob), "bob@north.example");
    assert_eq!(line(b"Return-Path: <>\n\n", b"A: b\n\nx\n"), "MAILER-DAEMON");
}

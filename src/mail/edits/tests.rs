use super::*;
use crate::mail::message::MAX_FIELDS;
use proptest::prelude::*;

/// `+X: line` adds, anything else tags.
fn edits(asked: &[&str]) -> HeaderEdits {
    let mut edits = HeaderEdits::default();
    for asked in asked {
        match asked.strip_prefix('+') {
            Some(line) => edits.add(HeaderLine::parse(line).unwrap()),
            None => edits.tag(asked),
        }
    }
    edits
}

fn applied(asked: &[&str], mail: &str) -> String {
    String::from_utf8(edits(asked).apply(&Message::new(mail.as_bytes())).to_vec()).unwrap()
}

fn subject(asked: &[&str], mail: &str) -> String {
    let edited = applied(asked, mail);
    Message::new(edited.as_bytes()).fields_named("Subject").next().unwrap().text()
}

#[test]
fn without_edits_nothing_is_copied() {
    let message = Message::new(b"To: a\n\nb");
    assert!(std::ptr::eq(&*HeaderEdits::default().apply(&message), message.bytes()));
}

#[test]
fn lines_stand_in_front_in_their_order_with_the_messages_line_end() {
    assert_eq!(applied(&["+X: 1", "+Y: 2"], "To: a\n\nb\n"), "X: 1\nY: 2\nTo: a\n\nb\n");
    assert_eq!(applied(&["+X: 1", "+X: 1"], "To: a\r\n\nb\n"), "X: 1\r\nX: 1\r\nTo: a\r\n\nb\n");
    assert_eq!(applied(&["+X: 1"], "To: a"), "X: 1\r\nTo: a");
}

#[test]
fn a_message_without_a_field_keeps_its_text() {
    assert_eq!(applied(&["+X: 1"], ""), "X: 1\r\n");
    assert_eq!(applied(&["+X: 1"], "\nbody\n"), "X: 1\n\nbody\n");
    assert_eq!(applied(&["+X: 1"], "hello\nthere: you\n"), "X: 1\n\nhello\nthere: you\n");
    assert_eq!(applied(&["+X: 1"], " folded\r\nTo: a\r\n"), "X: 1\r\n\r\n folded\r\nTo: a\r\n");
    assert_eq!(applied(&["[t]"], "hello"), "Subject: [t]\r\n\r\nhello");
}

#[test]
fn a_header_that_broke_off_stays_broken_there() {
    assert_eq!(
        applied(&["+X: 1", "[t]"], "Subject: a\nno field\nCc: b\n\nx"),
        "X: 1\nSubject: [t] a\nno field\nCc: b\n\nx"
    );
}

#[test]
fn the_first_subject_is_tagged() {
    assert_eq!(applied(&["[t]"], "subject: a\nSubject: b\n\nx"), "subject: [t] a\nSubject: b\n\nx");
    assert_eq!(applied(&["[1]", "[2]"], "Subject: a\n\nx"), "Subject: [2] [1] a\n\nx");
    assert_eq!(applied(&["[t]"], "To: a\n\nx"), "Subject: [t]\nTo: a\n\nx");
    assert_eq!(applied(&["[t]"], "Subject :\ta\n\nx"), "Subject: [t] a\n\nx");
    assert_eq!(applied(&["[t]"], "Subject:\n\nx"), "Subject: [t]\n\nx");
    assert_eq!(applied(&["[t]"], "Subject: a"), "Subject: [t] a");
    assert_eq!(applied(&["[t]"], "To: b\nSubject: a\r\n\r\n"), "To: b\nSubject: [t] a\r\n\r\n");
}

#[test]
fn a_subject_that_a_rule_added_is_the_first() {
    let asked = ["[1]", "+Subject: new", "[2]"];
    assert_eq!(applied(&asked, "Subject: a\n\nx"), "Subject: [2] new\nSubject: [1] a\n\nx");
}

#[test]
fn what_stood_in_the_subject_stays_as_it_is() {
    assert_eq!(
        applied(&["[t]"], "Subject:\r\n a\r\n\tb\r\n c\r\n\r\n"),
        "Subject: [t] a\r\n\tb\r\n c\r\n\r\n"
    );
    for odd in ["=?utf-8?q?open", "=?x-no?b?=FF?=", "=?utf-8?b?R3LDvMOfZQ==?= =?utf-8?q?x?="] {
        let mail = format!("Subject: {odd}\n\n");
        assert_eq!(applied(&["[t]"], &mail), format!("Subject: [t] {odd}\n\n"));
    }
    let raw = b"Subject: \xe9\0t\r\xe9\n\n";
    let edited = edits(&["[t]"]).apply(&Message::new(raw)).to_vec();
    assert_eq!(edited, b"Subject: [t] \xe9\0t\r\xe9\n\n");
}

#[test]
fn a_tag_is_read_as_it_was_written_before_every_subject() {
    for tag in ["[t]", "[Größe]", "台北 (1)", "=?utf-8?q?x?= ü", "ü a"] {
        for (value, read) in [("a", "a"), ("=?utf-8?q?=C3=BC?=", "ü"), ("", ""), (&"w ".repeat(200), "w")] {
            let found = subject(&[tag], &format!("Subject: {value}\n\n"));
            let expected = format!("{tag} {}", if value.len() > 99 { value.trim() } else { read });
            assert_eq!(found, expected.trim(), "{tag} before {value}");
        }
    }
    assert_eq!(subject(&["ü", "[a]", "ö"], "Subject: =?utf-8?q?=C3=A4?=\n\n"), "ö [a] ü ä");
}

#[test]
fn no_line_of_ours_is_too_long() {
    let mail = format!("Subject: {}\r\n\r\n", "x".repeat(980));
    let edited = applied(&["[tag]"], &mail);
    assert!(edited.starts_with("Subject: [tag]\r\n xxx"), "{edited}");
    assert!(edited.lines().all(|line| line.len() <= 998));
    let tags = vec!["[a tag of some length]"; 200];
    assert!(applied(&tags, "Subject: a\n\n").lines().all(|line| line.len() <= 78));
}

#[test]
fn the_names_are_told_once() {
    assert_eq!(edits(&["+X: 1", "[t]", "+x: 2", "+Y: 3"]).names(), ["X", "Y", "Subject"]);
    assert_eq!(edits(&["+subject: 1", "[t]"]).names(), ["subject"]);
    assert_eq!(edits(&[]).names(), [""; 0]);
}

#[test]
fn a_hundred_thousand_fields() {
    let many = b"a:\n".repeat(MAX_FIELDS - 1);
    let bytes = [many.as_slice(), b"\nbody"].concat();
    let edited = edits(&["+X: 1"]).apply(&Message::new(&bytes)).to_vec();
    let message = Message::new(&edited);
    assert_eq!((message.fields().len(), message.body()), (MAX_FIELDS, &b"body"[..]));
    // At the limit the last field counts as body, for us as for whoever reads it.
    let bytes = [many.as_slice(), b"b:\n\nbody"].concat();
    let edited = edits(&["+X: 1"]).apply(&Message::new(&bytes)).to_vec();
    assert_eq!(edited, [b"X: 1\n".as_slice(), &bytes].concat());
    assert_eq!(Message::new(&edited).fields()[0].text(), "1");
    assert_eq!(Message::new(&edited).body(), b"b:\n\nbody");
}

#[test]
fn debug_shows_no_content() {
    assert_eq!(format!("{:?}", edits(&["+X: secret", "secret"])), "HeaderEdits { lines: 1, tags: 1 }");
}

fn raws<'m>(message: &'m Message<'_>) -> Vec<&'m [u8]> {
    message.fields().iter().map(|field| field.raw()).collect()
}

proptest! {
    /// The law: nothing behind the header changes, the fields that arrived follow in their order and spelling but for the
    /// first subject, and conditions see what a reader of the stored message sees.
    #[test]
    fn the_body_stays_and_so_do_the_fields(
        pieces in prop::collection::vec("Subject: |subject:|To: a|Content-Type: text/plain|[ \t]x|\r\n|\n|\n\n|no field|ü|=\\?utf-8\\?q\\?x\\?=|\u{0}|\r|From a b", 0..14),
        asked in prop::collection::vec("\\+X: ü|\\+Y:|\\+Subject: new|\\[t\\]|ö", 1..4),
    ) {
        let bytes = pieces.concat().into_bytes();
        let message = Message::new(&bytes);
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let edits = edits(&asked);
        let edited = edits.apply(&message);
        let read = Message::new(&edited);
        prop_assert_eq!(read.body(), message.body());
        let header = edits.header(&message);
        let seen = Message::new(&header);
        prop_assert_eq!(raws(&read), raws(&seen));
        let (old, new) = (raws(&message), raws(&read));
        let added = new.len() - old.len();
        let first = message.fields().iter().position(|field| field.name().eq_ignore_ascii_case("Subject"));
        for (at, raw) in old.iter().enumerate().filter(|(at, _)| Some(*at) != first) {
            prop_assert_eq!(&new[added + at], raw);
        }
        if let Some(first) = first {
            let value = without_leading_space(message.fields()[first].value());
            prop_assert!(new[added + first].strip_suffix(own_end(old[first])).unwrap().ends_with(value));
        }
    }
}

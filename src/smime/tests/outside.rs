//! What stays readable, byte for byte.

use super::*;
use crate::mail::{Eol, Message};

fn header_with(message: &[u8], profile: Profile, rule: Option<&str>) -> String {
    let recipients = [alice().validated()];
    let mut job = job(message, &recipients, profile, 1);
    job.mark.rule = rule;
    let sealed = seal_many(vec![job]).remove(0).unwrap();
    let text = String::from_utf8(sealed.bytes().to_vec()).unwrap();
    let crlf = text.find("\r\n\r\n").map(|at| at + 4);
    let end = crlf.or_else(|| text.find("\n\n").map(|at| at + 2)).unwrap();
    text.split_at(end).0.to_string()
}

#[test]
fn the_whole_header() {
    let message = b"Return-Path: <a@b>\nReceived: from x\n\tby y\nMIME-Version: 1.0\nSubject: Hello\n\
        Content-Type: text/plain;\n charset=utf-8\nX-Odd:kept  as it is \ncontent-language: en\n\nHello\n";
    let expected = "Return-Path: <a@b>\nReceived: from x\n\tby y\nSubject: Hello\nX-Odd:kept  as it is \n\
        Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"Invoices\"; state=clear;\n eol=lf\n\
        MIME-Version: 1.0\n\
        Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\n name=smime.p7m\n\
        Content-Transfer-Encoding: base64\n\
        Content-Disposition: attachment; filename=smime.p7m\n\n";
    assert_eq!(header_with(message, Profile::Compatible, Some("Invoices")), expected);
    let crlf_message = crlf(message);
    let expected = expected
        .replace('\n', "\r\n")
        .replace("enveloped-data", "authEnveloped-data")
        .replace("eol=lf", "eol=crlf");
    assert_eq!(header_with(&crlf_message, Profile::Modern, Some("Invoices")), expected);
}

#[test]
fn lines_outside_end_as_the_message_does_and_mixed_ones_with_crlf() {
    let body_is_lf = |message: &[u8]| !seal_for_alice(message, Profile::Compatible).bytes().contains(&b'\r');
    assert!(body_is_lf(b"A: b\n\nx\n"));
    let mixed = seal_for_alice(b"A: b\nC: d\r\n\nx\n", Profile::Compatible);
    let lines: Vec<&[u8]> = mixed.bytes().split_inclusive(|&byte| byte == b'\n').collect();
    assert!(lines.iter().all(|line| line.ends_with(b"\r\n")));
    assert!(mixed.bytes().starts_with(b"A: b\r\nC: d\r\nSealpost-Sealed: "));
    assert!(lines.iter().all(|line| line.len() <= 78));
}

#[test]
fn what_quotes_the_body_deceives_or_is_ambiguous_stays_inside() {
    let message = b"X-Spam-Report: body says\nX-Spam-Prev-Content-Type: text/html\nX-Spam-Prev-Subject: ok\n\
        Sealpost-Sealed: v=1; eol=crlf\nSEALPOST-Marker: v=1\nHP-Outer: a\nSealpost-Arrived-HP-Outer: a\n\
        Nul: a\0b\nBare: a\rBcc: b\nLast: c\n\n";
    let header = header_with(message, Profile::Compatible, None);
    assert!(header.starts_with("X-Spam-Prev-Subject: ok\nLast: c\nSealpost-Sealed: v=1; at="), "{header}");
}

#[test]
fn nothing_after_the_end_of_the_header_goes_outside() {
    let header = header_with(b"A: b\nthis is no field\nC: secret\n\nx", Profile::Compatible, None);
    assert!(header.starts_with("A: b\nSealpost-Sealed: "), "{header}");
    assert!(header_with(b"A: b", Profile::Compatible, None).starts_with("A: b\r\nSealpost-Sealed: "));
    assert!(header_with(b"", Profile::Compatible, None).starts_with("Sealpost-Sealed: "));
}

#[test]
fn a_name_of_a_rule_cannot_break_out_of_its_field() {
    let field = |rule: &str| {
        let header = header_with(b"A: b\n\n", Profile::Compatible, Some(rule));
        let message = Message::new(header.as_bytes());
        assert_eq!(message.fields().len(), 6, "{header}");
        message.fields()[1].raw().iter().map(|&byte| char::from(byte)).collect::<String>()
    };
    let start = "Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z;";
    assert_eq!(field("a\"; eol=\\x"), format!("{start} rule=\"a\\\"; eol=\\\\x\";\n state=clear; eol=lf\n"));
    assert_eq!(
        field("a\r\nBcc: x\0"),
        format!("{start}\n rule*=UTF-8''a%0D%0ABcc%3A%20x%00; state=clear; eol=lf\n")
    );
    assert_eq!(field("Größe"), format!("{start} rule*=UTF-8''Gr%C3%B6%C3%9Fe;\n state=clear; eol=lf\n"));
    let long = field(&"ä".repeat(200));
    assert!(long.contains("\n rule*0*=UTF-8''%C3%A4") && long.contains(" rule*24*=%C3%A4"), "{long}");
    assert!(long.lines().all(|line| line.len() <= 76), "{long}");
}

#[test]
fn fields_that_rules_edited_are_named() {
    let names: Vec<String> = (0..99).map(|number| format!("X-{number}\"\\;")).collect();
    let field = |edited: Vec<&str>| {
        let recipients = [alice().validated()];
        let job = job(b"A: b\n\n", &recipients, Profile::Compatible, 1);
        let mark = Mark { edited, rule: None, ..job.mark.clone() };
        let sealed = seal_many(vec![SealJob { mark, ..job }]).remove(0).unwrap();
        let claim = Claim::of(&Message::new(sealed.bytes())).unwrap();
        let lines = sealed.bytes().split(|&byte| byte == b'\n').map(<[u8]>::len).max();
        assert!(lines.unwrap() <= 76);
        claim.parameters().find(|(name, _)| name == "edited").map(|(_, value)| value)
    };
    assert_eq!(field(vec![]), None);
    assert_eq!(field(vec!["X-A", "Subject"]).unwrap(), "X-A Subject");
    assert_eq!(field(vec!["X-\"\\;"]).unwrap(), "X-\"\\;");
    let many = field(names.iter().map(String::as_str).collect()).unwrap();
    assert!(many.starts_with("X-0\"\\; X-1") && many.ends_with(" ..."), "{many}");
}

#[test]
fn the_state_says_what_arrived() {
    let sealed = seal_for_alice(b"A: b\n\nx", Profile::Compatible);
    let again = seal_for(sealed.bytes(), &[bob().validated()], Profile::Modern);
    let header = String::from_utf8_lossy(again.bytes()).into_owned();
    assert!(header.contains("state=encrypted;"), "{header}");
    assert_eq!(open_as(bob(), again.bytes()).unwrap(), &*crlf(sealed.bytes()));
}

#[test]
fn the_hint_of_line_ends_is_read_from_one_good_field_only() {
    let eol = |field: &[u8]| outer::arrived_eol(&Message::new(field));
    assert_eq!(
        eol(b"Sealpost-Sealed: v=1; at=x; rule=\"a;eol=lf\\\";eol=lf\"; state=clear; eol=crlf\n"),
        Some(Eol::Crlf)
    );
    assert_eq!(eol(b"Sealpost-Sealed: v=1;\n eol=mixed\n"), Some(Eol::Mixed));
    assert_eq!(eol(b"Sealpost-Sealed: v=2; eol=lf\n"), None);
    assert_eq!(eol(b"Sealpost-Sealed: v=1; eol=cr\n"), None);
    assert_eq!(eol(b"Sealpost-Sealed: v=1; eol=lf\nSealpost-Sealed: v=1; eol=lf\n"), None);
    assert_eq!(eol(b"Subject: eol=lf\n"), None);
}

#[test]
fn what_a_field_claims_is_read_back() {
    let claimed = |message: &[u8]| {
        let claim = Claim::of(&Message::new(message))?;
        Some(
            claim.parameters().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", "),
        )
    };
    for (rule, shown) in [
        (None, ""),
        (Some("Invoices; \"a\\b\""), "rule: Invoices; \"a\\b\", "),
        (
            Some("Größe 🙂, longer than one piece of a name"),
            "rule: Größe 🙂, longer than one piece of a name, ",
        ),
    ] {
        let header = header_with(b"A: b\n\nx\n", Profile::Modern, rule);
        let expected = format!("at: 2026-11-01T12:00:00Z, {shown}state: clear, eol: lf");
        assert_eq!(claimed(header.as_bytes()).unwrap(), expected);
    }
    assert_eq!(
        claimed(b"Sealpost-Sealed: v=1; x; a=\"\x1b\"; y\x07=%\n").unwrap(),
        "a: \u{fffd}, y\u{fffd}: %"
    );
    for none in [
        &b"Subject: x\n"[..],
        b"Sealpost-Sealed: at=x\n",
        b"Sealpost-Sealed: v=2; at=x\n",
        b"Sealpost-Sealed: v=1; at=x\nsealpost-sealed: v=1; at=x\n",
        b"Sealpost-Sealed: v=1; at=\xff\n",
        &[&b"Sealpost-Sealed: v=1; at="[..], &[b'x'; 20_000]].concat(),
    ] {
        assert_eq!(claimed(none), None);
    }
    let many = [&b"Sealpost-Sealed: v=1"[..], &b";a=b;".repeat(1000)].concat();
    assert_eq!(Claim::of(&Message::new(&many)).unwrap().parameters().count(), 1, "joined by name");
}

/// What a foreign client sees when it opens the message: no name that it would believe.
#[test]
fn forged_protection_is_not_believable_inside() {
    let inside =
        |message: &[u8]| String::from_utf8(inside(message, HeaderPolicy::Keep, usize::MAX / 2)).unwrap();
    assert_eq!(inside(b"hp-outer: a\n"), "Sealpost-Arrived-hp-outer: a\r\n");
    assert_eq!(
        inside(b"A: b\nsealpost-arrived-HP-Outer: a\n"),
        "A: b\r\nSealpost-Arrived-sealpost-arrived-HP-Outer: a\r\n"
    );
    assert_eq!(inside(b"HP-Outer-X: a\nX-HP-Outer: b\n"), "HP-Outer-X: a\r\nX-HP-Outer: b\r\n");
    assert_eq!(
        inside(b"Content-Type: text/plain; charset=x;\n\thp=\"cipher\"; php=1; shp=2\n"),
        "Content-Type: text/plain; charset=x;\r\n\tx-sealpost-arrived-hp=\"cipher\"; php=1; shp=2\r\n"
    );
    for form in [
        "hp*@0*=x",
        "HP =x",
        "hp*=x",
        "hp*0=x",
        "hp*0*=x",
        "hp\n =x",
        "hp(c)=x",
        "hp (c) =x",
        "x-sealpost-arrived-hp=x",
    ] {
        let arrived = format!("Content-Type: a/b;{form}\n");
        let renamed = arrived.replacen(form, &format!("x-sealpost-arrived-{form}"), 1);
        assert_eq!(inside(arrived.as_bytes()), renamed.replace('\n', "\r\n"));
    }
    // Readers differ in where a header ends.
    for (before, after) in
        [("no field\n", "no field\r\n"), ("A: b\r", "A: b\r"), ("A: b\r\r\n", "A: b\r\r\n")]
    {
        let renamed = inside(format!("{before}HP-Outer : x\nContent-Type : a/b; hp=x\n").as_bytes());
        let expected = "Sealpost-Arrived-HP-Outer : x\r\nContent-Type : a/b; x-sealpost-arrived-hp=x\r\n";
        assert!(renamed.ends_with(&format!("{after}{expected}")), "{renamed:?}");
    }
    // Readers differ in what a name is.
    for name in ["HP -Outer", "H\tP-Outer", "HP-Outer\x0c", "HP-Outer\r\n ", "HP-\rOuter"] {
        for before in ["", " ", ":", " : \t", "no field\r\n ", "no field\r\n \r\n\t", ":\r\n "] {
            let renamed = inside(format!("{before}{name}: x\r\n").as_bytes());
            assert!(renamed.ends_with(&format!("{before}Sealpost-Arrived-{name}: x\r\n")), "{renamed:?}");
        }
    }
    let spread = inside(b"C ontent-Type: a/b; hp=x\r\n:Content-\tType: a/b; hp=x\r\n");
    assert_eq!(spread.matches("; x-sealpost-arrived-hp=x\r\n").count(), 2, "{spread:?}");
    let hidden = [
        "no field\r\n Content-Type: a/b; ",
        "Content-\rType: a/b; ",
        "Content-Type: a/b\rno field; ",
        "Content-Type: a/b; c=\"\rContent-Type: a/b; \"; ",
        "Content-Type\r\n : a/b; c=\"\r\n Content-Type: a/b; ",
    ];
    for before in hidden {
        let renamed = inside(format!("{before}hp (c) =x\r\n").as_bytes());
        assert!(renamed.ends_with(&format!("{before}x-sealpost-arrived-hp (c) =x\r\n")), "{renamed:?}");
    }
    // Readers differ in whether a bare CR ends a line.
    for (arrived, renamed) in [
        ("Content-Type: a/b; hp\r=x\r\n", "Content-Type: a/b; x-sealpost-arrived-hp\r=x\r\n"),
        ("Content-Type: a/b; c=\"\rhp=x\"\r\n", "Content-Type: a/b; c=\"\rx-sealpost-arrived-hp=x\"\r\n"),
        ("A: b\rContent-Type: a/b;\r\n hp=x\r\n", "A: b\rContent-Type: a/b;\r\n x-sealpost-arrived-hp=x\r\n"),
        (
            "Content-Type: a/b\rHP-Outer: hp=x\r\n",
            "Content-Type: a/b\rSealpost-Arrived-HP-Outer: x-sealpost-arrived-hp=x\r\n",
        ),
        (
            "Content-Type: a; c=\"\"; hp (c)\r=x\r\n",
            "Content-Type: a; c=\"\"; x-sealpost-arrived-hp (c)\r=x\r\n",
        ),
        ("Content-Type: a; c=\"\r\";hp(c)=x\r\n", "Content-Type: a; c=\"\r\";x-sealpost-arrived-hp(c)=x\r\n"),
    ] {
        assert_eq!(inside(arrived.as_bytes()), renamed);
    }
    for (before, form) in [("*", "hp=x"), ("\"", "hp\" =x"), ("\\", "hp\\=x")] {
        let renamed = inside(format!("Content-Type: a/b; {before}{form}\r\n").as_bytes());
        assert_eq!(renamed, format!("Content-Type: a/b; {before}x-sealpost-arrived-{form}\r\n"));
    }
    // Only the outermost header counts, and only Content-Type.
    for untouched in
        ["Subject: hp=x\r\n", "A: b\r\n\r\nHP-Outer: x\r\n", "Content-Type: a/hp; charset=hp\r\n"]
    {
        assert_eq!(inside(untouched.as_bytes()), untouched);
    }
    assert_eq!(inside(b"\nbody"), "Sealpost-Marker: v=1\r\n\r\nbody");
    assert_eq!(inside(b"Sealpost-Marker: v=1\n"), "Sealpost-Marker: v=1\r\nSealpost-Marker: v=1\r\n");
}

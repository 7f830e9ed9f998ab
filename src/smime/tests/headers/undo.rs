//! Opening takes out what was added, and believes nothing else.

use super::super::law::piece;
use super::*;
use crate::crypto::SecretBytes;
use proptest::prelude::*;

fn take_out(content: &[u8]) -> Vec<u8> {
    inner::take_out(SecretBytes::new(content.to_vec())).expose().to_vec()
}

const OUTER: &str = "HP-Outer: Subject: [...]\r\nhp-outer: To: a,\r\n b\r\n";
const REST: &str = "Subject: s\r\nContent-Type: text/plain; charset=x";

fn marked(added: &str, rest: &str) -> String {
    format!("Sealpost-Marker: v=1; added={}\r\n{added}{rest}", added.len())
}

#[test]
fn what_was_added_goes() {
    let protected = format!("{REST};\r\n hp=\"cipher\" ;\r\n\r\nx");
    assert_eq!(take_out(marked(OUTER, &protected).as_bytes()), format!("{REST} ;\r\n\r\nx").as_bytes());
    let own = format!("Content-Type: text/plain; hp=\"cipher\"\r\n{OUTER}");
    assert_eq!(take_out(marked(&own, "Subject: s\r\n\r\nx").as_bytes()), b"Subject: s\r\n\r\nx");
}

/// Somebody who encrypts a message himself can write a marker: it takes out nothing but the fields of a protected header.
#[test]
fn a_marker_that_is_not_true_takes_out_nothing() {
    let protected = format!("{REST};\r\n hp=\"cipher\"\r\n\r\nx");
    let good = marked(OUTER, &protected);
    assert_ne!(take_out(good.as_bytes()), good.as_bytes());
    let length = format!("added={}", OUTER.len());
    for lie in [
        good.replace(&length, &format!("added={}", OUTER.len() + 1)),
        good.replace(&length, &format!("added={}", OUTER.len() - 1)),
        good.replace(&length, &format!("added={}", OUTER.len() + "Subject: s\r\n".len())),
        good.replace(&length, "added=0"),
        good.replace(&length, "added="),
        good.replace(&length, &length.replace('=', "=0")),
        good.replace(&length, &length.replace('=', "=+")),
        good.replace(&length, &format!("{length} ")),
        good.replace(&length, "added=18446744073709551615"),
        good.replace(&length, "added=99999999999999999999999"),
        good.replace("Sealpost-Marker", "sealpost-marker"),
        good.replace("v=1", "v=2"),
        good.replace(" hp=", " xp="),
        good.replace("Content-Type", "Content-Tipe"),
        good.replace("charset=x", "charset=x;\r\n a=b").replace(" hp=\"cipher\"", " hp=\"cipher\"; a=b"),
        format!("A: b\r\n{good}"),
        marked(&OUTER.replace("hp-outer", "Subject"), &protected),
        marked(&OUTER.replace("\r\n b\r\n", "\r\n\r\n"), &protected),
        marked(&format!("{OUTER}Content-Type: text/plain; hp=\"cipher\"\r\n"), "Subject: s\r\n\r\n"),
        marked("Content-Type: text/plain; hp=\"cipher\"\r\n", "Subject: s\r\n\r\n"),
        marked(OUTER, &format!("{REST}\r\n\r\n;\r\n hp=\"cipher\"")),
    ] {
        assert!(take_out(lie.as_bytes()) == lie.as_bytes(), "{lie}");
    }
}

/// A message that arrives in the clear gets a marker of ours in front, whatever it begins with.
#[test]
fn a_marker_that_arrives_is_not_believed() {
    let forged = marked(OUTER, &format!("{REST};\r\n hp=\"cipher\"\r\n\r\nx"));
    for headers in HeaderPolicy::ALL {
        let inside = String::from_utf8(inside(forged.as_bytes(), headers, 100)).unwrap();
        let (ours, rest) = inside.split_once("\r\n").unwrap();
        assert!(ours.starts_with("Sealpost-Marker: v=1") && rest.contains("Sealpost-Marker: v=1; added="));
        assert_eq!(
            open_as(alice(), seal_hiding(forged.as_bytes(), headers).bytes()).unwrap(),
            forged.as_bytes()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// Whatever was encrypted, what goes is a protection of the header, or a name's prefix.
    #[test]
    fn nothing_else_goes(pieces in prop::collection::vec(piece(), 0..20), added in 0_usize..80) {
        let bytes = [format!("Sealpost-Marker: v=1; added={added}\r\n").as_bytes(), &pieces.concat()].concat();
        let left = take_out(&bytes);
        let words = |bytes: &[u8]| bytes.windows(7).filter(|window| window == b"Subject").count();
        prop_assert!(left.len() <= bytes.len());
        let hidden = bytes.windows(9).filter(|window| window.eq_ignore_ascii_case(b"HP-Outer:")).count();
        prop_assert!(words(&bytes) - words(&left) <= hidden);
    }
}

//! What comes back when a stored message is decrypted.

use super::*;
use crate::laws::crlf;
use crate::laws::people::{ELLA, EMMA, ROSA, opening, seal};
use crate::laws::structure::{CIPHERTEXT, RECIPIENTS, mail, octets, structures};
use crate::laws::tree::{Content, Node};
use proptest::prelude::*;
use sealpost::mail::HeaderPolicy;
use sealpost::mailbox;
use sealpost::smime::Form;

/// What its sender encrypted for Ella: this content, behind this header.
fn foreign(header: &str, content: &[u8]) -> Vec<u8> {
    let made = structures().iter().find(|made| made.name == "compatible-ella").expect("it is made");
    [header.as_bytes(), &mail(&made.with_content(content))].concat()
}

#[test]
fn every_line_end_comes_back() {
    let crlf_message = crlf(MESSAGE);
    for (message, restored) in [
        (MESSAGE, MESSAGE),
        (crlf_message.as_slice(), crlf_message.as_slice()),
        (b"A: b\n\n\ra\r\rb\n", b"A: b\n\n\ra\r\rb\n"),
        (b"no header", b"no header"),
        (b"no header\n", b"no header\n"),
        (b"", b""),
        (b"\n\n", b"\n\n"),
        (b"Sealpost-Sealed: v=1; eol=lf\r\n\r\nx\r\n", b"Sealpost-Sealed: v=1; eol=lf\r\n\r\nx\r\n"),
    ] {
        let sealed = encrypted(message, "", &[&ELLA]);
        assert_eq!(decrypted(&sealed, &ELLA), (restored.to_vec(), Vec::new()), "{}", message.escape_ascii());
    }
    let mixed = b"A: b\n\r\nx\n";
    let sealed = encrypted(mixed, "", &[&ELLA]);
    let note = "its line ends were mixed: all of them are CR LF now".to_owned();
    assert_eq!(decrypted(&sealed, &ELLA), (b"A: b\r\n\r\nx\r\n".to_vec(), vec![note]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The header rule adds nothing to what we sealed, whatever is hidden: it would be noted, and the message another one.
    #[test]
    fn what_we_sealed_comes_back(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "Subject: x", "subject:y", "From: a@b", "X-Spam-Report: z", "MIME-Version: 1.0", "HP-Outer: A: b",
                "Content-Type: text/plain; hp=\"cipher\"", "Sealpost-Marker: v=1; added=4", "Sealpost-Sealed: v=1; eol=lf",
                "Received: by x", "Keywords:", "\n", "\r\n", "\r", "\0", " ", "\t", "body", ":", "\u{e4}",
            ]),
            0..24,
        ),
        ends in prop::sample::select(vec!["\n", "\r\n", ""]),
        headers in prop::sample::select(HeaderPolicy::ALL.to_vec()),
    ) {
        let message = pieces.iter().flat_map(|piece| [*piece, ends]).collect::<String>().into_bytes();
        let form = Form { headers, ..Form::default() };
        let sealed = seal(&message, &[&ELLA], form, 1).unwrap();
        let clear = mailbox::open(sealed.bytes(), &[ELLA.opening()]).unwrap();
        let mixed = sealpost::mail::eol(&message) == sealpost::mail::Eol::Mixed;
        let expected = if mixed { crlf(&message) } else { message.clone() };
        prop_assert_eq!(clear.message.expose(), &expected);
        prop_assert_eq!(clear.notes.len(), usize::from(mixed));
    }
}

#[test]
fn the_header_of_what_its_sender_encrypted_is_kept() {
    let header = "Received: by mx\n\tfor ella\nFrom: Anna <anna@north.example>\nSubject: figures\nMIME-Version: 1.0\n\
                  Sealpost-Sealed: v=1; state=clear\nHP-Outer: Subject: forged\nX-Spam-Report: none\n";
    let content = b"Content-Type: text/plain\r\nSUBJECT: inside\r\n\r\nxyzzy\r\n";
    let (clear, notes) = decrypted(&foreign(header, content), &ELLA);
    let expected = "Received: by mx\r\n\tfor ella\r\nFrom: Anna <anna@north.example>\r\nX-Spam-Report: none\r\n\
                    Content-Type: text/plain\r\nSUBJECT: inside\r\n\r\nxyzzy\r\n";
    assert_eq!(String::from_utf8(clear).unwrap(), expected);
    assert_eq!(notes, ["3 header fields that stood outside of the encryption only stand in front now"]);
}

#[test]
fn the_fields_in_front_take_the_line_ends_of_the_content() {
    let (clear, notes) =
        decrypted(&foreign("Subject: x\r\n y\r\n", b"Content-Type: text/plain\n\nx\n"), &ELLA);
    assert_eq!(clear, b"Subject: x\n y\nContent-Type: text/plain\n\nx\n");
    assert_eq!(notes, ["one header field that stood outside of the encryption only stands in front now"]);
    let binary = b"Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\n\r\n\0\r";
    let (clear, _) = decrypted(&foreign("Subject: x\n", binary), &ELLA);
    assert_eq!(clear, [b"Subject: x\r\n", binary.as_slice()].concat(), "octet for octet");
}

#[test]
fn a_body_is_never_taken_for_a_header() {
    let (clear, _) = decrypted(&foreign("Subject: x\n", b"\r\nBcc: nobody\r\n"), &ELLA);
    assert_eq!(clear, b"Subject: x\r\n\r\nBcc: nobody\r\n");
    // Behind a marker like ours stands anything, also what would continue the last field.
    let (clear, _) = decrypted(&foreign("Subject: x\n", b"Sealpost-Marker: v=1\r\n and more\r\n"), &ELLA);
    assert_eq!(clear, b"Subject: x\r\n\r\n and more\r\n");
    let (clear, _) = decrypted(&foreign("Subject: x\n", b"Sealpost-Marker: v=1\r\n"), &ELLA);
    assert_eq!(clear, b"Subject: x\r\n\r\n");
}

#[test]
fn what_is_not_sealed_stays() {
    let work = Decrypt { keys: &[ELLA.opening()] };
    assert_eq!(left(made_of(&work, &openpgp())), Left::OpenPgp);
    for clear in [MESSAGE, b"", b"From x\nTo: y\n\nz", b"Subject: enveloped-data\n\nMIIB\n"] {
        assert_eq!(left(made_of(&work, clear)), Left::Clear);
    }
}

#[test]
fn what_does_not_open_says_why() {
    let work = Decrypt { keys: &opening(&[&ELLA, &ROSA]) };
    let one = encrypted(MESSAGE, "", &[&EMMA]);
    assert_eq!(
        failed(made_of(&work, &one)),
        "sealed to no key at hand: it names one recipient; sealpost mailbox inspect shows whom, and --key takes the key of one of them"
    );
    let two = encrypted(MESSAGE, "", &[&EMMA, &crate::laws::people::PAULA]);
    assert!(failed(made_of(&work, &two)).starts_with("sealed to no key at hand: it names 2 recipients; "));
    let damaged = damaged(&encrypted(MESSAGE, "", &[&ELLA]));
    assert!(
        failed(made_of(&work, &damaged)).starts_with("it names a key at hand and does not open with it: ")
    );
    let der = octets(&one);
    let cut = failed(made_of(&work, &mail(&der[..der.len() - 2])));
    assert_eq!(cut, "the CMS structure is broken: it is cut off");
    let at = der.windows(3).position(|octets| octets == [1, 7, 3]).unwrap() + 2;
    for other in [2, 9, 0x43] {
        let mut der = der.clone();
        der[at] = other;
        let message = String::from_utf8(mail(&der)).unwrap();
        assert_eq!(left(made_of(&work, message.as_bytes())), Left::Clear, "it may be something else");
        let message = message.replacen("pkcs7-mime", "pkcs7-mime; smime-type=enveloped-data", 1);
        assert_eq!(
            failed(made_of(&work, message.as_bytes())),
            "the CMS structure is broken: it is labelled as encrypted and names another type of content"
        );
    }
    let labelled = b"Content-Type: application/pkcs7-mime\n\nnothing\n";
    assert_eq!(failed(made_of(&work, labelled)), "the CMS structure is broken: the body is no ContentInfo");
}

/// The last block of the ciphertext is another one, so that its padding is wrong for any content.
fn damaged(sealed: &[u8]) -> Vec<u8> {
    let flip = |node: &mut Node| {
        let Content::Primitive(octets) = &mut node.content else { panic!("octets") };
        let at = octets.len() - 17;
        octets[at] ^= 0x80;
    };
    mail(&Node::read(&octets(sealed)).unwrap().with_below(&CIPHERTEXT, flip).write())
}

/// Each costs only itself, and says what is wrong with it.
#[test]
fn a_hostile_message_among_good_ones() {
    let good = encrypted(MESSAGE, "", &[&ELLA]);
    let bomb = mail(&[0x30, 0x80].repeat(50_000));
    // An EnvelopedData of no end whose elements go down for ever.
    let begin = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80\x30\x80";
    let nested = [begin.as_slice(), &[0x24, 0x80].repeat(50_000)].concat();
    let mut broken = good.clone();
    let at = broken.len() - 50;
    broken[at] = b'!';
    let batch: [&[u8]; 7] = [&good, &bomb, &good, &mail(&nested), &crowded(), &broken, &good];
    let fates = made(&Decrypt { keys: &[ELLA.opening()] }, &batch);
    let mut reasons = Vec::new();
    for (at, made) in fates.into_iter().enumerate() {
        match made {
            Made::Replace(content, proof, _) => {
                assert!(batch[at] == good);
                assert!(content.bytes() == MESSAGE && proof.holds(MESSAGE));
            }
            Made::Leave(left) => reasons.push((at, format!("{left:?}"))),
            Made::Fail(reason) => reasons.push((at, reason)),
        }
    }
    let expected = [
        (1, "the CMS structure is broken: the body is no ContentInfo"),
        (3, "the CMS structure has more than 100 levels"),
        (4, "the CMS structure has more than 10000 recipients"),
        (5, "the CMS structure is broken: the body has octets that its encoding does not know"),
    ];
    assert_eq!(reasons, expected.map(|(at, reason)| (at, reason.to_owned())));
    // Encrypting seals all of them as they are: none is the sealed message that it seems to be.
    let (prospect, seeds) = (prospect("", &[&ELLA]), Seeds::default());
    for (made, message) in made(&encrypt(&prospect, &seeds), &batch).into_iter().zip(&batch) {
        match made {
            Made::Leave(Left::AlreadyRight) => assert!(**message == good),
            made => assert!(decrypted(&replaced(made).0, &ELLA).0 == **message),
        }
    }
    let fates = made(&Rekey::new(&[ELLA.opening()], &prospect, &Directory::default(), &seeds), &batch);
    assert_eq!(fates.iter().filter(|made| matches!(made, Made::Leave(Left::AlreadyRight))).count(), 3);
    assert_eq!(fates.iter().filter(|made| matches!(made, Made::Fail(_))).count(), 4);
}

/// 100 000 recipients of a kind that nobody knows.
fn crowded() -> Vec<u8> {
    let one = Node::read(b"\xa4\x05\x06\x01\x2a\x05\x00").expect("it is BER");
    let crowd = |node: &mut Node| {
        let Content::Constructed(children) = &mut node.content else { panic!("a SET") };
        children.extend(std::iter::repeat_n(one, 100_000));
    };
    mail(&structures()[0].tree().with_below(&RECIPIENTS, crowd).write())
}

//! `open(seal(m)) == crlf(m)` for every message.

use super::*;
use proptest::prelude::*;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

pub(in crate::smime) const SPECIAL: [&[u8]; 33] = [
    b"",
    b"\n",
    b"\r\n",
    b"\r",
    b"\r\r\n",
    b"x",
    b"\0",
    b"\0: y\r\n",
    b"no header\r\n\r\nbody",
    b" folded: first\r\nA: b\r\n",
    b"\r\nonly a body",
    b"Subject: only a header",
    b"Subject: cut\rby a bare CR\r\n\r\nbody",
    b"Sealpost-Marker: v=1\r\n",
    b"Sealpost-Marker: v=1\nSealpost-Marker: v=1\n\nx",
    b"SEALPOST-MARKER: v=2\n\nx",
    b"Sealpost-Marker: v=1\r\n folded\r\n",
    b"Sealpost-Marker: v=1; added=0\r\n\r\nx",
    b"Sealpost-Marker: v=1; added=22\r\nHP-Outer: Subject: s\r\n\r\nx",
    b"Sealpost-Marker: v=1; added=61\r\nContent-Type: text/plain; hp=\"cipher\"\r\nHP-Outer: Subject: s\r\n\r\nx",
    b"A: b\nContent-Type: text/plain;\n hp=\"cipher\"\n\nx",
    b"Content-Type: text/plain ; ;\n ; \nA: b\n\nx",
    b"Content-Type: text/plain",
    b"Content-Type: text/plain;\r\r\n hp=\"cipher\"\n",
    b"Subject: s\nno field\nContent-Type: text/plain\n\nx",
    b"To: a\n \n \t\nSubject:\n\n",
    b"HP-Outer: Subject: [...]\nhp-outer: To: x\n\n",
    b"Sealpost-Arrived-hp-outer: a\r\nSEALPOST-ARRIVED-Sealpost-Arrived-HP-Outer: b\r\n\r\n",
    b"Content-Type: text/plain; hp=clear;\n\tHP*0*=us'en'c; x-sealpost-arrived-hp = \"cipher\"; boundary=\"hp=;\\\"hp(\"\n\nx",
    b"no field\n HP-Outer: a\n \n\tHP-Outer: b\n:\n : HP-Outer: c\nSealpost-Arrived-\n HP-Outer: d\n\n",
    b":\rHP-Outer: a\r\r\rHP-Outer: b\rHP-\rOuter\r: c\rSealpost-Arrived-\rHP-Outer: d\r\n\n",
    b"Content-Type: a; hp=b\rContent-\rType: c; hp\rHP-Outer: =\"hp(\r\n Content-Type: hp(d)=e\n\n",
    b"Content-Type: text/plain; hp (comment) =cipher; charset=hp; name=\"hp (1).pdf\"\r\n\r\n",
];

#[test]
fn special_messages_come_back() {
    for message in SPECIAL {
        for profile in CLASSICAL {
            assert_law(message, profile);
        }
    }
}

#[test]
fn chunk_borders_come_back() {
    for length in [20_975, 20_976, 21_887, 21_888, 21_889, 43_775, 43_776, 43_777] {
        let text: Vec<u8> =
            b"A: b\n\n".iter().chain(b"0123456789abcd\n".iter().cycle()).take(length).copied().collect();
        assert_law(&text, Profile::Compatible);
        assert_law(&crlf(&text), Profile::Compatible);
        // LFs on both sides of every border.
        assert_law(&vec![b'\n'; length], Profile::Compatible);
        assert_law(&b"\r\n".repeat(length / 2), Profile::Modern);
    }
}

#[test]
fn a_line_of_a_megabyte_and_deep_nesting_come_back() {
    assert_law(&[b"Subject: x\n\n".to_vec(), vec![b'x'; 1 << 20]].concat(), Profile::Compatible);
    let nested =
        (0..1000).map(|depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n"));
    assert_law(nested.collect::<String>().as_bytes(), Profile::Modern);
}

/// Pieces out of which hostile headers are made.
pub(in crate::smime) fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 31] = [
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b";",
        b"=",
        b"*",
        b"(",
        b")",
        b"\"",
        b"\\",
        b"\0",
        b"\xff",
        b"a",
        b"hp",
        b"HP-Outer",
        b"Content-Type: x",
        b"x-sealpost-arrived-",
        b"Sealpost-Arrived-",
        b"Sealpost-Marker: v=1\r\n",
        b"Subject: s",
        b"0",
        b"Sealpost-Marker: v=1; added=",
        b"Content-Type: text/plain; hp=\"cipher\"\r\n",
        b";\r\n hp=\"cipher\"",
        b"\nContent-Type: text/plain",
        b"\nFrom: A <a@b.example>",
        b"HP-Outer: Subject: [...]\r\n",
        b"; charset=utf-8;",
    ];
    prop::sample::select(pieces.map(<[u8]>::to_vec).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_come_back(message: Vec<u8>) {
        assert_law(&message, Profile::Compatible);
    }

    #[test]
    fn hostile_headers_come_back(pieces in prop::collection::vec(piece(), 0..40), modern: bool) {
        let profile = if modern { Profile::Modern } else { Profile::Compatible };
        assert_law(&pieces.concat(), profile);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// The same law without the encryption between, so that many more headers are tried.
    #[test]
    fn what_is_put_in_is_taken_out(pieces in prop::collection::vec(piece(), 0..30), size in 1_usize..50, policy in 0_usize..3) {
        let bytes = pieces.concat();
        let headers = HeaderPolicy::ALL[policy];
        let inside = inside(&bytes, headers, size);
        prop_assert!(inner::begins_like_mail(&inside));
        let out = inner::take_out(SecretBytes::new(inside));
        prop_assert_eq!(out.expose(), &*crlf(&bytes));
    }
}

#[test]
fn public_messages_come_back() {
    let recipients = [alice().validated()];
    let files = crate::mail::vectors::files("mail");
    let messages: Vec<&[u8]> = files.iter().map(|(_, bytes)| crate::mail::without_mbox_line(bytes)).collect();
    for profile in CLASSICAL {
        let policies = HeaderPolicy::ALL.into_iter().cycle();
        let jobs = messages.iter().zip(policies);
        let jobs = jobs.map(|(message, headers)| hiding(headers, job(message, &recipients, profile, 5)));
        let sealed = seal_many(jobs.collect());
        assert_eq!(sealed.len(), messages.len());
        messages.par_iter().zip(sealed).for_each(|(message, sealed)| {
            let opened = open_as(alice(), sealed.unwrap().bytes()).unwrap();
            assert!(opened == *crlf(message));
        });
    }
}

#[test]
fn one_to_thirty_recipients_open_it() {
    let keys = [alice(), bob()];
    let everybody: Vec<Certificate> = (0..30u8)
        .map(|number| issue(&keys[usize::from(number % 2)].key, &format!("p{number}@north.example"), number))
        .collect();
    let everybody: Vec<ValidatedCertificate> = everybody.iter().map(validated).collect();
    for profile in CLASSICAL {
        for count in [1, 2, 3, 30] {
            let to = &everybody[..count];
            let sealed = seal_for(b"Subject: all\n\nhello\n", to, profile);
            assert_eq!(sealed.facts().recipients.len(), count);
            for (number, recipient) in to.iter().enumerate() {
                let key =
                    OpeningKey { key: &keys[number % 2].key, certificate: Some(recipient.certificate()) };
                let opened = open(sealed.bytes(), &[key]).unwrap();
                assert_eq!(opened.message.expose(), b"Subject: all\r\n\r\nhello\r\n");
            }
        }
    }
}

#[test]
fn a_certificate_given_twice_is_one_recipient() {
    let sealed = seal_for(b"A: b\n", &[alice().validated(), alice().validated()], Profile::Compatible);
    assert_eq!(sealed.facts().recipients.len(), 1);
    assert_eq!(sealed.facts().recipients[0].certificate, Some(alice().certificate.fingerprint()));
}

#[test]
fn nobody_is_refused() {
    let outcome = seal_many(vec![job(b"A: b\n", &[], Profile::Compatible, 1)]).remove(0);
    assert_eq!(outcome.err().unwrap().to_string(), "there is nobody to seal the message to");
}

#[test]
fn the_same_seeds_give_the_same_bytes_on_any_number_of_threads() {
    let recipients = [alice().validated(), bob().validated()];
    let messages: Vec<Vec<u8>> =
        (0..24u8).map(|n| [b"Subject: x\n\n".as_slice(), &vec![n; usize::from(n) * 900]].concat()).collect();
    let seal_on = |threads: usize| -> Vec<Vec<u8>> {
        let jobs = messages
            .iter()
            .zip(0..)
            .map(|(message, n)| job(message, &recipients, CLASSICAL[usize::from(n % 2)], n));
        let jobs = jobs.collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| seal_many(jobs)).into_iter().map(|sealed| sealed.unwrap().bytes().to_vec()).collect()
    };
    let one = seal_on(1);
    assert_eq!(one, seal_on(2));
    assert_eq!(one, seal_on(8));
    let alone: Vec<u8> = seal_many(vec![job(&messages[3], &recipients, Profile::Modern, 3)])
        .remove(0)
        .unwrap()
        .bytes()
        .to_vec();
    assert_eq!(alone, one[3]);
}

#[test]
fn other_seeds_give_other_keys_and_ivs() {
    let recipients = [alice().validated()];
    let bodies: std::collections::HashSet<Vec<u8>> = (0..8)
        .map(|n| {
            seal_many(vec![job(b"A: b\n", &recipients, Profile::Compatible, n)])
                .remove(0)
                .unwrap()
                .bytes()
                .to_vec()
        })
        .collect();
    assert_eq!(bodies.len(), 8);
}

/// In the room of a message that is gone, which was longer: what is left of that one does not show.
#[test]
fn the_room_of_a_large_message_serves_the_next_one() {
    const LARGE: usize = 40 << 20;
    let message = [b"Subject: x\n\n".as_slice(), &b"a line\n".repeat(300_000)].concat();
    for profile in CLASSICAL {
        let alone = seal_for_alice(&message, profile).bytes().to_vec();
        // Another test of this process may take it first.
        let is_reused = (0..50).any(|_| {
            spare::give_back(vec![b'A'; LARGE]);
            let sealed = seal_for_alice(&message, profile);
            assert!(sealed.bytes() == alone);
            sealed.bytes.capacity() == LARGE
        });
        assert!(is_reused, "{profile:?}");
    }
}

#[test]
fn the_output_is_reserved_once() {
    for profile in CLASSICAL {
        for length in [0, 1, 100, 20_000] {
            let sealed = seal_for_alice(&vec![b'x'; length], profile);
            assert_eq!(sealed.bytes.len(), sealed.bytes.capacity());
        }
    }
}

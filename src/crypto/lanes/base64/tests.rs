//! The kernel of this machine and the portable way against `encodify` over the whole: all lengths, all places of a line's end.

use super::*;

/// The columns of a body, of PEM, and some besides: a kernel has the first two.
const COLUMNS: [usize; 6] = [76, 64, 72, 68, 60, 4];
/// The longest input of which every length is tried.
const LONGEST: usize = if cfg!(miri) { 130 } else { 1500 };

/// Every way of this machine for every kind of line.
fn encoders() -> impl Iterator<Item = LineEncoder> {
    let endings = [LineEnding::Lf, LineEnding::CrLf];
    let all = COLUMNS.into_iter().flat_map(move |columns| endings.map(|end| LineEncoder::new(columns, end)));
    all.flat_map(|encoder| [encoder, encoder.portable()])
}

fn lengths() -> impl Iterator<Item = usize> {
    let long = if cfg!(miri) { [0; 4] } else { [57 * 100, 48 * 100 + 1, 57 * 1000 + 56, 100_000] };
    (0..=LONGEST).chain(long)
}

/// All values of an octet, in many neighbourhoods.
fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 151 + at / 256 * 31 + (at >> 3)) as u8).collect()
}

fn expected(encoder: &LineEncoder, octets: &[u8]) -> Vec<u8> {
    STANDARD.wrapped(encoder.shape.letters, encoder.shape.ending).encode(octets).into_bytes()
}

#[test]
fn it_is_appended() {
    for encoder in encoders() {
        for length in lengths() {
            let octets = octets(length);
            let mut out = Vec::with_capacity(7 + encoder.encoded_len(length));
            let capacity = out.capacity();
            out.extend_from_slice(b"header\n");
            encoder.encode_append(&octets, &mut out);
            assert!(out == [b"header\n", &*expected(&encoder, &octets)].concat(), "{encoder:?}, {length}");
            assert_eq!(out.capacity(), capacity, "the output is reserved once");
        }
    }
}

#[test]
fn what_has_no_room_yet_gets_it() {
    for encoder in encoders() {
        let (octets, mut out) = (octets(500), Vec::new());
        encoder.encode_append(&octets, &mut out);
        assert!(out == expected(&encoder, &octets), "{encoder:?}");
    }
}

#[test]
fn it_takes_the_place_of_its_octets() {
    for encoder in encoders() {
        for length in lengths() {
            let octets = octets(length);
            let mut out = Vec::with_capacity(7 + encoder.encoded_len(length));
            let capacity = out.capacity();
            out.extend_from_slice(b"header\n");
            out.extend_from_slice(&octets);
            encoder.encode_in_place(&mut out, 7);
            assert!(out == [b"header\n", &*expected(&encoder, &octets)].concat(), "{encoder:?}, {length}");
            assert_eq!(out.capacity(), capacity, "the output is reserved once");
        }
    }
}

/// Each value at each place of a line.
#[test]
fn every_octet_at_every_place() {
    for encoder in encoders().filter(|encoder| encoder.shape.letters >= 64) {
        for place in 0..encoder.shape.octets {
            for octet in (0..=255).step_by(if cfg!(miri) { 51 } else { 1 }) {
                let mut line = vec![!octet; encoder.shape.octets];
                line[place] = octet;
                let mut out = Vec::new();
                encoder.encode_append(&line, &mut out);
                assert!(out == expected(&encoder, &line), "{encoder:?}, {octet} at {place}");
            }
        }
    }
}

/// What a test of this machine compares is what the product uses.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernel_is_used_where_it_can_be() {
    for encoder in encoders() {
        let fits = [76, 64].contains(&encoder.shape.letters);
        let has = is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512bw");
        let best = Backend::best(encoder.shape);
        assert_eq!(matches!(best, Backend::Vbmi(_)), fits && has, "{:?}", encoder.shape);
    }
}

/// What was never written does not come to light.
#[test]
fn behind_the_end_there_is_nothing_to_encode() {
    for encoder in encoders() {
        let mut out = Vec::with_capacity(100);
        out.extend_from_slice(b"abc");
        for start in [3, 4, 50, 200] {
            encoder.encode_in_place(&mut out, start);
            assert_eq!(out, b"abc", "{encoder:?}, {start}");
        }
    }
}

//! Every backend of this machine against the `rsa` crate's arithmetic.

use super::*;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rsa::BoxedUint;

/// On a processor without IFMA only the portable one is tried.
fn backends() -> Vec<Backend> {
    if Backend::best() == Backend::Portable {
        return vec![Backend::Portable];
    }
    vec![Backend::Portable, Backend::best()]
}

fn number(octets: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(octets)
}

fn reference(modulus: &[u8], exponent: u64, block: &[u8]) -> Vec<u8> {
    let key = rsa::PublicKey::new(number(modulus), BoxedUint::from(exponent)).unwrap();
    let raised = rsa::hazmat::rsa_encrypt(&key, &number(block)).unwrap().to_be_bytes();
    let zeros = raised.len().saturating_sub(modulus.len());
    assert!(raised[..zeros].iter().all(|&octet| octet == 0));
    [&vec![0; modulus.len() - (raised.len() - zeros)], &raised[zeros..]].concat()
}

/// An odd number of exactly so many bits.
fn modulus_of(bits: usize, rng: &mut StdRng) -> Vec<u8> {
    let mut octets = vec![0; bits.div_ceil(8)];
    rng.fill_bytes(&mut octets);
    let highest = (bits - 1) % 8;
    octets[0] = octets[0] & ((1 << highest) - 1) | 1 << highest;
    *octets.last_mut().unwrap() |= 1;
    octets
}

/// A number less than the modulus.
fn block_below(modulus: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut block = vec![0; modulus.len()];
    rng.fill_bytes(&mut block[1..]);
    block
}

fn minus_one(odd: &[u8]) -> Vec<u8> {
    let mut less = odd.to_vec();
    *less.last_mut().unwrap() -= 1;
    less
}

/// All of the cases in one call, on every backend.
fn assert_like_the_crate(cases: &[(Vec<u8>, u64, Vec<u8>)]) {
    let expected: Vec<_> = cases.iter().map(|(n, e, block)| reference(n, *e, block)).collect();
    let moduli: Vec<_> = cases.iter().map(|(n, e, _)| Modulus::new(n, *e).unwrap()).collect();
    let powers: Vec<_> =
        moduli.iter().zip(cases).map(|(modulus, (.., block))| Power { modulus, block }).collect();
    for backend in backends() {
        let raised = raise_all_with(backend, &powers);
        assert_eq!(raised.len(), expected.len());
        for ((n, e, _), (raised, expected)) in cases.iter().zip(raised.iter().zip(&expected)) {
            assert_eq!(raised, expected, "{backend:?}, {} octets, exponent {e}", n.len());
        }
    }
}

/// The sizes at which something changes: octets, the classes and their ends. Miri, which takes a thousand times as long, sees
/// the least.
const SIZES: &[usize] = if cfg!(miri) {
    &[1024, 1025]
} else {
    &[1024, 1025, 2047, 2048, 2056, 2078, 2079, 3000, 3118, 3119, 4096, 4158]
};
/// A usual size.
const USUAL: usize = if cfg!(miri) { 1024 } else { 2048 };
/// An exponent that is soon done for Miri.
const EXPONENT: u64 = if cfg!(miri) { 5 } else { 65537 };

#[test]
fn every_size_gives_what_the_crate_gives_at_the_edges() {
    let mut rng = StdRng::seed_from_u64(1);
    for &bits in SIZES {
        let ones = vec![0xff; bits.div_ceil(8)];
        let top = [&[0xff >> (7 - (bits - 1) % 8)], &ones[1..]].concat();
        let lowest = [&[1 << ((bits - 1) % 8)], &vec![0; ones.len() - 2][..], &[1]].concat();
        let mut cases = Vec::new();
        for modulus in [modulus_of(bits, &mut rng), top, lowest] {
            let length = modulus.len();
            let small = |last: u8| [vec![0; length - 1], vec![last]].concat();
            let half = [vec![0; length / 2], vec![0xff; length - length / 2]].concat();
            let blocks =
                [small(0), small(1), small(2), minus_one(&modulus), half, block_below(&modulus, &mut rng)];
            cases.extend(blocks.map(|block| (modulus.clone(), EXPONENT, block)));
        }
        assert_like_the_crate(&cases);
    }
}

#[test]
fn any_number_of_blocks_comes_back_in_its_order() {
    let mut rng = StdRng::seed_from_u64(2);
    for count in if cfg!(miri) { 7..=9 } else { 0..=17 } {
        let one_size: Vec<_> = (0..count).map(|_| modulus_of(USUAL, &mut rng)).collect();
        let cases = one_size.into_iter().map(|n| (n.clone(), EXPONENT, block_below(&n, &mut rng)));
        assert_like_the_crate(&cases.collect::<Vec<_>>());
    }
    let mixed = (0..if cfg!(miri) { 0 } else { 40 })
        .map(|at| (modulus_of([2048, 3072, 4096, 1024][at % 4], &mut rng), [65537, 3][at % 3 % 2]));
    let mixed: Vec<_> = mixed.collect();
    let cases = mixed.into_iter().map(|(n, e)| (n.clone(), e, block_below(&n, &mut rng)));
    assert_like_the_crate(&cases.collect::<Vec<_>>());
}

#[test]
fn every_odd_exponent_is_served() {
    let mut rng = StdRng::seed_from_u64(3);
    let exponents: &[u64] =
        if cfg!(miri) { &[3, 257] } else { &[3, 5, 7, 17, 257, 65535, 65537, 65539, (1 << 33) - 1] };
    for &exponent in exponents {
        let n = modulus_of(USUAL, &mut rng);
        let cases: Vec<_> = (0..8).map(|_| (n.clone(), exponent, block_below(&n, &mut rng))).collect();
        assert_like_the_crate(&cases);
    }
}

#[test]
fn what_no_kernel_serves_has_no_modulus() {
    let mut rng = StdRng::seed_from_u64(4);
    let odd = modulus_of(2048, &mut rng);
    for exponent in [0, 1, 2, 65536] {
        assert!(Modulus::new(&odd, exponent).is_none());
    }
    assert!(Modulus::new(&minus_one(&odd), 3).is_none());
    assert!(Modulus::new(&modulus_of(4159, &mut rng), 3).is_none());
    assert!(Modulus::new(&modulus_of(4158, &mut rng), 3).is_some());
    for nothing in [&[][..], &[0], &[0; 300], &[0, 1], &[5]] {
        assert!(Modulus::new(nothing, 3).is_none());
    }
}

#[test]
fn zeros_before_a_modulus_do_not_count() {
    let n = modulus_of(2048, &mut StdRng::seed_from_u64(5));
    let padded = Modulus::new(&[&[0; 3], &n[..]].concat(), 65537).unwrap();
    assert_eq!((padded.octets(), padded.n()), (256, Modulus::new(&n, 65537).unwrap().n()));
    assert_eq!(format!("{padded:?}"), "Modulus(256 octets, exponent 65537)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 0 } else { 48 }))]
    #[test]
    fn any_modulus_gives_what_the_crate_gives(
        bits in prop_oneof![1024..=4158usize, 2040..=2080usize, 3060..=3120usize, 4090..=4158usize],
        exponent in prop_oneof![Just(65537u64), (1..1u64 << 32).prop_map(|half| 2 * half + 1)],
        seed: u64,
        count in 1..=8usize,
        runs in prop::bool::ANY,
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let case = |rng: &mut StdRng| {
            let mut n = modulus_of(bits, rng);
            if runs {
                // Long runs of ones and zeros: carries that go far.
                n.iter_mut().skip(1).rev().skip(1).enumerate().for_each(|(at, octet)| *octet = if at / 40 % 2 == 0 { 0xff } else { 0 });
            }
            let block = block_below(&n, rng);
            (n, exponent, block)
        };
        let cases: Vec<_> = (0..count).map(|_| case(&mut rng)).collect();
        assert_like_the_crate(&cases);
    }
}

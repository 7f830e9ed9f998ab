//! One block after the other, on every processor: products column by column, summed in 128 bits.

#![expect(clippy::indexing_slicing, reason = "columns of products; all slices have the limbs of the modulus")]

use super::Power;
use super::modulus::{ExponentBit, LIMB, MASK, MOST, Modulus, read};
use std::mem;
use zeroize::Zeroizing;

/// `block^e mod n`.
pub(super) fn raise(power: &Power<'_>) -> Vec<u8> {
    let modulus = power.modulus;
    let empty = || Zeroizing::new(vec![0; modulus.limbs()]);
    let (mut block, mut block_r, mut next) = (empty(), empty(), empty());
    read(power.block, &mut block);
    multiply(modulus, &block, modulus.r_squared(), &mut block_r);
    let mut raised = block_r.clone();
    for bit in modulus.exponent_bits() {
        square(modulus, &raised, &mut next);
        match bit {
            ExponentBit::Clear => mem::swap(&mut raised, &mut next),
            ExponentBit::Set => multiply(modulus, &next, &block_r, &mut raised),
            ExponentBit::Last => multiply(modulus, &next, &block, &mut raised),
        }
    }
    modulus.finish(&mut raised)
}

/// `a b / R mod n`, less than 2n.
fn multiply(modulus: &Modulus, a: &[u64], b: &[u64], product: &mut [u64]) {
    reduce(modulus, |from, to| cross(&a[from..to], &b[from..to]), product);
}

/// `a² / R mod n`: each product of two limbs is made once and taken twice.
fn square(modulus: &Modulus, a: &[u64], product: &mut [u64]) {
    reduce(modulus, |from, to| cross_with_itself(&a[from..to]), product);
}

/// Montgomery's reduction of the number whose column `from + to - 1` is the sum that is given for limbs `from` to `to`.
fn reduce(modulus: &Modulus, column: impl Fn(usize, usize) -> u128, product: &mut [u64]) {
    let (n, limbs) = (modulus.n(), modulus.limbs());
    let mut multiples = Zeroizing::new([0; MOST]);
    let mut sum = 0;
    for at in 0..limbs {
        sum += column(0, at + 1) + cross(&multiples[..at], &n[1..=at]);
        let multiple = (sum as u64).wrapping_mul(modulus.inverse()) & MASK;
        multiples[at] = multiple;
        sum = (sum + u128::from(multiple) * u128::from(n[0])) >> LIMB;
    }
    for at in 1..=limbs {
        sum += column(at, limbs) + cross(&multiples[at..limbs], &n[at..]);
        product[at - 1] = sum as u64 & MASK;
        sum >>= LIMB;
    }
}

/// The first of one times the last of the other, and so on.
fn cross(one: &[u64], other: &[u64]) -> u128 {
    one.iter().zip(other.iter().rev()).map(|(&one, &other)| u128::from(one) * u128::from(other)).sum()
}

fn cross_with_itself(limbs: &[u64]) -> u128 {
    let (half, odd) = (limbs.len() / 2, limbs.len() % 2);
    let middle =
        limbs[half..half + odd].iter().map(|&limb| u128::from(limb) * u128::from(limb)).sum::<u128>();
    2 * cross(&limbs[..half], &limbs[half + odd..]) + middle
}

//! A modulus as the kernels take it, and numbers in limbs.

#![expect(clippy::indexing_slicing, reason = "arithmetic on limbs; every length is set in this file")]

use std::fmt;

/// Bits of a limb.
pub(super) const LIMB: u32 = 52;
/// The bits of a limb, set.
pub(super) const MASK: u64 = (1 << LIMB) - 1;
/// How many limbs a number may have: moduli of up to 2078, 3118 and 4158 bits.
const SIZES: [usize; 3] = [40, 60, 80];
/// The most limbs.
pub(super) const MOST: usize = 80;

/// A modulus with its exponent, and what depends on them alone.
#[derive(Clone)]
pub(crate) struct Modulus {
    octets: usize,
    exponent: u64,
    /// Least limb first, like all numbers here.
    limbs: Box<[u64]>,
    /// R² mod n, where R is two to the bits of all limbs.
    r_squared: Box<[u64]>,
    /// -n⁻¹ modulo 2⁵².
    inverse: u64,
}

impl Modulus {
    /// Of a number with its first octet first; nothing if it or the exponent is even, or the kernels have no size for it.
    pub(crate) fn new(modulus: &[u8], exponent: u64) -> Option<Modulus> {
        let start = modulus.iter().position(|&octet| octet != 0)?;
        let modulus = &modulus[start..];
        let bits = modulus.len() * 8 - modulus[0].leading_zeros() as usize;
        // R > 4n, so that what is less than 2n stays so from product to product without a subtraction.
        let size = SIZES.into_iter().find(|limbs| bits + 2 <= limbs * LIMB as usize)?;
        let odd = modulus[modulus.len() - 1] & exponent as u8 & 1 == 1;
        if !odd || exponent == 1 || bits < 64 {
            return None;
        }
        let mut limbs = vec![0; size].into_boxed_slice();
        read(modulus, &mut limbs);
        let (r_squared, inverse) = (r_squared(&limbs, bits), inverse(limbs[0]).wrapping_neg() & MASK);
        Some(Modulus { octets: modulus.len(), exponent, limbs, r_squared, inverse })
    }
    /// Octets of the modulus without leading zeros, and of each result.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.octets
    }
    /// Odd, and more than one.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn exponent(&self) -> u64 {
        self.exponent
    }
    /// How many limbs its numbers have.
    pub(super) fn limbs(&self) -> usize {
        self.limbs.len()
    }
    /// n.
    pub(super) fn n(&self) -> &[u64] {
        &self.limbs
    }
    /// R² mod n.
    pub(super) fn r_squared(&self) -> &[u64] {
        &self.r_squared
    }
    /// -n⁻¹ modulo 2⁵².
    pub(super) fn inverse(&self) -> u64 {
        self.inverse
    }
    /// The bits of the exponent below the highest one, from above; the last is always set.
    pub(super) fn exponent_bits(&self) -> impl Iterator<Item = ExponentBit> + use<> {
        let exponent = self.exponent;
        let from_above = (0..exponent.ilog2()).rev();
        from_above.map(move |at| match exponent >> at & 1 {
            0 => ExponentBit::Clear,
            _ if at == 0 => ExponentBit::Last,
            _ => ExponentBit::Set,
        })
    }
    /// Brings a product, which is less than 2n, below n, and writes its octets. Every limb takes the same way.
    pub(super) fn finish(&self, product: &mut [u64]) -> Vec<u8> {
        let difference = |borrow: i64, (&limb, &n): (&u64, &u64)| (borrow + limb as i64 - n as i64) >> LIMB;
        let borrow = product.iter().zip(self.n()).fold(0, difference);
        let subtracted = !(borrow as u64);
        let mut borrow = 0;
        for (limb, n) in product.iter_mut().zip(self.n()) {
            borrow += *limb as i64 - (n & subtracted) as i64;
            *limb = borrow as u64 & MASK;
            borrow >>= LIMB;
        }
        let mut octets = vec![0; self.octets];
        write(product, &mut octets);
        octets
    }
}

/// What follows a squaring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExponentBit {
    /// Nothing.
    Clear,
    /// A multiplication by the block times R.
    Set,
    /// A multiplication by the block itself, which takes R out of the result as well.
    Last,
}

/// Shows the size only.
impl fmt::Debug for Modulus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Modulus({} octets, exponent {})", self.octets, self.exponent)
    }
}

/// Octets, the first one first, into limbs, an even number of them; two limbs are 13 octets.
pub(super) fn read(octets: &[u8], limbs: &mut [u64]) {
    for (pair, octets) in limbs.chunks_exact_mut(2).zip(octets.rchunks(13)) {
        let mut wide = [0; 16];
        wide[16 - octets.len()..].copy_from_slice(octets);
        let wide = u128::from_be_bytes(wide);
        pair[0] = wide as u64 & MASK;
        pair[1] = (wide >> LIMB) as u64;
    }
}

/// The way back.
fn write(limbs: &[u64], octets: &mut [u8]) {
    for (pair, octets) in limbs.chunks_exact(2).zip(octets.rchunks_mut(13)) {
        let wide = (u128::from(pair[1]) << LIMB | u128::from(pair[0])).to_be_bytes();
        octets.copy_from_slice(&wide[16 - octets.len()..]);
    }
}

/// The inverse of an odd number modulo 2⁶⁴: each step of Newton's doubles the bits that are right, three in the beginning.
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse))))
}

/// R² mod n by long division. Both are shifted up so that the highest bit of the divisor's highest limb is set.
fn r_squared(n: &[u64], bits: usize) -> Box<[u64]> {
    let used = bits.div_ceil(LIMB as usize);
    let shift = (used * LIMB as usize - bits) as u32;
    let mut divisor = n[..used].to_vec();
    shift_up(&mut divisor, shift);
    let mut rest = n.to_vec().into_boxed_slice();
    let up_to_here = &mut rest[..used];
    negate(&divisor, up_to_here);
    // That was 2^bits mod n, shifted; R² is two to the power of twice the bits of all limbs.
    let left = 2 * LIMB as usize * n.len() - bits;
    shift_and_reduce(up_to_here, &divisor, (left % LIMB as usize) as u32);
    (0..left / LIMB as usize).for_each(|_| shift_and_reduce(up_to_here, &divisor, LIMB));
    shift_down(up_to_here, shift);
    rest
}

/// Two to the bits of the divisor, less the divisor.
fn negate(divisor: &[u64], rest: &mut [u64]) {
    divisor.iter().zip(rest).fold(0, |borrow, (limb, rest)| {
        let difference = borrow - *limb as i64;
        *rest = difference as u64 & MASK;
        difference >> LIMB
    });
}

/// What is shifted out above is handed back.
fn shift_up(limbs: &mut [u64], by: u32) -> u64 {
    limbs.iter_mut().fold(0, |below, limb| {
        let wide = u128::from(*limb) << by | u128::from(below);
        *limb = wide as u64 & MASK;
        (wide >> LIMB) as u64
    })
}

fn shift_down(limbs: &mut [u64], by: u32) {
    limbs.iter_mut().rev().fold(0, |above, limb| {
        let wide = u128::from(above) << LIMB | u128::from(*limb);
        *limb = (wide >> by) as u64 & MASK;
        wide as u64 & MASK
    });
}

/// `rest 2^by mod divisor`: a step of long division (Knuth, volume 2, 4.3.1 D), whose digit is at most two too large.
fn shift_and_reduce(rest: &mut [u64], divisor: &[u64], by: u32) {
    let over = shift_up(rest, by);
    let top = divisor.len() - 1;
    let highest = u128::from(over) << LIMB | u128::from(rest[top]);
    let digit = (highest / u128::from(divisor[top])).min(u128::from(MASK));
    let mut borrow = 0;
    for (rest, limb) in rest.iter_mut().zip(divisor) {
        borrow += i128::from(*rest) - (digit * u128::from(*limb)) as i128;
        *rest = borrow as u64 & MASK;
        borrow >>= LIMB;
    }
    let mut over = i128::from(over) + borrow;
    while over < 0 {
        over += i128::from(add(rest, divisor));
    }
}

fn add(rest: &mut [u64], divisor: &[u64]) -> u64 {
    rest.iter_mut().zip(divisor).fold(0, |carry, (rest, limb)| {
        let sum = carry + *rest + limb;
        *rest = sum & MASK;
        sum >> LIMB
    })
}

//! The same by instructions of x86-64 processors: AES-NI, and VAES on registers of 512 bits.
//!
//! What the processor has is a value: [`Aesni`] and [`Vaes`] are made by the detection alone, and whatever calls a kernel
//! holds one.

mod columns;
mod expand;
mod memory;
mod narrow;
mod schedule;
mod single;
mod soon;
mod wide;

use super::{BLOCK, Block};
use columns::Columns;
pub(super) use memory::Piece;
use memory::load;
use schedule::Steps;
pub(super) use schedule::encrypt;
use soon::Soon;
use std::arch::x86_64::__m128i;
use std::fmt;
use zeroize::Zeroizing;

/// What the 15 rounds add, the first before any.
type Rounds = [__m128i; 15];

/// The processor has AES-NI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aesni(());

/// The processor has VAES and AVX-512 besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vaes(());

impl Aesni {
    fn detect() -> Option<Aesni> {
        is_x86_feature_detected!("aes").then_some(Aesni(()))
    }
}

impl Vaes {
    fn detect() -> Option<Vaes> {
        let has = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx512f");
        has.then_some(Vaes(()))
    }
}

/// What this processor has of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernels {
    narrow: Aesni,
    wide: Option<Vaes>,
}

impl Kernels {
    /// Nothing without AES-NI.
    pub(super) fn detect() -> Option<Kernels> {
        Aesni::detect().map(|narrow| Kernels { narrow, wide: Vaes::detect() })
    }

    /// The same without VAES.
    #[cfg(test)]
    pub(super) fn only_narrow(self) -> Kernels {
        Kernels { wide: None, ..self }
    }

    /// How many streams at once make best use of it.
    pub(super) fn width(self) -> usize {
        if self.wide.is_some() { wide::WIDTH } else { narrow::WIDTH }
    }

    /// The round keys of a key.
    pub(super) fn expand(self, key: &[u8; 32]) -> Box<RoundKeys> {
        let mut keys =
            Box::new(RoundKeys { proof: self.narrow, keys: Zeroizing::new([load(&[0; BLOCK]); 15]) });
        expand::expand(self.narrow, key, &mut keys.keys);
        keys
    }
}

impl Steps for Kernels {
    fn width(&self) -> usize {
        Kernels::width(*self)
    }
    fn group(&self) -> usize {
        if self.wide.is_some() { wide::GROUP } else { 1 }
    }
    fn run(&self, columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
        match self.wide {
            Some(vaes) => wide::run(vaes, columns, pieces, soon),
            None => narrow::run(self.narrow, columns, pieces, soon),
        }
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.wide.is_some() { "VAES" } else { "AES-NI" })
    }
}

/// The key of a stream as the rounds take it, and that the processor can use it.
pub(super) struct RoundKeys {
    proof: Aesni,
    keys: Zeroizing<Rounds>,
}

impl RoundKeys {
    /// One stream alone.
    pub(super) fn encrypt(&self, chain: &mut Block, piece: Piece<'_>) {
        single::run(self.proof, &self.keys, chain, piece);
    }
}

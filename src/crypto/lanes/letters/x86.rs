//! The same by instructions of x86-64 processors. What the processor has is a value that the detection alone makes.

mod nibbles;
mod table;

use nibbles::Avx2;
use table::Vbmi;

/// What this processor has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    Avx2(Avx2),
    Vbmi(Vbmi),
}

impl Kernel {
    /// Nothing without AVX2.
    pub(super) fn best() -> Option<Kernel> {
        Vbmi::detect().map(Kernel::Vbmi).or_else(|| Avx2::detect().map(Kernel::Avx2))
    }

    /// All that it has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Kernel> {
        Avx2::detect().map(Kernel::Avx2).into_iter().chain(Vbmi::detect().map(Kernel::Vbmi)).collect()
    }

    pub(super) fn spaces(self, text: &[u8]) -> Option<usize> {
        match self {
            Kernel::Avx2(proof) => nibbles::spaces(proof, text),
            Kernel::Vbmi(proof) => table::spaces(proof, text),
        }
    }
}

/// Less than a register, with letters behind it.
fn filled<const WIDTH: usize>(rest: &[u8]) -> [u8; WIDTH] {
    let mut register = [b'A'; WIDTH];
    register.iter_mut().zip(rest).for_each(|(slot, octet)| *slot = *octet);
    register
}

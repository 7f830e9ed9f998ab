//! Round keys and chains of the streams at work, side by side as the kernels load them.

use super::super::{BLOCK, Block};
use super::Rounds;
use super::memory::load;
use std::arch::x86_64::__m128i;
use zeroize::Zeroize;

/// Columns in the table: one a stream.
pub(super) const COLUMNS: usize = 16;

/// What a row has in each column.
pub(super) type Row = [__m128i; COLUMNS];

/// A row a round, a column a stream. Wiped when it is dropped.
#[repr(align(64))]
pub(super) struct Columns {
    /// What the rounds add, the first before any.
    pub(super) keys: [Row; 15],
    /// The block that comes next into the chain.
    pub(super) chains: Row,
}

impl Columns {
    pub(super) fn new() -> Columns {
        let row = [load(&[0; BLOCK]); COLUMNS];
        Columns { keys: [row; 15], chains: row }
    }

    /// Puts a stream into a column.
    pub(super) fn put(&mut self, column: usize, keys: &Rounds, chain: &Block) {
        let rows = self.keys.iter_mut().chain([&mut self.chains]);
        for (row, value) in rows.zip(keys.iter().copied().chain([load(chain)])) {
            row.get_mut(column).into_iter().for_each(|place| *place = value);
        }
    }
}

impl Drop for Columns {
    fn drop(&mut self) {
        self.keys.zeroize();
        self.chains.zeroize();
    }
}

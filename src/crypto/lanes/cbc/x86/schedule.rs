//! Which lane stands in which column: longest first, and where one ends the next takes its place.

use super::super::{BLOCK, Block, CbcStream, Key, Lane};
use super::columns::{COLUMNS, Columns};
use super::memory::{Piece, store};
use super::{Kernels, Rounds};
use std::array::from_fn;
use std::cmp::Reverse;

/// Blocks of an idle column.
const IDLE: usize = 64;

/// What is left of a lane: key, chain and blocks of one message, still together.
struct Left<'a> {
    keys: &'a Rounds,
    chain: &'a mut Block,
    piece: Piece<'a>,
}

/// Encrypts the pieces of all lanes.
pub(in super::super) fn encrypt(kernels: Kernels, lanes: &mut [Lane<'_>]) {
    if let [lane] = lanes {
        return lane.encrypt();
    }
    let mut waiting = longest_first(lanes).into_iter();
    let mut table = Table::new(kernels);
    while table.fill(&mut waiting) {
        table.step();
        table.leave();
    }
}

fn longest_first<'a>(lanes: &'a mut [Lane<'_>]) -> Vec<Left<'a>> {
    let mut lefts: Vec<Left<'a>> = lanes.iter_mut().filter_map(left).collect();
    lefts.sort_unstable_by_key(|left| Reverse(left.piece.len()));
    lefts
}

/// Nothing if nothing is left to do here; a stream without round keys for the kernels goes its own way.
fn left<'a>(lane: &'a mut Lane<'_>) -> Option<Left<'a>> {
    if let Key::Portable(_) = &lane.stream.key {
        lane.encrypt();
        return None;
    }
    let Lane { stream, clear, blocks } = lane;
    let CbcStream { key: Key::X86(keys), chain } = &mut **stream else { return None };
    let piece = Piece::of(*clear, blocks);
    (!piece.is_empty()).then_some(Left { keys: &keys.keys, chain, piece })
}

/// The lanes at work, each with its column.
struct Table<'a> {
    kernels: Kernels,
    columns: Columns,
    busy: Vec<Left<'a>>,
    /// What columns work on that nobody has, where others of their register are in use.
    idle: [[Block; IDLE]; 3],
}

impl<'a> Table<'a> {
    fn new(kernels: Kernels) -> Table<'a> {
        Table {
            kernels,
            columns: Columns::new(),
            busy: Vec::with_capacity(COLUMNS),
            idle: [[[0; BLOCK]; IDLE]; 3],
        }
    }

    /// Gives the free columns to those that wait; no if nobody is left.
    fn fill(&mut self, waiting: &mut impl Iterator<Item = Left<'a>>) -> bool {
        for left in waiting.by_ref().take(self.kernels.width() - self.busy.len()) {
            self.columns.put(self.busy.len(), left.keys, left.chain);
            self.busy.push(left);
        }
        !self.busy.is_empty()
    }

    /// Goes on until the first of them ends, or the room for idle columns does.
    fn step(&mut self) {
        let columns = self.busy.len().next_multiple_of(self.kernels.group());
        let idle = (columns > self.busy.len()).then_some(IDLE);
        let lengths = self.busy.iter().map(|left| left.piece.len());
        let length = lengths.chain(idle).min().unwrap_or(0);
        let idle = self.idle.iter_mut().map(|blocks| Piece::in_place(blocks.split_at_mut(length).0));
        let mut pieces: [Piece<'_>; COLUMNS] = from_fn(|_| Piece::in_place(&mut []));
        let busy = self.busy.iter_mut().map(|left| left.piece.take(length));
        pieces.iter_mut().take(columns).zip(busy.chain(idle)).for_each(|(place, piece)| *place = piece);
        self.kernels.run(&mut self.columns, pieces.split_at_mut(columns).0);
        for (left, chain) in self.busy.iter_mut().zip(self.columns.chains) {
            store(left.chain, chain);
        }
    }

    /// Those that ended leave; the last takes the column that becomes free.
    fn leave(&mut self) {
        for column in (0..self.busy.len()).rev() {
            if self.busy.get(column).is_some_and(|left| left.piece.is_empty()) {
                self.busy.swap_remove(column);
                self.busy
                    .get(column)
                    .into_iter()
                    .for_each(|left| self.columns.put(column, left.keys, left.chain));
            }
        }
    }
}

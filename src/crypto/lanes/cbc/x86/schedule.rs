//! Which lane stands in which column: longest first, and where one ends the next takes its place.

use super::super::{BLOCK, Block, CbcStream, Key, Lane};
use super::columns::{COLUMNS, Columns};
use super::memory::{Piece, store};
use super::soon::Soon;
use super::{Kernels, Rounds};
use std::array::from_fn;
use std::cmp::Reverse;

/// Blocks of an idle column.
const IDLE: usize = 64;

/// What encrypts a block of every column at a time.
pub(super) trait Steps {
    /// How many columns there are at most.
    fn width(&self) -> usize;
    /// How many of them are worked on together, used or not.
    fn group(&self) -> usize;
    /// Encrypts a piece a column; they are as long as each other, and at most as many as `width` says. Asks beside it for some
    /// of what is written soon.
    fn run(&self, columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>);
}

/// What is left of a lane: key, chain and blocks of one message, still together.
struct Left<'a> {
    keys: &'a Rounds,
    chain: &'a mut Block,
    piece: Piece<'a>,
}

/// Encrypts the pieces of all lanes.
pub(in super::super) fn encrypt(kernels: Kernels, lanes: &mut [Lane<'_>]) {
    match lanes {
        [lane] => lane.encrypt(),
        lanes => side_by_side(kernels, lanes),
    }
}

fn side_by_side(kernels: impl Steps, lanes: &mut [Lane<'_>]) {
    let mut soon = Soon::behind(lanes);
    let mut waiting = longest_first(lanes).into_iter();
    let mut table = Table::new(kernels);
    while table.fill(&mut waiting) {
        table.step(&mut soon);
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
    let Lane { stream, clear, blocks, .. } = lane;
    let CbcStream { key: Key::X86(keys), chain } = &mut **stream else { return None };
    let piece = Piece::of(*clear, blocks);
    (!piece.is_empty()).then_some(Left { keys: &keys.keys, chain, piece })
}

/// The lanes at work, each with its column.
struct Table<'a, K> {
    kernels: K,
    columns: Columns,
    busy: Vec<Left<'a>>,
    /// What columns work on that nobody has, where others of their register are in use.
    idle: [[Block; IDLE]; 3],
}

impl<'a, K: Steps> Table<'a, K> {
    fn new(kernels: K) -> Table<'a, K> {
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
    fn step(&mut self, soon: &mut Soon<'_>) {
        let columns = self.busy.len().next_multiple_of(self.kernels.group());
        let idle = (columns > self.busy.len()).then_some(IDLE);
        let lengths = self.busy.iter().map(|left| left.piece.len());
        let length = lengths.chain(idle).min().unwrap_or(0);
        let idle = self.idle.iter_mut().map(|blocks| Piece::in_place(blocks.split_at_mut(length).0));
        let mut pieces: [Piece<'_>; COLUMNS] = from_fn(|_| Piece::in_place(&mut []));
        let busy = self.busy.iter_mut().map(|left| left.piece.take(length));
        pieces.iter_mut().take(columns).zip(busy.chain(idle)).for_each(|(place, piece)| *place = piece);
        self.kernels.run(&mut self.columns, pieces.split_at_mut(columns).0, soon);
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

#[cfg(test)]
mod tests {
    use super::super::super::Backend;
    use super::*;
    use std::cell::RefCell;

    /// Kernels with a record: so many columns went on by so many blocks.
    struct Recorded {
        kernels: Kernels,
        steps: RefCell<Vec<(usize, usize)>>,
    }

    impl Steps for &Recorded {
        fn width(&self) -> usize {
            self.kernels.width()
        }
        fn group(&self) -> usize {
            self.kernels.group()
        }
        fn run(&self, columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
            self.steps.borrow_mut().push((pieces.len(), pieces.first().map_or(0, Piece::len)));
            self.kernels.run(columns, pieces, soon);
        }
    }

    /// What the kernels do for lanes of so many blocks.
    fn steps(kernels: Kernels, lengths: &[usize]) -> Vec<(usize, usize)> {
        let recorded = Recorded { kernels, steps: RefCell::default() };
        let stream = |_: &usize| CbcStream::by(Backend::X86(kernels), &[7; 32], [0; BLOCK]);
        let mut streams: Vec<CbcStream> = lengths.iter().map(stream).collect();
        let mut contents: Vec<Vec<u8>> = lengths.iter().map(|blocks| vec![0; blocks * BLOCK]).collect();
        let pairs = streams.iter_mut().zip(&mut contents);
        let mut lanes: Vec<Lane<'_>> = pairs.map(|(stream, blocks)| Lane::in_place(stream, blocks)).collect();
        side_by_side(&recorded, &mut lanes);
        recorded.steps.into_inner()
    }

    /// All forty go by beside the long one, seven at a time, so that it alone says how long everything takes. Were it not
    /// first, or were columns that become free not taken at once, it would have to wait.
    #[test]
    fn the_longest_begins_and_the_others_pass_beside_it() {
        let Some(kernels) = Kernels::detect() else { return };
        let mut lengths = vec![5; 41];
        lengths[20] = 100;
        let beside = [[(8, 5)].repeat(5), vec![(6, 5), (1, 70)]].concat();
        assert_eq!(steps(kernels.only_narrow(), &lengths), beside);
        // The ninth takes the column of the first that ends, while the others go on.
        let ended = (1..=6).rev().map(|columns| (columns, 1));
        let refilled: Vec<_> = [(8, 2), (8, 1)].into_iter().chain(ended).collect();
        assert_eq!(steps(kernels.only_narrow(), &[1, 9, 8, 7, 6, 5, 4, 3, 2]), refilled);
    }
}

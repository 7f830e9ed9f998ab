//! Many messages at a time: the same as one after the other, sooner.

mod alone;
mod answers;
mod asked;
mod bounds;
mod changes;
pub(crate) mod doubles;
pub(crate) mod house;
mod killed;
mod large;
mod mistakes;
mod order;
mod syncs;
mod terminal;
mod threads;
mod too_large;
mod verb;

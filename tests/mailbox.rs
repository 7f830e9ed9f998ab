//! Operations on stored messages.

mod look;
mod selection;

//! Operations on stored messages.

mod look;
mod run;
mod selection;

//! Operations on stored messages.

mod folders;
mod look;
mod promises;
mod selection;
mod verbs;

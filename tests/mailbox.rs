//! Operations on stored messages.

mod folders;
mod goes_on;
mod look;
mod promises;
mod selection;
mod verbs;
mod works;

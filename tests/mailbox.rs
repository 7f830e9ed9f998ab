//! Operations on stored messages.

mod folders;
mod goes_on;
mod look;
mod mbox;
mod promises;
mod selection;
mod show;
mod verbs;
mod works;

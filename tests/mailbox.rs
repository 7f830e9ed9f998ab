//! Operations on stored messages.

mod folders;
mod look;
mod mbox;
mod promises;
mod selection;
mod show;
mod verbs;

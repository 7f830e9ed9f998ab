//! Operations on stored messages.

mod folders;
mod goes_on;
mod live;
mod look;
mod mbox;
mod promises;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

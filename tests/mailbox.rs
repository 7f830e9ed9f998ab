//! Operations on stored messages.

mod folders;
mod live;
mod served;
mod look;
mod promises;
mod selection;
mod verbs;

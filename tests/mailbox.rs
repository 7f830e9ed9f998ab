//! Operations on stored messages.

mod folders;
mod goes_on;
mod leftovers;
mod live;
mod look;
mod promises;
mod selection;
mod served;
mod verbs;

//! Operations on stored messages.

mod folders;
mod goes_on;
mod leftovers;
mod live;
mod look;
mod mbox;
mod odd_names;
mod page;
mod promises;
mod run;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

//! Operations on stored messages.

mod export;
mod folders;
mod goes_on;
mod import;
mod leftovers;
mod live;
mod look;
mod mbox;
mod page;
mod promises;
mod run;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

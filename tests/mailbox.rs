//! Operations on stored messages.

mod folders;
mod goes_on;
mod killed_live;
mod leftovers;
mod live;
mod look;
mod mbox;
mod moved_live;
mod page;
mod promises;
mod run;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

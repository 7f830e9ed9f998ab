//! Operations on stored messages.

mod export;
mod folders;
mod goes_on;
mod killed_live;
mod leftovers;
mod live;
mod look;
mod mbox;
mod old_keys;
mod page;
mod promises;
mod run;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

//! Operations on stored messages.

mod choices;
mod export;
mod folders;
mod goes_on;
mod killed_live;
mod kills;
mod leftovers;
mod live;
mod look;
mod mbox;
mod moved_live;
mod never_clear;
mod odd_names;
mod old_keys;
mod page;
mod promised;
mod promises;
mod readers;
mod run;
mod selection;
mod served;
mod show;
mod terminal;
mod verbs;
mod works;

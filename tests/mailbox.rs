//! Operations on stored messages.

mod choices;
mod export;
mod folders;
mod goes_on;
mod import;
mod killed_live;
mod kills;
mod leftovers;
mod live;
mod look;
mod mbox;
mod never_clear;
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

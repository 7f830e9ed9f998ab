//! Operations on stored messages.

mod folders;
mod goes_on;
mod leftovers;
mod live;
mod look;
mod mbox;
mod never_clear;
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

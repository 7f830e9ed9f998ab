//! Operations on stored messages.

mod choices;
mod folders;
mod goes_on;
mod kills;
mod leftovers;
mod live;
mod look;
mod mbox;
mod memory;
mod page;
mod promises;
mod public_mail;
mod run;
mod selection;
mod served;
mod show;
mod verbs;
mod works;

//! Operations on stored messages through the command line.

mod folders;
mod promises;
mod verbs;

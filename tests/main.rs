//! The one integration binary: laws of the house, foreign judges, real servers, faults and bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where its expectation fails"
)]

mod support;

mod admin;
mod architecture;
mod attachments;
mod backup;
mod bad_input;
mod batch;
mod certificate_server;
mod certificates_from_elsewhere;
mod cli;
mod compile_fail;
mod datasets;
mod domain_pki;
mod doubts;
mod explain;
mod export;
mod faults;
mod hook;
mod hostile;
mod installed_rules;
mod kinds_of_keys;
mod lanes;
mod large;
mod laws;
mod letters;
mod mailbox;
mod malleability;
mod peers;
mod policy;
mod postfix_dovecot;
mod programs;
mod queue;
mod recovery;
mod rekey;
mod rule_cases;
mod rules;
mod rules_advice;
mod rules_array;
mod rules_texts;
mod serve;
mod smoke;
mod start;
mod vault;
mod vectors;
mod verify;
mod wiped;
mod year;

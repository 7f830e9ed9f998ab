//! The process and its machine: clock, entropy, log, identity, hardening.

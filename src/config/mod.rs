//! `sealpost.toml`: raw TOML to a checked Config, all faults at once, each with its origin.

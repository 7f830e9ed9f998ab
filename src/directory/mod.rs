//! Domains, accounts, certificates, vault records, rules and rights in SQLite.

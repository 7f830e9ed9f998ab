//! The mail rules: model, TOML text, conditions and actions (one file per word), evaluation, trace.

pub mod evaluate;
pub mod model;

pub use evaluate::{Ending, Envelope, Facts, Program, Source, Step, Verdict, evaluate};
pub use model::{Action, RuleFaults, RuleSet, ScopeKind, StoreOptions};

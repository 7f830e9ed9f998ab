//! The mail rules: what a rule file may say, reading it with every fault at once, and running it.
//!
//! A condition is one file in `conditions/` and one line in its list; an action is one file in `actions/`, one
//! line in its list, and a variant of [`Action`] if the engine has something new to do. Reading, nearest names,
//! help and tests all walk those two lists.

mod actions;
mod allowed;
mod arguments;
mod array;
mod calls;
mod case;
mod command;
mod conditions;
mod datasets;
mod datum;
pub mod evaluate;
mod evidence;
mod facts;
mod fault;
mod folded;
mod header;
mod header_picture;
mod import;
#[cfg(test)]
mod laws;
pub mod model;
mod names;
mod operator;
mod picture;
mod pictures;
mod program;
mod reach;
mod read;
mod reply_text;
mod toml_text;
mod trace;
mod warnings;
mod words;

pub(crate) use actions::MARKS;
pub use actions::{ACTIONS, ActionWord, is_filter_name, rejection_text};
pub use allowed::{Class, Forbidden, RulesAllowed};
pub use calls::{Call, Called};
pub use case::{CaseError, CaseInput, CaseRules, Difference, Expected};
pub use command::{Command, CommandError, Prefix, command_words};
pub(crate) use conditions::is_mark_of_a_machine;
pub use conditions::{CONDITIONS, ConditionWord};
pub use datasets::dataset_name_fault;
pub use evaluate::{Answer, Ending, Evaluation, Progress, Question, Step, Verdict};
pub use facts::{Beyond, Envelope, Facts, Input, Needs, Source};
pub use fault::{Color, Fault, RuleFaults};
pub use header_picture::HeaderPicture;
pub use import::{Import, RefusedRule, Syntax};
pub use model::{Action, PassOn, ReplyKind, Rule, RuleSet, ScopeKind, StoreOptions};
pub use names::{literal_name, nearest_name};
pub use operator::Operator;
pub use picture::PictureError;
pub use program::Program;
pub use reach::{Sent, Stored};
pub use reply_text::{ReplyText, TextFault, TextKind};
pub use trace::{ConditionTrace, Outcome, RuleTrace, Trace};
pub use warnings::Warning;

/// Words of the language that are refused by name, with the reason: conditions, then actions.
pub fn refused_words() -> impl Iterator<Item = (&'static str, &'static str)> {
    conditions::REFUSED.iter().chain(actions::REFUSED).copied()
}

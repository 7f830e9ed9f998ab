//! From rules, message, envelope and facts to a verdict. No IO; cannot fail.

use super::{Action, RuleSet, ScopeKind};
use crate::cms::RecipientId;
use crate::mail::Message;

/// How the message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a host that the site trusts.
    Trusted,
    /// From an authenticated sender.
    Authenticated,
    /// Over LMTP.
    Lmtp,
    /// Through the pipe hook.
    Pipe,
}

/// The SMTP envelope as rules see it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Return path; empty for the null sender; absent if the hook did not say.
    pub sender: Option<String>,
    /// Recipients before routing (ORCPT if given). Account level: only this account's.
    pub recipients: Vec<String>,
    /// How it came in.
    pub source: Source,
}

/// What the engine looked up for this evaluation.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How RecipientInfos name the acting account's certificates (for `encrypted-to-owner`).
    pub owner_ids: Vec<RecipientId>,
}

/// Rule sets merged in the order in which they run: priority (high first), domain before account, file order.
#[derive(Debug, Clone)]
pub struct Program;

impl Program {
    /// Merges the sets of one level.
    pub fn new(sets: Vec<(ScopeKind, RuleSet)>) -> Program {
        todo!("{}", sets.len())
    }
}

/// One planned action and the rule that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rule's name.
    pub rule: String,
    /// What it asks for.
    pub action: Action,
}

/// How the evaluation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All rules ran, or `Stop Processing`: the INBOX copy follows.
    Inbox,
    /// `Discard`: no INBOX copy.
    Discard,
    /// `Reject with`: nothing is stored.
    Reject(String),
}

/// What the rules want. `steps` holds the store and mark actions in the order in which they fired.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Store and mark actions.
    pub steps: Vec<Step>,
    /// What ended it.
    pub ending: Ending,
    /// The rule that ended it, unless all rules ran.
    pub ended_by: Option<String>,
}

/// Runs the program over the message. `received_size` is the size in bytes as received.
pub fn evaluate(program: &Program, message: &Message<'_>, envelope: &Envelope, facts: &Facts) -> Verdict {
    todo!("{program:?} {message:?} {envelope:?} {facts:?}")
}

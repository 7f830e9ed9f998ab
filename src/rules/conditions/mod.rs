//! The conditions: one file each, one line in [`CONDITIONS`] each.

mod any_recipient;
mod any_to_or_cc;
mod cc;
mod from;
mod header_field;
mod human_generated;
mod message_size;
mod return_path;
mod security;
mod subject;
mod to;

pub(crate) use human_generated::is_mark_of_a_machine;

use super::arguments::Arguments;
use super::evidence::{Evidence, Witness};
use super::words::{LATER, Refused};
use super::{Needs, Operator, ScopeKind};
use std::fmt;
use std::sync::Arc;

/// What a rule file may say under `when`.
pub struct ConditionWord {
    /// The literal name.
    pub name: &'static str,
    /// The operators that go with it; none: it stands alone.
    pub operators: &'static [Operator],
    /// Where it may be used.
    pub scopes: &'static [ScopeKind],
    /// One sentence for help and documentation.
    pub doc: &'static str,
    /// As it stands in a rule file.
    pub example: &'static str,
    pub(super) parse: fn(&mut Arguments<'_, '_>) -> Option<Arc<dyn Test>>,
}

/// A condition with its parameters, ready to be asked.
pub(super) trait Test: fmt::Debug + Send + Sync {
    /// Does it hold? Shows the witness every value that it looks at.
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool;
    /// What of the world outside the message it looks at.
    fn needs(&self, _needs: &mut Needs) {}
}

/// Every condition of this version.
pub static CONDITIONS: &[&ConditionWord] = &[
    &from::WORD,
    &return_path::WORD,
    &to::WORD,
    &cc::WORD,
    &any_to_or_cc::WORD,
    &subject::WORD,
    &message_size::WORD,
    &human_generated::WORD,
    &header_field::WORD,
    &any_recipient::WORD,
    &security::WORD,
];

const CALENDAR: &str = "not in this product: it needs a calendar, and Sealpost keeps none";

/// Conditions of the language that are refused by name.
pub(super) const REFUSED: Refused = &[
    ("Sender", LATER),
    ("Reply-To", LATER),
    ("Each To or Cc", LATER),
    ("'From' Name", LATER),
    ("Message-ID", LATER),
    ("Each Recipient", LATER),
    ("Any Route", LATER),
    ("Each Route", LATER),
    ("Existing Mailbox", LATER),
    ("Source", LATER),
    ("Submit Address", LATER),
    ("Time Of Day", LATER),
    ("Current Date", LATER),
    ("Current Day", LATER),
    ("Preference", LATER),
    ("FreeBusy", CALENDAR),
    ("Calendar Method", CALENDAR),
];

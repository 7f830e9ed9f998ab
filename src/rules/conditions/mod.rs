//! The conditions: one file each, one line in [`CONDITIONS`] each.

mod any_recipient;
mod any_route;
mod any_to_or_cc;
mod cc;
mod current_date;
mod current_day;
mod each_recipient;
mod each_route;
mod each_to_or_cc;
mod existing_mailbox;
mod from;
mod from_name;
mod header_field;
mod human_generated;
mod message_id;
mod message_size;
mod preference;
mod reply_to;
mod return_path;
mod security;
mod sender;
mod source;
mod subject;
mod submit_address;
mod time_of_day;
mod to;

pub(super) use current_date::date_left;
pub(crate) use human_generated::is_mark_of_a_machine;
pub(super) use time_of_day::minutes_left;

use super::arguments::Arguments;
use super::evidence::{Evidence, Witness};
use super::words::Refused;
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

/// Every condition, in the order of the table in the language's description.
pub static CONDITIONS: &[&ConditionWord] = &[
    &from::WORD,
    &sender::WORD,
    &return_path::WORD,
    &to::WORD,
    &cc::WORD,
    &reply_to::WORD,
    &any_to_or_cc::WORD,
    &each_to_or_cc::WORD,
    &from_name::WORD,
    &subject::WORD,
    &message_id::WORD,
    &message_size::WORD,
    &human_generated::WORD,
    &header_field::WORD,
    &any_recipient::WORD,
    &each_recipient::WORD,
    &any_route::WORD,
    &each_route::WORD,
    &existing_mailbox::WORD,
    &security::WORD,
    &source::WORD,
    &submit_address::WORD,
    &time_of_day::WORD,
    &current_date::WORD,
    &current_day::WORD,
    &preference::WORD,
];

const CALENDAR: &str = "not in this product: it needs a calendar, and Sealpost keeps none";

/// Conditions of the language that are refused by name.
pub(super) const REFUSED: Refused = &[("FreeBusy", CALENDAR), ("Calendar Method", CALENDAR)];

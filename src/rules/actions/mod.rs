//! The actions: one file each, one line in [`ACTIONS`] each.

mod add_header;
mod addresses;
mod copy_attachments;
mod discard;
mod execute;
mod external_filter;
mod forward;
mod mark;
mod mirror;
mod react;
mod redirect;
mod reject;
mod remember;
mod replies;
mod reply;
mod reply_to_all;
mod stop;
mod store;
mod store_encrypted;
mod tag_subject;

pub(super) use add_header::MOST_LINES;

pub use external_filter::is_filter_name;
pub(super) use mark::other_word;
pub use reject::rejection_text;
pub(crate) use replies::MARKS;

use super::arguments::Arguments;
use super::words::Refused;
use super::{Action, Class, ScopeKind};

/// What a rule file may say under `then`.
pub struct ActionWord {
    /// The literal name.
    pub name: &'static str,
    /// What its parameter is; empty: it stands alone.
    pub parameter: &'static str,
    /// Where it may be used.
    pub scopes: &'static [ScopeKind],
    /// What it reaches: whether an account's owner may install it himself. See [`Class`] for how to choose.
    pub class: Class,
    /// One sentence for help and documentation.
    pub doc: &'static str,
    /// As it stands in a rule file.
    pub example: &'static str,
    pub(super) parse: fn(&mut Arguments<'_, '_>) -> Option<Action>,
}

/// Every action of this version.
pub static ACTIONS: &[&ActionWord] = &[
    &store_encrypted::WORD,
    &store::WORD,
    &mark::WORD,
    &add_header::WORD,
    &tag_subject::WORD,
    &copy_attachments::WORD,
    &remember::WORD,
    &reject::WORD,
    &discard::WORD,
    &stop::WORD,
    &redirect::WORD,
    &forward::WORD,
    &mirror::WORD,
    &reply::WORD,
    &reply_to_all::WORD,
    &react::WORD,
    &execute::WORD,
    &external_filter::WORD,
];

const NEVER: &str = "not in this product: Sealpost sends no messages but mail and asks no web server";
const CALENDAR: &str = "not in this product: it needs a calendar, and Sealpost keeps none";

/// Actions of the language that are refused by name.
pub(super) const REFUSED: Refused = &[
    ("Execute URL", NEVER),
    ("Send IM", NEVER),
    ("Send Push", NEVER),
    ("FingerNotify", NEVER),
    ("Accept Request", CALENDAR),
    ("Accept Reply", CALENDAR),
];

//! What keeps mail from going round in circles.

use super::{Author, Unsent};
use crate::mail::{Address, Message};

/// A message, and who is about to send it on or to answer it.
pub(super) struct Guards<'g> {
    /// As the rules before left it.
    pub(super) message: &'g Message<'g>,
    pub(super) author: &'g Author,
    /// Servers that a message may have passed.
    pub(super) hop_limit: usize,
}

/// Whom a message is sent on to.
pub(super) struct Onward {
    /// Those who get it.
    pub(super) others: Vec<Address>,
    /// The author's own addresses, which do not.
    pub(super) own: Vec<Address>,
}

impl Guards<'_> {
    /// Who of them gets it, or why nobody does.
    pub(super) fn onward(&self, to: &[Address]) -> Result<Onward, Unsent> {
        if let Some(reason) = self.too_many_hops().or_else(|| self.went_round()) {
            return Err(reason);
        }
        let (own, others) = to.iter().cloned().partition(|to| self.author.owns(to));
        Ok(Onward { others, own })
    }

    /// Does anybody get it?
    pub(super) fn lets_pass(&self, to: &[Address]) -> bool {
        self.onward(to).is_ok_and(|onward| !onward.others.is_empty())
    }

    /// How many servers the message passed (RFC 5321 6.3), if that is more than the site allows.
    pub(super) fn too_many_hops(&self) -> Option<Unsent> {
        let (found, limit) = (self.message.fields_named("Received").count(), self.hop_limit);
        (found > limit).then_some(Unsent::Hops { found, limit })
    }

    /// Did the author send it on before? Then its mark stands below the `Received` fields of the way back.
    fn went_round(&self) -> Option<Unsent> {
        let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
        let mut fields = self.message.fields().iter();
        fields.find(|field| is(field.name(), "Received"))?;
        let marks = fields.filter(|field| is(field.name(), "Delivered-To"));
        let mut addresses = marks.filter_map(|field| Address::parse(field.text().trim()).ok());
        addresses.any(|address| self.author.owns(&address)).then_some(Unsent::Loop)
    }
}

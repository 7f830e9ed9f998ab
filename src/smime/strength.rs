//! Which algorithms of a sealed message nobody should use any more.

use super::open::checked_content;
use super::unwrap::is_listed;
use crate::cms::{Enveloped, Recipient};
use crate::crypto::Policy;
use const_oid::ObjectIdentifier;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The algorithms, of the content and of what hands its key to the recipients, that are not in the policy for
/// writing, or are used in a way that it does not know; each once. Nothing of a message that we could have written.
pub fn weak_algorithms(enveloped: &Enveloped) -> BTreeSet<ObjectIdentifier> {
    let mut weak = BTreeSet::new();
    if checked_content(enveloped, &Policy::WRITING).is_err() {
        weak.insert(enveloped.algorithm.oid);
    }
    let mut before: Option<&Recipient> = None;
    for recipient in &enveloped.recipients {
        // Those who share a key agreement share its algorithm.
        let same = before.is_some_and(|before| is_alike(before, recipient));
        if !same && !is_listed(recipient, &Policy::WRITING) {
            weak.insert(recipient.algorithm.oid);
        }
        before = Some(recipient);
    }
    weak
}

fn is_alike(one: &Recipient, other: &Recipient) -> bool {
    let agreement = match (&one.agreement, &other.agreement) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => one.encapsulation.is_none() && other.encapsulation.is_none(),
        _ => false,
    };
    one.kind == other.kind && agreement && one.algorithm == other.algorithm
}

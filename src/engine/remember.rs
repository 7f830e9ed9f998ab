//! What rules remember of a message: its authors, in the datasets of accounts.

use super::Remembered;
use super::deliver::Case;
use super::plan::Effect;
use crate::mail::{Address, Message};
use crate::rules::Action;

/// Authors of one message that are remembered: an honest one has few (RFC 5322 3.6.2). Ours.
const MOST_AUTHORS: usize = 100;

/// For each `Remember 'From' in` the addresses of From as the rules left it, each once. What is no mail address is none to
/// remember. The letters are small, as conditions compare: one author is one member, however the name is spelled.
pub(super) fn remembered(case: &Case<'_>, effects: &[Effect<'_>]) -> Vec<Remembered> {
    let mut remembered: Vec<Remembered> = Vec::new();
    for effect in effects {
        let (Action::Remember(dataset), Some(acting)) = (&effect.action, effect.acting) else { continue };
        let header = effect.edits.header(&Message::new(case.message));
        for author in authors(&Message::new(&header)) {
            let value = author.folded();
            let one = Remembered { account: acting.address.clone(), dataset: dataset.clone(), value };
            if !remembered.contains(&one) {
                remembered.push(one);
            }
        }
    }
    remembered
}

fn authors(header: &Message<'_>) -> Vec<Address> {
    let mailboxes = header.fields_named("From").flat_map(|field| field.mailboxes());
    mailboxes.filter_map(|mailbox| Address::parse(&mailbox.address).ok()).take(MOST_AUTHORS).collect()
}

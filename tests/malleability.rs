//! Whoever changes a sealed message in any way gets a typed error, or the message that was sealed: here by going through
//! the structures place by place, and in `laws/` by chance. The one exception is what CBC cannot see: IV and ciphertext.

mod case;
mod cost;
mod crowd;
mod depth;
mod fields;
mod labels;
mod lengths;
mod recipients;
mod swollen;
mod tags;

use case::cases;
use sealpost::cms::CmsError;
use sealpost::smime::{OpenError, open};
use std::collections::BTreeMap;

/// How a damaged structure ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It opens to what was sealed.
    Same,
    /// It opens to something else.
    Changed,
    NotEncrypted,
    Malformed,
    NotEnveloped,
    TooMany,
    NotARecipient,
    Unsupported,
    Refused,
    NotOpened,
}

/// How often each.
type Tally = BTreeMap<Outcome, usize>;

fn tally(outcomes: impl IntoIterator<Item = Outcome>) -> Tally {
    outcomes.into_iter().fold(Tally::new(), |mut tally, outcome| {
        *tally.entry(outcome).or_default() += 1;
        tally
    })
}

impl Outcome {
    fn of(error: &OpenError) -> Outcome {
        match error {
            OpenError::NotEncrypted => Outcome::NotEncrypted,
            OpenError::Cms(CmsError::Malformed(_)) => Outcome::Malformed,
            OpenError::Cms(CmsError::NotEnveloped(_)) => Outcome::NotEnveloped,
            OpenError::Cms(CmsError::TooMany { .. }) => Outcome::TooMany,
            OpenError::NotARecipient => Outcome::NotARecipient,
            OpenError::Unsupported(_) | OpenError::ContentType(_) => Outcome::Unsupported,
            OpenError::Refused(_) => Outcome::Refused,
            OpenError::NotOpened => Outcome::NotOpened,
            other => panic!("an error that damage does not explain: {other}"),
        }
    }
}

/// Every structure as it is: the damage, and nothing else, makes the errors.
#[test]
fn what_is_not_damaged_opens() {
    let tally = tally(cases().iter().map(|case| case.outcome(&case.octets)));
    assert_eq!(tally.keys().copied().collect::<Vec<_>>(), [Outcome::Same]);
    assert!(tally[&Outcome::Same] >= 18, "{tally:?}");
}

//! A store that does not answer for each copy: nothing is told to be stored.

use super::doubles::OddStore;
use super::house::{BOB, House, parcel};
use sealpost::engine::{Copy, Disposition, InFlight, Mailstore, StoreError};
use sealpost::store::MemoryStore;

/// Which answers are too few or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    StagedLess,
    CommittedLess,
    CommittedMore,
}

#[test]
fn a_copy_without_an_answer_is_to_be_tried_again() {
    let house = House::new();
    for wrong in [Wrong::StagedLess, Wrong::CommittedLess, Wrong::CommittedMore] {
        let store = OddStore {
            store: MemoryStore::default(),
            stage: |store: &MemoryStore, copies: &[&Copy<'_>]| {
                let left_out = usize::from(wrong == Wrong::StagedLess);
                store.stage_all(copies.get(left_out..).unwrap_or_default())
            },
            commit: |mut ends: Vec<Result<(), StoreError>>| {
                match wrong {
                    Wrong::StagedLess => (),
                    Wrong::CommittedLess => drop(ends.pop()),
                    Wrong::CommittedMore => ends.push(Ok(())),
                }
                ends
            },
        };
        let mail = ["a", "b", "c"].iter().map(|subject| parcel(&[BOB], subject)).collect();
        let outcomes = house.together(&store, mail, InFlight::default());
        assert_eq!(outcomes.len(), 3);
        for outcome in &outcomes {
            assert!(matches!(outcome.disposition, Disposition::Retry { .. }), "{wrong:?}: {outcome:?}");
            let says = |cause: &String| cause.contains("answers for");
            assert!(outcome.cause.as_ref().is_some_and(says), "{wrong:?}: {outcome:?}");
        }
        if wrong == Wrong::StagedLess {
            assert_eq!(store.store.total(), 0, "what was staged undoes itself");
        }
    }
}

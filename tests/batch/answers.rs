//! A store that does not answer for each copy: nothing is told to be stored.

use super::house::{BOB, House, parcel};
use sealpost::engine::{Copy, Disposition, InFlight, Mailstore, Staged, StoreError};
use sealpost::mail::{Address, FolderName, MailboxName};
use sealpost::store::MemoryStore;

/// Which answers are too few or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    StagedLess,
    CommittedLess,
    CommittedMore,
}

struct Mumbling {
    store: MemoryStore,
    wrong: Wrong,
}

impl Mailstore for Mumbling {
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError> {
        self.store.stage(copy)
    }
    fn stage_all(&self, copies: &[&Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        let left_out = usize::from(self.wrong == Wrong::StagedLess);
        self.store.stage_all(copies.get(left_out..).unwrap_or_default())
    }
    fn commit_all(&self, staged: Vec<Box<dyn Staged>>) -> Vec<Result<(), StoreError>> {
        let mut ends = self.store.commit_all(staged);
        match self.wrong {
            Wrong::StagedLess => (),
            Wrong::CommittedLess => drop(ends.pop()),
            Wrong::CommittedMore => ends.push(Ok(())),
        }
        ends
    }
    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError> {
        self.store.exists(owner, mailbox)
    }
    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        self.store.mailboxes(owner)
    }
    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError> {
        self.store.holds(owner, mailbox, name)
    }
    fn holds_file(&self, owner: &Address, folder: &FolderName, name: &str) -> Result<bool, StoreError> {
        self.store.holds_file(owner, folder, name)
    }
}

#[test]
fn a_copy_without_an_answer_is_to_be_tried_again() {
    let house = House::new();
    for wrong in [Wrong::StagedLess, Wrong::CommittedLess, Wrong::CommittedMore] {
        let store = Mumbling { store: MemoryStore::default(), wrong };
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

//! What became of each account, by domain and address.

use super::tally::Tally;
use crate::mail::Address;
use std::collections::BTreeMap;

/// Accounts that a table names.
const MOST: usize = 1000;

/// Domain and address.
type Place = (String, String);

/// The first accounts of a run that have messages, and those that failed. Where there are too many, those go first of which
/// there is nothing to say but that all is right.
#[derive(Default)]
pub(super) struct Rows {
    notable: BTreeMap<Place, Option<Tally>>,
    dull: BTreeMap<Place, Option<Tally>>,
    /// So many more have none.
    pub(super) hidden: u64,
}

impl Rows {
    /// What an account came to.
    pub(super) fn take(&mut self, owner: &Address, tally: Tally) {
        match tally.is_of_interest() {
            _ if tally.is_empty() => {}
            true => Self::put(&mut self.notable, owner, Some(tally)),
            false => Self::put(&mut self.dull, owner, Some(tally)),
        }
        self.bound();
    }

    /// One that was refused before its first message.
    pub(super) fn refused(&mut self, owner: &Address) {
        Self::put(&mut self.notable, owner, None);
        self.bound();
    }

    fn put(rows: &mut BTreeMap<Place, Option<Tally>>, owner: &Address, tally: Option<Tally>) {
        rows.insert((owner.domain().to_owned(), owner.to_string()), tally);
    }

    fn bound(&mut self) {
        if self.notable.len() + self.dull.len() > MOST {
            self.hidden += 1;
            self.dull.pop_last().or_else(|| self.notable.pop_last());
        }
    }

    /// All of them in order: an address with its numbers, if there are any.
    pub(super) fn all(&self) -> Vec<(&str, Option<&Tally>)> {
        let mut all: Vec<_> = self.notable.iter().chain(&self.dull).collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|((_, owner), tally)| (owner.as_str(), tally.as_ref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Count;
    use super::*;
    use crate::mailbox::Left;

    #[test]
    fn rows_come_in_order_and_the_dull_ones_go_first() {
        let mut rows = Rows::default();
        let owner = |name: &str| Address::parse(name).unwrap();
        let tally = |count| {
            let mut tally = Tally::default();
            tally.add(Count::LookedAt, 1);
            tally.add(count, 1);
            tally
        };
        rows.take(&owner("z@a.example"), tally(Count::Replaced));
        rows.refused(&owner("b@b.example"));
        rows.take(&owner("nobody@b.example"), Tally::default());
        rows.take(&owner("a@b.example"), tally(Count::Left(Left::AlreadyRight)));
        let names = |rows: &Rows| rows.all().iter().map(|(owner, _)| (*owner).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&rows), ["z@a.example", "a@b.example", "b@b.example"]);
        for number in 0..MOST - 1 {
            rows.take(&owner(&format!("{number}@c.example")), tally(Count::Failed));
        }
        assert_eq!((rows.all().len(), rows.hidden), (MOST, 2));
        assert_eq!(names(&rows)[..2], ["z@a.example", "b@b.example"], "nothing was to be done for a");
    }
}

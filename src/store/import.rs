//! Messages that come into a mailbox from elsewhere, many at a time: each is staged by itself, with its date and its flags, and
//! all of a batch are made visible together, with one sync of a folder for all.

use super::atomic::{Files, discard, failed, link_new};
use super::group::{Waiting, reveal_all};
use super::stored::{Part, StoredMailbox, StoredMessage};
use super::{Disk, MaildirStore, NewContent, keywords, name, quota};
use crate::engine::StoreError;
use crate::mail::{Address, Flag, MailboxName, crlf_len};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Stands in the name of what came from elsewhere, and stays there when a run replaces it. Whoever moves a message gives it a
/// name of his own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(pub u64);

impl std::fmt::Display for Mark {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// What a message brings along beside its bytes.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its internal date.
    pub date: SystemTime,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Where it belongs if it has no flags; one that has some is in `cur/`.
    pub part: Part,
    /// Stands in its name, so that it is known again.
    pub mark: Mark,
}

/// A message that has its name and nothing else.
pub struct NamedArrival {
    place: StoredMessage,
    date: SystemTime,
    /// Keywords for which the mailbox has no letter left.
    pub dropped: Vec<String>,
}

/// Written and synced under `tmp/`; dropping it undoes it.
pub struct StagedArrival<F: Files = Disk> {
    files: F,
    place: StoredMessage,
    visible: PathBuf,
    temporary: PathBuf,
    size: u64,
}

impl StoredMessage {
    /// A message that shall come into the mailbox and has no file yet.
    pub fn to_come(mailbox: &Arc<StoredMailbox>, mark: Mark) -> StoredMessage {
        StoredMessage { mailbox: Arc::clone(mailbox), part: Part::New, file_name: format!("I{mark}") }
    }

    /// The mark with which it came from elsewhere, if it did.
    pub fn mark(&self) -> Option<Mark> {
        name::mark_in(self.base())
    }
}

impl<F: Files> MaildirStore<F> {
    /// Is there room in the account for so many octets and messages more? Without a quota file there always is.
    pub fn has_room(
        &self,
        mailbox: &StoredMailbox,
        (octets, messages): (u64, u64),
    ) -> Result<(), StoreError> {
        match quota::has_room_for(&self.files, &mailbox.maildir, (octets, messages))? {
            true => Ok(()),
            false => Err(StoreError::OverQuota(mailbox.owner.to_string())),
        }
    }

    /// The mailbox as it would be if it were made.
    pub fn mailbox_to_come(&self, owner: &Address, mailbox: &MailboxName) -> Arc<StoredMailbox> {
        Arc::new(StoredMailbox {
            owner: owner.clone(),
            name: mailbox.as_str().to_owned(),
            maildir: self.layout().maildir(owner),
            folder: self.folder(owner, mailbox),
        })
    }

    /// Gives a message its name. Readers number new messages in the order in which they were named.
    pub fn name_arrival(
        &self,
        mailbox: &Arc<StoredMailbox>,
        content: &NewContent,
        arrival: &Arrival,
    ) -> Result<NamedArrival, StoreError> {
        let words: Vec<&str> = arrival.flags.iter().filter_map(super::maildir::keyword_of).collect();
        let found = keywords::letters(&self.files, &mailbox.folder, &words)?;
        let letters = name::letters(&arrival.flags, &found.letters);
        let bytes = content.bytes();
        let base = name::arriving(arrival.mark, &self.host, (bytes.len(), crlf_len(bytes)));
        let (part, file_name) = match arrival.part {
            Part::New if letters.is_empty() => (Part::New, base),
            _ => (Part::Cur, format!("{base}:2,{letters}")),
        };
        let place = StoredMessage { mailbox: Arc::clone(mailbox), part, file_name };
        Ok(NamedArrival { place, date: arrival.date, dropped: found.dropped })
    }

    /// Writes and syncs it with its date.
    pub fn stage_arrival(
        &self,
        arrival: NamedArrival,
        content: &NewContent,
    ) -> Result<StagedArrival<F>, StoreError> {
        let NamedArrival { place, date, .. } = arrival;
        let temporary = place.mailbox.folder.join("tmp").join(place.base());
        let files = self.files.clone();
        let mut file = files.create(&temporary).map_err(failed("create", &temporary))?;
        let (visible, size) = (place.path(), content.bytes().len() as u64);
        let staged = StagedArrival { files, place, visible, temporary, size };
        let path = &staged.temporary;
        staged.files.write(&mut file, content.bytes()).map_err(failed("write", path))?;
        staged.files.set_modified(&file, date).map_err(failed("set the time of", path))?;
        staged.files.sync(&file).map_err(failed("sync", path))?;
        Ok(staged)
    }
}

impl<F: Files> StagedArrival<F> {
    /// Makes all of them visible, which may be of one mailbox or of several, syncs each folder once, and says which are there
    /// for good.
    pub fn commit_all(staged: Vec<StagedArrival<F>>) -> Vec<Result<StoredMessage, StoreError>> {
        let Some(files) = staged.first().map(|first| first.files.clone()) else { return Vec::new() };
        let waiting: Vec<&dyn Waiting> = staged.iter().map(|one| one as &dyn Waiting).collect();
        let ends = reveal_all(&files, &waiting);
        ends.into_iter().zip(&staged).map(|(end, one)| end.map(|()| one.place.clone())).collect()
    }
}

impl<F: Files> Waiting for StagedArrival<F> {
    fn reveal(&self) -> Result<(), StoreError> {
        link_new(&self.files, &self.temporary, &self.visible)
    }
    fn folder(&self) -> &Path {
        self.visible.parent().unwrap_or(&self.visible)
    }
    fn counts(&self) -> Option<(&Path, u64)> {
        Some((&self.place.mailbox.maildir, self.size))
    }
}

impl<F: Files> Drop for StagedArrival<F> {
    fn drop(&mut self) {
        discard(&self.files, &self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretBytes;
    use crate::engine::PlainConsent;
    use std::time::Duration;

    struct Desk {
        _folder: tempfile::TempDir,
        store: MaildirStore,
        mailbox: Arc<StoredMailbox>,
    }

    fn desk() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let store = MaildirStore::new(folder.path(), "{domain}/{local}").unwrap();
        let (bob, name) = (Address::parse("bob@north.example").unwrap(), MailboxName::parse("A/B").unwrap());
        store.create(&bob, &name).unwrap();
        let mailbox = store.mailbox_to_come(&bob, &name);
        Desk { _folder: folder, store, mailbox }
    }

    impl Desk {
        fn stage(&self, text: &str, flags: &[Flag], part: Part, mark: u64) -> StagedArrival {
            let content = NewContent::Clear(SecretBytes::new(text.into()), PlainConsent::for_tests());
            let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + mark);
            let arrival = Arrival { date, flags: flags.to_vec(), part, mark: Mark(mark) };
            let named = self.store.name_arrival(&self.mailbox, &content, &arrival).unwrap();
            self.store.stage_arrival(named, &content).unwrap()
        }

        fn lying(&self) -> Vec<StoredMessage> {
            let mut found: Vec<_> =
                self.store.messages(&self.mailbox).map(|message| message.unwrap()).collect();
            found.sort_by_key(|message| message.base().to_owned());
            found
        }

        fn temporary(&self) -> usize {
            std::fs::read_dir(self.mailbox.folder.join("tmp")).unwrap().count()
        }
    }

    #[test]
    fn what_is_staged_is_not_visible_and_goes_when_it_is_dropped() {
        let desk = desk();
        let staged = desk.stage("a", &[], Part::New, 1);
        assert_eq!((desk.lying().len(), desk.temporary()), (0, 1));
        drop(staged);
        assert_eq!((desk.lying().len(), desk.temporary()), (0, 0));
    }

    #[test]
    fn a_batch_comes_with_dates_flags_and_marks() {
        let desk = desk();
        std::fs::write(desk.mailbox.maildir.join("maildirsize"), "100S\n0 0\n").unwrap();
        let keyword = [Flag::Seen, Flag::Keyword("Work".into())];
        let batch = vec![
            desk.stage("one", &[], Part::New, 1),
            desk.stage("two", &[], Part::Cur, 2),
            desk.stage("three", &keyword, Part::New, 3),
        ];
        assert!(StagedArrival::commit_all(batch).iter().all(Result::is_ok));
        let lying = desk.lying();
        let seen: Vec<_> = lying
            .iter()
            .map(|message| (message.part(), message.letters().to_owned(), message.mark().unwrap().0))
            .collect();
        assert_eq!(
            seen,
            [(Part::New, String::new(), 1), (Part::Cur, String::new(), 2), (Part::Cur, "Sa".into(), 3)]
        );
        for message in &lying {
            let (_, data) = message.open().unwrap().unwrap();
            let date = data.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(date, Duration::from_secs(1_000_000 + message.mark().unwrap().0));
            assert_eq!(name::size_in(message.base()), Some(data.len()));
        }
        assert_eq!(desk.temporary(), 0);
        let quota = std::fs::read_to_string(desk.mailbox.maildir.join("maildirsize")).unwrap();
        assert_eq!(quota, "100S\n0 0\n11 3\n");
    }

    #[test]
    fn one_that_cannot_be_made_visible_fails_alone() {
        let desk = desk();
        let batch = vec![desk.stage("one", &[], Part::New, 1), desk.stage("two", &[], Part::New, 2)];
        std::fs::remove_file(&batch[0].temporary).unwrap();
        let ends: Vec<bool> = StagedArrival::commit_all(batch).iter().map(Result::is_ok).collect();
        assert_eq!((ends, desk.lying().len()), (vec![false, true], 1));
    }

    #[test]
    fn room_is_for_all_that_come_together() {
        let desk = desk();
        std::fs::write(desk.mailbox.maildir.join("maildirsize"), "100S,3C\n0 0\n").unwrap();
        assert!(desk.store.has_room(&desk.mailbox, (100, 3)).is_ok());
        for more in [(101, 1), (1, 4)] {
            let refused = desk.store.has_room(&desk.mailbox, more);
            assert!(matches!(refused, Err(StoreError::OverQuota(_))), "{more:?}");
        }
    }
}

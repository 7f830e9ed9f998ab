//! What is written proves right before it takes the place of anything.

use super::make::Change;
use crate::engine::StoreError;
use crate::store::{Files, MaildirStore, Replacement, RunId, StoredMessage};

/// Why nothing takes the place of a message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unproved {
    /// It could not be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk holds something else.
    #[error("what was read back from the disk is not what was written")]
    Differs,
}

impl Unproved {
    /// What the disk said.
    pub(super) fn of_the_store(&self) -> Option<&StoreError> {
        match self {
            Unproved::Store(error) => Some(error),
            Unproved::Differs => None,
        }
    }
}

/// Writes and syncs what was made, and looks at what lies on the disk then. What does not prove right is gone again.
pub(super) fn prove<F: Files>(
    store: &MaildirStore<F>,
    run: RunId,
    stored: &StoredMessage,
    change: &Change,
) -> Result<Replacement<F>, Unproved> {
    let staged = store.stage_replacement((stored, &change.data), run, &change.content)?;
    let read_back = staged.read_back()?;
    if change.proof.holds(read_back.expose()) { Ok(staged) } else { Err(Unproved::Differs) }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Entry;
    use super::*;
    use crate::crypto::SecretBytes;
    use crate::engine::PlainConsent;
    use crate::mail::{Address, MailboxName};
    use crate::mailbox::{Outcome, Proof};
    use crate::store::{Disk, NewContent};
    use std::fs::File;
    use std::io;
    use std::path::PathBuf;

    /// A disk that keeps another octet than it was given, and says nothing.
    #[derive(Clone)]
    struct Forgetful {
        flips: bool,
    }

    impl Files for Forgetful {
        fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
            let mut kept = bytes.to_vec();
            kept[bytes.len() / 2] ^= u8::from(self.flips);
            Disk.write(file, &kept)
        }
    }

    const OLD: &[u8] = b"Subject: old\n\nThe old one.\n";
    const NEW: &[u8] = b"Subject: new\n\nThe new one.\n";

    /// A Maildir with one message, and what shall take its place.
    struct House {
        _folder: tempfile::TempDir,
        store: MaildirStore<Forgetful>,
        maildir: PathBuf,
        stored: StoredMessage,
        change: Change,
    }

    impl House {
        fn on(disk: Forgetful) -> House {
            let folder = tempfile::tempdir().unwrap();
            let store = MaildirStore::with_files(folder.path(), "{domain}/{local}", disk).unwrap();
            let (anna, inbox) = (Address::parse("anna@north.example").unwrap(), MailboxName::inbox());
            store.create(&anna, &inbox).unwrap();
            let maildir = store.folder(&anna, &inbox);
            std::fs::write(maildir.join("cur/1.a.host:2,S"), OLD).unwrap();
            let mailbox = store.stored_mailboxes(&anna).unwrap().remove(0);
            let stored = store.messages(&mailbox).next().unwrap().unwrap();
            let data = stored.open().unwrap().unwrap().1;
            let bytes = SecretBytes::new(NEW.to_vec());
            let proof = Proof::same(&bytes);
            let content = NewContent::Clear(bytes, PlainConsent::for_tests());
            let change = Change { data, content, proof, notes: Vec::new().into() };
            House { _folder: folder, store, maildir, stored, change }
        }

        fn prove(&self) -> Result<Replacement<Forgetful>, Unproved> {
            prove(&self.store, RunId(1), &self.stored, &self.change)
        }

        fn in_folder(&self, name: &str) -> Vec<Vec<u8>> {
            let entries = std::fs::read_dir(self.maildir.join(name)).unwrap();
            entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
        }
    }

    #[test]
    fn what_the_disk_keeps_is_looked_at_and_not_what_it_was_given() {
        let house = House::on(Forgetful { flips: true });
        let error = house.prove().err().unwrap();
        assert!(error.of_the_store().is_none(), "{error}");
        let entry: Entry<()> = Entry::failed(house.stored.clone(), &error);
        let reason = "what was read back from the disk is not what was written";
        assert_eq!(entry.state.unwrap_err(), Outcome::Failed(reason.into()));
        assert_eq!((house.in_folder("cur"), house.in_folder("tmp")), (vec![OLD.to_vec()], Vec::new()));
    }

    #[test]
    fn what_is_kept_as_it_was_given_is_right() {
        let house = House::on(Forgetful { flips: false });
        let staged = house.prove().unwrap();
        assert_eq!(house.in_folder("tmp"), [NEW]);
        assert_eq!(house.in_folder("cur"), [OLD], "nothing is replaced yet");
        drop(staged);
        assert!(house.in_folder("tmp").is_empty());
    }
}

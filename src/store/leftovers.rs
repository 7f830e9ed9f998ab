//! What Dovecot keeps beside messages and what may hold words of those that were replaced: its cache of headers and
//! first lines, and full-text indexes.
//!
//! Only what lies in the Maildir can be seen: not what `INDEX=` puts elsewhere, and no search server. What Dovecot made
//! anew after the last replacement holds nothing older: the times at which files came to be are compared.

use super::atomic::failed;
use super::name;
use super::stored::{Entries, StoredMailbox};
use crate::engine::StoreError;
use std::collections::BTreeMap;
use std::fs::{DirEntry, ReadDir};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A kind of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftoverKind {
    /// `dovecot.index.cache`: headers, the structure, the first words of the text.
    Cache,
    /// A full-text index of `fts_squat`: four letters of every word at a time.
    Squat,
    /// A full-text index of `fts_flatcurve`.
    Flatcurve,
    /// A full-text index of `fts_xapian`.
    Xapian,
    /// A full-text index of `fts_lucene`.
    Lucene,
    /// Dovecot keeps its index of this mailbox in another place, which cannot be seen from here.
    Elsewhere,
}

impl LeftoverKind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            LeftoverKind::Cache => "cache",
            LeftoverKind::Squat => "squat",
            LeftoverKind::Flatcurve => "flatcurve",
            LeftoverKind::Xapian => "xapian",
            LeftoverKind::Lucene => "lucene",
            LeftoverKind::Elsewhere => "elsewhere",
        }
    }
}

/// What may hold words of messages that were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The file or the folder.
    pub path: PathBuf,
    /// Of which mailbox; of indexes of a whole account: of the first one that was asked for.
    pub mailbox: Arc<StoredMailbox>,
}

/// Beside each mailbox.
const OF_A_MAILBOX: [(&str, LeftoverKind); 4] = [
    ("dovecot.index.cache", LeftoverKind::Cache),
    ("dovecot.index.search", LeftoverKind::Squat),
    ("dovecot.index.search.uids", LeftoverKind::Squat),
    ("fts-flatcurve", LeftoverKind::Flatcurve),
];

/// One for the whole account.
const OF_AN_ACCOUNT: [(&str, LeftoverKind); 2] =
    [("xapian-indexes", LeftoverKind::Xapian), ("lucene-indexes", LeftoverKind::Lucene)];

/// So many files of an index are looked at; of one with more it is said that it may hold something.
const MOST_FILES: usize = 10_000;

/// What may hold words of the messages of these mailboxes that a run replaced; nothing where none was.
pub fn of(mailboxes: &[Arc<StoredMailbox>]) -> Result<Vec<Leftover>, StoreError> {
    let mut found = Vec::new();
    let mut accounts = BTreeMap::new();
    for mailbox in mailboxes {
        let Some(since) = last_replacement(mailbox) else { continue };
        let (_, newest) = accounts.entry(mailbox.maildir.as_path()).or_insert((mailbox, since));
        *newest = since.max(*newest);
        look(&mailbox.folder, &OF_A_MAILBOX, (mailbox, since), &mut found)?;
        found.extend(elsewhere(mailbox));
    }
    for (maildir, at) in accounts {
        look(maildir, &OF_AN_ACCOUNT, at, &mut found)?;
    }
    Ok(found)
}

/// When the newest file came to be that a run made and that is there. Of a folder that cannot be listed whoever works on
/// the mailbox tells.
fn last_replacement(mailbox: &Arc<StoredMailbox>) -> Option<SystemTime> {
    let mut newest = None;
    for (part, file_name) in Entries::of(mailbox).flatten() {
        if file_name.to_str().and_then(|name| name::run_in(name::base(name))).is_some() {
            // One that is gone meanwhile, or a file system without such times, tells nothing: as if it came to be now.
            let file = mailbox.folder.join(part.name()).join(file_name);
            let born = file.symlink_metadata().and_then(|data| data.created());
            newest = newest.max(Some(born.unwrap_or_else(|_| SystemTime::now())));
        }
    }
    newest
}

fn look(
    folder: &Path,
    names: &[(&str, LeftoverKind)],
    (mailbox, since): (&Arc<StoredMailbox>, SystemTime),
    found: &mut Vec<Leftover>,
) -> Result<(), StoreError> {
    for (name, kind) in names {
        let path = folder.join(name);
        if is_older(&path, since).map_err(failed("look at", &path))? {
            found.push(Leftover { kind: *kind, path, mailbox: Arc::clone(mailbox) });
        }
    }
    Ok(())
}

/// Did the file, or any file of the folder, come to be before that? No, if there is none.
fn is_older(path: &Path, since: SystemTime) -> io::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
        Ok(data) if data.is_dir() => any_file_is_older(path, since),
        Ok(data) => Ok(data.created().map_or(true, |born| born <= since)),
    }
}

fn any_file_is_older(folder: &Path, since: SystemTime) -> io::Result<bool> {
    let (mut folders, mut files) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)?.into_iter().flatten() {
            files += 1;
            match look_at_entry(&entry?, since)? {
                Entry::Older => return Ok(true),
                Entry::Folder(inner) => folders.push(inner),
                Entry::Newer if files > MOST_FILES => return Ok(true),
                Entry::Newer => {}
            }
        }
    }
    Ok(false)
}

enum Entry {
    Folder(PathBuf),
    Older,
    Newer,
}

/// No symbolic link is followed.
fn look_at_entry(entry: &DirEntry, since: SystemTime) -> io::Result<Entry> {
    if entry.file_type()?.is_dir() {
        return Ok(Entry::Folder(entry.path()));
    }
    Ok(if is_older(&entry.path(), since)? { Entry::Older } else { Entry::Newer })
}

/// Nothing if it is gone meanwhile.
fn entries(folder: &Path) -> io::Result<Option<ReadDir>> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        listed => listed.map(Some),
    }
}

/// Dovecot numbers this mailbox's messages here (`dovecot-uidlist`), and its index is not here.
fn elsewhere(mailbox: &Arc<StoredMailbox>) -> Option<Leftover> {
    let is_there = |name: &str| mailbox.folder.join(name).symlink_metadata().is_ok();
    let indexed =
        is_there("dovecot.index.log") || is_there("dovecot.index.cache") || is_there("dovecot.index");
    (is_there("dovecot-uidlist") && !indexed).then(|| Leftover {
        kind: LeftoverKind::Elsewhere,
        path: mailbox.folder.clone(),
        mailbox: Arc::clone(mailbox),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;
    use std::fs::{create_dir_all, write};
    use std::thread::sleep;
    use std::time::Duration;

    const REPLACED: &str = "cur/1.M1P1Q1R0000000000000001X00000000000000aa.mx,S=1,W=1:2,S";

    fn mailbox(folder: &Path, name: &str) -> Arc<StoredMailbox> {
        let folder = if name == "INBOX" { folder.to_owned() } else { folder.join(format!(".{name}")) };
        for part in ["cur", "new", "tmp"] {
            create_dir_all(folder.join(part)).unwrap();
        }
        let maildir = folder.ancestors().nth(usize::from(name != "INBOX")).unwrap().to_owned();
        let owner = Address::parse("bob@north.example").unwrap();
        Arc::new(StoredMailbox { owner, name: name.into(), maildir, folder })
    }

    fn kinds(mailboxes: &[Arc<StoredMailbox>]) -> Vec<(LeftoverKind, String)> {
        let found = of(mailboxes).unwrap();
        found.into_iter().map(|one| (one.kind, one.mailbox.name.clone())).collect()
    }

    /// Times of files are as coarse as the kernel's tick.
    fn later() {
        sleep(Duration::from_millis(30));
    }

    #[test]
    fn a_cache_counts_until_it_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = mailbox(folder.path(), "INBOX");
        let cache = folder.path().join("dovecot.index.cache");
        write(&cache, "Subject: Lunch").unwrap();
        write(folder.path().join("cur/1.M1P1Q1R1.mx,S=1,W=1:2,S"), "x").unwrap();
        assert_eq!(kinds(&[Arc::clone(&inbox)]), [], "nothing was replaced");
        later();
        write(folder.path().join(REPLACED), "x").unwrap();
        assert_eq!(kinds(&[Arc::clone(&inbox)]), [(LeftoverKind::Cache, "INBOX".into())]);
        later();
        std::fs::rename(folder.path().join(REPLACED), folder.path().join(REPLACED.replace(":2,S", ":2,FS")))
            .unwrap();
        std::fs::remove_file(&cache).unwrap();
        write(&cache, "").unwrap();
        assert_eq!(kinds(&[inbox]), [], "a new flag makes no new message");
    }

    #[test]
    fn a_full_text_index_counts_while_any_old_file_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, sent) = (mailbox(folder.path(), "INBOX"), mailbox(folder.path(), "Sent"));
        for index in ["xapian-indexes/db_1", "lucene-indexes", ".Sent/fts-flatcurve/index.1"] {
            create_dir_all(folder.path().join(index)).unwrap();
            write(folder.path().join(index).join("postlist.glass"), "lunch").unwrap();
        }
        write(folder.path().join("dovecot.index.search"), "lunch").unwrap();
        later();
        write(folder.path().join(".Sent").join(REPLACED), "x").unwrap();
        let all = [Arc::clone(&inbox), Arc::clone(&sent)];
        let of_sent = [LeftoverKind::Flatcurve, LeftoverKind::Xapian, LeftoverKind::Lucene];
        let of_sent: Vec<_> = of_sent.iter().map(|kind| (*kind, "Sent".to_owned())).collect();
        assert_eq!(kinds(&all), of_sent, "of the INBOX nothing was replaced");
        for emptied in ["xapian-indexes/db_1", "lucene-indexes", ".Sent/fts-flatcurve/index.1"] {
            std::fs::remove_file(folder.path().join(emptied).join("postlist.glass")).unwrap();
        }
        assert_eq!(kinds(&all), [], "folders that are left hold nothing");
    }

    #[test]
    fn an_index_in_another_place_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = mailbox(folder.path(), "INBOX");
        write(folder.path().join(REPLACED), "x").unwrap();
        assert_eq!(kinds(&[Arc::clone(&inbox)]), [], "no Dovecot was here");
        write(folder.path().join("dovecot-uidlist"), "3 V1 N1\n").unwrap();
        assert_eq!(kinds(&[Arc::clone(&inbox)]), [(LeftoverKind::Elsewhere, "INBOX".into())]);
        write(folder.path().join("dovecot.index.log"), "").unwrap();
        assert_eq!(kinds(&[inbox]), []);
    }
}

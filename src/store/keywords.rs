//! `dovecot-keywords`: which letter `a`–`z` stands for which keyword in one mailbox.

use super::StoredMailbox;
use super::atomic::{Files, discard, failed, replace};
use super::regular;
use crate::engine::StoreError;
use crate::mail::Flag;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A Maildir name has room for the letters `a` to `z` (Dovecot's limit).
const MOST: usize = 26;
/// How long we wait for another writer of the list.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often we look.
const PAUSE: Duration = Duration::from_millis(20);
/// A lock older than this belongs to a dead process (Dovecot's own limit).
const STALE: Duration = Duration::from_secs(120);

/// The letters for a message's keywords.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Letters {
    /// In the order of the keywords.
    pub(super) letters: Vec<char>,
    /// Keywords for which the mailbox has no letter left. The message is stored without them: to defer mail for ever
    /// for want of a label would be worse.
    pub(super) dropped: Vec<String>,
}

/// The letters of the keywords in the mailbox's list; those that it lacks are added to it first, in one step.
pub(super) fn letters(files: &impl Files, folder: &Path, keywords: &[&str]) -> Result<Letters, StoreError> {
    if keywords.is_empty() {
        return Ok(Letters::default());
    }
    let known = read(folder)?;
    if keywords.iter().all(|keyword| position(&known, keyword).is_some()) {
        return Ok(assign(&known, keywords));
    }
    extend(files, folder, keywords)
}

/// Adds under Dovecot's lock for this list, `dovecot-keywords.lock`, which becomes the new list when it is renamed.
fn extend(files: &impl Files, folder: &Path, keywords: &[&str]) -> Result<Letters, StoreError> {
    let lock = folder.join("dovecot-keywords.lock");
    let file = take(files, &lock)?;
    let mut known = read(folder).inspect_err(|_| discard(files, &lock))?;
    for keyword in keywords {
        if position(&known, keyword).is_none() {
            add(&mut known, keyword);
        }
    }
    let text: String = known.iter().map(|(index, name)| format!("{index} {name}\n")).collect();
    replace(files, (&lock, file), &folder.join("dovecot-keywords"), text.as_bytes())?;
    Ok(assign(&known, keywords))
}

/// Creates the lock file, waits for another's, and removes one that a dead process left.
fn take(files: &impl Files, lock: &Path) -> Result<File, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match files.create(lock) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && Instant::now() < deadline => {
                if is_stale(lock) {
                    discard(files, lock);
                } else {
                    sleep(PAUSE);
                }
            }
            created => return created.map_err(failed("lock", lock)),
        }
    }
}

fn is_stale(lock: &Path) -> bool {
    let age = lock.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

fn add(known: &mut Vec<(usize, String)>, keyword: &str) {
    let free = (0..MOST).find(|index| known.iter().all(|(taken, _)| taken != index));
    known.extend(free.map(|index| (index, keyword.to_owned())));
}

fn assign(known: &[(usize, String)], keywords: &[&str]) -> Letters {
    let mut out = Letters::default();
    for keyword in keywords {
        match position(known, keyword).and_then(letter) {
            Some(letter) => out.letters.push(letter),
            None => out.dropped.push((*keyword).to_owned()),
        }
    }
    out
}

fn letter(index: usize) -> Option<char> {
    ('a'..='z').nth(index)
}

/// Keywords fold ASCII case (RFC 9051 2.3.2).
fn position(known: &[(usize, String)], keyword: &str) -> Option<usize> {
    known.iter().find(|(_, name)| name.eq_ignore_ascii_case(keyword)).map(|(index, _)| *index)
}

/// Lines `index name`; others are skipped as Dovecot does.
fn read(folder: &Path) -> Result<Vec<(usize, String)>, StoreError> {
    let path = folder.join("dovecot-keywords");
    match regular::read(&path) {
        Ok(text) => Ok(String::from_utf8_lossy(&text).lines().filter_map(entry).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(failed("read", &path)(source)),
    }
}

/// The keywords that a mailbox has letters for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keywords(Vec<(usize, String)>);

impl StoredMailbox {
    /// Its list of keywords; an empty one where there is none.
    pub fn keywords(&self) -> Result<Keywords, StoreError> {
        read(&self.folder).map(Keywords)
    }
}

impl Keywords {
    /// The flags that letters in a message's name stand for. A letter without a keyword stands for none.
    pub fn flags(&self, letters: &str) -> Vec<Flag> {
        letters.chars().filter_map(|letter| system_flag(letter).or_else(|| self.keyword(letter))).collect()
    }

    fn keyword(&self, letter: char) -> Option<Flag> {
        let index = ('a'..='z').position(|other| other == letter)?;
        let (_, name) = self.0.iter().find(|(other, _)| *other == index)?;
        Some(Flag::Keyword(name.clone()))
    }
}

fn system_flag(wanted: char) -> Option<Flag> {
    let mut flags = Flag::SYSTEM.into_iter().map(|(_, flag)| flag);
    flags.find(|flag| super::name::letter(flag) == Some(wanted))
}

fn entry(line: &str) -> Option<(usize, String)> {
    let (index, name) = line.split_once(' ')?;
    let index = index.parse().ok().filter(|index| *index < MOST)?;
    (!name.is_empty()).then(|| (index, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Disk;

    fn list(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("dovecot-keywords")).unwrap()
    }

    #[test]
    fn known_keywords_keep_their_letters_and_new_ones_get_free_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dovecot-keywords"), "0 $Label1\n2 Work\n").unwrap();
        let found = letters(&Disk, folder.path(), &["work", "Sealed", "$label1"]).unwrap();
        assert_eq!(found.letters, ['c', 'b', 'a']);
        assert_eq!(list(folder.path()), "0 $Label1\n2 Work\n1 Sealed\n");
        assert!(!folder.path().join("dovecot-keywords.lock").exists());
    }

    #[test]
    fn letters_stand_for_flags() {
        let listed = Keywords(vec![(0, "$Label1".to_owned()), (25, "Work".to_owned())]);
        let keyword = |name: &str| Flag::Keyword(name.to_owned());
        let flags = listed.flags("DFRSTaz");
        let system = [Flag::Draft, Flag::Flagged, Flag::Answered, Flag::Seen, Flag::Deleted];
        assert_eq!(flags, [&system[..], &[keyword("$Label1"), keyword("Work")]].concat());
        assert_eq!(listed.flags("PbA,"), [], "passed, and letters that nothing is known of");
    }

    #[test]
    fn the_twenty_seventh_keyword_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..27).map(|number| format!("k{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = letters(&Disk, folder.path(), &names).unwrap();
        assert_eq!(found.letters.last(), Some(&'z'));
        assert_eq!(found.dropped, ["k26"]);
    }

    #[test]
    fn another_writer_is_waited_for_and_then_the_sender_retries() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("dovecot-keywords.lock");
        std::fs::write(&lock, "").unwrap();
        let error = letters(&Disk, folder.path(), &["new"]).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot lock {}", lock.display()));
        assert!(lock.exists());
    }

    #[test]
    fn a_dead_writers_lock_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join("dovecot-keywords.lock")).unwrap();
        lock.set_modified(std::time::SystemTime::now() - STALE * 2).unwrap();
        assert_eq!(letters(&Disk, folder.path(), &["new"]).unwrap().letters, ['a']);
    }
}

//! `maildirsize`: the Maildir++ quota, honoured and kept up where the file is there.
//!
//! The first line holds the limits (`1000000S,1000C`), each further line a change: bytes and messages. The file is a
//! shared estimate: what is appended may be lost, and a sum that says "full" is counted anew before it is believed.

use super::atomic::{Files, discard, failed, replace};
use super::name;
use super::regular;
use super::stored::StoredMessage;
use crate::engine::StoreError;
use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A longer file is counted anew (Maildir++ specification).
const LONGEST: usize = 5120;
/// An older sum is counted anew before mail is refused (Maildir++ specification).
const FRESH: Duration = Duration::from_secs(15 * 60);

/// The folder that does not count (Maildir++ specification).
const TRASH: &str = ".Trash";

/// Bytes and messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    bytes: i64,
    messages: i64,
}

impl Usage {
    fn plus(self, bytes: i64, messages: i64) -> Usage {
        Usage { bytes: self.bytes.saturating_add(bytes), messages: self.messages.saturating_add(messages) }
    }
    fn sum(self, other: Usage) -> Usage {
        self.plus(other.bytes, other.messages)
    }
}

/// The first line: absent limits do not limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Limits {
    bytes: Option<i64>,
    messages: Option<i64>,
}

impl Limits {
    fn parse(line: &str) -> Limits {
        let limit = |unit: char| {
            let number = line.trim().split(',').find_map(|part| part.strip_suffix(unit)?.parse().ok());
            number.filter(|number| *number > 0)
        };
        Limits { bytes: limit('S'), messages: limit('C') }
    }
    fn allow(self, usage: Usage) -> bool {
        let within = |limit: Option<i64>, used| limit.is_none_or(|limit| used <= limit);
        within(self.bytes, usage.bytes) && within(self.messages, usage.messages)
    }
}

/// The Maildir's quota file, if it has one.
struct Quota {
    path: PathBuf,
    text: String,
}

/// Is there room for so many octets and messages more? Without a quota file there always is.
pub(super) fn has_room_for(
    files: &impl Files,
    maildir: &Path,
    (octets, messages): (u64, u64),
) -> Result<bool, StoreError> {
    let Some(quota) = Quota::read(maildir)? else { return Ok(true) };
    let bounded = |number| i64::try_from(number).unwrap_or(i64::MAX);
    let more = Usage { bytes: bounded(octets), messages: bounded(messages) };
    let limits = quota.limits();
    match quota.usage() {
        Some(usage) if limits.allow(usage.sum(more)) && quota.text.len() < LONGEST => Ok(true),
        Some(usage) if quota.is_fresh() => Ok(limits.allow(usage.sum(more))),
        _ => Ok(limits.allow(recount(files, maildir, &quota)?.sum(more))),
    }
}

/// Adds a stored message to the sum. A failure makes the estimate worse and nothing else.
pub(super) fn record(files: &impl Files, maildir: &Path, size: u64) {
    record_many(files, maildir, std::iter::once(size));
}

/// The same for messages that came together, in one line: the longer the file, the sooner everything is counted anew.
pub(super) fn record_many(files: &impl Files, maildir: &Path, sizes: impl Iterator<Item = u64>) {
    let (bytes, messages) = sizes.fold((0, 0), |(bytes, messages), size| (bytes + size, messages + 1));
    append(files, maildir, &format!("{bytes} {messages}\n"));
}

/// Adds what messages grew or shrank by, before and after in octets, in one line for all. It is never too much: to refuse
/// would leave the messages as they are. What the quota does not count (the mailbox `Trash`, messages with the letter `T`)
/// does not change it.
pub(super) fn record_changes<'m>(
    files: &impl Files,
    changes: impl Iterator<Item = (&'m StoredMessage, (u64, u64))>,
) {
    let mut sums = BTreeMap::<&Path, i128>::new();
    for (message, (before, after)) in changes {
        let mailbox = message.mailbox();
        let is_trash = mailbox.folder == mailbox.maildir.join(TRASH);
        if !is_trash && !name::has_letter(&message.file_name, 'T') {
            *sums.entry(&mailbox.maildir).or_default() += i128::from(after) - i128::from(before);
        }
    }
    for (maildir, change) in sums.into_iter().filter(|(_, change)| *change != 0) {
        append(files, maildir, &format!("{change} 0\n"));
    }
}

fn append(files: &impl Files, maildir: &Path, line: &str) {
    let path = maildir.join("maildirsize");
    let recorded = files.open_to_append(&path).and_then(|mut file| files.write(&mut file, line.as_bytes()));
    match recorded {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "the quota file is not kept up");
        }
        _ => {}
    }
}

impl Quota {
    fn read(maildir: &Path) -> Result<Option<Quota>, StoreError> {
        let path = maildir.join("maildirsize");
        match regular::read(&path) {
            Ok(text) => Ok(Some(Quota { path, text: String::from_utf8_lossy(&text).into_owned() })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("read", &path)(source)),
        }
    }

    fn limits(&self) -> Limits {
        self.text.lines().next().map(Limits::parse).unwrap_or_default()
    }

    /// The sum of the changes; nothing if a line is broken, or if nobody has counted yet.
    fn usage(&self) -> Option<Usage> {
        self.text.lines().nth(1)?;
        self.text.lines().skip(1).try_fold(Usage::default(), |usage, line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            let (bytes, messages) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            Some(usage.plus(bytes, messages))
        })
    }

    /// One line of sum, and not old: nothing to learn from counting.
    fn is_fresh(&self) -> bool {
        let age =
            self.path.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        self.text.lines().count() == 2 && age.is_none_or(|age| age < FRESH)
    }
}

/// Counts the whole Maildir and writes the file anew.
fn recount(files: &impl Files, maildir: &Path, quota: &Quota) -> Result<Usage, StoreError> {
    let usage = count(maildir).map_err(failed("count the messages of", maildir))?;
    let limits = quota.text.lines().next().unwrap_or_default();
    let text = format!("{limits}\n{} {}\n", usage.bytes, usage.messages);
    let temporary = maildir.join("tmp").join(name::unique("maildirsize", text.len(), text.len()));
    match files.create(&temporary) {
        Ok(file) => replace(files, (&temporary, file), &quota.path, text.as_bytes())?,
        // The mailbox is just being made.
        Err(error) if error.kind() == ErrorKind::NotFound => discard(files, &temporary),
        Err(source) => return Err(failed("create", &temporary)(source)),
    }
    Ok(usage)
}

/// All folders but `.Trash`, all messages but those with the letter `T` (Maildir++ specification).
fn count(maildir: &Path) -> std::io::Result<Usage> {
    let mut usage = count_folder(maildir)?;
    for entry in std::fs::read_dir(maildir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") && name != TRASH && entry.file_type()?.is_dir() {
            usage = usage.sum(count_folder(&entry.path())?);
        }
    }
    Ok(usage)
}

fn count_folder(folder: &Path) -> std::io::Result<Usage> {
    let mut usage = Usage::default();
    for part in ["new", "cur"] {
        match std::fs::read_dir(folder.join(part)) {
            Ok(entries) => {
                for entry in entries {
                    usage = usage.sum(count_message(&entry?));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(usage)
}

/// A message that is gone meanwhile counts nothing.
fn count_message(entry: &DirEntry) -> Usage {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    if name.starts_with('.') || name::has_letter(&name, 'T') {
        return Usage::default();
    }
    match name::size_in(&name).or_else(|| entry.metadata().ok().map(|data| data.len())) {
        Some(bytes) => Usage { bytes: i64::try_from(bytes).unwrap_or(i64::MAX), messages: 1 },
        None => Usage::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;
    use crate::store::{Disk, Part, StoredMailbox};
    use std::sync::Arc;

    fn has_room(files: &impl Files, maildir: &Path, size: u64) -> Result<bool, StoreError> {
        has_room_for(files, maildir, (size, 1))
    }

    fn maildir(quota: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in ["tmp", "new", "cur", ".Trash", ".Trash/new", ".Sent", ".Sent/cur"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        std::fs::write(folder.path().join("maildirsize"), quota).unwrap();
        folder
    }

    fn text(folder: &tempfile::TempDir) -> String {
        std::fs::read_to_string(folder.path().join("maildirsize")).unwrap()
    }

    #[test]
    fn without_the_file_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(has_room(&Disk, folder.path(), u64::MAX).unwrap());
        record(&Disk, folder.path(), 5);
        assert!(!folder.path().join("maildirsize").exists());
    }

    #[test]
    fn both_limits_hold_and_deliveries_add_up() {
        let folder = maildir("100S,3C\n60 1\n");
        assert!(has_room(&Disk, folder.path(), 40).unwrap());
        assert!(!has_room(&Disk, folder.path(), 41).unwrap());
        record(&Disk, folder.path(), 40);
        assert_eq!(text(&folder), "100S,3C\n60 1\n40 1\n");
        assert!(has_room(&Disk, maildir("2C\n9 1\n").path(), 1).unwrap());
        assert!(!has_room(&Disk, maildir("2C\n9 2\n").path(), 1).unwrap());
    }

    #[test]
    fn what_comes_or_changes_together_is_one_line() {
        let folder = maildir("100S\n60 3\n");
        record_many(&Disk, folder.path(), [5, 6, 7].into_iter());
        assert_eq!(text(&folder), "100S\n60 3\n18 3\n");
        let mailbox = Arc::new(StoredMailbox {
            owner: Address::parse("bob@north.example").unwrap(),
            name: "INBOX".into(),
            maildir: folder.path().to_owned(),
            folder: folder.path().to_owned(),
        });
        let message = |name: &str| StoredMessage {
            mailbox: Arc::clone(&mailbox),
            part: Part::Cur,
            file_name: name.to_owned(),
        };
        let messages = ["1.x.mx:2,S", "2.x.mx:2,ST", "3.x.mx:2,"].map(message);
        let sizes = [(10, 15), (10, 99), (10, 8)];
        record_changes(&Disk, messages.iter().zip(sizes));
        assert_eq!(text(&folder), "100S\n60 3\n18 3\n3 0\n");
        record_changes(&Disk, messages.iter().zip([(1, 1); 3]));
        assert_eq!(text(&folder), "100S\n60 3\n18 3\n3 0\n");
    }

    #[test]
    fn a_sum_that_says_full_is_counted_anew() {
        let folder = maildir("100S\n60 1\n60 1\n");
        std::fs::write(folder.path().join("new/1.x.mx,S=30"), "").unwrap();
        std::fs::write(folder.path().join(".Sent/cur/2.x.mx:2,S"), "12345").unwrap();
        std::fs::write(folder.path().join(".Sent/cur/3.x.mx,S=999:2,ST"), "").unwrap();
        std::fs::write(folder.path().join(".Trash/new/4.x.mx,S=999"), "").unwrap();
        assert!(has_room(&Disk, folder.path(), 65).unwrap());
        assert_eq!(text(&folder), "100S\n35 2\n");
        assert!(!has_room(&Disk, folder.path(), 66).unwrap());
    }

    #[test]
    fn limits_without_a_sum_are_counted_first() {
        let folder = maildir("100S\n");
        std::fs::write(folder.path().join("new/1.x.mx,S=30"), "").unwrap();
        assert!(!has_room(&Disk, folder.path(), 71).unwrap());
        assert_eq!(text(&folder), "100S\n30 1\n");
    }

    #[test]
    fn a_broken_sum_is_counted_anew() {
        let folder = maildir("100S\nrubbish\n");
        assert!(has_room(&Disk, folder.path(), 100).unwrap());
        assert_eq!(text(&folder), "100S\n0 0\n");
    }
}

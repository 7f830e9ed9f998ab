//! Maildirs as files: written before a run, looked at after it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// A message as its file lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lying {
    pub(super) file: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// Seconds since 1970, and nanoseconds.
    pub(super) date: (i64, i64),
    pub(super) inode: u64,
}

impl Lying {
    fn of(file: PathBuf) -> Lying {
        let data = std::fs::metadata(&file).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        Lying { bytes, date: (data.mtime(), data.mtime_nsec()), inode: data.ino(), file }
    }

    /// `new` or `cur`.
    pub(super) fn part(&self) -> String {
        self.file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
    }

    pub(super) fn name(&self) -> String {
        self.file.file_name().unwrap().to_string_lossy().into_owned()
    }

    /// What stands behind `:2,`.
    pub(super) fn letters(&self) -> String {
        self.name().split_once(":2,").map(|(_, letters)| letters.to_owned()).unwrap_or_default()
    }

    /// The time in front of the name: readers sort by it.
    pub(super) fn time(&self) -> String {
        self.name().split('.').next().unwrap().to_owned()
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.bytes.windows(18).any(|window| window == b"Sealpost-Sealed: v")
    }
}

/// An account's Maildir.
pub(super) struct Maildir(PathBuf);

impl Maildir {
    pub(super) fn of(root: &Path, local: &str) -> Maildir {
        let maildir = Maildir(root.join("mail/north.example").join(local).join("Maildir"));
        maildir.make("");
        maildir
    }

    /// `""` is INBOX, `.Archive` is Archive.
    pub(super) fn make(&self, folder: &str) {
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(self.0.join(folder).join(part)).unwrap();
        }
        if !folder.is_empty() {
            std::fs::write(self.0.join(folder).join("maildirfolder"), "").unwrap();
        }
    }

    /// Writes a message with a date so many days after the first of 2020.
    pub(super) fn put(&self, place: &str, bytes: &[u8], day: u64) -> PathBuf {
        let file = self.0.join(place);
        std::fs::write(&file, bytes).unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::new(1_577_836_800 + day * 86_400, 123_456_789);
        File::options().write(true).open(&file).unwrap().set_modified(date).unwrap();
        file
    }

    /// Every message, by the folder and the leading time of its name.
    pub(super) fn messages(&self) -> Vec<Lying> {
        let mut found = Vec::new();
        let folders = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let folders =
            folders.filter(|path| path.join("cur").is_dir() && path.join("maildirfolder").is_file());
        for folder in folders.chain([self.0.clone()]) {
            for part in ["new", "cur"] {
                let entries = std::fs::read_dir(folder.join(part)).unwrap();
                found.extend(entries.map(|entry| Lying::of(entry.unwrap().path())));
            }
        }
        found.sort_by_key(|lying| (lying.file.parent().unwrap().to_owned(), lying.time()));
        found
    }

    /// Is nothing left in `tmp`?
    pub(super) fn is_tidy(&self) -> bool {
        let of = |folder: &Path| std::fs::read_dir(folder.join("tmp")).map_or(0, Iterator::count);
        let folders = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        folders.chain([self.0.clone()]).map(|folder| of(&folder)).sum::<usize>() == 0
    }
}

/// Letters, dates and leading times: what a replacement must keep, in the order of the messages.
pub(super) fn kept(messages: &[Lying]) -> Vec<(String, String, String, (i64, i64))> {
    messages.iter().map(|lying| (lying.part(), lying.time(), lying.letters(), lying.date)).collect()
}

/// The bytes in the order of the messages.
pub(super) fn contents(messages: &[Lying]) -> Vec<Vec<u8>> {
    messages.iter().map(|lying| lying.bytes.clone()).collect()
}

/// Everything below a folder, by path: to say that nothing was touched.
pub(super) fn everything(folder: &Path) -> BTreeMap<PathBuf, (u64, u64, (i64, i64))> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = std::fs::symlink_metadata(&path).unwrap();
        if data.is_dir() {
            found.extend(everything(&path));
        } else {
            found.insert(path, (data.ino(), data.len(), (data.mtime(), data.mtime_nsec())));
        }
    }
    found
}

/// Sets a flag and takes it away again until it is told to end; readdir(3) hides renamed files from who lists meanwhile.
pub(super) fn fidget(files: Vec<PathBuf>, end: &AtomicBool) {
    let mut files: Vec<(PathBuf, PathBuf)> =
        files.into_iter().map(|file| (PathBuf::from(format!("{}T", file.display())), file)).collect();
    while !end.load(Ordering::Relaxed) {
        for (other, file) in &mut files {
            std::fs::rename(&*file, &*other).unwrap();
            std::mem::swap(file, other);
        }
    }
}

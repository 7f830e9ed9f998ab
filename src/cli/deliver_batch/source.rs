//! Where the messages come from, one by one.

use super::mbox::Mbox;
use super::report::{self, Report};
use super::shown;
use crate::cli::envelope::Envelope;
use crate::cli::failure::{Code, Failure};
use crate::cli::input::{self, Handed};
use crate::config::Config;
use crate::engine::{Disposition, Load, Parcel, Recipient};
use crate::mail::mbox::Variant;
use crate::mail::{self, Address, Message, Span, enough, printable, without_mbox_line};
use crate::system::FileStamp;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// Addresses are looked for in so many octets of a message that is not held.
const BEGIN: usize = 1 << 20;

/// Where a message was.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file, and what it was when it was read.
    File(PathBuf, Option<FileStamp>),
    /// Which of the mbox, and where its `From ` line begins.
    Mbox { number: u64, offset: u64 },
}

impl Place {
    /// The file, if it is one that was read.
    pub(super) fn file(&self) -> Option<(&Path, FileStamp)> {
        match self {
            Place::File(path, stamp) => Some((path, (*stamp)?)),
            Place::Mbox { .. } => None,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path, _) => out.write_str(&shown(path)),
            Place::Mbox { number, offset } => write!(out, "message {number}, at byte {offset}"),
        }
    }
}

/// Standard input, if that is what is read; if not, nothing may come there, not even later: an MTA that calls this by mistake
/// would take a 0 for "the message that I wrote is stored".
pub(super) fn standard_input(path: &Path) -> Result<Option<File>, Failure> {
    if path == Path::new("-") {
        return input::stream(path).map(|(file, _)| Some(file));
    }
    let handed = input::handed_over().map_err(|error| Failure::io("read", input::STANDARD_INPUT, &error))?;
    let what = match handed {
        Handed::Nothing => return Ok(None),
        Handed::Something => "holds something",
        Handed::Open => "is open, and something may come",
    };
    let text = format!("standard input {what}, and with --batch DIR nobody reads it: nothing is done");
    Err(Failure::new(Code::TryAgain, text).hint(
        "an MTA calls sealpost deliver without --batch; for the messages of a folder, end the command with </dev/null",
    ))
}

/// A folder or an mbox.
pub(super) enum Source<'s> {
    Folder { files: std::vec::IntoIter<PathBuf>, skipped: usize, most: u64, held: u64 },
    Mbox(Box<Mbox<'s>>),
}

/// A message, or what the peer of one message would be told.
pub(super) type Found = (Place, Result<Load, Refused>);
/// Why it is none.
pub(super) type Refused = (Disposition, String);

impl<'s> Source<'s> {
    pub(super) fn open(
        path: &Path,
        input: Option<File>,
        format: Variant,
        (config, root): (&Config, &Path),
        stop: &'s AtomicBool,
    ) -> Result<Source<'s>, Failure> {
        let Some(input) = input else {
            let (files, skipped) = list(path)?;
            let files = files.into_iter();
            let (most, held) = (enough(config.settings.max_message), config.memory_limit);
            return Ok(Source::Folder { files, skipped, most, held });
        };
        Ok(Source::Mbox(Box::new(Mbox::new(format, input, (config, root), stop))))
    }

    /// How many there are, if that is known.
    pub(super) fn files(&self) -> Option<usize> {
        match self {
            Source::Folder { files, .. } => Some(files.len()),
            Source::Mbox(_) => None,
        }
    }

    /// What lies in the folder and is no message.
    pub(super) fn skipped(&self) -> usize {
        match self {
            Source::Folder { skipped, .. } => *skipped,
            Source::Mbox(_) => 0,
        }
    }

    fn next(&mut self) -> Result<Option<Found>, Failure> {
        match self {
            Source::Folder { files, most, held, .. } => Ok(files.next().map(|file| {
                let read = input::first_of_file(&file, *most, *held);
                let stamp = read.as_ref().ok().map(|(_, stamp)| *stamp);
                let failed = |error: std::io::Error| (unread(), format!("it cannot be read: {error}"));
                (Place::File(file, stamp), read.map(|(message, _)| message).map_err(failed))
            })),
            Source::Mbox(mbox) => mbox.next(),
        }
    }
}

pub(super) fn unread() -> Disposition {
    Disposition::doubt("the message cannot be read")
}

/// The folders of which the files are read.
pub(super) fn folders_of(folder: &Path) -> Vec<PathBuf> {
    let parts = [folder.join("cur"), folder.join("new")];
    let is_maildir = parts.iter().all(|part| part.is_dir());
    if is_maildir { parts.to_vec() } else { vec![folder.to_owned()] }
}

/// The messages of a folder in the order of their names, and the number of what was left out.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, usize), Failure> {
    let (mut found, mut skipped) = (Vec::<(OsString, PathBuf)>::new(), 0);
    for folder in folders_of(folder) {
        let failed = |error: std::io::Error| {
            let hint = "sealpost reads it as the owner of the store";
            Failure::io("list", shown(&folder), &error).hint(hint)
        };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && !name.as_encoded_bytes().starts_with(b".") {
                found.push((name, entry.path()));
            } else {
                skipped += 1;
            }
        }
    }
    found.sort();
    Ok((found.into_iter().map(|(_, path)| path).collect(), skipped))
}

/// The messages with their envelopes. Those that cannot be delivered are told at once.
pub(super) struct Letters<'l, 'o> {
    pub(super) source: Source<'l>,
    pub(super) envelope: &'l Envelope,
    /// Of all of them, unless each names its own.
    pub(super) recipients: Vec<Recipient>,
    pub(super) field: Option<&'l str>,
    /// Octets of a message that are looked at.
    pub(super) most: u64,
    pub(super) report: &'l Mutex<Report<'o>>,
}

impl Iterator for Letters<'_, '_> {
    type Item = (Place, Parcel);

    fn next(&mut self) -> Option<(Place, Parcel)> {
        loop {
            let (place, message) = match self.source.next() {
                Ok(found) => found?,
                Err(failure) => {
                    report::lock(self.report).break_off(failure);
                    return None;
                }
            };
            match message.and_then(|message| self.parcel(message)) {
                Ok(parcel) => return Some((place, parcel)),
                Err((disposition, reason)) => {
                    report::lock(self.report).see_undelivered(&place, &disposition, &reason);
                }
            }
        }
    }
}

impl Letters<'_, '_> {
    fn parcel(&self, message: Load) -> Result<Parcel, Refused> {
        let (recipients, return_path) = match &message {
            Load::Held(message) => self.addresses(message.expose())?,
            Load::Large(source) => {
                let begin = begin_of(&**source, self.most);
                let begin = begin.map_err(|error| (unread(), format!("it cannot be read: {error}")))?;
                self.addresses(&begin)?
            }
        };
        let parcel = self.envelope.parcel(recipients, message);
        let sender = parcel.sender.clone().or(return_path);
        Ok(Parcel { sender, ..parcel })
    }

    /// For whom it is, and its return path.
    fn addresses(&self, message: &[u8]) -> Result<(Vec<Recipient>, Option<String>), Refused> {
        let view = Message::new(without_mbox_line(message));
        let recipients = match self.field {
            None => self.recipients.clone(),
            Some(name) => vec![recipient(&view, name)?],
        };
        Ok((recipients, address_in(&view, "Return-Path")))
    }
}

/// The begin of a message that is not held, up to the end of its header or farther; where that end is far, all of it up to
/// `most` octets, as it is held to be sealed.
fn begin_of(message: &dyn mail::Source, most: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let message = Span::of(message).first(most);
    let begin = message.start(BEGIN)?;
    let is_enough =
        message.len() <= BEGIN as u64 || Message::new(without_mbox_line(&begin)).has_whole_header();
    if is_enough { Ok(begin) } else { message.all() }
}

/// The address in the first field of that name, which the last server wrote.
fn recipient(message: &Message<'_>, name: &str) -> Result<Recipient, Refused> {
    let refused = |reason: String| {
        let text = "the message does not say for whom it is".to_owned();
        (Disposition::Reject { detail: (1, 3), text, unknown_user: false }, reason)
    };
    let text = address_in(message, name).ok_or_else(|| refused(format!("it has no field {name}")))?;
    let address = Address::parse(&text)
        .map_err(|_| refused(format!("its field {name} holds no address: \"{}\"", printable(&text))))?;
    Ok(Recipient { address, original: None })
}

/// `<anna@north.example>` or without brackets.
fn address_in(message: &Message<'_>, name: &str) -> Option<String> {
    let text = message.fields_named(name).next()?.text();
    let text = text.trim();
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    Some(inside.unwrap_or(text).trim().to_owned())
}

//! Where the messages come from, one by one.

use super::report::{self, Report};
use super::shown;
use crate::cli::envelope::Envelope;
use crate::cli::failure::{Code, Failure};
use crate::cli::input::{self, FileId};
use crate::crypto::SecretBytes;
use crate::engine::{Disposition, Parcel, Recipient, Settings};
use crate::mail::mbox::{Entry, Splitter, Variant};
use crate::mail::{Address, Message, printable};
use crate::system::Patient;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Octets of an mbox that are read at a time.
const CHUNK: usize = 256 << 10;

/// Where a message was.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file, and which it was when it was read.
    File(PathBuf, Option<FileId>),
    /// Which of the mbox, and where its `From ` line begins.
    Mbox { number: u64, offset: u64 },
}

impl Place {
    /// The file, if it is one that was read.
    pub(super) fn file(&self) -> Option<(&Path, FileId)> {
        match self {
            Place::File(path, id) => Some((path, (*id)?)),
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

/// Standard input, if that is what is read; if not, nothing may wait there: an MTA that calls this by mistake would take a 0 for
/// "the message that I wrote is stored".
pub(super) fn standard_input(path: &Path) -> Result<Option<File>, Failure> {
    if path == Path::new("-") {
        return input::stream(path).map(|(file, _)| Some(file));
    }
    match input::holds_something() {
        Ok(false) => Ok(None),
        Ok(true) => {
            let text =
                "standard input holds something, and with --batch DIR nobody reads it: nothing is done";
            Err(Failure::new(Code::TryAgain, text).hint(
                "an MTA calls sealpost deliver without --batch; for the messages of a folder, end the command with </dev/null",
            ))
        }
        Err(error) => Err(Failure::io("read", input::STANDARD_INPUT, &error)),
    }
}

/// A folder or an mbox.
pub(super) enum Source<'s> {
    Folder { files: std::vec::IntoIter<PathBuf>, skipped: usize, limit: u64 },
    Mbox(Box<Mbox<'s>>),
}

/// An mbox that is read as it comes.
pub(super) struct Mbox<'s> {
    splitter: Splitter,
    input: Patient<'s>,
    chunk: Zeroizing<Vec<u8>>,
    stop: &'s AtomicBool,
    /// An MTA that calls this with nothing is not told that it is stored.
    is_empty: bool,
}

/// A message, or what the peer of one message would be told.
type Found = (Place, Result<SecretBytes, (Disposition, String)>);

impl<'s> Source<'s> {
    pub(super) fn open(
        path: &Path,
        input: Option<File>,
        format: Variant,
        settings: &Settings,
        stop: &'s AtomicBool,
    ) -> Result<Source<'s>, Failure> {
        let largest = settings.max_message;
        let Some(input) = input else {
            let (files, skipped) = list(path)?;
            let files = files.into_iter();
            // One byte more than allowed shows the engine that the message is too large.
            return Ok(Source::Folder { files, skipped, limit: largest.saturating_add(1) });
        };
        let splitter = Splitter::new(format, usize::try_from(largest).unwrap_or(usize::MAX));
        let chunk = Zeroizing::new(vec![0; CHUNK]);
        Ok(Source::Mbox(Box::new(Mbox {
            splitter,
            input: Patient::new(input, stop),
            chunk,
            stop,
            is_empty: true,
        })))
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
            Source::Folder { files, limit, .. } => Ok(files.next().map(|file| {
                let read = input::first_of_file(&file, *limit);
                let id = read.as_ref().ok().map(|(_, id)| *id);
                let failed = |error: std::io::Error| (unread(), format!("it cannot be read: {error}"));
                (Place::File(file, id), read.map(|(message, _)| message).map_err(failed))
            })),
            Source::Mbox(mbox) => mbox.next(),
        }
    }
}

fn unread() -> Disposition {
    Disposition::doubt("the message cannot be read")
}

/// The messages of a folder in the order of their names, and the number of what was left out.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, usize), Failure> {
    let parts = [folder.join("cur"), folder.join("new")];
    let is_maildir = parts.iter().all(|part| part.is_dir());
    let folders = if is_maildir { parts.to_vec() } else { vec![folder.to_owned()] };
    let (mut found, mut skipped) = (Vec::<(OsString, PathBuf)>::new(), 0);
    for folder in folders {
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

impl Mbox<'_> {
    fn next(&mut self) -> Result<Option<Found>, Failure> {
        loop {
            let entry = self.splitter.next_entry();
            let entry =
                entry.map_err(|reason| Failure::new(Code::Data, format!("standard input: {reason}")))?;
            match entry {
                Some(entry) => {
                    self.is_empty = false;
                    return Ok(Some(found(entry)));
                }
                None if self.splitter.has_ended() && self.is_empty => {
                    return Err(Failure::new(Code::Data, "standard input holds no message"));
                }
                None if self.splitter.has_ended() => return Ok(None),
                None if !self.read()? => return Ok(None),
                None => {}
            }
        }
    }

    /// Is there more? What ends us ends the program that writes the mbox too, and its last message is not whole then.
    fn read(&mut self) -> Result<bool, Failure> {
        loop {
            let read = self.input.read(&mut self.chunk);
            match read {
                _ if self.stop.load(Ordering::Relaxed) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::io("read", "standard input", &error)),
                Ok(0) => {
                    self.splitter.end();
                    return Ok(true);
                }
                Ok(octets) => {
                    self.splitter.push(self.chunk.get(..octets).unwrap_or_default());
                    return Ok(true);
                }
            }
        }
    }
}

fn found(Entry { number, offset, content, .. }: Entry) -> Found {
    let message = content.map(|mut cut| SecretBytes::new(std::mem::take(&mut *cut.message)));
    let too_large = |large: crate::mail::mbox::TooLarge| {
        let text = "the message is too large".to_owned();
        (Disposition::Reject { detail: (3, 4), text, unknown_user: false }, large.to_string())
    };
    (Place::Mbox { number, offset }, message.map_err(too_large))
}

/// The messages with their envelopes. Those that cannot be delivered are told at once.
pub(super) struct Letters<'l, 'o> {
    pub(super) source: Source<'l>,
    pub(super) envelope: &'l Envelope,
    /// Of all of them, unless each names its own.
    pub(super) recipients: Vec<Recipient>,
    pub(super) field: Option<&'l str>,
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
    fn parcel(&self, message: SecretBytes) -> Result<Parcel, (Disposition, String)> {
        let view = Message::new(message.expose());
        let recipients = match self.field {
            None => self.recipients.clone(),
            Some(name) => vec![recipient(&view, name)?],
        };
        let return_path = address_in(&view, "Return-Path");
        let parcel = self.envelope.parcel(recipients, message);
        let sender = parcel.sender.clone().or(return_path);
        Ok(Parcel { sender, ..parcel })
    }
}

/// The address in the first field of that name, which the last server wrote.
fn recipient(message: &Message<'_>, name: &str) -> Result<Recipient, (Disposition, String)> {
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

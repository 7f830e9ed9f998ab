//! Postfix's own programs, which say what stands in its files.

use crate::cli::failure::{Code, Failure};
use crate::system::{await_child, memory_file};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The program that prints Postfix's settings.
const POSTCONF: &str = "postconf";
/// The program that looks up in its maps.
const POSTMAP: &str = "postmap";
/// A map behind which no server is asks for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// The settings of main.cf that are looked at.
const SETTINGS: &[&str] = &[
    "compatibility_level",
    "mail_owner",
    "mydestination",
    "myorigin",
    "queue_directory",
    "recipient_delimiter",
    "sealpost_destination_recipient_limit",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_transport",
];

/// Settings of main.cf by name, defaults included and all that they refer to put in.
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// All of [`SETTINGS`].
    pub(super) fn read() -> Result<Settings, Failure> {
        let printed = postconf(&[&["-x"], SETTINGS].concat())?;
        let setting =
            |line: &str| line.split_once(" =").map(|(name, value)| (name.into(), value.trim().into()));
        Ok(Settings(printed.lines().filter_map(setting).collect()))
    }

    /// Nothing for one that this Postfix does not know.
    pub(super) fn of(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A service of master.cf on one line or several; empty if there is none.
pub(super) fn service(name: &str) -> Result<String, Failure> {
    if name.is_empty() { Ok(String::new()) } else { postconf(&["-M", &format!("{name}/unix")]) }
}

fn postconf(args: &[&str]) -> Result<String, Failure> {
    let asked = Command::new(POSTCONF).args(args).output();
    let output = asked.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(Code::Unavailable, format!("{POSTCONF} is not installed, or not in PATH"))
                .hint("it comes with Postfix; without it there is no --postfix")
        }
        _ => Failure::io("run", POSTCONF, &error),
    })?;
    match fatal(&String::from_utf8_lossy(&output.stderr)) {
        Some(words) => Err(Failure::new(Code::Config, format!("{POSTCONF} gives up: {words}"))),
        None => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

/// Why a program of Postfix ended before it was done.
fn fatal(told: &str) -> Option<String> {
    told.lines().find_map(|line| line.split_once(": fatal: ")).map(|(_, words)| words.to_owned())
}

/// What the first of the maps that has a key says of it, for each key that one has. Each is asked for exactly what it is; an error
/// is in Postfix's words.
pub(super) fn look_up(maps: &[String], keys: &[String]) -> Result<BTreeMap<String, String>, String> {
    if maps.is_empty() || keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let failed = |error: io::Error| format!("{POSTMAP}: {error}");
    let (said, told) = postmap(maps, keys).map_err(failed)?;
    match told {
        Some(words) => Err(words),
        None => Ok(said.lines().filter_map(|line| line.split_once('\t')).map(owned).collect()),
    }
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// What it said, and why that is not all.
fn postmap(maps: &[String], keys: &[String]) -> io::Result<(String, Option<String>)> {
    let questions = memory_file((keys.join("\n") + "\n").as_bytes())?;
    let (said, told) = (memory_file(&[])?, memory_file(&[])?);
    let mut command = Command::new(POSTMAP);
    command.args(["-q", "-"]).args(maps).stdin(questions).stdout(said.try_clone()?);
    let has_ended = await_end(&mut command.stderr(told.try_clone()?).spawn()?)?;
    let told = text(told)?;
    let why = if has_ended {
        fatal(&told)
    } else {
        let last = told.lines().next_back().map_or_else(String::new, |line| format!(" ({line})"));
        Some(format!("no answer within {} seconds{last}", PATIENCE.as_secs()))
    };
    Ok((text(said)?, why))
}

/// False for one that had to be killed.
fn await_end(child: &mut Child) -> io::Result<bool> {
    let has_ended = await_child(child, Instant::now() + PATIENCE)?.is_some();
    if !has_ended {
        child.kill()?;
        child.wait()?;
    }
    Ok(has_ended)
}

fn text(mut file: File) -> io::Result<String> {
    let mut octets = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

//! A program that takes what sendmail(8) takes. No shell, no environment of ours, no output: what it says may quote the
//! message (a milter's reason, a header that it refuses), and would lie in the log and beside the sealed mail in the clear.
//! Its exit code says enough for what is done with the mail; for a person it is put in words.

use super::content::local_form;
use crate::engine::{Carried, Courier};
use crate::mail::Address;
use crate::system::{await_child, memory_file, spawn};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Hands mail to a program.
pub(super) struct ProgramCourier {
    program: PathBuf,
    limit: Duration,
}

impl ProgramCourier {
    pub(super) fn new(program: &Path, limit: Duration) -> ProgramCourier {
        ProgramCourier { program: program.to_owned(), limit }
    }

    fn run(&self, sender: &str, recipients: &[Address], message: &[u8]) -> io::Result<Carried> {
        let end = Instant::now() + self.limit;
        let mut child = self.start(sender, recipients, message)?;
        match await_child(&mut child, end) {
            Ok(Some(status)) => Ok(self.judged(status)),
            // What it has started ends with it. After a good end that may be at work on the mail, and is left alone.
            Ok(None) => {
                end_group(&mut child);
                Ok(Carried::Later(format!("{} took too long", self.program.display())))
            }
            Err(error) => {
                end_group(&mut child);
                Err(error)
            }
        }
    }

    /// Its input is whole before it begins: if this process dies, a pipe would end early, and it would send what it had got.
    fn start(&self, sender: &str, recipients: &[Address], message: &[u8]) -> io::Result<Child> {
        let sender = if sender.is_empty() { "<>" } else { sender };
        let mut command = Command::new(&self.program);
        command
            .args(["-G", "-i", "-f", sender, "--"])
            .args(recipients.iter().map(Address::to_string))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/")
            .stdin(memory_file(local_form(message).expose())?)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        spawn(&mut command)
    }

    /// sysexits(3): 65, 67 and 68 are about this mail; everything else about this machine.
    fn judged(&self, status: ExitStatus) -> Carried {
        let said = format!("{} ended with {status}", self.program.display());
        match status.code() {
            Some(0) => Carried::Sent,
            Some(65) => Carried::Refused(format!("{said}: the message is refused")),
            Some(67) => Carried::Refused(format!("{said}: no such user")),
            Some(68) => Carried::Refused(format!("{said}: no such host")),
            code => Carried::Later(format!("{said}{}", meaning(code))),
        }
    }
}

/// Of the codes of sysexits(3) that are no answer about the mail.
fn meaning(code: Option<i32>) -> &'static str {
    match code {
        Some(64) => ": it does not take these arguments",
        Some(69) => ": a service that it needs is not there",
        Some(71) => ": the system failed it",
        Some(73) => ": it cannot make a file",
        Some(74) => ": reading or writing failed",
        Some(75) => ": not now",
        Some(77) => ": it may not do that",
        Some(78) => ": its configuration is wrong",
        _ => "",
    }
}

fn end_group(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.wait();
}

impl Courier for ProgramCourier {
    fn carry(&self, sender: &str, recipients: &[Address], message: &[u8]) -> Vec<Carried> {
        let is_address = sender.is_empty() || Address::parse(sender).is_ok();
        let outcome = match is_address {
            false => Carried::Refused("its return path is no mail address".to_owned()),
            true => self.run(sender, recipients, message).unwrap_or_else(|error| {
                Carried::Later(format!("cannot run {}: {error}", self.program.display()))
            }),
        };
        vec![outcome; recipients.len()]
    }
}

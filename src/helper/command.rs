//! A command that runs once over a message.

use super::ProgramFault;
use super::child::{Group, clean};
use super::fault::{for_the_log, system};
use super::hear::{Ear, wait};
use super::trusted::check_program;
use crate::engine::{CommandRun, HelperSettings};
use crate::rules::{Command, Envelope, Prefix};
use crate::system::memory_file;
use nix::poll::{PollFd, PollFlags};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Bytes on standard output, and again on standard error.
const MOST_OUTPUT: usize = 64 << 10;
/// The first look at a program that closed its output and goes on, and the last.
const TICKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// Where it finds the message as a file.
const MESSAGE_FILE: &str = "/dev/stdin";

/// What is known before it runs: may it, and with which arguments beside its own?
pub(super) fn check(
    settings: &HelperSettings,
    command: &Command,
    envelope: &Envelope,
) -> Result<Vec<String>, ProgramFault> {
    let program = command.program();
    if !settings.lists(program) {
        return Err(ProgramFault::NotListed(program.to_owned()));
    }
    check_program(Path::new(program))?;
    more_arguments(command, envelope)
}

/// Runs a command to its end.
pub(super) fn run(settings: &HelperSettings, run: &CommandRun<'_>) -> Result<(), ProgramFault> {
    let more = check(settings, run.command, run.envelope)?;
    let heard = if run.command.has(Prefix::Stderr) { Stdio::piped() } else { Stdio::null() };
    let mut command = clean(Path::new(run.command.program()));
    command.args(run.command.arguments()).args(more);
    let message = memory_file(run.message).map_err(system("make a memory file"))?;
    command.stdin(message).stdout(Stdio::piped()).stderr(heard);
    let (group, pipes) = Group::start(&mut command).map_err(system("start it"))?;
    let (output, errors) = (Ear::new(pipes.output, MOST_OUTPUT)?, Ear::new(pipes.errors, MOST_OUTPUT)?);
    let mut process = Process { group, output, errors };
    let limit = settings.execute_timeout;
    process.await_end(run.most.map_or(limit, |most| most.min(limit)))?;
    let status = process.group.end();
    judge(status, for_the_log(&process.errors.heard))
}

/// What the prefixes add, always in this order: `-f file -p return-path -r recipient …`.
fn more_arguments(command: &Command, envelope: &Envelope) -> Result<Vec<String>, ProgramFault> {
    let mut more = Vec::new();
    if command.has(Prefix::File) {
        more.extend(["-f".to_owned(), MESSAGE_FILE.to_owned()]);
    }
    if command.has(Prefix::ReturnPath) {
        let sender = envelope.sender.as_deref().unwrap_or_default();
        more.extend(["-p".to_owned(), argument(sender).ok_or(ProgramFault::Address("the return path"))?]);
    }
    if command.has(Prefix::Recipients) {
        more.push("-r".to_owned());
        for recipient in &envelope.recipients {
            more.push(argument(recipient).ok_or(ProgramFault::Address("a recipient"))?);
        }
    }
    Ok(more)
}

/// An address that cannot pass for an option: one that begins with `-` has its local part in quotes, which is another
/// way to write the same address (RFC 5321 section 4.1.2).
fn argument(address: &str) -> Option<String> {
    if address.chars().any(char::is_control) {
        return None;
    }
    if !address.starts_with('-') {
        return Some(address.to_owned());
    }
    let (local, domain) = address.rsplit_once('@')?;
    let plain = |char: char| char.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char);
    local.chars().all(plain).then(|| format!("\"{local}\"@{domain}"))
}

struct Process {
    group: Group,
    output: Ear<ChildStdout>,
    errors: Ear<ChildStderr>,
}

impl Process {
    /// Until the program itself ends; what it started and left behind may hold the pipes for as long as it likes.
    fn await_end(&mut self, limit: Duration) -> Result<(), ProgramFault> {
        let (until, mut tick) = (Instant::now() + limit, TICKS.0);
        loop {
            // Asked first: all that it wrote before its end is then there to be read.
            let ended = self.group.has_ended();
            self.output.listen()?;
            self.errors.listen()?;
            if ended {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ProgramFault::TimedOut(limit));
            }
            wait(
                [watched(&self.output), watched(&self.errors)].into_iter().flatten().collect(),
                left.min(tick),
            );
            tick = (tick * 2).min(TICKS.1);
        }
    }
}

fn watched<R: Read + AsFd>(ear: &Ear<R>) -> Option<PollFd<'_>> {
    ear.pipe.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
}

fn judge(status: Option<ExitStatus>, said: Option<String>) -> Result<(), ProgramFault> {
    let status = status.ok_or(ProgramFault::Unknown)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(ProgramFault::Code { code, said }),
        (None, Some(signal)) => Err(ProgramFault::Signal { signal, said }),
        (None, None) => Err(ProgramFault::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Source;

    fn arguments(prefixes: &str, sender: Option<&str>, recipients: &[&str]) -> Result<Vec<String>, String> {
        let command = Command::parse(&format!("{prefixes} /bin/a")).unwrap();
        let envelope = Envelope {
            sender: sender.map(str::to_owned),
            recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
            source: Source::Pipe,
            client: None,
        };
        more_arguments(&command, &envelope).map_err(|fault| fault.to_string())
    }

    #[test]
    fn prefixes_add_arguments_in_one_order() {
        let all = arguments(
            "[RCPT] [RETPATH] [STDERR] [FILE]",
            Some("e@x.example"),
            &["a@y.example", "b@y.example"],
        );
        assert_eq!(
            all.unwrap(),
            ["-f", "/dev/stdin", "-p", "e@x.example", "-r", "a@y.example", "b@y.example"]
        );
        assert_eq!(arguments("", Some("e@x.example"), &["a@y.example"]).unwrap(), [""; 0]);
        assert_eq!(arguments("[RETPATH]", Some(""), &[]).unwrap(), ["-p", ""]);
        assert_eq!(arguments("[RETPATH]", None, &[]).unwrap(), ["-p", ""]);
    }

    #[test]
    fn no_address_becomes_an_option_or_a_line() {
        let sender = |address: &str| arguments("[RETPATH]", Some(address), &[]).map(|mut all| all.remove(1));
        assert_eq!(sender("-oQ/tmp@x.example").unwrap(), "\"-oQ/tmp\"@x.example");
        assert_eq!(sender("--a.b@x@x.example").unwrap_err(), sender("-x").unwrap_err());
        let refused = "the return path of this message cannot be handed to a program: it holds control characters or is no address";
        for wrong in ["-x", "--help", "-\"a\"@x.example", "- a@x.example", "a\n@x.example", "a\0@x.example"] {
            assert_eq!(sender(wrong).unwrap_err(), refused, "{wrong:?}");
        }
        let wrong = arguments("[RCPT]", None, &["a@x.example", "-x"]).unwrap_err();
        assert!(wrong.starts_with("a recipient of this message cannot"), "{wrong}");
    }

    #[test]
    fn success_is_the_code_zero_and_nothing_else() {
        let judged = |status, said: Option<&str>| {
            judge(status, said.map(str::to_owned)).map_err(|fault| fault.to_string())
        };
        let exited = |code: i32| Some(ExitStatus::from_raw(code << 8));
        assert_eq!(judged(exited(0), Some("a warning")), Ok(()));
        assert_eq!(judged(exited(3), None), Err("it ended with exit code 3".into()));
        assert_eq!(judged(exited(75), Some("no")), Err("it ended with exit code 75: no".into()));
        assert_eq!(judged(Some(ExitStatus::from_raw(11)), None), Err("signal 11 ended it".into()));
        assert_eq!(judged(None, None), Err(ProgramFault::Unknown.to_string()));
    }
}

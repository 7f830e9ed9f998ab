//! A filter: processes that stay, each asked one question after another.

use super::ProgramFault;
use super::child::{Group, clean};
use super::fault::{for_the_log, system};
use super::hear::{Ear, never_wait, wait};
use super::protocol::{AnswerFault, AnswerReader, GreetingReader, MOST_ANSWER, Reply, greeting, question};
use super::trusted::check_program;
use crate::engine::FilterSetting;
use crate::rules::{Answer, Envelope};
use nix::poll::{PollFd, PollFlags};
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Processes of one filter at a time. Who comes when all are busy waits.
const MOST_PROCESSES: usize = 4;
/// For a filter whose input ended.
const GRACE: Duration = Duration::from_millis(500);

/// A filter of the site with those of its processes that have nothing to do.
pub(super) struct Filter {
    setting: FilterSetting,
    limit: Duration,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Process>,
    /// Questions that are being asked.
    seats: usize,
}

/// The right to ask a question.
struct Seat<'f>(&'f Filter);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.pool().seats -= 1;
        self.0.freed.notify_one();
    }
}

impl Filter {
    pub(super) fn new(setting: &FilterSetting, limit: Duration) -> Filter {
        Filter { setting: setting.clone(), limit, pool: Mutex::default(), freed: Condvar::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.setting.name
    }

    /// Asks about a message. A process that ended in place of an answer is started anew, once.
    pub(super) fn ask(&self, message: &[u8], envelope: &Envelope) -> Result<Answer, ProgramFault> {
        let until = Instant::now() + self.limit;
        let seat = self.seat(until)?;
        let mut asked = self.ask_once(message, envelope, until);
        if matches!(asked, Err(ProgramFault::Died)) {
            // Those that are idle are as old as the one that died.
            drop(std::mem::take(&mut self.pool().idle));
            asked = self.ask_once(message, envelope, until);
        }
        drop(seat);
        match asked? {
            Reply::Answer(answer) => Ok(answer),
            Reply::Failure(text) => Err(ProgramFault::Failure(for_the_log(text.as_bytes()))),
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seat(&self, until: Instant) -> Result<Seat<'_>, ProgramFault> {
        let mut pool = self.pool();
        while pool.seats >= MOST_PROCESSES {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ProgramFault::Busy(MOST_PROCESSES));
            }
            pool = self.freed.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        pool.seats += 1;
        Ok(Seat(self))
    }

    /// A process that does not answer as it should is not asked again: it is dropped here, and so ended.
    fn ask_once(&self, message: &[u8], envelope: &Envelope, until: Instant) -> Result<Reply, ProgramFault> {
        let idle = self.pool().idle.pop();
        let time = Time { until, limit: self.limit };
        let mut process = match idle {
            Some(process) => process,
            None => Process::start(&self.setting, time)?,
        };
        let reply = process.ask(message, envelope, time)?;
        self.pool().idle.push(process);
        Ok(reply)
    }
}

/// Up to when an answer is waited for, and how long that was at the begin.
#[derive(Clone, Copy)]
struct Time {
    until: Instant,
    limit: Duration,
}

impl Time {
    fn left(self) -> Result<Duration, ProgramFault> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ProgramFault::TimedOut(self.limit)) } else { Ok(left) }
    }
}

struct Process {
    group: Group,
    input: Option<ChildStdin>,
    output: Ear<ChildStdout>,
    /// Of the last question.
    number: u64,
    /// It could be asked again.
    in_step: bool,
}

impl Process {
    fn start(setting: &FilterSetting, time: Time) -> Result<Process, ProgramFault> {
        check_program(&setting.program)?;
        let mut command = clean(&setting.program);
        command.args(&setting.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let (group, pipes) = Group::start(&mut command).map_err(system("start it"))?;
        let output = Ear::new(pipes.output, MOST_ANSWER)?;
        pipes.input.as_ref().map_or(Ok(()), never_wait)?;
        let mut process = Process { group, input: pipes.input, output, number: 1, in_step: false };
        let mut reader = GreetingReader::default();
        process.exchange(&[greeting().as_bytes()], time, |heard| reader.take(heard))?;
        process.in_step = true;
        Ok(process)
    }

    fn ask(&mut self, message: &[u8], envelope: &Envelope, time: Time) -> Result<Reply, ProgramFault> {
        self.number += 1;
        let lines =
            question(self.number, envelope, message.len()).ok_or(ProgramFault::Address("an address"))?;
        let mut reader = AnswerReader::new(self.number);
        self.in_step = false;
        let reply = self.exchange(&[lines.as_bytes(), message], time, |heard| reader.take(heard))?;
        self.in_step = true;
        Ok(reply)
    }

    /// Writes and listens side by side until all is written and the answer is there: a filter may answer before it has
    /// read everything, and one that does not read while we write must not stop us from listening.
    fn exchange<T>(
        &mut self,
        say: &[&[u8]],
        time: Time,
        mut take: impl FnMut(&mut Vec<u8>) -> Result<Option<T>, AnswerFault>,
    ) -> Result<T, ProgramFault> {
        let mut left: Vec<&[u8]> = say.iter().rev().copied().collect();
        let mut answer = None;
        loop {
            self.say(&mut left)?;
            self.output.listen()?;
            if answer.is_none() {
                answer = take(&mut self.output.heard)?;
            }
            match answer {
                Some(answer) if left.is_empty() => return Ok(answer),
                _ if self.output.pipe.is_none() => return Err(ProgramFault::Died),
                unfinished => answer = unfinished,
            }
            self.await_something(left.is_empty(), time.left()?);
        }
    }

    /// Writes what there is room for. The last piece is said first.
    fn say(&mut self, left: &mut Vec<&[u8]>) -> Result<(), ProgramFault> {
        while let (Some(piece), Some(input)) = (left.last_mut(), &mut self.input) {
            match input.write(piece) {
                Ok(count) => *piece = piece.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(ProgramFault::Died),
                Err(error) => return Err(system("write to the filter")(error)),
            }
            if piece.is_empty() {
                left.pop();
            }
        }
        Ok(())
    }

    fn await_something(&self, all_said: bool, left: Duration) {
        let output = self.output.pipe.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        let input = self.input.as_ref().filter(|_| !all_said);
        let input = input.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT));
        wait(output.into_iter().chain(input).collect(), left);
    }
}

/// A filter that knows its trade gets the time to end by itself; one that is out of step does not.
impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        if self.in_step {
            self.group.await_end(Instant::now() + GRACE);
        }
    }
}

//! Programs that run: each in a process group of its own, ended as a whole.

use crate::system::spawn;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Where programs that are called without a path are looked for; ours are not.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// For the end of a process that was killed.
const GRACE: Duration = Duration::from_secs(1);

/// A command line with a clean environment.
pub(super) fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SEARCH_PATH).env("LANG", "C.UTF-8").current_dir("/");
    command
}

/// What runs now in this process. A process stays in it until it is about to be reaped, so that no number in it is
/// another's.
struct Running {
    over: bool,
    groups: Vec<Pid>,
}

static RUNNING: Mutex<Running> = Mutex::new(Running { over: false, groups: Vec::new() });

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a process that is about to exit before its work is done: kills all programs that run for it and lets none begin.
pub fn end_all() {
    let end = Instant::now() + Duration::from_millis(200);
    loop {
        let mut running = match RUNNING.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody starts a program; where that hangs, the exit must not.
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            Err(TryLockError::WouldBlock) => return,
        };
        running.over = true;
        running.groups.iter().for_each(|group| kill(*group));
        return;
    }
}

fn kill(group: Pid) {
    // It may be gone already.
    let _ = killpg(group, Signal::SIGKILL);
}

/// A program that runs, and all that it starts. Dropping it ends them.
pub(super) struct Group {
    child: Child,
    leader: Option<Pid>,
}

/// The pipes that it was started with.
pub(super) struct Pipes {
    pub(super) input: Option<ChildStdin>,
    pub(super) output: Option<ChildStdout>,
    pub(super) errors: Option<ChildStderr>,
}

impl Group {
    pub(super) fn start(command: &mut Command) -> io::Result<(Group, Pipes)> {
        let mut running = running();
        if running.over {
            return Err(io::Error::other("the delivery is being given up"));
        }
        let mut child = spawn(command.process_group(0))?;
        let leader = i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?;
        running.groups.push(leader);
        drop(running);
        let pipes =
            Pipes { input: child.stdin.take(), output: child.stdout.take(), errors: child.stderr.take() };
        Ok((Group { child, leader: Some(leader) }, pipes))
    }

    /// Has the program itself ended, whatever became of those that it started?
    pub(super) fn has_ended(&self) -> bool {
        // Without reaping it: while it is there, its number and that of its group are nobody else's.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.leader.is_none_or(|leader| !matches!(waitid(Id::Pid(leader), flags), Ok(WaitStatus::StillAlive)))
    }

    /// Waits for its end, at most until then.
    pub(super) fn await_end(&self, until: Instant) {
        let mut tick = Duration::from_millis(1);
        while !self.has_ended() && Instant::now() < until {
            std::thread::sleep(tick);
            tick = (tick * 2).min(Duration::from_millis(20));
        }
    }

    /// Ends whatever of the group still runs. How the program ended; nothing if it cannot be told.
    pub(super) fn end(mut self) -> Option<ExitStatus> {
        self.finish()
    }

    fn finish(&mut self) -> Option<ExitStatus> {
        let leader = self.leader?;
        kill(leader);
        self.await_end(Instant::now() + GRACE);
        self.leader = None;
        running().groups.retain(|group| *group != leader);
        // Whoever cannot be killed stays unreaped; it is not waited for.
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.finish();
    }
}

//! A program that stands still before one of its system calls until the test lets it go on.

use super::path;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// It is ended when the test is.
pub(crate) struct Held(Option<Child>);

impl Held {
    /// Starts the binary under test. Before it makes one of these system calls for that file it stands still, for ten minutes
    /// if nobody lets it go on.
    pub(crate) fn before(calls: &str, file: &Path, arguments: &[&str]) -> Held {
        let program = Path::new(env!("CARGO_BIN_EXE_sealpost"));
        Held::start((calls, ""), &["-P", path(file)], program, arguments)
    }

    /// The same of this program, before a thread of it makes this call for the first time, for whatever file.
    pub(crate) fn before_the_first(call: &str, program: &Path, arguments: &[&str]) -> Held {
        Held::start((call, ":when=1"), &[], program, arguments)
    }

    fn start((calls, when): (&str, &str), files: &[&str], program: &Path, arguments: &[&str]) -> Held {
        let (trace, hold) = (format!("trace={calls}"), format!("inject={calls}:delay_enter=600000000{when}"));
        // A grandchild traces: the program is our child, and outlives it.
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-o", "/dev/null", "-e", &trace, "-e", &hold]).args(files);
        command.arg(program).args(arguments);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Held(Some(piped.spawn().unwrap()))
    }

    /// Nobody traces it any more: it makes the call, and goes on to its end.
    pub(crate) fn go_on(mut self) -> Output {
        let child = self.0.take().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).unwrap();
        let tracer: i32 = tracer.trim().parse().unwrap();
        assert_ne!(tracer, 0, "it was not held");
        // Any other signal waits until the delay is over.
        kill(Pid::from_raw(tracer), Signal::SIGKILL).unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.take().map(|mut child| child.kill());
    }
}

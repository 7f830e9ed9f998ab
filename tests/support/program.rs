//! Runs a program with bounded time, its input fed and its output read side by side.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where a program is; servers live outside a user's PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    // A name with a slash in it stands for itself: joined to a folder, an absolute path replaces it.
    std::env::split_paths(&paths).chain(servers).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A path as an argument.
pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// How a program ended.
pub(crate) struct Ended {
    /// The exit code; nothing if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    /// The most memory it held, in bytes, as last seen before it ended.
    pub(crate) peak_memory: u64,
    what: String,
}

impl Ended {
    /// Its output, if it ended well.
    pub(crate) fn ok(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}\n{}", self.what, self.stderr);
        self.stdout
    }

    /// Its output, or what it complained about.
    pub(crate) fn outcome(self) -> Result<Vec<u8>, String> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(self.stderr) }
    }

    /// Its output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// A program about to run.
pub(crate) struct Program {
    command: Command,
    /// Through a pipe; without one there is none, so that nobody waits for its end.
    input: Option<Vec<u8>>,
    limit: Duration,
}

impl Program {
    /// In the language, the time zone and the shell of nobody, whoever runs the tests.
    pub(crate) fn new(name: &str) -> Program {
        let file = find(name).unwrap_or_else(|| name.into());
        let mut command = Command::new(file);
        command.env("LC_ALL", "C.UTF-8").env_remove("LANGUAGE").env("TZ", "UTC").env("SHELL", "/bin/sh");
        Program { command, input: None, limit: Duration::from_secs(600) }
    }

    /// The binary under test, without anything that the caller's environment says about it.
    pub(crate) fn sealpost() -> Program {
        let mut program = Program::new(env!("CARGO_BIN_EXE_sealpost"));
        program.command.env_remove("SEALPOST_ROOT");
        program
    }

    /// Under strace, for `args` to name the program: it is killed when one of its threads makes this system call for the n-th
    /// time; if files are named, only calls for them count.
    pub(crate) fn killed_in(call: &str, nth: usize, files: &[PathBuf]) -> Program {
        let (trace, kill) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let traced = Program::new("strace").args(["-f", "-o", "/dev/null", "-e", &trace, "-e", &kill]);
        traced.args(files.iter().flat_map(|file| ["-P", path(file)]))
    }

    /// Its standard output goes to that file.
    pub(crate) fn output_to(self, file: &Path) -> Program {
        let line = format!("exec \"$@\" >{}", path(file));
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let shell = Program::new("sh").args(["-c", &line, "sh"]).args(words);
        Program { input: self.input, limit: self.limit, ..shell }
    }

    pub(crate) fn args<T: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Program {
        self.command.args(args);
        self
    }

    /// The words of a line, split at blanks.
    pub(crate) fn words(self, line: &str) -> Program {
        self.args(line.split_whitespace())
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Program {
        self.input = Some(bytes.into());
        self
    }

    /// Killed, and the test failed, after this long (ten minutes if not said).
    pub(crate) fn limit(mut self, seconds: u64) -> Program {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Starts a daemon: it goes to the background by itself, and would keep our pipes open.
    pub(crate) fn daemon(mut self) {
        let quiet = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(quiet.status().unwrap().success(), "{:?}", self.command);
    }

    pub(crate) fn run(mut self) -> Ended {
        let what = format!("{:?}", self.command);
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let pipes = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = self.input.take().unwrap_or_default();
        let (stdout, stderr, peak_memory) = std::thread::scope(|scope| {
            // A program may end without reading its input: a closed pipe is no fault of the test.
            scope.spawn(move || drop(stdin.take().map(|mut pipe| pipe.write_all(&input))));
            let stdout = scope.spawn(|| read_all(stdout.expect("piped")));
            let stderr = scope.spawn(|| read_all(stderr.expect("piped")));
            let peak_memory = watch(&mut child, begin + self.limit, &what);
            (stdout.join().unwrap(), stderr.join().unwrap(), peak_memory)
        });
        let code = child.wait().unwrap().code();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ended { code, stdout, stderr, took: begin.elapsed(), peak_memory, what }
    }
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Waits for the end of the child and gives the most memory that it was seen to hold.
fn watch(child: &mut Child, end: Instant, what: &str) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water(&status).unwrap_or(0));
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("{what}: still running after its time limit");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

/// The most memory that a process held, in bytes, by its file `status` below `/proc`.
pub(crate) fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The first run that succeeds, or the last of three: for foreign programs that fail now and then under load and take
/// the same input the next time (seen: one import of PKCS#12 in fifty by gpgsm 2.2).
pub(crate) fn of_three(run: impl Fn() -> Ended) -> Ended {
    let first = run();
    (0..2).fold(first, |ended, _| if ended.code == Some(0) { ended } else { run() })
}

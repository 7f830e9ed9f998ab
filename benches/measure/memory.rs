//! The most memory that a piece of work takes, by the kernel's count: of Rust and of C alike.
//!
//! The work is done by a process of its own, this same program: what others left behind does not count.

use super::Clock;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The word with which this program is started to do one piece of work.
pub(crate) const WORD: &str = "--alone";

/// What work costs that is the first of its kind in a process.
pub(crate) struct Alone {
    pub(crate) mib: f64,
    pub(crate) micros: f64,
}

/// What the work named `who` takes on the message in the file.
pub(crate) fn of(who: &str, message: &Path) -> Alone {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args([WORD, who]).arg(message).output().expect("it starts");
    assert!(output.status.success(), "{who}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let (kib, micros) = text.trim().split_once(' ').expect("two figures");
    let figure = |text: &str| text.parse::<f64>().expect("a figure");
    Alone { mib: figure(kib) / 1024.0, micros: figure(micros) }
}

/// In the process of its own: prints how many KiB `work` added at the most, and its microseconds.
pub(crate) fn print_cost<T>(work: impl FnOnce() -> T) {
    std::fs::write("/proc/self/clear_refs", "5").expect("the kernel forgets the peak so far");
    let before = status("self", "VmRSS:");
    let begin = Clock::Processor.now();
    let made = work();
    let micros = (Clock::Processor.now() - begin).as_secs_f64() * 1e6;
    let peak = status("self", "VmHWM:");
    println!("{} {micros:.0}", peak.saturating_sub(before));
    drop(made);
}

/// MiB that a program holds at the most, and whether it ended well. Looked at every millisecond.
pub(crate) fn of_program(command: &mut Command) -> (f64, bool) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(status(&child.id().to_string(), "VmHWM:"));
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    (peak as f64 / 1024.0, status.success())
}

/// KiB.
pub(crate) fn status(process: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

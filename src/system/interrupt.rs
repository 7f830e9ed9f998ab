//! Somebody wants the work to end: Ctrl-C, a service manager, a terminal that is closed.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::process::{Child, Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

const SIGNALS: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
/// What a shell says of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Asks long work to end after what it has in hand.
#[derive(Debug, Clone)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
}

impl Interrupt {
    /// Nobody asks: for a process that starts programs. A signal ends it at once.
    pub fn deaf() -> Interrupt {
        Interrupt { flag: Arc::default() }
    }

    /// From now on SIGINT, SIGTERM and SIGHUP set the flag and call `told`, once; the second ends the process at once with code
    /// 130, which does no more harm than a kill. Signals that the process was started to ignore (nohup(1), a job in the
    /// background of a script) stay ignored. It lasts as long as the process, and is for one that starts no programs: they
    /// would inherit that the signals are blocked. Call it before threads are made: theirs would not be.
    pub fn listen(told: impl FnOnce() + Send + 'static) -> io::Result<Interrupt> {
        let flag = Arc::new(AtomicBool::new(false));
        let signals = heeded();
        if signals.iter().next().is_none() {
            return Ok(Interrupt { flag });
        }
        signals.thread_block()?;
        let set = Arc::clone(&flag);
        Builder::new().name("signals".into()).spawn(move || wait(&signals, &set, told))?;
        Ok(Interrupt { flag })
    }

    /// Set when the work shall end.
    pub fn flag(&self) -> &AtomicBool {
        &self.flag
    }
}

fn wait(signals: &SigSet, flag: &AtomicBool, told: impl FnOnce()) {
    if signals.wait().is_err() {
        return;
    }
    flag.store(true, Ordering::Relaxed);
    told();
    if signals.wait().is_ok() {
        exit(INTERRUPTED);
    }
}

/// The same signals for a daemon that starts programs and waits for its end with its first thread. SIGHUP does not end it: no
/// terminal is its own, and what sends it to a daemon wants a log or a configuration read anew.
#[derive(Debug, Clone, Copy)]
pub struct EndSignals(SigSet);

impl EndSignals {
    /// Holds them back from now on. Call it before threads are made, and start programs by [`spawn`]. Signals that the process was
    /// started to ignore stay ignored.
    pub fn hold() -> io::Result<EndSignals> {
        let signals = heeded();
        signals.thread_block()?;
        Ok(EndSignals(signals))
    }

    /// Waits for one that ends it. For the first thread: it is whom the kernel gives a signal while another thread starts a
    /// program. So SIGHUP is taken here too: left waiting, it would end the process from such a thread.
    pub fn wait(&self) {
        while !self.0.wait().is_ok_and(ends) {}
    }

    /// Makes who waits go on.
    pub fn raise(&self) {
        if let Some(signal) = self.0.iter().find(|signal| ends(*signal)) {
            let _ = kill(Pid::this(), signal);
        }
    }
}

fn ends(signal: Signal) -> bool {
    signal != Signal::SIGHUP
}

/// Starts a program that hears the signals which this process holds back: it would inherit that they are blocked, so that what it
/// starts itself, such as timeout(1), could end nothing.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let held: SigSet = SIGNALS.into_iter().collect();
    let before = held.thread_swap_mask(SigmaskHow::SIG_UNBLOCK)?;
    let child = command.spawn();
    before.thread_set_mask()?;
    child
}

/// A blocked signal is waited for even if it is ignored, so the ignored ones are left out.
fn heeded() -> SigSet {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    SIGNALS.into_iter().filter(|signal| ignored >> (*signal as u32 - 1) & 1 == 0).collect()
}

/// The mask of ignored signals (proc(5), `SigIgn`).
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored("Name:\tx\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n"), 0x1001);
        assert_eq!(ignored(""), 0);
    }
}

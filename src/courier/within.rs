//! Calls of the system that cannot be told to give up.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs the call on a thread of its own and waits so long. A call that never returns costs that thread.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (told, heard) = mpsc::channel();
    let run = move || drop(told.send(call()));
    thread::Builder::new().name("courier".into()).spawn(run)?;
    heard.recv_timeout(limit).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_is_left_alone() {
        assert_eq!(within(Duration::from_secs(9), || Ok(7)).unwrap(), 7);
        let (never, told) = mpsc::channel::<()>();
        let hung = within(Duration::from_millis(20), move || {
            let _ = told.recv();
            Ok(())
        });
        assert_eq!(hung.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(never);
    }
}

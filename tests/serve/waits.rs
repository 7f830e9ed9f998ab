//! No lane waits by the clock, neither for more messages nor for anything else: what it asks of the kernel shows it.

use super::daemon::{Daemon, STORED, configure, message};
use crate::batch::house::{BOB, House};
use crate::support::{path, tools, wait_for};

/// What a thread can wait in.
const WAITS: &str =
    "trace=clock_nanosleep,nanosleep,futex,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2";

#[test]
fn a_message_that_comes_alone_is_delivered_without_a_wait_by_the_clock() {
    if !tools(&["strace"]) {
        return;
    }
    let house = House::lasting();
    configure(&house, "");
    let trace = house.folder.path().join("trace");
    let daemon = Daemon::under(house, &["strace", "-D", "-f", "-Y", "-o", path(&trace), "-e", WAITS]);
    let mut client = daemon.client();
    for text in ["one", "two", "three"] {
        assert_eq!(client.deliver(&[BOB], &message(text)), [STORED]);
    }
    let end = format!("{}<sealpost> +++ exited with 0 +++\n", daemon.id());
    let _house = daemon.stop();
    let complete = || std::fs::read_to_string(&trace).ok().filter(|text| text.contains(&end));
    let text = wait_for("the trace", 60, complete);
    let mut without_end = 0;
    for (thread, call) in text.lines().map(by_thread) {
        match thread {
            // The client may take his time.
            "session" if call.starts_with("poll(") => {}
            thread if thread == "session" || thread.starts_with("service") => {
                without_end +=
                    usize::from(waits_without_end(call).unwrap_or_else(|| panic!("{thread}: {call}")));
            }
            _ => {}
        }
    }
    assert!(without_end > 3, "for each message, and before the first\n{text}");
}

/// The name of the thread and what it asked.
fn by_thread(line: &str) -> (&str, &str) {
    let (_, line) = line.split_once('<').unwrap();
    line.split_once("> ").unwrap()
}

/// Nothing if it waits by the clock.
fn waits_without_end(call: &str) -> Option<bool> {
    let is_told = ["<...", "+++", "---"].iter().any(|begin| call.starts_with(begin));
    match call.starts_with("futex(") {
        true if call.contains("_WAIT") => call.contains(", NULL").then_some(true),
        true => Some(false),
        false => is_told.then_some(false),
    }
}

//! What the tests share: running programs, skipping honestly, keys and certificates, a store to deliver into.

mod engine;
mod held;
mod identity;
mod mail_server;
mod mount;
mod need;
mod page;
mod port;
mod program;
pub(crate) mod servers;
mod site;
mod store;
mod terminal;
mod trace;
mod watched;

pub(crate) use crate::laws::crlf;
pub(crate) use engine::{EngineParts, issued};
pub(crate) use held::Held;
pub(crate) use identity::{Authority, Identity, KeyKind};
pub(crate) use mail_server::{Act, MailServer, Taken};
pub(crate) use mount::Mount;
pub(crate) use need::{
    dovecot_plugin, exim, files, module, node_forge, openssl_4, root, terminals, thunderbird, tools, vectors,
};
pub(crate) use page::{Step, steps};
pub(crate) use port::Port;
pub(crate) use program::{Ended, Program, find, high_water, of_three, path};
pub(crate) use site::Site;
pub(crate) use store::Store;
pub(crate) use terminal::{Terminal, drawings};
pub(crate) use trace::ended_calls;
pub(crate) use watched::Watched;

/// Tries with once, four times and sixteen times the time what takes less than once on a machine that is not busy, until it came
/// to what is to be seen.
pub(crate) fn with_more_time<T>(attempt: impl FnMut(u32) -> Option<T>) -> T {
    [1, 4, 16].into_iter().find_map(attempt).expect("not even sixteen times the time is enough")
}

/// For a test that says today's date in more than one place: in the last minute of a day it waits for the next one.
pub(crate) fn on_one_day() {
    wait_for("the next day", 100, || {
        let now = time::OffsetDateTime::now_utc();
        ((now + time::Duration::MINUTE).date() == now.date()).then_some(())
    });
}

/// For a shell: runs a program at another time, which stands in front of it. What faketime left of an ended process of the same
/// number would be in its way.
pub(crate) const AT_ANOTHER_TIME: &str =
    "rm -f /dev/shm/sem.faketime_sem_$$ /dev/shm/faketime_shm_$$; exec faketime \"$@\"";

/// Waits until `ready` gives something, at most `seconds`; names what it waited for.
pub(crate) fn wait_for<T>(what: &str, seconds: u64, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "waited {seconds} s for {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

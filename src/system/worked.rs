//! A clock for tests of what something costs.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How long the processor worked for this thread since `begun`: what else the machine does costs nothing. Give it zero to begin.
pub(crate) fn worked_since(begun: Duration) -> Duration {
    Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap()) - begun
}

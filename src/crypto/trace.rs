//! Which primitives were called, for the tests that hold opening to one sequence of calls whatever is wrong with key,
//! padding or tag. In the product it is nothing.

#[cfg(test)]
use std::cell::RefCell;

#[cfg(test)]
thread_local! {
    static CALLS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Notes that a primitive with a secret was called.
#[inline]
pub(super) fn record(primitive: &'static str) {
    #[cfg(test)]
    CALLS.with_borrow_mut(|calls| calls.push(primitive));
    #[cfg(not(test))]
    let _ = primitive;
}

/// What was called on this thread since the last time.
#[cfg(test)]
pub(crate) fn take() -> Vec<&'static str> {
    CALLS.take()
}

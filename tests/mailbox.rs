//! Operations on stored messages.

mod works;

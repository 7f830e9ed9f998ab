//! The daemon behind Postfix and Exim.

mod owned;
mod page;
mod postfix;

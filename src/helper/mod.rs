//! Programs outside that rules call: commands run once over a message, filters stay and answer for many.
//!
//! Nothing here is a shell. A program runs only if the site lists it and nobody but root and the site's user could have
//! put it there; with two variables in its environment, in a process group of its own that is ended as a whole, for a
//! limited time, and what it writes is limited. A message reaches it in memory: over a pipe, or as a memory file.
//! The language that filters speak stands in [`protocol`].

mod child;
mod command;
mod fault;
mod filter;
mod hear;
pub mod protocol;
mod site;
mod trusted;

pub use child::end_all;
pub use fault::ProgramFault;
pub use site::SitePrograms;
pub use trusted::check_program;

//! Kernels: the few loops that most of the time goes into, over octets, lines and blocks side by side, of one message or of many
//! with a key each. The only room where `unsafe` is allowed: what the processor can do is found at run time, and the portable
//! code is the reference and the fallback.

pub(crate) mod base64;
pub(crate) mod cbc;
#[cfg(target_arch = "x86_64")]
mod fetch;
pub(crate) mod letters;
pub(crate) mod line_ends;
pub(crate) mod rsa;

pub(crate) use cbc::{CbcStream, Lane, encrypt, width};

//! Who is measured beside us, each with the same work: from the bytes of a message to a sealed message with its header,
//! in lines of base64; keys and certificates are read beforehand; what was made is dropped inside the measured time.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

pub(crate) mod crates;
pub(crate) mod dovecot;
pub(crate) mod lmtp;
pub(crate) mod openssl;

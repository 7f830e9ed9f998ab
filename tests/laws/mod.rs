//! What must hold for every input, whoever made it: a file a law, with the name of its fuzz target. The smoke run of the
//! tests and the targets in `fuzz/` call the same functions, so an input that breaks a law in one breaks it in the other.

pub(crate) mod bulk_csv;
pub(crate) mod certificate;
pub(crate) mod cms_inspect;
pub(crate) mod cms_open;
pub(crate) mod courier_replies;
pub(crate) mod crl;
pub(crate) mod filter_answer;
pub(crate) mod header_protection;
pub(crate) mod inside;
pub(crate) mod lanes;
pub(crate) mod large;
pub(crate) mod lmtp;
pub(crate) mod long;
pub(crate) mod mbox;
pub(crate) mod message_open;
pub(crate) mod pem;
pub(crate) mod people;
pub(crate) mod pkcs12;
pub(crate) mod private_key;
pub(crate) mod request;
pub(crate) mod rules_array;
pub(crate) mod rules_evaluate;
pub(crate) mod rules_toml;
pub(crate) mod script;
pub(crate) mod signed_message;
pub(crate) mod structure;
pub(crate) mod tree;

/// `crlf(m)` in its plainest form: the judge of the library's own.
pub(crate) fn crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 16);
    let mut before = 0;
    for &byte in message {
        if byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        before = byte;
    }
    out
}

/// The same number for the same input (FNV-1a), to choose by.
fn checksum(input: &[u8]) -> usize {
    let sum = input.iter().fold(0xcbf2_9ce4_8422_2325, |sum: u64, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (sum >> 33) as usize
}

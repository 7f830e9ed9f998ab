//! Private keys in every form, encrypted or not.

use super::checksum;
use super::pem::assert_printable;
use sealpost::pki::{read_key_file, read_private_key};

/// Of the seeds' encrypted keys.
pub(crate) const PASSWORD: &[u8] = b"kestrel-4711";

const LABELS: [&str; 4] = ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// The input is a file, or what a label of PEM encodes, chosen by a checksum:
///
/// - A key that is read and does its work is read again from what is written, and is the same.
/// - With a password that is not asked for, nothing changes.
/// - What is refused is refused in printable words, and the password is none of them.
pub(crate) fn hold(input: &[u8]) {
    let label = LABELS[checksum(input) % LABELS.len()];
    assert_reads(encodify::pem::STANDARD.encode(label, input).as_bytes());
    assert_reads(input);
}

fn assert_reads(file: &[u8]) {
    let open = read_private_key(file, None);
    let with_password = read_private_key(file, Some(PASSWORD));
    for error in [open.as_ref().err(), with_password.as_ref().err()].into_iter().flatten() {
        let text = error.to_string();
        assert_printable(&text);
        assert!(!text.contains("kestrel"), "{text}");
    }
    let Ok(key) = with_password else {
        // What needs no password opens with any. An empty password is one, and PKCS#12 is tried with it.
        assert!(open.is_err() || file.first() == Some(&0x30), "a password shuts what was open");
        return;
    };
    if let Ok(open) = open {
        assert_eq!(open.public(), key.public());
    }
    let Ok(written) = key.to_pkcs8() else { return };
    let again = read_private_key(written.expose(), None).expect("it was written");
    assert_eq!(again.public(), key.public());
    assert_eq!(read_key_file(file, Some(PASSWORD)).expect("it was read").keys.len(), 1);
}

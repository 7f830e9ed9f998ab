//! PEM that anybody wrote.

use super::crlf;
use sealpost::pki::{Certificate, read_certificates, read_key_file};

/// The input is a file:
///
/// - What is found in it is found with line ends of the other kind, and with prose around it.
/// - Certificates that are written again are read again, and are the same.
/// - What is refused is refused in printable words.
pub(crate) fn hold(input: &[u8]) {
    let found = read_certificates(input);
    if let Err(error) = &found {
        assert_printable(&error.to_string());
    }
    // The mark alone can stand in DER too.
    let is_mark = |line: &[u8]| line.starts_with(b"-----BEGIN ") && line.ends_with(b"-----");
    let is_pem = input.split(|octet| *octet == b'\n').any(|line| is_mark(line.trim_ascii()));
    if let (Ok(certificates), true) = (&found, is_pem) {
        let text: String = certificates.iter().map(|one| one.to_pem().expect("it was read")).collect();
        assert_eq!(&read_certificates(text.as_bytes()).expect("it was written"), certificates);
        let around = [b"Bag Attributes\n", input, b"\nthe end\n"].concat();
        for other in [crlf(input), around] {
            assert_eq!(&read_certificates(&other).expect("line ends and prose change nothing"), certificates);
        }
    }
    match read_key_file(input, None) {
        Ok(file) if is_pem => {
            let again = read_key_file(&crlf(input), None).expect("line ends change nothing");
            assert_eq!(again.keys.len(), file.keys.len());
            assert_eq!(prints(&again.certificates), prints(&file.certificates));
        }
        Ok(file) => assert!(!file.keys.is_empty()),
        Err(error) => assert_printable(&error.to_string()),
    }
}

fn prints(certificates: &[Certificate]) -> Vec<String> {
    certificates.iter().map(|one| one.fingerprint().to_string()).collect()
}

/// What a terminal would obey is in no text.
pub(super) fn assert_printable(text: &str) {
    assert!(!text.is_empty() && text.len() < 2_000, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

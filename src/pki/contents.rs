//! What a file holds that is not what was looked for, in words.

use super::PkiError;
use super::pem::Block;

/// A bundle as Windows exports it, in either form. It has no secrets, and every OpenSSL takes it apart.
const BUNDLE: &str =
    "a PKCS#7 bundle (.p7b); take the certificates out of it: openssl pkcs7 -print_certs -in FILE";

/// OBJECT IDENTIFIER signedData (RFC 5652 5.1) with its tag and length.
const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The same of PEM.
pub(super) fn found(blocks: &[Block<'_>]) -> String {
    let mut kinds: Vec<&str> = blocks.iter().map(|block| kind(block.label)).collect();
    kinds.dedup();
    kinds.truncate(4);
    format!("the file holds {}", if kinds.is_empty() { "no PEM".to_owned() } else { kinds.join(", ") })
}

fn kind(label: &str) -> &str {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key",
        "CERTIFICATE" | "X509 CERTIFICATE" => "a certificate",
        "TRUSTED CERTIFICATE" => "a certificate in OpenSSL's TRUSTED format",
        "X509 CRL" | "CRL" => "a revocation list",
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => "a certificate request",
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => BUNDLE,
        other if other.ends_with("PRIVATE KEY") => "a private key",
        other => other,
    }
}

/// What is not PEM is DER of what is wanted, as far as that can be seen from its begin: a SEQUENCE, and not that of a bundle.
pub(super) fn require_der(bytes: &[u8], wanted: &'static str) -> Result<(), PkiError> {
    let found = match bytes {
        [] => "nothing: it is empty".to_owned(),
        [0x30, ..] if is_bundle(bytes) => format!("{BUNDLE} -inform DER"),
        [0x30, ..] => return Ok(()),
        _ => "neither PEM nor DER".to_owned(),
    };
    Err(PkiError::NotFound { wanted, found: format!("the file holds {found}") })
}

fn is_bundle(bytes: &[u8]) -> bool {
    let content = match bytes {
        [0x30, length @ 0x80..=0x84, rest @ ..] => rest.get(usize::from(length & 0x7f)..),
        [0x30, _, rest @ ..] => Some(rest),
        _ => None,
    };
    content.is_some_and(|content| content.starts_with(&SIGNED_DATA))
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{authority, openssl};
    use super::super::key::tests::ec_key;
    use super::super::{Request, read_certificates, read_crls, read_key_file};

    /// What each reader says of a file.
    fn said(bytes: &[u8]) -> [String; 4] {
        [
            read_key_file(bytes, None).err().unwrap().to_string(),
            read_certificates(bytes).unwrap_err().to_string(),
            Request::read(bytes).unwrap_err().to_string(),
            read_crls(bytes).unwrap_err().to_string(),
        ]
    }

    fn each(found: &str) -> [String; 4] {
        ["private key", "certificate", "certificate request", "revocation list"]
            .map(|wanted| format!("no {wanted} found: the file holds {found}"))
    }

    #[test]
    fn every_reader_says_what_a_file_holds() {
        assert_eq!(said(b"hello\n"), each("neither PEM nor DER"));
        assert_eq!(said(b"Julia\n"), each("neither PEM nor DER"));
        assert_eq!(said(b""), each("nothing: it is empty"));
    }

    #[test]
    fn a_bundle_from_windows_is_named_with_the_way_out_of_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority(&ec_key()).to_pem().unwrap()).unwrap();
        let make = ["crl2pkcs7", "-nocrl", "-certfile", file.path().to_str().unwrap()];
        let Some(pem) = openssl(&make, b"") else { return };
        let text =
            "a PKCS#7 bundle (.p7b); take the certificates out of it: openssl pkcs7 -print_certs -in FILE";
        assert_eq!(said(pem.as_bytes()), each(text));
        assert_eq!(said(pem.replace("PKCS7", "PKCS #7 SIGNED DATA").as_bytes()), each(text));
        let der = super::super::pem::read(pem.as_bytes()).unwrap().remove(0).der;
        assert_eq!(said(&der), each(&format!("{text} -inform DER")));
        // Its begin, and nothing else.
        for length in 0..13 {
            let _ = super::is_bundle(&der[..length]);
        }
    }

    /// Notepad puts a mark in front of UTF-8, and a file made of two has another in its middle.
    #[test]
    fn the_mark_in_front_of_utf_8_is_passed_over() {
        let pem = authority(&ec_key()).to_pem().unwrap();
        let marked = format!("\u{feff}{}", pem.replace('\n', "\r\n"));
        assert_eq!(read_certificates(marked.as_bytes()).unwrap().len(), 1);
        assert_eq!(read_certificates(format!("{marked}{marked}").as_bytes()).unwrap().len(), 2);
        let key = super::super::pem::write("PRIVATE KEY", ec_key().to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!(read_key_file(format!("\u{feff}{key}").as_bytes(), None).unwrap().keys.len(), 1);
    }
}

//! Bundles of authorities, such as the one of an operating system: what cannot be read is skipped, because one broken
//! certificate of somebody whom we never meet must not keep the others from being trusted.

use super::pem::{self, MAX_PEM};
use super::{Certificate, PkiError};

/// What a bundle holds.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Those that can be read, in their order.
    pub certificates: Vec<Certificate>,
    /// How many cannot.
    pub broken: usize,
}

impl Bundle {
    /// Reads PEM. Text around the blocks, and blocks of other kinds, are passed over. Only a text that is too large
    /// (4 MiB) is an error.
    pub fn read(bytes: &[u8]) -> Result<Bundle, PkiError> {
        if bytes.len() > MAX_PEM {
            let what = "a bundle of certificates";
            return Err(PkiError::TooLarge { what, size: bytes.len(), limit: MAX_PEM });
        }
        let mut bundle = Bundle::default();
        for piece in pem::pieces(bytes) {
            bundle.take(piece);
        }
        Ok(bundle)
    }

    /// What begins like one block and may be none.
    fn take(&mut self, piece: &[u8]) {
        let Ok(blocks) = pem::read(piece) else {
            self.broken += 1;
            return;
        };
        for block in blocks.iter().filter(|block| super::container::is_certificate(block)) {
            match Certificate::from_der(&block.der) {
                Ok(certificate) => self.certificates.push(certificate),
                Err(_) => self.broken += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::authority;
    use super::super::key::tests::{ec_key, rsa_key};
    use super::*;

    #[test]
    fn what_is_broken_is_skipped_and_counted() {
        let [one, two] = [authority(&ec_key()), authority(rsa_key())];
        let pem = |certificate: &Certificate| certificate.to_pem().unwrap();
        let cut = pem(&two).replace("-----END CERTIFICATE-----\n", "");
        let odd = pem(&two).replace("MII", "!!!");
        let wrong = pem::write("CERTIFICATE", b"no certificate").unwrap();
        let list = pem::write("X509 CRL", b"no certificate").unwrap();
        let text = format!("# one\r\n{}{cut}{odd}{wrong}{list}# two\n{}", pem(&one), pem(&two));
        let bundle = Bundle::read(text.as_bytes()).unwrap();
        assert_eq!((bundle.certificates, bundle.broken), (vec![one, two], 3));
    }

    #[test]
    fn nothing_and_too_much() {
        for nothing in [&b""[..], b"prose", b"-----END CERTIFICATE-----"] {
            let bundle = Bundle::read(nothing).unwrap();
            assert_eq!((bundle.certificates.len(), bundle.broken), (0, 0));
        }
        assert_eq!(
            Bundle::read(&vec![b'x'; MAX_PEM + 1]).unwrap_err().to_string(),
            "the file has 4194305 octets; at most 4194304 are read as a bundle of certificates"
        );
    }
}

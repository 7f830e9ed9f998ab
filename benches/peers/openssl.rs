//! The `openssl` crate over the system's library.
//!
//! Two ways. By itself: `CMS_encrypt`, and the library's own base64 in lines (`PEM_write_bio_CMS`; the header of a
//! message would come on top, and is spared). And at its best: its DER, with a fast encoder for the lines behind the
//! header. `CMS_BINARY`: the message has CR LF already, so that the library's slow way to count lines is spared too.

use crate::sample::Holder;
use encodify::base64::{LineEnding, MIME, STANDARD};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509;

/// In the table.
pub(crate) const ALONE: &str = "OpenSSL";
/// The same.
pub(crate) const BEST: &str = "OpenSSL + encodify";

/// Recipients that are read once.
pub(crate) struct OpenSsl {
    certificates: Stack<X509>,
    cipher: Cipher,
}

impl OpenSsl {
    /// Seals with AES-256-CBC.
    pub(crate) fn cbc(holders: &[&Holder]) -> OpenSsl {
        OpenSsl::new(holders, Cipher::aes_256_cbc())
    }

    /// Seals with AES-256-GCM: an AuthEnvelopedData.
    pub(crate) fn gcm(holders: &[&Holder]) -> OpenSsl {
        OpenSsl::new(holders, Cipher::aes_256_gcm())
    }

    fn new(holders: &[&Holder], cipher: Cipher) -> OpenSsl {
        let mut certificates = Stack::new().expect("memory");
        for holder in holders {
            certificates.push(certificate(holder)).expect("memory");
        }
        OpenSsl { certificates, cipher }
    }

    fn enveloped(&self, message: &[u8]) -> CmsContentInfo {
        CmsContentInfo::encrypt(&self.certificates, message, self.cipher, CMSOptions::BINARY)
            .expect("it seals")
    }

    /// All by itself.
    pub(crate) fn seal(&self, message: &[u8]) -> Vec<u8> {
        self.enveloped(message).to_pem().expect("it encodes")
    }

    /// Its DER in lines behind `header`, with one allocation.
    pub(crate) fn seal_with_encodify(&self, message: &[u8], header: &[u8]) -> Vec<u8> {
        let der = self.enveloped(message).to_der().expect("it encodes");
        let lines = STANDARD.wrapped(76, LineEnding::CrLf);
        let mut out = Vec::with_capacity(header.len() + lines.encoded_len(der.len()));
        out.extend_from_slice(header);
        lines.encode_append(&der, &mut out);
        out
    }
}

fn certificate(holder: &Holder) -> X509 {
    X509::from_der(holder.certificate.der()).expect("a certificate")
}

/// Somebody who opens what is sealed to the holder.
pub(crate) struct Opener {
    certificate: X509,
    key: PKey<Private>,
}

impl Opener {
    pub(crate) fn new(holder: &Holder) -> Opener {
        let pkcs8 = holder.key.to_pkcs8().expect("a key");
        let key = PKey::private_key_from_der(pkcs8.expose()).expect("a key");
        Opener { certificate: certificate(holder), key }
    }

    /// From the message as it is stored, by its own reader.
    pub(crate) fn open(&self, sealed: &[u8]) -> Vec<u8> {
        self.decrypt(&CmsContentInfo::smime_read_cms(sealed).expect("a message"))
    }

    /// The same with a fast decoder for the lines.
    pub(crate) fn open_with_encodify(&self, sealed: &[u8]) -> Vec<u8> {
        let der = MIME.decode(body_of(sealed)).expect("base64");
        self.decrypt(&CmsContentInfo::from_der(&der).expect("DER"))
    }

    fn decrypt(&self, cms: &CmsContentInfo) -> Vec<u8> {
        cms.decrypt(&self.key, &self.certificate).expect("it opens")
    }
}

/// The header with its empty line: what the peers put in front of the lines.
pub(crate) fn header_of(sealed: &[u8]) -> &[u8] {
    sealed.get(..border(sealed)).expect("a header")
}

fn body_of(sealed: &[u8]) -> &[u8] {
    sealed.get(border(sealed)..).expect("a body")
}

fn border(sealed: &[u8]) -> usize {
    sealed.windows(4).position(|octets| octets == b"\r\n\r\n").expect("an empty line") + 4
}

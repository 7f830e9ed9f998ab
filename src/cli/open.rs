//! `sealpost open`: a filter that gives the message back.

use super::arrived::{self, Memory};
use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::Sink;
use super::keyring::KeySource;
use super::output::Output;
use crate::crypto::SecretBytes;
use crate::engine::Load;
use crate::mail::Span;
use crate::smime::{self, LargeError, OpenError, OpeningKey, open_large, open_large_raw};
use std::path::PathBuf;

/// Open a sealed message, from standard input to standard output
///
/// If it fails, nothing at all is written; above --memory-limit the result is written while it is made, after key and
/// padding or tag were checked. The file of --output has no name before it is whole: if this is killed, nothing of it stays. Only
/// where it takes the place of an older file there is a moment in which it has another name: whoever is killed then leaves all of
/// the clear text beside it, as .NAME.PID (or .NAME.PID.1 and so on, if such a file lies there already). Where the file system
/// makes no files without a name, a warning says what may stay.
/// --domain takes the key of a domain: for mail that was sealed to it in the place of an account (domain-key).
/// What comes out is the message that was sealed, its lines ended by CR LF. --key takes a key file; --account takes
/// the keys that lie in the vault of the store under the account's Secure Mail password.
/// The input is an S/MIME message, or its CMS structure by itself: DER, BER, or PEM (BEGIN CMS, BEGIN PKCS7). The bytes
/// say which.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost open --key anna.key.pem --cert anna.pem < sealed.eml > message.eml
  sealpost open --key anna.p12 --output message.eml < sealed.eml
  sealpost open --account anna@north.example --password-file anna.password < sealed.eml
  sealpost open --domain north.example < sealed.eml
  sealpost open --raw --key anna.p12 < report.p7m > report.pdf")]
pub(super) struct Open {
    #[command(flatten)]
    from: KeySource,
    /// The certificate that belongs to the key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    cert: Vec<PathBuf>,
    /// Write the content as it is: it need not be mail, and nothing is taken out. Where no tag shows it (CBC), 4 in 1000
    /// damaged messages give octets that mean nothing
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    memory: Memory,
    #[command(flatten)]
    sink: Sink,
}

impl Open {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let keyring = self.from.keyring(context, &self.cert)?;
        let keys = keyring.opening_keys()?;
        self.sink.warn_of_pieces();
        match self.memory.message()? {
            Load::Held(sealed) => self.open(out, sealed.expose(), &keys),
            Load::Large(source) => self.open_large(out, Span::of(&*source), &keys),
        }
    }

    fn open(&self, out: &mut Output, sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<(), Failure> {
        self.sink.write(out, self.content(sealed, keys)?.expose())
    }

    fn content(&self, sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<SecretBytes, Failure> {
        if self.raw {
            return Ok(smime::open_raw(sealed, keys)?);
        }
        let opened = smime::open(sealed, keys).map_err(hint_at_raw)?;
        Ok(opened.message)
    }

    /// Key, padding or tag, and whether it is mail: all is known before the first octet is written.
    fn open_large(&self, out: &mut Output, sealed: Span<'_>, keys: &[OpeningKey<'_>]) -> Result<(), Failure> {
        let opened = if self.raw { open_large_raw(sealed, keys) } else { open_large(sealed, keys) };
        match opened {
            Err(LargeError::Whole) => self.open(out, arrived::held(sealed)?.expose(), keys),
            Err(LargeError::Open(error)) if !self.raw => Err(hint_at_raw(error)),
            opened => {
                let opened = opened.map_err(arrived::failed)?;
                self.sink.pour(out, |sink| opened.write(sink))
            }
        }
    }
}

/// No mail inside is one of the reasons why a message is not opened. The hint stands beside each of them: it must not tell
/// which it was.
fn hint_at_raw(error: OpenError) -> Failure {
    let perhaps_no_mail = matches!(error, OpenError::NotOpened | OpenError::ContentType(_));
    let failure = Failure::from(error);
    if perhaps_no_mail { failure.hint("if what was sealed is no mail: sealpost open --raw") } else { failure }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        match error {
            OpenError::NotARecipient => Failure::new(Code::NotFound, error.to_string())
                .hint("see to whom it is sealed: sealpost inspect"),
            OpenError::CertificateNeeded => Failure::new(Code::Usage, error.to_string()),
            other => Failure::new(Code::Data, other.to_string()),
        }
    }
}

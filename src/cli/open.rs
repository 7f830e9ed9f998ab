//! `sealpost open`: a filter that gives the message back.

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::Sink;
use super::input;
use super::keyring::KeySource;
use super::output::Output;
use crate::smime::{self, OpenError};
use std::path::PathBuf;

/// Open a sealed message, from standard input to standard output
///
/// If it fails, nothing at all is written.
/// What comes out is the message that was sealed, its lines ended by CR LF. --key takes a key file; --account takes
/// the keys that lie in the vault of the store under the account's Secure Mail password.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost open --key anna.key.pem --cert anna.pem < sealed.eml > message.eml
  sealpost open --key anna.p12 --output message.eml < sealed.eml
  sealpost open --account anna@north.example --password-file anna.password < sealed.eml")]
pub(super) struct Open {
    #[command(flatten)]
    from: KeySource,
    /// The certificate that belongs to the key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    cert: Vec<PathBuf>,
    #[command(flatten)]
    sink: Sink,
}

impl Open {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let keyring = self.from.keyring(context, &self.cert)?;
        let sealed = input::message()?;
        let opened = smime::open(sealed.expose(), &keyring.opening_keys()?)?;
        self.sink.write(out, opened.message.expose())
    }
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

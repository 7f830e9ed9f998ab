//! `sealpost open`: a filter that gives the message back.

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::{self, Sink};
use super::input;
use super::keyring::Keyring;
use super::output::Output;
use super::password::PasswordSource;
use super::words;
use crate::mail::Address;
use crate::pki::{self, KeyFile};
use crate::smime::{self, OpenError};
use std::path::{Path, PathBuf};

/// Open a sealed message, from standard input to standard output
///
/// If it fails, nothing at all is written.
/// What comes out is the message that was sealed, its lines ended by CR LF. --key takes a key file; --account takes
/// the keys that lie in the vault of the store under the account's Secure Mail password.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("from").required(true).args(["key", "account"])), after_help = "Examples:
  sealpost open --key anna.key.pem --cert anna.pem < sealed.eml > message.eml
  sealpost open --key anna.p12 --output message.eml < sealed.eml
  sealpost open --account anna@north.example --password-file anna.password < sealed.eml")]
pub(super) struct Open {
    /// The private key: PEM, DER, or a PKCS#12 file, which brings its certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The certificate that belongs to the key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Vec<PathBuf>,
    /// Take the keys of this account from the vault
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    sink: Sink,
}

impl Open {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        self.password.refuse_standard_input()?;
        let keyring = match (&self.account, &self.key) {
            (Some(account), _) => {
                let password =
                    self.password.given()?.or_ask(&format!("Secure Mail password of {account}: "))?;
                Keyring::unlock(context, account, &password)?
            }
            (None, Some(path)) => self.file_key(path)?,
            (None, None) => return Err(Failure::new(Code::Usage, "--key or --account is needed")),
        };
        let sealed = input::message()?;
        let opened = smime::open(sealed.expose(), &keyring.opening_keys()?)?;
        self.sink.write(out, opened.message.expose())
    }

    fn file_key(&self, path: &Path) -> Result<Keyring, Failure> {
        let given = self.password.given()?;
        let option = "--password-file FILE or --password-fd N";
        let KeyFile { keys, mut certificates } =
            filter::unlock(path, pki::read_key_file, given.known(), option)?;
        certificates.extend(filter::certificates(&self.cert)?);
        Ok(Keyring { keys, certificates })
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

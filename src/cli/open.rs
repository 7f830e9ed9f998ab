//! `sealpost open`: a filter that gives the message back.

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::{self, Sink};
use super::input;
use super::keyring::Keyring;
use super::output::Output;
use super::password::PasswordSource;
use crate::crypto::SecretBytes;
use crate::mail::Address;
use crate::pki::{self, KeyFile};
use crate::smime::{self, OpenError};
use std::path::{Path, PathBuf};

/// Open the sealed message on standard input; the message that came in goes to standard output, lines ended by CR LF
///
/// Example: sealpost open --key anna.key.pem --cert anna.pem < sealed.eml > message.eml
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("from").required(true).args(["key", "account"])))]
pub(super) struct Open {
    /// The private key: PEM, DER, or a PKCS#12 file, which brings its certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The certificate that belongs to the key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Vec<PathBuf>,
    /// Take the keys of this account from the vault
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    account: Option<Address>,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    sink: Sink,
}

impl Open {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        if self.password.uses_stdin() {
            let failure = Failure::new(Code::Usage, "standard input holds the message, not the password");
            return Err(failure.hint("use --password-file with a file, or --password-fd"));
        }
        let keyring = match (&self.account, &self.key) {
            (Some(account), _) => {
                let password = self.password.read(&format!("Secure Mail password of {account}: "))?;
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
        let bytes = input::file(path)?;
        let password = self.password.is_given().then(|| self.password.read("")).transpose()?;
        let read = pki::read_key_file(bytes.expose(), password.as_ref().map(SecretBytes::expose));
        let KeyFile { keys, mut certificates } = read.map_err(|error| filter::broken(path, error))?;
        certificates.extend(filter::certificates(&self.cert)?);
        Ok(Keyring { keys, certificates })
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        match error {
            OpenError::NotARecipient => {
                Failure::new(Code::NotFound, error.to_string()).hint("to whom it is sealed: sealpost inspect")
            }
            OpenError::CertificateNeeded => Failure::new(Code::Usage, error.to_string()),
            other => Failure::new(Code::Data, other.to_string()),
        }
    }
}

//! `sealpost rekey`: a filter that hands a sealed message to other recipients.

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::{Recipients, Sink, note_mixture};
use super::input;
use super::keyring::KeySource;
use super::output::{self, Output};
use crate::crypto::algorithm::Status;
use crate::crypto::{ContentCipher, Entropy};
use crate::smime::{self, OpenError, RekeyError};
use crate::system::SystemEntropy;
use std::path::PathBuf;

/// Hand a sealed message to other recipients, from standard input to standard output
///
/// If it fails, nothing at all is written.
/// An old key opens the content key, which is sealed to each --cert instead; old recipients that are not named again
/// cannot open what comes out. Header and encrypted content stay byte for byte. The content key is handed over as the
/// profile "compatible" does it where the content is under CBC, and as "modern" does where it is under GCM. It is still
/// the same key: whoever opened the message before can have kept it.
/// A CMS structure by itself stays one: DER or BER becomes DER, PEM stays PEM.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost rekey --key old.key.pem --old-cert old.pem --cert anna.pem < sealed.eml > rekeyed.eml
  sealpost rekey --account anna@north.example --cert anna.pem --output new.eml < sealed.eml")]
pub(super) struct Rekey {
    #[command(flatten)]
    from: KeySource,
    /// The certificate that belongs to the old key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    old_cert: Vec<PathBuf>,
    #[command(flatten)]
    to: Recipients,
    #[command(flatten)]
    sink: Sink,
}

impl Rekey {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.to.validated()?;
        let keyring = self.from.keyring(context, &self.old_cert)?;
        let sealed = input::message()?;
        let keys = keyring.opening_keys()?;
        let rekeyed =
            smime::rekey(sealed.expose(), &keys, &recipients, self.to.name_by, SystemEntropy.seed()?)?;
        self.sink.write(out, rekeyed.bytes())?;
        note_mixture(&recipients);
        rekeyed.cipher().into_iter().for_each(advise);
        Ok(())
    }
}

/// A cipher that is read only stays, because the content does.
fn advise(cipher: &ContentCipher) {
    if cipher.status == Status::ReadOnly {
        output::warn(&format!(
            "the content stays encrypted with {}, which sealpost reads but does not write\n  \
             for another cipher open the message and seal it again: sealpost open, sealpost seal",
            cipher.name
        ));
    }
}

impl From<RekeyError> for Failure {
    fn from(error: RekeyError) -> Failure {
        match error {
            RekeyError::Open(OpenError::CertificateNeeded) => {
                Failure::new(Code::Usage, "the recipients are named by their certificates; add --old-cert")
            }
            RekeyError::Open(error) => error.into(),
            other => Failure::new(Code::Data, other.to_string()),
        }
    }
}

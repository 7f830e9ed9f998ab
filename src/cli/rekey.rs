//! `sealpost rekey`: a filter that hands a sealed message to other recipients.

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter::{Recipients, Sink, note_mixture};
use super::keyring::KeySource;
use super::output::{self, Output};
use super::{input, outlook, words};
use crate::crypto::algorithm::Status;
use crate::crypto::{ContentCipher, Entropy};
use crate::mail::Address;
use crate::pki::ValidatedCertificate;
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
/// --to names an account of the store: its mail is sealed to the same certificates as new mail, the recovery certificate
/// with them if the account has it. With --account the recovery certificate of that account is added likewise.
/// A CMS structure by itself stays one: DER or BER becomes DER, PEM stays PEM.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost rekey --key old.key.pem --old-cert old.pem --cert anna.pem < sealed.eml > rekeyed.eml
  sealpost rekey --account anna@north.example --cert anna.pem --output new.eml < sealed.eml
  sealpost rekey --domain north.example --to anna@north.example < sealed.eml > rekeyed.eml")]
#[command(
    override_usage = "sealpost rekey [OPTIONS] <--key FILE|--account ADDRESS|--domain NAME> <--cert FILE|--to ADDRESS>"
)]
#[command(group(clap::ArgGroup::new("recipients").required(true).multiple(true).args(["cert", "to"])))]
pub(super) struct Rekey {
    #[command(flatten)]
    from: KeySource,
    /// The certificate that belongs to the old key: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    old_cert: Vec<PathBuf>,
    #[command(flatten)]
    recipients: Recipients,
    /// Seal it to what new mail for this account is sealed to; repeat it for several
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    to: Vec<Address>,
    #[command(flatten)]
    sink: Sink,
}

impl Rekey {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let mut recipients = self.recipients.validated()?;
        recipients.extend(self.of_accounts(context)?);
        let keyring = self.from.keyring(context, &self.old_cert)?;
        let sealed = input::message()?;
        let keys = keyring.opening_keys()?;
        let rekeyed =
            smime::rekey(sealed, &keys, &recipients, self.recipients.name_by, SystemEntropy.seed()?)?;
        self.sink.write(out, rekeyed.bytes())?;
        note_mixture(&recipients);
        rekeyed.facts().cipher.into_iter().for_each(advise);
        Ok(())
    }
}

impl Rekey {
    /// What new mail for the accounts is sealed to, and the recovery certificate of the account whose key opens the message.
    fn of_accounts(&self, context: &Context) -> Result<Vec<ValidatedCertificate>, Failure> {
        let owner = self.from.account().filter(|owner| !self.to.contains(owner));
        if self.to.is_empty() && owner.is_none() {
            return Ok(Vec::new());
        }
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let mut found = Vec::new();
        for address in &self.to {
            let account = directory.account(address)?;
            found.extend(outlook::of(&directory, &account, &config)?.recipients);
        }
        if let Some(owner) = owner {
            let account = directory.account(owner)?;
            found.extend(outlook::recovery(&directory, &account, &config)?);
        }
        Ok(found)
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

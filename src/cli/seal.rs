//! `sealpost seal`: a filter that needs no store.

use super::arrived::{self, Memory};
use super::failure::{Code, Failure};
use super::filter::{Recipients, Sink, note_mixture};
use super::output::{Output, warn};
use super::words;
use crate::crypto::{Classical, Entropy, Profile};
use crate::engine::{Choice, Clock, Load};
use crate::mail::{self, HeaderPolicy, Span};
use crate::pki::ValidatedCertificate;
use crate::smime::{
    Form, HeadersKept, LargeError, LargeMessage, Mark, SealError, SealJob, seal_large, seal_many,
};
use crate::system::{SystemClock, SystemEntropy};

/// Seal a message to certificates, from standard input to standard output
///
/// If it fails, nothing at all is written; of a message above --memory-limit the result is written while it is made.
/// Each certificate is checked for usage, strength and time, with --for for its address, with --trust for its chain.
/// No store is needed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost seal --cert anna.pem --for anna@north.example < message.eml > sealed.eml
  sealpost seal --cert anna.pem --cert bo.pem --trust north.pem --output sealed.eml < message.eml
  sealpost seal --cert anna-ml-kem.pem --profile post-quantum < message.eml > sealed.eml
  sealpost seal --cert anna.pem --headers hide-subject < message.eml > sealed.eml")]
#[command(group(clap::ArgGroup::new("recipients").required(true).multiple(true).args(["cert"])))]
pub(super) struct Seal {
    #[command(flatten)]
    to: Recipients,
    /// Which algorithms
    #[arg(long, value_name = "NAME", default_value = Choice::name(Profile::default()), value_parser = words::choice::<Profile>())]
    profile: Profile,
    /// With the profile post-quantum: let RSA and EC keys stand beside ML-KEM; they can be broken later
    #[arg(long)]
    also_classical: bool,
    /// What of the header is hidden; today's mail programs show [...] where the subject is
    #[arg(long, value_name = "NAME", default_value = Choice::name(HeaderPolicy::default()), value_parser = words::choice::<HeaderPolicy>())]
    headers: HeaderPolicy,
    #[command(flatten)]
    memory: Memory,
    #[command(flatten)]
    sink: Sink,
}

impl Seal {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.to.validated()?;
        let headers_kept = match self.memory.message()? {
            Load::Held(message) => self.seal(out, message.expose(), &recipients)?,
            Load::Large(source) => self.seal_large(out, Span::of(&*source), &recipients)?,
        };
        note_mixture(&recipients);
        if let Some(reason) = headers_kept {
            warn(&reason.to_string());
        }
        Ok(())
    }

    fn seal(
        &self,
        out: &mut Output,
        message: &[u8],
        recipients: &[ValidatedCertificate],
    ) -> Result<Option<HeadersKept>, Failure> {
        let job = SealJob {
            message: mail::without_mbox_line(message),
            recipients,
            form: self.form(),
            mark: mark(),
            seed: SystemEntropy.seed()?,
        };
        let sealed = seal_many(vec![job]).into_iter().next().unwrap_or(Err(SealError::NoRecipient));
        let sealed = sealed.map_err(unsealed)?;
        self.sink.write(out, sealed.bytes())?;
        Ok(sealed.facts().headers_kept)
    }

    /// What can be known before the first octet is written is.
    fn seal_large(
        &self,
        out: &mut Output,
        message: Span<'_>,
        recipients: &[ValidatedCertificate],
    ) -> Result<Option<HeadersKept>, Failure> {
        let message = message.without_mbox_line().map_err(|error| arrived::failed(error.into()))?;
        let large = match LargeMessage::survey(message) {
            Err(LargeError::Whole) => return self.seal(out, arrived::held(message)?.expose(), recipients),
            surveyed => surveyed.map_err(arrived::failed)?,
        };
        let sealed = seal_large(&large, recipients, self.form(), &mark(), SystemEntropy.seed()?);
        let sealed = sealed.map_err(unsealed)?;
        self.sink.pour(out, |sink| sealed.write(sink))?;
        large.undecided().into_iter().for_each(warn);
        Ok(sealed.facts().headers_kept)
    }

    fn form(&self) -> Form {
        let classical = if self.also_classical { Classical::Beside } else { Classical::Refused };
        Form { profile: self.profile, classical, naming: self.to.name_by, headers: self.headers }
    }
}

fn mark() -> Mark<'static> {
    Mark { at: SystemClock.now(), rule: None, marked: Vec::new(), edited: Vec::new() }
}

fn unsealed(error: SealError) -> Failure {
    Failure::new(Code::Data, error.to_string())
}

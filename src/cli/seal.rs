//! `sealpost seal`: a filter that needs no store.

use super::failure::{Code, Failure};
use super::filter::{Recipients, Sink, note_mixture};
use super::input;
use super::output::{Output, warn};
use super::words;
use crate::crypto::{Classical, Entropy, Profile};
use crate::engine::{Choice, Clock};
use crate::mail::{self, HeaderPolicy};
use crate::smime::{Form, Mark, SealError, SealJob, seal_many};
use crate::system::{SystemClock, SystemEntropy};

/// Seal a message to certificates, from standard input to standard output
///
/// If it fails, nothing at all is written.
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
    sink: Sink,
}

impl Seal {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.to.validated()?;
        let arrived = input::message()?;
        let seed = SystemEntropy.seed()?;
        let job = SealJob {
            message: mail::without_mbox_line(arrived.expose()),
            recipients: &recipients,
            form: self.form(),
            mark: Mark { at: SystemClock.now(), rule: None, marked: Vec::new(), edited: Vec::new() },
            seed,
        };
        let sealed = seal_many(vec![job]).into_iter().next().unwrap_or(Err(SealError::NoRecipient));
        let sealed = sealed.map_err(|error| Failure::new(Code::Data, error.to_string()))?;
        self.sink.write(out, sealed.bytes())?;
        note_mixture(&recipients);
        if let Some(reason) = sealed.headers_kept() {
            warn(&reason.to_string());
        }
        Ok(())
    }

    fn form(&self) -> Form {
        let classical = if self.also_classical { Classical::Beside } else { Classical::Refused };
        Form { profile: self.profile, classical, naming: self.to.name_by, headers: self.headers }
    }
}

//! `sealpost seal`: a filter that needs no store.

use super::failure::{Code, Failure};
use super::filter::{self, Sink};
use super::input;
use super::output::Output;
use super::words;
use crate::crypto::{Entropy, Profile};
use crate::engine::{Choice, Clock};
use crate::mail::{self, Address};
use crate::pki::{self, Certificate, SealingCheck, Unfit, ValidatedCertificate};
use crate::smime::{Mark, SealError, SealJob, seal_many};
use crate::system::{SystemClock, SystemEntropy};
use std::path::{Path, PathBuf};

/// Seal a message to certificates, from standard input to standard output
///
/// If it fails, nothing at all is written.
/// Each certificate is checked for usage, strength and time, with --for for its address, with --trust for its chain.
/// No store is needed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost seal --cert anna.pem --for anna@north.example < message.eml > sealed.eml
  sealpost seal --cert anna.pem --cert bo.pem --trust north.pem --output sealed.eml < message.eml")]
pub(super) struct Seal {
    /// A recipient's certificate, PEM or DER; repeat it for several
    #[arg(long, value_name = "FILE", required = true)]
    cert: Vec<PathBuf>,
    /// Which algorithms
    #[arg(long, value_name = "NAME", default_value = Choice::name(Profile::default()), value_parser = words::choice::<Profile>())]
    profile: Profile,
    /// Each certificate must name one of these addresses; repeat it for several
    #[arg(long = "for", value_name = "ADDRESS", value_parser = words::address)]
    addresses: Vec<Address>,
    /// Each certificate must chain to one in these files; repeat it for several
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Let a certificate pass that has ended
    #[arg(long)]
    allow_expired: bool,
    #[command(flatten)]
    sink: Sink,
}

impl Seal {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.recipients()?;
        let arrived = input::message()?;
        let seed = SystemEntropy.seed()?;
        let job = SealJob {
            message: mail::without_mbox_line(arrived.expose()),
            recipients: &recipients,
            profile: self.profile,
            mark: Mark { at: SystemClock.now(), rule: None },
            seed,
        };
        let sealed = seal_many(vec![job]).into_iter().next().unwrap_or(Err(SealError::NoRecipient));
        let sealed = sealed.map_err(|error| Failure::new(Code::Data, error.to_string()))?;
        self.sink.write(out, sealed.bytes())
    }

    fn recipients(&self) -> Result<Vec<ValidatedCertificate>, Failure> {
        let anchors = filter::certificates(&self.trust)?;
        let check = SealingCheck {
            addresses: &self.addresses,
            at: SystemClock.now(),
            minimum_rsa_bits: pki::MINIMUM_RSA_BITS,
            anchors: (!self.trust.is_empty()).then_some(anchors.as_slice()),
            intermediates: &[],
            allow_expired: self.allow_expired,
            allow_not_yet_valid: false,
        };
        let each = self.cert.iter().map(|path| Ok((path, filter::certificates(std::slice::from_ref(path))?)));
        let each: Vec<(&PathBuf, Vec<Certificate>)> = each.collect::<Result<_, Failure>>()?;
        each.iter().flat_map(|(path, held)| held.iter().map(move |one| fit(path, one, &check))).collect()
    }
}

fn fit(
    path: &Path,
    certificate: &Certificate,
    check: &SealingCheck<'_>,
) -> Result<ValidatedCertificate, Failure> {
    ValidatedCertificate::for_sealing(certificate, check).map_err(|reasons| {
        let texts = words::texts(&reasons).join("; ");
        let text = format!("nothing was sealed: the certificate in {} is unfit: {texts}", input::name(path));
        let failure = Failure::new(Code::Data, text);
        match reasons.as_slice() {
            [Unfit::Expired(_)] => failure.hint("to seal to it all the same: --allow-expired"),
            _ => failure,
        }
    })
}

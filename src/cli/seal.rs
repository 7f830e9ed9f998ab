//! `sealpost seal`: a filter that needs no store.

use super::failure::{Code, Failure};
use super::filter::{self, Sink};
use super::input;
use super::output::Output;
use crate::crypto::{Entropy, Profile};
use crate::engine::Clock;
use crate::mail::{self, Address};
use crate::pki::{self, Certificate, SealingCheck, ValidatedCertificate};
use crate::smime::{Mark, SealError, SealJob, seal_many};
use crate::system::{SystemClock, SystemEntropy};
use std::path::PathBuf;

/// Seal the message on standard input to certificates; the sealed message goes to standard output
///
/// Each certificate is checked for usage, strength and time, with --for for its address, with --trust for its chain.
/// Example: sealpost seal --cert anna.pem --for anna@north.example < message.eml > sealed.eml
#[derive(clap::Args)]
pub(super) struct Seal {
    /// A recipient's certificate, PEM or DER; repeat it for several
    #[arg(long, value_name = "FILE", required = true)]
    cert: Vec<PathBuf>,
    /// Which algorithms
    #[arg(long, value_name = "NAME", default_value = Profile::default().name(), value_parser = profile)]
    profile: Profile,
    /// Each certificate must name one of these addresses; repeat it for several
    #[arg(long = "for", value_name = "ADDRESS", value_parser = Address::parse)]
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

fn profile(name: &str) -> Result<Profile, String> {
    let names = || Profile::ALL.iter().map(|profile| profile.name()).collect::<Vec<_>>().join(", ");
    Profile::parse(name).ok_or_else(|| format!("the profiles are {}", names()))
}

impl Seal {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.recipients()?;
        let arrived = input::message()?;
        let seed = SystemEntropy.seed().map_err(|error| Failure::new(Code::TryAgain, error.to_string()))?;
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
    path: &std::path::Path,
    certificate: &Certificate,
    check: &SealingCheck<'_>,
) -> Result<ValidatedCertificate, Failure> {
    ValidatedCertificate::for_sealing(certificate, check).map_err(|reasons| {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let text = format!(
            "nothing was sealed: the certificate in {} is unfit: {}",
            path.display(),
            reasons.join("; ")
        );
        Failure::new(Code::Data, text)
    })
}

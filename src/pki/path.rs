//! Does a certificate chain to an authority that is trusted (RFC 5280 6)? Behind one trait, so that the validator can
//! be changed without anybody noticing.

use super::Certificate;
use certval::{
    CertFile, CertSource, CertVector, CertificationPathResults, CertificationPathSettings, Error,
    PDVCertificate, PathValidationStatus, PkiEnvironment, TaSource, TimeOfInterest,
};
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use der::asn1::BitString;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use time::OffsetDateTime;

/// More intermediates than any authority sends; every one more costs the builder time.
const MAX_INTERMEDIATES: usize = 16;

/// Candidate paths that are tried before we give up (cross-signed hierarchies have a handful).
const MAX_PATHS: usize = 32;

/// Builds and checks a path from a certificate to an anchor.
pub(crate) trait PathValidator {
    /// Nothing if there is a valid path at that moment, else the nearest failure in words.
    fn validate(&self, target: &Certificate, trust: &Trust<'_>, at: OffsetDateTime) -> Result<(), String>;
}

/// What a path may be made of.
pub(crate) struct Trust<'a> {
    /// Where it may end.
    pub(crate) anchors: &'a [Certificate],
    /// What may lie between.
    pub(crate) intermediates: &'a [Certificate],
}

/// The validator of the `certval` crate.
pub(crate) struct Certval;

impl PathValidator for Certval {
    fn validate(&self, target: &Certificate, trust: &Trust<'_>, at: OffsetDateTime) -> Result<(), String> {
        if trust.anchors.contains(target) {
            return Ok(());
        }
        if trust.anchors.is_empty() {
            return Err("no authority is trusted".to_owned());
        }
        let (anchors, dropped) = usable_anchors(target, trust.anchors, at);
        let moment = moment(at)?;
        let settings = settings(moment);
        let environment = environment(&anchors, trust.intermediates, &settings)
            .map_err(|error| words(&error).to_owned())?;
        let certificate =
            PDVCertificate::try_from(target.der()).map_err(|error| format!("it cannot be read: {error}"))?;
        let mut paths = Vec::new();
        environment
            .get_paths_for_target(&certificate, &mut paths, 0, moment)
            .map_err(|error| words(&error).to_owned())?;
        let mut nearest = dropped
            .unwrap_or_else(|| format!("no trusted authority issued it; its issuer is {}", target.issuer()));
        for path in paths.iter().take(MAX_PATHS) {
            let mut results = CertificationPathResults::new();
            match environment.validate_path(&environment, &settings, path, &mut results) {
                Ok(()) => return Ok(()),
                Err(error) => nearest = words(&error).to_owned(),
            }
        }
        Err(nearest)
    }
}

/// The anchors that may sign certificates at that moment, and why the target's own issuer is not among them. The
/// validator takes every anchor for an authority, and of two with one key it may look at the ended one only.
fn usable_anchors<'a>(
    target: &Certificate,
    anchors: &'a [Certificate],
    at: OffsetDateTime,
) -> (Vec<&'a Certificate>, Option<String>) {
    let issuer = target.parsed().tbs_certificate().issuer();
    let mut usable = Vec::with_capacity(anchors.len());
    let mut dropped = None;
    for anchor in anchors {
        match unusable(anchor, at) {
            None => usable.push(anchor),
            Some(why) if anchor.parsed().tbs_certificate().subject() == issuer => {
                dropped = Some(format!("its issuer {} {why}", anchor.subject()));
            }
            Some(_) => {}
        }
    }
    (usable, dropped)
}

fn unusable(anchor: &Certificate, at: OffsetDateTime) -> Option<&'static str> {
    let authority = matches!(anchor.basic_constraints(), Ok(Some(constraints)) if constraints.ca);
    let signs = match anchor.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.key_cert_sign()),
        Err(_) => false,
    };
    if !authority || !signs {
        Some("is trusted for itself only: it may not sign certificates")
    } else if at > anchor.not_after() {
        Some("is trusted, and has ended")
    } else if at < anchor.not_before() {
        Some("is trusted, and is not valid yet")
    } else {
        None
    }
}

fn moment(at: OffsetDateTime) -> Result<TimeOfInterest, String> {
    // The validator takes 1970 itself for "do not look at the time".
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(1).max(1);
    TimeOfInterest::from_unix_secs(seconds).map_err(|error| format!("the time {at} is out of range: {error}"))
}

fn settings(moment: TimeOfInterest) -> CertificationPathSettings {
    let mut settings = CertificationPathSettings::new();
    settings.set_time_of_interest(moment);
    settings.set_extended_key_usage(vec![ID_KP_EMAIL_PROTECTION.to_string()]);
    settings.set_extended_key_usage_path(true);
    settings.set_enforce_trust_anchor_constraints(true);
    // Whether the target itself is an anchor was decided by its octets, not by a key identifier that anybody can claim.
    settings.set_require_ta_store(false);
    settings
}

fn environment(
    trusted: &[&Certificate],
    intermediates: &[Certificate],
    settings: &CertificationPathSettings,
) -> Result<PkiEnvironment, Error> {
    let mut environment = PkiEnvironment::new();
    environment.populate_5280_pki_environment();
    environment.add_verify_signature_message_callback(verify_signature);
    let mut anchors = TaSource::new();
    trusted.iter().for_each(|anchor| anchors.push(file(anchor)));
    anchors.initialize()?;
    environment.add_trust_anchor_source(Box::new(anchors));
    let mut between = CertSource::new();
    intermediates.iter().take(MAX_INTERMEDIATES).for_each(|one| between.push(file(one)));
    between.initialize(settings)?;
    between.find_all_partial_paths(&environment, settings);
    environment.add_certificate_source(Box::new(between));
    Ok(environment)
}

fn file(certificate: &Certificate) -> CertFile {
    CertFile { filename: certificate.fingerprint().to_string(), bytes: certificate.der().to_vec() }
}

/// RSASSA-PKCS1-v1_5 for the validator, which was built without RSA, and ECDSA on P-521. SHA-1 is not among the hashes.
fn verify_signature(
    _environment: &PkiEnvironment,
    message: &[u8],
    signature: &BitString,
    algorithm: &AlgorithmIdentifierOwned,
    key: &SubjectPublicKeyInfoOwned,
) -> Result<(), Error> {
    let key = super::PublicKey::from_spki(key).map_err(|_| Error::Unrecognized)?;
    let signature = signature.as_bytes().ok_or(FAILED)?;
    key.verify_with(algorithm.oid, message, signature).map_err(|error| match error {
        super::PkiError::BadSignature => FAILED,
        _ => Error::Unrecognized,
    })
}

const FAILED: Error = Error::PathValidation(PathValidationStatus::SignatureVerificationFailure);

/// The validator's verdict in words that follow "it does not chain to a trusted authority:".
fn words(error: &Error) -> &'static str {
    use PathValidationStatus as Status;
    let Error::PathValidation(status) = error else { return "a certificate of the path cannot be read" };
    match status {
        Status::NameChainingFailure => "the names of the path do not fit together",
        Status::SignatureVerificationFailure => {
            "a signature of the path does not hold, or uses an algorithm that is refused"
        }
        Status::InvalidNotBeforeDate => "a certificate of the path is not valid yet",
        Status::InvalidNotAfterDate => "a certificate of the path has ended",
        Status::MissingBasicConstraints | Status::InvalidBasicConstraints => "its issuer is no authority",
        Status::InvalidPathLength => "the path is longer than an authority of it allows",
        Status::InvalidKeyUsage => "an authority of the path may not sign certificates for mail",
        Status::NullPolicySet | Status::InvalidPolicyMapping => {
            "the certificate policies of the path do not fit together"
        }
        Status::NameConstraintsViolation => "an authority of the path may not issue for these names",
        Status::UnprocessedCriticalExtension => "a certificate of the path has an unknown critical extension",
        Status::InsufficientKeySize => "an authority of the path has too short a key",
        Status::ProcessingLimitExceeded => "the path is too complicated",
        _ => "no valid path was found",
    }
}

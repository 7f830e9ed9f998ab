//! What the filters share: certificates from files, recipients, and where the result goes.

use super::failure::{Code, Failure};
use super::output::{Output, warn};
use super::{arrived, input, password, words};
use crate::cms;
use crate::crypto::SecretBytes;
use crate::engine::{Choice, Clock, Naming};
use crate::mail::Address;
use crate::pki::{self, Certificate, Crl, PkiError, PublicKey, SealingCheck, Unfit, ValidatedCertificate};
use crate::smime::{self, LargeError};
use crate::store;
use crate::system::SystemClock;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where a filter's result goes. Nothing is written before the whole result is there.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Sink {
    /// Write to this file and not to standard output; it is renamed into place when it is whole
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sink {
    pub(super) fn write(&self, out: &mut Output, bytes: &[u8]) -> Result<(), Failure> {
        match self.file()? {
            None => out.bytes(bytes),
            Some(path) => store::pour_file(path, |take| take(bytes))?
                .map_err(|error| Failure::io("write", path.display(), &error)),
        }
    }

    /// The file, if it may be written.
    fn file(&self) -> Result<Option<&Path>, Failure> {
        let refuse = |path: &Path, why: &str| {
            Failure::new(Code::Io, format!("cannot write {}: it is {why}", path.display()))
        };
        match self.output.as_deref() {
            Some(path) if path.is_dir() => Err(refuse(path, "a folder")),
            Some(path) if !store::is_replaceable(path) => Err(refuse(path, "no file").hint(
                "without --output the result goes to standard output, and from there wherever > leads",
            )),
            path => Ok(path),
        }
    }

    /// For a result that must not stay behind in pieces.
    pub(super) fn warn_of_pieces(&self) {
        if let Some(seen) = self.output.as_deref().and_then(store::name_while_poured) {
            warn(&format!(
                "files without a name cannot be made where the result goes: if this is killed, {} stays and may hold a part of it",
                seen.display()
            ));
        }
    }

    /// The same for a result that comes piece by piece. A file is renamed into place when it is whole; standard output has
    /// what came before an error. A reader that went away is none.
    pub(super) fn pour(
        &self,
        out: &mut Output,
        give: impl FnOnce(smime::Sink<'_>) -> Result<(), LargeError>,
    ) -> Result<(), Failure> {
        let given = match self.file()? {
            None => give(&mut |piece| out.piece(piece)),
            Some(path) => store::pour_file(path, give)?,
        };
        match given {
            Err(LargeError::Sink(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            given => given.map_err(arrived::failed),
        }
    }
}

/// Who will be able to open the result, and what their certificates must stand up to.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Recipients {
    /// A recipient's certificate, PEM or DER; repeat it for several
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,
    /// Each certificate must name one of these addresses; repeat it for several
    #[arg(long = "for", value_name = "ADDRESS", value_parser = words::address)]
    addresses: Vec<Address>,
    /// Each certificate must chain to one in these files; repeat it for several
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Let a certificate pass that has ended
    #[arg(long)]
    allow_expired: bool,
    /// How the message names who can open it; gpgsm and some others know "certificate" only
    #[arg(long, value_name = "BY", default_value = Choice::name(Naming::default()), value_parser = words::choice::<Naming>())]
    pub(super) name_by: Naming,
}

impl Recipients {
    /// All of them, or why the first unfit one is unfit.
    pub(super) fn validated(&self) -> Result<Vec<ValidatedCertificate>, Failure> {
        let anchors = certificates(&self.trust)?;
        let check = SealingCheck {
            anchors: (!self.trust.is_empty()).then_some(anchors.as_slice()),
            allow_expired: self.allow_expired,
            ..SealingCheck::by_itself(&self.addresses, SystemClock.now(), pki::MINIMUM_RSA_BITS)
        };
        let each = self.cert.iter().map(|path| Ok((path, certificates(std::slice::from_ref(path))?)));
        let each: Vec<(&PathBuf, Vec<Certificate>)> = each.collect::<Result<_, Failure>>()?;
        each.iter().flat_map(|(path, held)| held.iter().map(move |one| fit(path, one, &check))).collect()
    }
}

/// Says what is allowed and not everybody can read.
pub(super) fn note_mixture(recipients: &[ValidatedCertificate]) {
    let has = |kind: fn(&PublicKey) -> bool| {
        recipients.iter().any(|to| to.certificate().public_key().is_ok_and(|key| kind(&key)))
    };
    if has(|key| matches!(key, PublicKey::Rsa(_))) && has(|key| matches!(key, PublicKey::Curve(_))) {
        warn(cms::RSA_BESIDE_EC);
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

/// All certificates of the files, PEM or DER.
pub(super) fn certificates(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    all(paths, pki::read_certificates)
}

/// All revocation lists of the files, PEM or DER.
pub(super) fn crls(paths: &[PathBuf]) -> Result<Vec<Crl>, Failure> {
    all(paths, pki::read_crls)
}

fn all<T>(paths: &[PathBuf], read: fn(&[u8]) -> Result<Vec<T>, PkiError>) -> Result<Vec<T>, Failure> {
    let each: Vec<Vec<T>> = paths.iter().map(|path| one(path, read)).collect::<Result<_, Failure>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// What `read` finds in a file; what is wrong with it names the file.
pub(super) fn one<T>(path: &Path, read: fn(&[u8]) -> Result<T, PkiError>) -> Result<T, Failure> {
    read(pki_file(path)?.expose()).map_err(|error| broken(path, error))
}

/// The first certificate of a file, and those after it.
pub(super) fn chain(path: &Path) -> Result<(Certificate, Vec<Certificate>), Failure> {
    let mut found = certificates(&[path.to_owned()])?.into_iter();
    match found.next() {
        Some(first) => Ok((first, found.collect())),
        None => Err(Failure::new(Code::Data, format!("{} holds no certificate", input::name(path)))),
    }
}

/// Reads what it is after out of a file's bytes, with a password or without.
type KeyReader<T> = fn(&[u8], Option<&[u8]>) -> Result<T, PkiError>;

/// What `read` finds in a key file. The password is asked for only if the file turns out to need one and none was
/// given; `option` is the one that gives it.
pub(super) fn unlock<T>(
    path: &Path,
    read: KeyReader<T>,
    given: Option<&SecretBytes>,
    option: &str,
) -> Result<T, Failure> {
    let bytes = pki_file(path)?;
    let locked = match read(bytes.expose(), given.map(SecretBytes::expose)) {
        Err(error @ (PkiError::Encrypted { .. } | PkiError::WrongPassword(_))) if given.is_none() => error,
        other => return other.map_err(|error| broken(path, error)),
    };
    if !password::can_ask() {
        return Err(broken(path, locked).hint(format!("or give its password: {option}")));
    }
    let asked = password::ask(&format!("Password of {}: ", input::name(path)))?;
    read(bytes.expose(), Some(asked.expose())).map_err(|error| broken(path, error))
}

fn pki_file(path: &Path) -> Result<SecretBytes, Failure> {
    let bytes = input::file(path)?;
    if bytes.expose().is_empty() {
        return Err(Failure::new(Code::Data, format!("{} is empty", input::name(path))));
    }
    Ok(bytes)
}

/// What is wrong with a key or certificate, and in which file.
pub(super) fn broken(path: &Path, error: PkiError) -> Failure {
    let failure = Failure::from(error);
    Failure::new(failure.code, format!("{}: {}", input::name(path), failure.text))
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Failure {
        let code = match error {
            PkiError::WrongPassword(_) | PkiError::Encrypted { .. } | PkiError::EncryptedForDomain { .. } => {
                Code::NoPermission
            }
            PkiError::UnknownKeyType { .. } | PkiError::WeakKeyType { .. } | PkiError::Name { .. } => {
                Code::Usage
            }
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

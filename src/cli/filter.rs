//! What the filters share: certificates from files, and where the result goes.

use super::failure::{Code, Failure};
use super::input;
use super::output::Output;
use crate::pki::{self, Certificate, PkiError};
use crate::store;
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
        match &self.output {
            None => out.bytes(bytes),
            Some(path) => Ok(store::replace_file(path, bytes)?),
        }
    }
}

/// All certificates of the files, PEM or DER.
pub(super) fn certificates(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let each = paths.iter().map(|path| {
        let read = pki::read_certificates(input::file(path)?.expose());
        read.map_err(|error| broken(path, error))
    });
    let each: Vec<Vec<Certificate>> = each.collect::<Result<_, Failure>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// What is wrong with a key or certificate, and in which file.
pub(super) fn broken(path: &Path, error: PkiError) -> Failure {
    let failure = Failure::from(error);
    Failure::new(failure.code, format!("{}: {}", path.display(), failure.text))
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Failure {
        let code = match error {
            PkiError::WrongPassword(_) => Code::NoPermission,
            PkiError::UnknownKeyType { .. } | PkiError::WeakKeyType { .. } | PkiError::Name { .. } => {
                Code::Usage
            }
            _ => Code::Data,
        };
        Failure::new(code, error.to_string())
    }
}

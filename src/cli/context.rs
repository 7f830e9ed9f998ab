//! What every verb may ask for: the root, and what lies in it.

use super::failure::{Code, Failure};
use crate::directory::{AdminError, SqliteDirectory};
use crate::engine::DirectoryError;
use std::path::{Path, PathBuf};

/// Options of every verb.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Global {
    /// The folder of the store: configuration, directory, mail
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SEALPOST_ROOT",
        default_value = "/var/lib/sealpost"
    )]
    pub(super) root: PathBuf,
    /// Print JSON for a program to read
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Opens what a verb needs, when it needs it.
pub(super) struct Context {
    root: PathBuf,
}

impl Context {
    pub(super) fn new(global: Global) -> Context {
        Context { root: global.root }
    }

    /// The folder of the store.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory, for changes.
    pub(super) fn directory(&self) -> Result<SqliteDirectory, Failure> {
        Ok(SqliteDirectory::open(&self.root)?)
    }

    /// The directory, for looking only.
    pub(super) fn directory_for_reading(&self) -> Result<SqliteDirectory, Failure> {
        Ok(SqliteDirectory::open_for_reading(&self.root)?)
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Failure {
        let code = match &error {
            AdminError::Directory(DirectoryError::Busy) => Code::TryAgain,
            AdminError::Directory(_) | AdminError::Io { .. } => Code::Io,
            AdminError::NoStore(_)
            | AdminError::NoDomain(_)
            | AdminError::NoAccount(_)
            | AdminError::NoAlias { .. }
            | AdminError::NoKey(_)
            | AdminError::NoCertificate(_)
            | AdminError::NoGrant(_) => Code::NotFound,
            AdminError::WrongMode { .. } | AdminError::NewerSchema { .. } => Code::Config,
            AdminError::Pki(_) | AdminError::OtherKey { .. } => Code::Data,
            _ => Code::No,
        };
        Failure::new(code, error.to_string())
    }
}

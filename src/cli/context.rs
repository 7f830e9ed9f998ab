//! What every verb may ask for: the root, and what lies in it.

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
}

//! Python's `cryptography`, by the driver `judge.py`. `SEALPOST_PYTHON` names another interpreter.

use super::{Peer, Sample, Stage};
use crate::support::{Program, module, path};
use std::path::PathBuf;

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/judge.py");

fn interpreter() -> String {
    std::env::var("SEALPOST_PYTHON").unwrap_or_else(|_| "python3".into())
}

pub(super) fn is_there() -> bool {
    let import = "from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, pkcs7_decrypt_der";
    module(&interpreter(), import)
}

pub(super) struct Python {
    key: PathBuf,
    certificate: PathBuf,
    message: PathBuf,
    sealed: PathBuf,
}

impl Python {
    pub(super) fn new(stage: &Stage) -> Python {
        Python {
            key: stage.bob.key.clone(),
            certificate: stage.bob.certificate.clone(),
            message: stage.message(),
            sealed: stage.file("python"),
        }
    }

    /// DER for Bob.
    pub(super) fn seal(&self) -> Vec<u8> {
        let args = [DRIVER, "seal", path(&self.certificate), path(&self.message), path(&self.sealed)];
        Program::new(&interpreter()).args(args).run().ok();
        std::fs::read(&self.sealed).unwrap()
    }
}

impl Peer for Python {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let mut args = vec![DRIVER, "open", path(&self.key), path(&self.certificate)];
        args.extend(samples.iter().map(|sample| path(&sample.der)));
        Program::new(&interpreter()).args(args).run().ok();
        super::read_opened(samples)
    }
}

//! Python's `cryptography`, by the driver `judge.py`. `SEALPOST_PYTHON` names another interpreter.

use super::offer::Offer;
use super::{Peer, Sample, Stage};
use crate::support::{Program, find, module, path};
use std::path::PathBuf;

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/judge.py");

fn interpreter() -> String {
    std::env::var("SEALPOST_PYTHON").unwrap_or_else(|_| "python3".into())
}

pub(super) fn is_there() -> bool {
    let import = "from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, pkcs7_decrypt_der";
    module(&interpreter(), import)
}

pub(super) fn version() -> Option<String> {
    let print = "import cryptography; print(cryptography.__version__)";
    let ended = Program::new(path(&find(&interpreter())?)).args(["-c", print]).run();
    (ended.code == Some(0)).then(|| ended.text().trim().to_owned())
}

pub(super) struct Python<'a> {
    stage: &'a Stage,
    message: PathBuf,
    sealed: PathBuf,
}

impl Python<'_> {
    pub(super) fn new(stage: &Stage) -> Python<'_> {
        Python { stage, message: stage.message(), sealed: stage.file("python") }
    }

    /// DER; asked for `AES128` or `AES256`.
    pub(super) fn seal(&self, offer: &Offer) -> Vec<u8> {
        let certificate = self.stage.certificate(offer.to);
        let files = [path(&certificate), path(&self.message), path(&self.sealed)];
        let args = [&[DRIVER, "seal", offer.asked][..], &files].concat();
        Program::new(&interpreter()).args(args).run().ok();
        std::fs::read(&self.sealed).unwrap()
    }
}

impl Peer for Python<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        for by in self.stage.people() {
            let person = self.stage.person(by);
            let mut args = vec![DRIVER, "open", path(&person.key), path(&person.certificate)];
            args.extend(samples.iter().filter(|sample| sample.by == by).map(|sample| path(&sample.der)));
            Program::new(&interpreter()).args(args).run().ok();
        }
        super::read_opened(samples)
    }
}

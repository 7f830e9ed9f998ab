//! node-forge, by the driver `judge.js`.

use super::{Peer, Sample, Stage};
use crate::support::{Program, find, node_forge, path};
use std::path::{Path, PathBuf};

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/judge.js");

pub(super) fn version() -> Option<String> {
    let module = node_forge().filter(|_| find("node").is_some())?;
    Some(Program::new("node").args([DRIVER, path(&module), "version"]).run().text().trim().to_owned())
}

pub(super) struct NodeForge<'a> {
    module: PathBuf,
    stage: &'a Stage,
}

impl NodeForge<'_> {
    pub(super) fn new(module: PathBuf, stage: &Stage) -> NodeForge<'_> {
        NodeForge { module, stage }
    }

    /// DER.
    pub(super) fn seal(&self, certificate: &Path) -> Vec<u8> {
        let (message, out) = (self.stage.message(), self.stage.file("forged"));
        self.node("seal").args([certificate, &message, &out]).run().ok();
        std::fs::read(out).unwrap()
    }

    fn node(&self, verb: &str) -> Program {
        Program::new("node").args([DRIVER, path(&self.module), verb])
    }
}

impl Peer for NodeForge<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        for by in self.stage.people() {
            let person = self.stage.person(by);
            let his = samples.iter().filter(|sample| sample.by == by).map(|sample| &sample.der);
            let node = self.node("open").args([&person.key, &person.certificate]);
            node.args(his).run().ok();
        }
        super::read_opened(samples)
    }
}

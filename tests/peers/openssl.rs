//! The OpenSSL command line, of the third and of the fourth generation.

use super::person::By;
use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::path::Path;

/// As an S/MIME message; each recipient's options follow its certificate.
pub(super) fn seal(program: &Path, stage: &Stage, options: &str, to: &[(By, &str)]) -> Vec<u8> {
    let mut words = format!("cms -encrypt -binary -outform SMIME {options} -in {}", path(&stage.message()));
    for (by, options) in to {
        words.push_str(&format!(" -recip {} {options}", path(&stage.certificate(*by))));
    }
    Program::new(path(program)).words(&words).run().ok()
}

/// Which one it is: the word behind the name.
pub(super) fn version(program: &Path) -> Option<String> {
    let text = Program::new(path(program)).words("version").run().text();
    text.split(' ').nth(1).map(str::to_owned)
}

/// Opens as anybody.
pub(super) struct OpenSsl<'a> {
    program: &'a Path,
    stage: &'a Stage,
}

impl OpenSsl<'_> {
    pub(super) fn new<'a>(program: &'a Path, stage: &'a Stage) -> OpenSsl<'a> {
        OpenSsl { program, stage }
    }
}

impl Peer for OpenSsl<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let person = self.stage.person(sample.by);
            let keys = ["-recip", path(&person.certificate), "-inkey", path(&person.key)];
            let args = ["cms", "-decrypt", "-inform", "SMIME", "-in", path(&sample.mail)];
            Program::new(path(self.program)).args(args).args(keys).run().outcome()
        };
        samples.iter().map(open).collect()
    }
}

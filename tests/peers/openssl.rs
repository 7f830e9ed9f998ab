//! The OpenSSL command line.

use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::path::PathBuf;

/// As an S/MIME message; each recipient's options follow its certificate.
pub(super) fn seal(stage: &Stage, options: &str, recipients: &[(&str, &str)]) -> Vec<u8> {
    let mut args = vec!["cms", "-encrypt", "-binary", "-outform", "SMIME"];
    args.extend(options.split_whitespace());
    let message = stage.message();
    args.extend(["-in", path(&message)]);
    let certificates: Vec<PathBuf> =
        recipients.iter().map(|(name, _)| stage.file(&format!("{name}.pem"))).collect();
    for ((_, options), certificate) in recipients.iter().zip(&certificates) {
        args.extend(["-recip", path(certificate)]);
        args.extend(options.split_whitespace());
    }
    Program::new("openssl").args(args).run().ok()
}

/// Opens as anybody.
pub(super) struct OpenSsl<'a>(&'a Stage);

impl OpenSsl<'_> {
    pub(super) fn new(stage: &Stage) -> OpenSsl<'_> {
        OpenSsl(stage)
    }
}

impl Peer for OpenSsl<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let person = self.0.person(sample.by);
            let keys = ["-recip", path(&person.certificate), "-inkey", path(&person.key)];
            let args = ["cms", "-decrypt", "-inform", "SMIME", "-in", path(&sample.mail)];
            Program::new("openssl").args(args).args(keys).run().outcome()
        };
        samples.iter().map(open).collect()
    }
}

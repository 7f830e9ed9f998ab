//! Bouncy Castle: Debian's jars and the driver `Judge.java`, compiled here.

use super::offer::Offer;
use super::{Peer, Sample, Stage};
use crate::support::{Program, files, path};
use std::path::PathBuf;

const JARS: [&str; 3] =
    ["/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"];
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/Judge.java");

pub(super) fn jars_are_there() -> bool {
    files(&JARS)
}

/// Which one it is: the link leads to a file with the version in its name.
pub(super) fn version() -> Option<String> {
    let jar = std::fs::canonicalize(JARS[0]).ok()?;
    jar.file_stem()?.to_str()?.strip_prefix("bcprov-").map(str::to_owned)
}

pub(super) struct BouncyCastle<'a> {
    class_path: String,
    stage: &'a Stage,
    message: PathBuf,
    sealed: PathBuf,
}

impl BouncyCastle<'_> {
    pub(super) fn new(stage: &Stage) -> BouncyCastle<'_> {
        let classes = stage.file("classes");
        let class_path = format!("{}:{}", path(&classes), JARS.join(":"));
        let compile = ["-nowarn", "-cp", &class_path, "-d", path(&classes), DRIVER];
        Program::new("javac").args(compile).run().ok();
        BouncyCastle { class_path, stage, message: stage.message(), sealed: stage.file("bouncy") }
    }

    /// BER; asked for `cbc` (for RSA PKCS#1 v1.5) or `gcm` (OAEP). For EC keys ECDH with SHA-256 under both.
    pub(super) fn seal(&self, offer: &Offer) -> Vec<u8> {
        let certificate = self.stage.certificate(offer.to);
        let args = ["seal", offer.asked, path(&certificate), path(&self.message), path(&self.sealed)];
        self.java(&args).run().ok();
        std::fs::read(&self.sealed).unwrap()
    }

    fn java(&self, args: &[&str]) -> Program {
        Program::new("java").args(["-cp", &self.class_path, "Judge"]).args(args)
    }
}

impl Peer for BouncyCastle<'_> {
    /// One machine for all of them: it takes a second to start.
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let mut args = vec!["open".to_owned()];
        for sample in samples {
            let person = self.stage.person(sample.by);
            let files = [&person.pkcs8(), &person.certificate, &sample.der];
            args.extend(files.map(|file| path(file).to_owned()));
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.java(&args).run().ok();
        super::read_opened(samples)
    }
}

//! Bouncy Castle: Debian's jars and the driver `Judge.java`, compiled here.

use super::{Peer, Sample, Stage};
use crate::support::{Program, files, path};
use std::path::PathBuf;

const JARS: [&str; 3] =
    ["/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"];
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/Judge.java");

pub(super) fn jars_are_there() -> bool {
    files(&JARS)
}

pub(super) struct BouncyCastle {
    class_path: String,
    key: PathBuf,
    certificate: PathBuf,
    message: PathBuf,
    sealed: PathBuf,
}

impl BouncyCastle {
    pub(super) fn new(stage: &Stage) -> BouncyCastle {
        let classes = stage.file("classes");
        let class_path = format!("{}:{}", path(&classes), JARS.join(":"));
        let compile = ["-nowarn", "-cp", &class_path, "-d", path(&classes), DRIVER];
        Program::new("javac").args(compile).limit(180).run().ok();
        let key = stage.file("bob.pkcs8");
        let convert = ["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", path(&stage.bob.key)];
        Program::new("openssl").args(convert).args(["-out", path(&key)]).run().ok();
        BouncyCastle {
            class_path,
            key,
            certificate: stage.bob.certificate.clone(),
            message: stage.message(),
            sealed: stage.file("bouncy"),
        }
    }

    /// BER for Bob; `cipher` is `cbc` (key transport PKCS#1 v1.5) or `gcm` (OAEP).
    pub(super) fn seal(&self, cipher: &str) -> Vec<u8> {
        let args = ["seal", cipher, path(&self.certificate), path(&self.message), path(&self.sealed)];
        self.java(&args).run().ok();
        std::fs::read(&self.sealed).unwrap()
    }

    fn java(&self, args: &[&str]) -> Program {
        Program::new("java").args(["-cp", &self.class_path, "Judge"]).args(args).limit(180)
    }
}

impl Peer for BouncyCastle {
    /// One machine for all of them: it takes a second to start.
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let mut args = vec!["open", path(&self.key), path(&self.certificate)];
        args.extend(samples.iter().map(|sample| path(&sample.der)));
        self.java(&args).run().ok();
        super::read_opened(samples)
    }
}

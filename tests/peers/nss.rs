//! NSS: what stands under Thunderbird, by its command `cmsutil`.

use super::form::By;
use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::path::PathBuf;

pub(super) struct Nss<'a> {
    stage: &'a Stage,
}

impl Nss<'_> {
    /// For each person a database in which the test's authority is trusted and the person's key lies.
    pub(super) fn new(stage: &Stage) -> Nss<'_> {
        let nss = Nss { stage };
        for by in [By::Bob, By::Dana] {
            std::fs::create_dir(nss.folder(by)).unwrap();
            let run = |program: &str, words: &str| {
                Program::new(program).words(words).args(["-d", &nss.database(by)]).run().ok();
            };
            run("certutil", "-N --empty-password");
            let authority = stage.authority.certificate();
            run("certutil", &format!("-A -n authority -t CT,CT,CT -i {}", path(&authority)));
            run("pk12util", &format!("-W judge -i {}", path(&stage.person(by).pkcs12(&stage.authority))));
        }
        nss
    }

    fn folder(&self, by: By) -> PathBuf {
        self.stage.file(&format!("nss-{by:?}"))
    }

    fn database(&self, by: By) -> String {
        format!("sql:{}", path(&self.folder(by)))
    }

    /// DER (BER) for Bob.
    pub(super) fn seal(&self) -> Vec<u8> {
        let (message, out) = (self.stage.message(), self.folder(By::Bob).join("sealed"));
        let (database, address) = (self.database(By::Bob), &self.stage.bob.address);
        let args = ["-E", "-d", &database, "-r", address, "-i", path(&message), "-o", path(&out)];
        Program::new("cmsutil").args(args).run().ok();
        std::fs::read(out).unwrap()
    }
}

impl Peer for Nss<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let (database, out) = (self.database(sample.by), self.folder(sample.by).join("opened"));
            let args = ["-D", "-d", &database, "-i", path(&sample.der), "-o", path(&out)];
            Program::new("cmsutil").args(args).run().outcome().map(|_| std::fs::read(&out).unwrap())
        };
        samples.iter().map(open).collect()
    }
}

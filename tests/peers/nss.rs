//! NSS: what stands under Thunderbird, by its command `cmsutil`.

use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::path::PathBuf;

pub(super) struct Nss {
    database: String,
    folder: PathBuf,
    message: PathBuf,
    address: String,
}

impl Nss {
    /// A database in which the test's authority is trusted and Bob's key lies.
    pub(super) fn new(stage: &Stage) -> Nss {
        let folder = stage.file("nss");
        std::fs::create_dir(&folder).unwrap();
        let database = format!("sql:{}", path(&folder));
        let run = |program: &str, words: &str| {
            Program::new(program).words(words).args(["-d", &database]).run().ok();
        };
        run("certutil", "-N --empty-password");
        run("certutil", &format!("-A -n authority -t CT,CT,CT -i {}", path(&stage.authority.certificate())));
        run("pk12util", &format!("-W judge -i {}", path(&stage.bob.pkcs12(&stage.authority))));
        Nss { database, folder, message: stage.message(), address: stage.bob.address.clone() }
    }

    /// DER (BER) for Bob.
    pub(super) fn seal(&self) -> Vec<u8> {
        let out = self.folder.join("sealed");
        let args =
            ["-E", "-d", &self.database, "-r", &self.address, "-i", path(&self.message), "-o", path(&out)];
        Program::new("cmsutil").args(args).run().ok();
        std::fs::read(out).unwrap()
    }
}

impl Peer for Nss {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let out = self.folder.join("opened");
        let open = |sample: &Sample| {
            let args = ["-D", "-d", &self.database, "-i", path(&sample.der), "-o", path(&out)];
            Program::new("cmsutil").args(args).run().outcome().map(|_| std::fs::read(&out).unwrap())
        };
        samples.iter().map(open).collect()
    }
}

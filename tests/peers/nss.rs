//! NSS: what stands under Thunderbird, by its command `cmsutil`; and the very libraries that Thunderbird ships, by the
//! same command.

use super::offer::Offer;
use super::person::By;
use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::path::{Path, PathBuf};

/// Where the libraries are, if not where the system has them.
type Libraries = Option<PathBuf>;

pub(super) struct Nss<'a> {
    stage: &'a Stage,
    libraries: Libraries,
}

/// A program of NSS with these libraries.
fn program(name: &str, libraries: &Libraries) -> Program {
    let program = Program::new(name);
    match libraries {
        Some(folder) => program.env("LD_LIBRARY_PATH", folder),
        None => program,
    }
}

/// Which one it is: the library says so in its own text. Thunderbird's goes by Thunderbird's version too.
pub(super) fn version(libraries: &Libraries) -> Option<String> {
    let linked = program("ldd", libraries).args([crate::support::find("cmsutil")?]).run().text();
    let library = linked.lines().find_map(|line| line.trim().strip_prefix("libnss3.so => "))?;
    let bytes = std::fs::read(library.split(' ').next()?).ok()?;
    let mark = b"Version: NSS ";
    let at = bytes.windows(mark.len()).position(|window| window == mark)? + mark.len();
    let number = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
    let number: String = number.map(|byte| char::from(*byte)).collect();
    match libraries.as_ref().and_then(|folder| shipped_with(folder)) {
        Some(thunderbird) => Some(format!("{thunderbird} (NSS {number})")),
        None => Some(number),
    }
}

/// Thunderbird's version, out of the Debian version that lies beside the libraries.
fn shipped_with(folder: &Path) -> Option<String> {
    let debian = std::fs::read_to_string(folder.join("version")).ok()?;
    let (_, version) = debian.split_once(':')?;
    version.split('-').next().map(str::to_owned)
}

impl Nss<'_> {
    /// For each person a database in which the test's authority is trusted and the person's key lies.
    pub(super) fn new(stage: &Stage, libraries: Libraries) -> Nss<'_> {
        let nss = Nss { stage, libraries };
        for by in stage.people() {
            std::fs::create_dir(nss.folder(by)).unwrap();
            let run = |name: &str, words: &str| {
                nss.program(name).words(words).args(["-d", &nss.database(by)]).run()
            };
            run("certutil", "-N --empty-password").ok();
            let authority = stage.authority.certificate();
            run("certutil", &format!("-A -n authority -t CT,CT,CT -i {}", path(&authority))).ok();
            let import = format!("-W judge -i {}", path(&stage.person(by).pkcs12(&stage.authority)));
            let ended = run("pk12util", &import);
            // It does not know the other kinds of keys.
            assert!(ended.code == Some(0) || !matches!(by, By::Bob | By::Dana), "{by:?}: {}", ended.stderr);
        }
        nss
    }

    fn program(&self, name: &str) -> Program {
        program(name, &self.libraries)
    }

    fn folder(&self, by: By) -> PathBuf {
        self.stage.file(&format!("nss-{by:?}"))
    }

    fn database(&self, by: By) -> String {
        format!("sql:{}", path(&self.folder(by)))
    }

    /// DER (BER).
    pub(super) fn seal(&self, offer: &Offer) -> Vec<u8> {
        let (message, out) = (self.stage.message(), self.folder(offer.to).join("sealed"));
        let (database, address) = (self.database(offer.to), &self.stage.person(offer.to).address);
        let args = ["-E", "-d", &database, "-r", address, "-i", path(&message), "-o", path(&out)];
        self.program("cmsutil").args(args).run().ok();
        std::fs::read(out).unwrap()
    }
}

impl Peer for Nss<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let (database, out) = (self.database(sample.by), self.folder(sample.by).join("opened"));
            let args = ["-D", "-d", &database, "-i", path(&sample.der), "-o", path(&out)];
            self.program("cmsutil").args(args).run().outcome().map(|_| std::fs::read(&out).unwrap())
        };
        samples.iter().map(open).collect()
    }
}

//! GnuPG's S/MIME program, with a home of its own.

use super::{Peer, Sample, Stage};
use crate::support::{Program, path};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

pub(super) struct Gpgsm {
    home: PathBuf,
    message: PathBuf,
    address: String,
}

impl Gpgsm {
    /// A home in which the test's authority is trusted and Bob's key lies.
    pub(super) fn new(stage: &Stage) -> Gpgsm {
        let home = stage.file("g");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(home.join("gpgsm.conf"), "disable-crl-checks\ndisable-dirmngr\n").unwrap();
        std::fs::write(home.join("gpg-agent.conf"), "allow-loopback-pinentry\ndisable-scdaemon\n").unwrap();
        let authority = stage.authority.certificate();
        let args = ["x509", "-noout", "-fingerprint", "-sha1", "-in", path(&authority)];
        let print = Program::new("openssl").args(args).run().text();
        let print = print.trim().rsplit('=').next().unwrap_or("").to_owned();
        std::fs::write(home.join("trustlist.txt"), format!("{print} S relax\n")).unwrap();
        let gpgsm = Gpgsm { home, message: stage.message(), address: stage.bob.address.clone() };
        gpgsm.command(&["--import", path(&authority)]).run().ok();
        let container = stage.bob.pkcs12(&stage.authority);
        gpgsm.command(&["--passphrase-fd", "0", "--import", path(&container)]).input("judge\n").run().ok();
        gpgsm
    }

    /// DER for Bob.
    pub(super) fn seal(&self) -> Vec<u8> {
        self.command(&["--output", "-", "--recipient", &self.address, "--encrypt", path(&self.message)])
            .run()
            .ok()
    }

    fn command(&self, args: &[&str]) -> Program {
        let quiet = ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"];
        Program::new("gpgsm").env("GNUPGHOME", &self.home).args(quiet).args(args)
    }
}

impl Peer for Gpgsm {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let args = ["--passphrase-fd", "0", "--output", "-", "--decrypt", path(&sample.der)];
            self.command(&args).input("judge\n").run().outcome()
        };
        samples.iter().map(open).collect()
    }
}

impl Drop for Gpgsm {
    /// The agent that gpgsm started would outlive the test.
    fn drop(&mut self) {
        let _ = Program::new("gpgconf").env("GNUPGHOME", &self.home).words("--kill all").run();
    }
}

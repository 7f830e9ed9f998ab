//! GnuPG's S/MIME program, with a home of its own.

use super::person::By;
use super::{Peer, Sample, Stage};
use crate::support::{Ended, Identity, Program, find, of_three, path};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

pub(super) struct Gpgsm<'a> {
    stage: &'a Stage,
    bob: Home,
    others: Home,
}

/// Which one it is: the last word of the first line.
pub(super) fn version() -> Option<String> {
    let text = Program::new(path(&find("gpgsm")?)).words("--version").run().text();
    text.lines().next()?.rsplit(' ').next().map(str::to_owned)
}

impl Gpgsm<'_> {
    pub(super) fn new(stage: &Stage) -> Gpgsm<'_> {
        let (bob, others) = (Home::new(stage, "g"), Home::new(stage, "h"));
        of_three(|| bob.import(stage, stage.person(By::Bob))).ok();
        // Version 2.2 may not even read the container of another kind of key.
        for by in stage.people().filter(|by| !matches!(by, By::Bob | By::Carol)) {
            others.import(stage, stage.person(by));
        }
        Gpgsm { stage, bob, others }
    }

    /// DER for Bob.
    pub(super) fn seal(&self) -> Vec<u8> {
        let message = self.stage.message();
        let address = &self.stage.person(By::Bob).address;
        let args = ["--output", "-", "--recipient", address, "--encrypt", path(&message)];
        self.bob.command(&args).run().ok()
    }
}

/// A folder with keys.
struct Home(PathBuf);

impl Home {
    /// The test's authority is trusted in it.
    fn new(stage: &Stage, name: &str) -> Home {
        let home = stage.file(name);
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(home.join("gpgsm.conf"), "disable-crl-checks\ndisable-dirmngr\n").unwrap();
        std::fs::write(home.join("gpg-agent.conf"), "allow-loopback-pinentry\ndisable-scdaemon\n").unwrap();
        let authority = stage.authority.certificate();
        let args = ["x509", "-noout", "-fingerprint", "-sha1", "-in", path(&authority)];
        let print = Program::new("openssl").args(args).run().text();
        let print = print.trim().rsplit('=').next().unwrap_or("").to_owned();
        std::fs::write(home.join("trustlist.txt"), format!("{print} S relax\n")).unwrap();
        let home = Home(home);
        home.command(&["--import", path(&authority)]).run().ok();
        home
    }

    fn import(&self, stage: &Stage, person: &Identity) -> Ended {
        let container = person.pkcs12(&stage.authority);
        self.command(&["--passphrase-fd", "0", "--import", path(&container)]).input("judge\n").run()
    }

    fn command(&self, args: &[&str]) -> Program {
        let quiet = ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"];
        Program::new("gpgsm").env("GNUPGHOME", &self.0).args(quiet).args(args)
    }
}

impl Peer for Gpgsm<'_> {
    fn open(&self, samples: &[Sample]) -> Vec<Result<Vec<u8>, String>> {
        let open = |sample: &Sample| {
            let args = ["--passphrase-fd", "0", "--output", "-", "--decrypt", path(&sample.der)];
            let home = if sample.by == By::Bob { &self.bob } else { &self.others };
            home.command(&args).input("judge\n").run().outcome()
        };
        samples.iter().map(open).collect()
    }
}

impl Drop for Home {
    /// The agent that gpgsm started would outlive the test.
    fn drop(&mut self) {
        let _ = Program::new("gpgconf").env("GNUPGHOME", &self.0).words("--kill all").run();
    }
}

//! A store that belongs to a user of the machine, and the program where that user reaches it.

use super::dovecot::Dovecot;
use super::postfix::Postfix;
use crate::support::{Authority, Identity, Program, crlf, path};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Who owns the mail: any user that is neither root nor Postfix's.
pub(crate) const OWNER: &str = "nobody";

pub(crate) struct House {
    pub(crate) authority: Authority,
    pub(crate) bob: Identity,
    pub(crate) program: PathBuf,
    pub(crate) root: PathBuf,
    folder: tempfile::TempDir,
}

impl House {
    /// There is no store yet.
    pub(crate) fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        // The owner must reach the program, wherever the build folder is.
        let program = folder.path().join("sealpost");
        std::fs::copy(env!("CARGO_BIN_EXE_sealpost"), &program).unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        give(&home);
        let authority = Authority::new(folder.path());
        let bob = authority.rsa("bob");
        House { authority, bob, program, root: home.join("store"), folder }
    }

    /// Around the store, and open to all.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, words: &str) -> Program {
        Program::new(path(&self.program)).args(["--root", path(&self.root)]).words(words)
    }

    /// An administrator's command: root becomes the owner by itself.
    pub(crate) fn run(&self, words: &str) -> String {
        String::from_utf8(self.command(words).run().ok()).unwrap()
    }

    /// A store with north.example and Bob, who has a certificate.
    pub(crate) fn furnish(&self) {
        self.run(&format!("init --owner {OWNER}"));
        self.run("domain add north.example");
        self.run("account add bob@north.example");
        self.certify(&self.bob);
    }

    pub(crate) fn certify(&self, person: &Identity) {
        self.run(&format!("cert add --account {} --file {}", person.address, path(&person.certificate)));
    }

    /// A Postfix with the lines that are printed for it now.
    pub(crate) fn postfix(&self) -> Postfix {
        Postfix::start(&self.folder().join("mta"), &self.run("init --postfix"))
    }

    /// Opens as Bob.
    pub(crate) fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let args = ["-recip", path(&self.bob.certificate), "-inkey", path(&self.bob.key)];
        Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
    }

    /// Dovecot serves Bob one message: sealed, and inside what was sent, byte for byte behind the fields that it got on its way.
    pub(crate) fn assert_served(&self, sent: &str) {
        let dovecot = Dovecot::start(&self.root, OWNER);
        let sealed = dovecot.fetch("bob@north.example", 1);
        let text = String::from_utf8_lossy(&sealed);
        assert!(text.contains("Subject: Lunch\r\n") && text.contains("application/pkcs7-mime"), "{text}");
        assert!(!text.contains("xyzzy"), "clear text over IMAP");
        let opened = self.open(&sealed);
        let shown = String::from_utf8_lossy(&opened);
        assert!(opened.ends_with(&crlf(sent.as_bytes())), "{shown}");
        assert!(opened.starts_with(b"Return-Path: <anna@south.example>\r\n"), "{shown}");
    }

    /// What lies in an account's INBOX and nobody has seen.
    pub(crate) fn new_mail(&self, account: &str) -> Vec<PathBuf> {
        let folder = self.root.join(format!("mail/north.example/{account}/Maildir/new"));
        std::fs::read_dir(folder)
            .map_or_else(|_| Vec::new(), |all| all.map(|one| one.unwrap().path()).collect())
    }
}

/// To the owner of the mail.
pub(crate) fn give(path: &Path) {
    let owner = nix::unistd::User::from_name(OWNER).unwrap().expect("every system has this user");
    chown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
}

/// A folder that everybody enters.
pub(crate) fn open_to_all(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

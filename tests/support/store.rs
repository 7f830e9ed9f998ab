//! A store of its own for a test, made by the commands that an administrator uses.

use super::program::{Ended, Program, path};
use super::{Authority, Identity};
use std::path::{Path, PathBuf};

/// One domain, `north.example`, with the account `bob`, sealed to Bob's certificate.
pub(crate) struct Store {
    folder: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) bob: Identity,
}

impl Store {
    pub(crate) fn new() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let bob = authority.rsa("bob");
        let store = Store { folder, authority, bob };
        store.command("init").run().ok();
        store.command("domain add north.example").run().ok();
        store.command("account add bob@north.example").run().ok();
        store.certify(&store.bob);
        store
    }

    /// Gives the directory the person's certificate.
    pub(crate) fn certify(&self, person: &Identity) {
        let args = ["--account", &person.address, "--file", path(&person.certificate)];
        self.command("cert add").args(args).run().ok();
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A file beside the root, for what a test writes.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sealpost --root … WORDS`
    pub(crate) fn command(&self, words: &str) -> Program {
        Program::sealpost().args(["--root", path(&self.root())]).words(words)
    }

    /// What the command says with `--json`.
    pub(crate) fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_slice(&self.command(words).args(["--json"]).run().ok()).unwrap()
    }

    /// Installs a rule file for the account `bob`.
    pub(crate) fn rules(&self, toml: &str) {
        let file = self.file("rules.toml");
        std::fs::write(&file, toml).unwrap();
        self.command("rules install").args([path(&file), "--account", "bob@north.example"]).run().ok();
    }

    /// Hands a message for Bob to the hook.
    pub(crate) fn deliver(&self, message: &[u8]) -> Ended {
        self.command("deliver --sender=anna@south.example --recipient=bob@north.example").input(message).run()
    }

    /// Every file below the Maildirs, with what is in it.
    pub(crate) fn stored(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(&self.root().join("mail"), &mut files);
        files
    }

    /// The messages that lie in Bob's INBOX, oldest name first.
    pub(crate) fn inbox(&self) -> Vec<Vec<u8>> {
        let inbox = self.root().join("mail/north.example/bob/Maildir");
        let is_message =
            |file: &Path| ["new", "cur"].iter().any(|folder| file.parent() == Some(&inbox.join(folder)));
        self.stored().into_iter().filter(|(file, _)| is_message(file)).map(|(_, bytes)| bytes).collect()
    }

    /// Opens as Bob with OpenSSL.
    pub(crate) fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let args = ["-recip", path(&self.bob.certificate), "-inkey", path(&self.bob.key)];
        Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
    }

    /// Does any file of the store hold these bytes?
    pub(crate) fn holds(&self, clear: &[u8]) -> bool {
        let mut files = Vec::new();
        walk(&self.root(), &mut files);
        files.iter().any(|(_, bytes)| bytes.windows(clear.len()).any(|window| window == clear))
    }
}

fn walk(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, files);
        } else {
            let bytes = std::fs::read(&entry).unwrap();
            files.push((entry, bytes));
        }
    }
}

//! A folder with a store in it, driven by the command line and nothing else.

use super::program::{Ended, Program, path};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store in a folder that goes away.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn bare() -> Site {
        Site { folder: tempfile::tempdir().unwrap() }
    }

    /// north.example with bob.
    pub(crate) fn furnished() -> Site {
        let site = Site::bare();
        site.run("init").ok();
        site.run("domain add north.example --alias alias.example").ok();
        site.run("account add bob@north.example --alias robert@north.example").ok();
        site
    }

    /// north.example issues: bob has a key in the vault, under the password in the file that is given back, and a
    /// certificate.
    pub(crate) fn certified() -> (Site, PathBuf) {
        let site = Site::furnished();
        let password = site.write("password", "correct horse\n");
        site.run("key generate --domain north.example --type ec-p256").ok();
        site.run("cert self-sign --domain north.example").ok();
        let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
        site.program(generate).args([path(&password)]).run().ok();
        site.run("cert issue --account bob@north.example").ok();
        (site, password)
    }

    /// The folder around the store, for what a test writes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn program(&self, words: &str) -> Program {
        Program::sealpost().args(["--root", path(&self.root())]).words(words)
    }

    pub(crate) fn run(&self, words: &str) -> Ended {
        self.program(words).run()
    }

    /// Runs and gives exit code and standard error.
    pub(crate) fn refused(&self, words: &str) -> (i32, String) {
        let ended = self.run(words);
        assert_eq!(ended.text(), "", "nothing is done: {words}");
        (ended.code.unwrap(), ended.stderr)
    }

    pub(crate) fn json(&self, words: &str) -> serde_json::Value {
        let output = self.run(&format!("{words} --json")).ok();
        let value: serde_json::Value = serde_json::from_slice(&output).unwrap();
        assert_eq!(value["v"], 1);
        value
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

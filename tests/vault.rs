//! The vault from the command line: passwords, keys that come and go, and what is lost with them.

mod attempts;
mod import;
mod loss;
mod password;
mod phone;

use crate::support::{Ended, Site, path};
use std::path::{Path, PathBuf};

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\nAt noon.\n";

/// north.example issues; bob has an EC key with a certificate, which is quick.
struct Vault {
    site: Site,
    password: PathBuf,
}

impl Vault {
    fn new() -> Vault {
        let site = Site::furnished();
        std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
        site.run("key generate --domain north.example --type ec-p256").ok();
        site.run("cert self-sign --domain north.example").ok();
        let password = site.write("password", "correct horse\n");
        let vault = Vault { site, password };
        vault.generate(&vault.password);
        vault.site.run("cert issue --account bob@north.example").ok();
        vault
    }

    /// A further key of bob under the password in the file; gives its fingerprint.
    fn generate(&self, password: &Path) -> String {
        let words = "key generate --account bob@north.example --type ec-p256 --password-file";
        let made = self.site.json(&format!("{words} {}", path(password)));
        made["fingerprint"].as_str().unwrap().to_owned()
    }

    /// The fingerprints of bob's keys, the oldest first.
    fn keys(&self) -> Vec<String> {
        let shown = self.site.json("key show --account bob@north.example");
        let prints = shown["keys"].as_array().unwrap().iter().map(|key| key["fingerprint"].as_str().unwrap());
        prints.map(str::to_owned).collect()
    }

    fn deliver(&self, message: &str) {
        let hook = self.site.program("deliver --sender= --recipient=bob@north.example").input(message).run();
        assert_eq!(hook.code, Some(0), "{}", hook.text());
    }

    /// The files in bob's INBOX.
    fn inbox(&self) -> Vec<PathBuf> {
        let inbox = self.site.root().join("mail/north.example/bob/Maildir/new");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(inbox).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn open(&self, sealed: &Path, password: &Path) -> Ended {
        let words = "open --account bob@north.example --password-file";
        let program = self.site.program(words).args([path(password)]);
        program.input(std::fs::read(sealed).unwrap()).run()
    }

    /// The file that counts wrong passwords, and the whole directory.
    fn state(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.site.root().join("state.sqlite")).unwrap()
    }

    /// Wrong passwords of everybody.
    fn wrong(&self) -> u32 {
        let sql = "SELECT coalesce(sum(count), 0) FROM failed_unlocks";
        self.state().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

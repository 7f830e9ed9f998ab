//! A store made by the program itself, on the disk that is meant.

use super::message_of;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) const OWNER: &str = "bob@north.example";
/// The program where the linker wrote it.
pub(crate) const BUILT: &str = env!("CARGO_BIN_EXE_sealpost");

/// One domain with one account, and a folder beside it for the program and what a benchmark writes.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) folder: tempfile::TempDir,
    installed: PathBuf,
}

/// Somebody of the account's address, in files.
pub(crate) struct Person {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A new folder on the disk that is meant: `SEALPOST_BENCH_FOLDER`, or beside the build.
pub(crate) fn folder() -> tempfile::TempDir {
    let place = std::env::var_os("SEALPOST_BENCH_FOLDER");
    let place = place.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    tempfile::tempdir_in(place).expect("a folder")
}

/// A path as an argument.
pub(crate) fn text_of(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

/// Copies the program and lets the kernel forget what it holds of the copy, so that it is read as after a restart. In what
/// state a file came into the kernel's cache decides what a start from it costs: least right behind a copy, most where a linker
/// wrote it page by page.
fn install(to: &Path) {
    std::fs::copy(BUILT, to).expect("the program is installed");
    let copy = File::open(to).expect("the copy");
    copy.sync_all().expect("it is synced");
    posix_fadvise(&copy, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).expect("it is forgotten");
}

impl Site {
    /// Nobody has a certificate yet.
    pub(crate) fn new() -> Site {
        let folder = folder();
        let installed = folder.path().join("sealpost");
        install(&installed);
        let site = Site { root: folder.path().join("store"), folder, installed };
        site.run(&["init"]);
        site.run(&["domain", "add", "north.example"]);
        site.run(&["account", "add", OWNER]);
        site
    }

    pub(crate) fn program(&self) -> Command {
        self.program_at(&self.installed)
    }

    /// The same from another file.
    pub(crate) fn program_at(&self, path: impl AsRef<Path>) -> Command {
        let mut program = Command::new(path.as_ref());
        program.env_remove("SEALPOST_ROOT").arg("--root").arg(&self.root).stdout(Stdio::null());
        program
    }

    pub(crate) fn run(&self, words: &[&str]) {
        assert!(self.program().args(words).status().expect("it starts").success(), "{words:?}");
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.root.join("mail/north.example/bob/Maildir")
    }

    /// Clear messages that were read already.
    pub(crate) fn fill(&self, messages: usize, size: usize) {
        let maildir = self.maildir();
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(maildir.join(part)).expect("a folder");
        }
        let bytes = message_of(size);
        for number in 0..messages {
            let name = format!(
                "{}.M1P1Q{number}.mx,S={},W={}:2,S",
                1_000_000_000 + number,
                bytes.len(),
                bytes.len()
            );
            std::fs::write(maildir.join("cur").join(name), &bytes).expect("a message");
        }
        let synced = Command::new("sync").arg("-f").arg(&maildir).status();
        assert!(synced.expect("it starts").success());
    }

    /// Seals to nobody any more.
    pub(crate) fn retire(&self) {
        self.run(&["cert", "retire", "--account", OWNER]);
    }

    /// Makes a key with a certificate, and gives the directory the certificate.
    pub(crate) fn certify(&self, name: &str) -> Person {
        let [certificate, key, config] =
            ["pem", "key", "cnf"].map(|kind| self.folder.path().join(format!("{name}.{kind}")));
        let text = format!(
            "[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=person\n[name]\nCN=Bob\n[person]\nbasicConstraints=critical,CA:FALSE\n\
             keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=emailProtection\nsubjectAltName=email:{OWNER}\n"
        );
        std::fs::write(&config, text).expect("a file");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config"]);
        openssl.arg(&config).arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
        assert!(openssl.status().expect("openssl starts").success());
        self.run(&["cert", "add", "--account", OWNER, "--file", text_of(&certificate)]);
        Person { certificate, key }
    }
}

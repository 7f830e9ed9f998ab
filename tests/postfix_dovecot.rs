//! A private Postfix hands mail to the hook, a private Dovecot serves what it stored, OpenSSL opens it.
//! Both live in a temporary folder, on free ports of 127.0.0.1, and are stopped by their process ids.

pub(crate) mod dovecot;
mod postfix;
pub(crate) mod wire;

use crate::support::{Authority, Identity, Program, crlf, path, root};
use dovecot::Dovecot;
use postfix::{Fate, Postfix};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

/// Who owns the mail: any user that is neither root nor Postfix's.
const OWNER: &str = "nobody";
const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\
Message-ID: <lunch@south.example>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\n\
The word is xyzzy-plugh-4711.\n.\n..two dots\nFrom the desk of Anna\n";

/// A site: its store belongs to [`OWNER`], and Postfix has the lines that `sealpost init --postfix` printed.
struct Site {
    postfix: Postfix,
    authority: Authority,
    bob: Identity,
    program: PathBuf,
    root: PathBuf,
    /// Last: the servers are stopped before their folder goes.
    _folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // The owner must reach the program, wherever the build folder is.
        let program = folder.path().join("sealpost");
        std::fs::copy(env!("CARGO_BIN_EXE_sealpost"), &program).unwrap();
        let owner = nix::unistd::User::from_name(OWNER).unwrap().expect("every system has this user");
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        chown(&home, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
        let root = home.join("store");
        let init = ["--root", path(&root), "init", "--owner", OWNER, "--postfix"];
        let lines = Program::new(path(&program)).args(init).run().ok();
        let authority = Authority::new(folder.path());
        let bob = authority.rsa("bob");
        let postfix = Postfix::start(&folder.path().join("mta"), &String::from_utf8(lines).unwrap());
        let site = Site { postfix, authority, bob, program, root, _folder: folder };
        site.run("domain add north.example");
        site.run("account add bob@north.example");
        site.certify(&site.bob);
        site
    }

    /// An administrator's command: root becomes the owner by itself.
    fn run(&self, words: &str) {
        Program::new(path(&self.program)).args(["--root", path(&self.root)]).words(words).run().ok();
    }

    fn certify(&self, person: &Identity) {
        self.run(&format!("cert add --account {} --file {}", person.address, path(&person.certificate)));
    }

    fn send(&self, recipient: &str) -> Fate {
        self.postfix.fate(&self.postfix.send("anna@south.example", recipient, MESSAGE))
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let args = ["-recip", path(&self.bob.certificate), "-inkey", path(&self.bob.key)];
        Program::new("openssl").words("cms -decrypt -inform SMIME").args(args).input(sealed).run().ok()
    }
}

fn can_run() -> bool {
    root(&["openssl", "postfix", "dovecot"])
}

#[test]
fn mail_comes_in_by_postfix_and_goes_out_by_dovecot() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    let fate = site.send("bob@north.example");
    assert_eq!((fate.status.as_str(), fate.dsn.as_str()), ("sent", "2.0.0"), "{}", fate.line);
    let dovecot = Dovecot::start(&site.root, OWNER);
    let sealed = dovecot.fetch("bob@north.example", 1);
    let text = String::from_utf8_lossy(&sealed);
    assert!(text.contains("Subject: Lunch\r\n") && text.contains("application/pkcs7-mime"), "{text}");
    assert!(!text.contains("xyzzy"), "clear text over IMAP");
    let opened = site.open(&sealed);
    // Postfix puts its own fields in front; what was sent follows byte for byte.
    assert!(opened.ends_with(&crlf(MESSAGE.as_bytes())), "{}", String::from_utf8_lossy(&opened));
    assert!(
        opened.starts_with(b"Return-Path: <anna@south.example>\r\n"),
        "{}",
        String::from_utf8_lossy(&opened)
    );
}

#[test]
fn an_unknown_user_bounces() {
    if !can_run() {
        return;
    }
    let fate = Site::new().send("eve@north.example");
    assert_eq!((fate.status.as_str(), fate.dsn.as_str()), ("bounced", "5.1.1"), "{}", fate.line);
}

#[test]
fn a_missing_certificate_waits_and_goes_through_once_it_is_there() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    site.run("account add carol@north.example");
    let id = site.postfix.send("anna@south.example", "carol@north.example", MESSAGE);
    let fate = site.postfix.fate(&id);
    assert_eq!(fate.status, "deferred", "{}", fate.line);
    assert!(fate.dsn.starts_with("4."), "{}", fate.line);
    site.certify(&site.authority.rsa("carol"));
    site.postfix.flush();
    site.postfix.wait_for(&id, "sent");
}

#[test]
fn a_rejection_stays_one_whatever_its_text_says() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    let file = site._folder.path().join("rules.toml");
    let rule = "[[rule]]\nname = \"No\"\npriority = 5\nwhen = []\nthen = [[\"Reject with\", \"4.7.1 come again\"]]\n";
    std::fs::write(&file, rule).unwrap();
    site.run(&format!("rules install {} --account bob@north.example", path(&file)));
    let fate = site.send("bob@north.example");
    assert_eq!((fate.status.as_str(), fate.dsn.as_str()), ("bounced", "5.7.1"), "{}", fate.line);
}

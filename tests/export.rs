//! `sealpost key export`: other programs read the file, and open with it what was sealed.

use crate::support::{Authority, Program, Site, crlf, module, of_three, path, root, terminals, tools};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\nAt noon.\n";

/// Bob's key is exported with these further words, and mail for him lies sealed.
struct Exported {
    site: Site,
    /// Of the vault.
    password: PathBuf,
    file: PathBuf,
}

impl Exported {
    fn new(words: &str) -> Exported {
        let exported = Exported::delivered();
        exported.export(words);
        exported
    }

    /// The mail is there, and the file is not yet.
    fn delivered() -> Exported {
        let (site, password) = Site::certified();
        std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
        let hook = site.program("deliver --sender= --recipient=bob@north.example").input(MESSAGE).run();
        assert_eq!(hook.code, Some(0), "{}", hook.text());
        Exported { file: site.folder().join("bob.export"), site, password }
    }

    fn export(&self, words: &str) {
        let ended = self.program(words).args(["--output", path(&self.file)]).run();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }

    fn program(&self, words: &str) -> Program {
        let export = "key export --account bob@north.example --password-file";
        self.site.program(export).args([path(&self.password)]).words(words)
    }

    /// The one message in Bob's INBOX.
    fn sealed(&self) -> PathBuf {
        let inbox = self.site.root().join("mail/north.example/bob/Maildir/new");
        std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path()
    }

    /// Its CMS, as a file.
    fn sealed_der(&self) -> PathBuf {
        let der = self.site.folder().join("sealed.der");
        let convert = format!("cms -cmsout -inform SMIME -outform DER -out {} -in", path(&der));
        self.openssl(&convert, path(&self.sealed()));
        der
    }

    fn openssl(&self, words: &str, file: &str) -> Vec<u8> {
        Program::new("openssl").words(words).args([file]).run().ok()
    }
}

#[test]
fn openssl_opens_delivered_mail_with_the_exported_key() {
    if !tools(&["openssl"]) {
        return;
    }
    let exported = Exported::new("");
    let pem = exported.site.folder().join("bob.pem");
    let read = format!("pkcs12 -passin file:{} -nodes -in", path(&exported.password));
    std::fs::write(&pem, exported.openssl(&read, path(&exported.file))).unwrap();
    let decrypt = format!("cms -decrypt -inform SMIME -recip {0} -inkey {0} -in", path(&pem));
    assert_eq!(exported.openssl(&decrypt, path(&exported.sealed())), crlf(MESSAGE.as_bytes()));
}

#[test]
fn openssl_opens_delivered_mail_with_pkcs8_under_a_password_of_its_own() {
    if !tools(&["openssl"]) {
        return;
    }
    let exported = Exported::delivered();
    let own = path(&exported.site.write("own", "of the file, grüße\nnot this\n")).to_owned();
    exported.export(&format!("--format pkcs8 --file-password-file {own}"));
    let text = std::fs::read_to_string(&exported.file).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
    assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2);
    let file = path(&exported.file);
    let decrypt = format!("cms -decrypt -inform SMIME -recip {file} -inkey {file} -passin file:{own} -in");
    assert_eq!(exported.openssl(&decrypt, path(&exported.sealed())), crlf(MESSAGE.as_bytes()));
    // And it comes back where such files are read.
    exported.site.run("account add eve@north.example").ok();
    let import = format!("key import --account eve@north.example --file {file} --file-password-file {own}");
    exported.site.run(&format!("{import} --password-file {own}")).ok();
}

/// Mail that was sealed before the certificate was renewed names the older one: it has to come along.
#[test]
fn nss_takes_the_key_and_opens_mail_that_names_an_older_certificate() {
    if !tools(&["openssl", "certutil", "pk12util", "cmsutil"]) {
        return;
    }
    let exported = Exported::delivered();
    exported.site.run("cert issue --account bob@north.example --renew").ok();
    let own = exported.site.write("own", "pässwörd \u{1f434}\n");
    exported.export(&format!("--file-password-file {}", path(&own)));
    let folder = exported.site.folder().join("nss");
    std::fs::create_dir(&folder).unwrap();
    let database = format!("sql:{}", path(&folder));
    Program::new("certutil").args(["-N", "--empty-password", "-d", &database]).run().ok();
    let words = ["-i", path(&exported.file), "-W", "pässwörd \u{1f434}"];
    Program::new("pk12util").args(words).args(["-d", &database]).run().ok();
    let list = Program::new("certutil").args(["-L", "-d", &database]).run().text();
    assert_eq!(list.matches("bob@north.example").count(), 2, "{list}");
    assert!(list.contains("u,u,u") && list.contains("north.example "), "{list}");
    let der = exported.sealed_der();
    let clear = exported.site.folder().join("clear");
    let open = ["-D", "-d", &database, "-i", path(&der), "-o", path(&clear)];
    Program::new("cmsutil").args(open).run().ok();
    assert_eq!(std::fs::read(clear).unwrap(), crlf(MESSAGE.as_bytes()));
}

/// A home of GnuPG; the agent that gpgsm starts would outlive the test.
struct Gnupg(tempfile::TempDir);

impl Gnupg {
    fn new() -> Gnupg {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("gpgsm.conf"), "disable-crl-checks\ndisable-dirmngr\n").unwrap();
        let agent = "allow-loopback-pinentry\ndisable-scdaemon\n";
        std::fs::write(home.path().join("gpg-agent.conf"), agent).unwrap();
        Gnupg(home)
    }

    fn gpgsm(&self, words: &str, file: &std::path::Path) -> Program {
        let program = Program::new("gpgsm").env("GNUPGHOME", self.0.path()).input("correct horse\n");
        let quiet = "--batch --yes --quiet --pinentry-mode loopback --passphrase-fd 0";
        program.words(quiet).words(words).args([path(file)])
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let _ = Program::new("gpgconf").env("GNUPGHOME", self.0.path()).words("--kill all").run();
    }
}

#[test]
fn gpgsm_takes_the_old_form_and_opens_delivered_mail() {
    if !tools(&["openssl", "gpgsm", "gpgconf"]) {
        return;
    }
    let exported = Exported::new("--format p12 --legacy");
    let gnupg = Gnupg::new();
    of_three(|| gnupg.gpgsm("--import", &exported.file).run()).ok();
    let opened = gnupg.gpgsm("--output - --decrypt", &exported.sealed_der()).run().ok();
    assert_eq!(opened, crlf(MESSAGE.as_bytes()));
}

/// Java asks for ASCII in the passwords of PBES2.
#[test]
fn java_and_python_read_the_file() {
    let exported = Exported::new("");
    if tools(&["keytool"]) {
        let list = "-list -v -storetype PKCS12 -storepass:file";
        let args = [path(&exported.password), "-keystore", path(&exported.file)];
        let text = Program::new("keytool").words(list).args(args).run();
        let text = String::from_utf8(text.ok()).unwrap();
        assert!(text.contains("Alias name: bob@north.example"), "{text}");
        assert!(text.contains("Entry type: PrivateKeyEntry"), "{text}");
        assert!(text.contains("Certificate chain length: 2"), "{text}");
    }
    let python = std::env::var("SEALPOST_PYTHON").unwrap_or_else(|_| "python3".into());
    if module(&python, "from cryptography.hazmat.primitives.serialization import pkcs12") {
        let script = "import sys
from cryptography.hazmat.primitives.serialization import pkcs12
read = pkcs12.load_pkcs12(open(sys.argv[1], 'rb').read(), b'correct horse')
assert read.key.public_key() == read.cert.certificate.public_key()
print(read.cert.friendly_name.decode(), len(read.additional_certs))";
        let read = Program::new(&python).args(["-c", script, path(&exported.file)]).run().ok();
        assert_eq!(String::from_utf8(read).unwrap(), "bob@north.example 1\n");
    }
}

/// A domain that is certified from outside: the exported file holds the way up.
#[test]
fn the_chain_above_the_domain_comes_along() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, password) = Site::certified();
    let outside = Authority::new(site.folder());
    let file = |name: &str| path(&site.folder().join(name)).to_owned();
    let request = site.run("cert request --domain north.example").ok();
    std::fs::write(file("north.csr"), request).unwrap();
    let sign = format!(
        "x509 -req -in {} -CA {} -CAkey {} -CAcreateserial -days 20 -sha256 -extfile {} -extensions ca -out {}",
        file("north.csr"),
        path(&outside.certificate()),
        file("ca.key"),
        file("x509.cnf"),
        file("north.pem")
    );
    let openssl = Program::new("openssl").words(&sign);
    openssl.env("ADDRESS", "x@north.example").env("USAGE", "digitalSignature").run().ok();
    site.run(&format!("cert set --domain north.example --file {}", file("north.pem"))).ok();
    let directory = sealpost::directory::SqliteDirectory::open(&site.root()).unwrap();
    let above = sealpost::pki::Certificate::from_pem(&std::fs::read(outside.certificate()).unwrap()).unwrap();
    directory.set_chain("north.example", std::slice::from_ref(&above)).unwrap();
    let export = format!("key export --account bob@north.example --password-file {}", path(&password));
    let read = sealpost::pki::read_key_file(&site.run(&export).ok(), Some(b"correct horse")).unwrap();
    assert_eq!(read.certificates.len(), 3);
    assert_eq!(read.certificates[2], above);
    // On a phone only what signed itself is to be trusted.
    let profile = site.run(&format!("{export} --format mobileconfig")).ok();
    let profile = String::from_utf8(profile).unwrap();
    let count = |kind: &str| profile.matches(&format!("<string>com.apple.security.{kind}</string>")).count();
    assert_eq!(["pkcs12", "pkcs1", "root"].map(count), [1, 1, 1]);
}

#[test]
fn refusals_say_why_and_leave_no_file() {
    let (site, password) = Site::certified();
    let wrong = path(&site.write("wrong", "correct cow\n")).to_owned();
    let empty = path(&site.write("empty", "\n")).to_owned();
    let right = path(&password).to_owned();
    let file = site.folder().join("out.p12");
    let to = path(&file).to_owned();
    let bob = "key export --account bob@north.example";
    for (code, words, text) in [
        (
            77,
            format!("{bob} --password-file {wrong} --output {to}"),
            "sealpost: wrong Secure Mail password of bob@north.example\n",
        ),
        (
            66,
            format!("key export --account eve@north.example --password-file {right} --output {to}"),
            "sealpost: there is no account eve@north.example\n  see: sealpost account list\n",
        ),
        (
            66,
            format!("{bob} --key 0123456789 --password-file {right} --output {to}"),
            "sealpost: no fingerprint there begins with 0123456789\n",
        ),
        (
            64,
            format!("{bob} --password-file {right} --file-password-file {empty} --output {to}"),
            "sealpost: the password of the file has 1 to 1024 octets; this one has 0\n",
        ),
        (
            64,
            format!("{bob} --output {to}"),
            "sealpost: a password is needed and there is no terminal to ask at\n",
        ),
        (
            64,
            format!("{bob} --password-file {right} --format pem --output {to}"),
            "sealpost: invalid value 'pem'",
        ),
        (
            64,
            "key export --domain north.example".to_owned(),
            "sealpost: unexpected argument '--domain' found",
        ),
        (66, format!("{bob} --password-file {right} --output {to}/x"), "sealpost: cannot create "),
    ] {
        let (found, said) = site.refused(&words);
        assert_eq!((found, said.starts_with(text)), (code, true), "{words}: {said}");
        assert!(!file.exists(), "{words}");
    }
    site.run("account add adam@north.example").ok();
    let (code, text) =
        site.refused(&format!("key export --account adam@north.example --password-file {right}"));
    assert_eq!(
        (code, text.starts_with("sealpost: the vault holds no key of adam@north.example\n")),
        (66, true)
    );
    let json = site.run(&format!("{bob} --password-file {right} --json"));
    assert_eq!(json.code, Some(64));
    assert!(json.stderr.contains("standard output cannot hold both the key and JSON"), "{}", json.stderr);
}

#[test]
fn the_file_is_for_the_caller_only_and_never_in_the_place_of_another() {
    let exported = Exported::new("");
    assert_eq!(std::fs::metadata(&exported.file).unwrap().permissions().mode() & 0o7777, 0o600);
    let before = std::fs::read(&exported.file).unwrap();
    let again = exported.program("--output").args([path(&exported.file)]).run();
    let text = format!("sealpost: {} is there already\n", path(&exported.file));
    assert_eq!((again.code, again.stderr.starts_with(&text)), (Some(1), true), "{}", again.stderr);
    assert_eq!(std::fs::read(&exported.file).unwrap(), before);
    // What others may read is not taken even if it is empty; what an earlier call left is.
    std::fs::write(&exported.file, "").unwrap();
    std::fs::set_permissions(&exported.file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(exported.program("--output").args([path(&exported.file)]).run().code, Some(1));
    std::fs::set_permissions(&exported.file, std::fs::Permissions::from_mode(0o600)).unwrap();
    exported.export("");
    let link = exported.site.folder().join("link");
    std::os::unix::fs::symlink(exported.site.folder().join("elsewhere"), &link).unwrap();
    assert_eq!(exported.program("--output").args([path(&link)]).run().code, Some(1));
    assert!(!exported.site.folder().join("elsewhere").exists());
}

#[test]
fn root_gets_the_file_where_the_owner_of_the_store_may_not_write() {
    if !root(&[]) {
        return;
    }
    let site = Site::bare();
    std::fs::set_permissions(site.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let password = site.write("password", "correct horse\n");
    site.run("init --owner nobody").ok();
    site.run("domain add north.example").ok();
    site.run("account add bob@north.example").ok();
    let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
    site.run(&format!("{generate} {}", path(&password))).ok();
    // Only root reads this one.
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = site.folder().join("bob.p12");
    let export = format!("key export --account bob@north.example --output {}", path(&file));
    let wrong = path(&site.write("wrong", "x\n")).to_owned();
    assert_eq!(site.refused(&format!("{export} --password-file {wrong}")).0, 77);
    assert!(std::fs::metadata(&file).is_ok_and(|left| left.len() == 0), "what is left is empty");
    site.run(&format!("{export} --password-file {}", path(&password))).ok();
    let made = std::fs::metadata(&file).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o7777, made.len() > 0), (0, 0o600, true));
}

#[test]
fn what_the_file_lacks_is_said() {
    let (site, password) = Site::certified();
    let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
    site.run(&format!("{generate} {}", path(&password))).ok();
    let keys = site.json("key show --account bob@north.example");
    let print = |at: usize| keys["keys"][at]["fingerprint"].as_str().unwrap().to_owned();
    let (older, newer) = (print(0), print(1));
    let export = format!("key export --account robert@north.example --password-file {}", path(&password));
    // The newest has no certificate: the default is what mail is sealed to.
    let file = site.folder().join("one.p12");
    let shown = site.json(&format!("{export} --output {}", path(&file)));
    assert_eq!(
        (shown["fingerprint"].as_str(), shown["account"].as_str()),
        (Some(&*older), Some("bob@north.example"))
    );
    assert_eq!((shown["format"].as_str(), shown["type"].as_str()), (Some("p12"), Some("RSA 2048")));
    assert_eq!(shown["file"], path(&file));
    let counts = ["certificates", "issuers", "warnings"].map(|list| shown[list].as_array().unwrap().len());
    assert_eq!(counts, [1, 1, 1]);
    let bare = site.run(&format!("{export} --key {}", &newer[..8]));
    let text = format!(
        "sealpost: the key has no certificate, and most mail programs take none without: \
         sealpost cert issue --account bob@north.example\n\
         sealpost: bob@north.example has other keys too; each by itself: --key {older}\n"
    );
    assert_eq!((bare.code, bare.stderr.as_str()), (Some(0), text.as_str()));
    let read = sealpost::pki::read_key_file(&bare.stdout, Some(b"correct horse")).unwrap();
    assert_eq!(read.keys[0].fingerprint().unwrap().to_string(), newer);
    assert!(read.certificates.is_empty());
}

#[test]
fn a_key_is_not_written_to_a_terminal() {
    if !terminals() {
        return;
    }
    let (site, password) = Site::certified();
    let program = env!("CARGO_BIN_EXE_sealpost");
    let (root, password) = (site.root(), path(&password));
    for format in ["p12", "pkcs8"] {
        let words =
            format!("key export --account bob@north.example --password-file {password} --format {format}");
        let line = format!("'{program}' --root '{}' {words}", path(&root));
        let ended = Program::new("script").args(["-qec", &line, "/dev/null"]).run();
        let text = ended.text().replace('\r', "");
        let refused =
            "sealpost: a key is not written to a terminal\n  name a file for the key: --output FILE\n";
        assert_eq!((ended.code, text.as_str()), (Some(64), refused));
    }
}

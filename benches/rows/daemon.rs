//! Our own LMTP daemon, on a store of its own: an account a session, each with a key and a certificate of its own.

use crate::peers::lmtp::{Client, account, free_port};
use crate::sample::site::{Site, text_of};
use crate::sample::{Holder, seed};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rayon::prelude::*;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity,
    self_sign,
};
use sealpost::smime;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use time::{Duration, OffsetDateTime};

pub(crate) struct Daemon {
    site: Site,
    owners: Vec<Holder>,
    client: Client,
    process: Child,
}

impl Daemon {
    /// Ready for so many sessions at once; each of their accounts has the message once.
    pub(crate) fn start(sessions: usize, message: &[u8]) -> Daemon {
        let site = Site::new();
        let owners = owners(sessions);
        owners.iter().enumerate().for_each(|(number, owner)| enter(&site, number, &owner.certificate));
        let port = free_port();
        let config = site.root.join("sealpost.toml");
        let mut config = std::fs::OpenOptions::new().append(true).open(config).expect("made by init");
        let log = site.folder.path().join("log");
        writeln!(config, "lmtp-listen = [\"127.0.0.1:{port}\"]\nlog = {:?}", text_of(&log)).expect("a file");
        let process = site.program().arg("serve").stdin(Stdio::null()).spawn().expect("it starts");
        let daemon = Daemon { site, owners, client: Client::new(port, sessions), process };
        daemon.deliver(message, sessions);
        daemon
    }

    /// So many messages over all sessions side by side.
    pub(crate) fn deliver(&self, message: &[u8], messages: usize) {
        self.client.deliver(message, messages);
    }

    /// Every account holds as many messages as were taken for it, each sealed, and its owner opens each.
    pub(crate) fn check(&self, message: &[u8]) {
        let opens = |number: usize, stored: &[u8]| {
            let owner = self.owners.get(number).expect("an owner");
            let opened = smime::open(stored, &owner.keys()).expect("its owner opens it");
            opened.message.expose().ends_with(message)
        };
        self.client.check(|number| self.maildir(number), opens);
    }

    fn maildir(&self, number: usize) -> PathBuf {
        self.site.root.join("mail/north.example").join(account(number)).join("Maildir")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.process.id().cast_signed());
        if kill(process, Signal::SIGTERM).is_ok() {
            let _ = self.process.wait();
        }
    }
}

fn enter(site: &Site, number: usize, certificate: &Certificate) {
    let address = format!("{}@north.example", account(number));
    site.run(&["account", "add", &address]);
    let file = site.folder.path().join(format!("{number}.pem"));
    std::fs::write(&file, certificate.to_pem().expect("a certificate")).expect("a file");
    site.run(&["cert", "add", "--account", &address, "--file", text_of(&file)]);
}

/// Keys of RSA-2048 and their certificates, of one authority.
fn owners(number: usize) -> Vec<Holder> {
    let validity = Validity::lasting(OffsetDateTime::now_utc(), Duration::days(30));
    let key = UnlockedKey::generate(KeyType::EcP256, seed(1)).expect("a key");
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &["north.example".into()], validity };
    let certificate = self_sign(&key, &profile, seed(2)).expect("an authority");
    let issuer = Authority::new(&certificate, &key).expect("an issuer");
    let keys = (0..number).into_par_iter().map(|number| {
        let own = u8::try_from(number + 3).expect("fewer");
        UnlockedKey::generate(KeyType::Rsa2048, seed(own)).expect("a key")
    });
    let keys: Vec<UnlockedKey> = keys.collect();
    let issue = |(number, key): (usize, UnlockedKey)| {
        let addresses = [Address::parse(&format!("{}@north.example", account(number))).expect("an address")];
        let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
        let own = u8::try_from(number + 100).expect("fewer");
        let certificate = issuer.issue(&key.public(), &user, seed(own)).expect("a certificate");
        Holder { kind: KeyType::Rsa2048, key, certificate, recipients: Vec::new() }
    };
    keys.into_iter().enumerate().map(issue).collect()
}

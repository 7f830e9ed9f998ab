//! A store whose one account, Bob, has the certificate that a test wants. What the commands would refuse to add is put into
//! the directory by the library.

use super::MESSAGE;
use crate::support::{Ended, Program, Site, crlf, on_one_day, path};
use sealpost::crypto::Seed;
use sealpost::directory::SqliteDirectory;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity,
    self_sign,
};
use sealpost::smime::{OpeningKey, open};
use time::{Duration, OffsetDateTime};

/// Which certificate Bob has.
pub(super) struct Bob {
    address: &'static str,
    kind: KeyType,
    /// Days from now.
    begin: i64,
    end: i64,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    User,
    /// One that signs others and does not encrypt.
    Authority,
    /// Its end stands where its begin should, and the other way round.
    TurnedRound,
}

impl Bob {
    pub(super) fn valid() -> Bob {
        Bob::lasting(-10, 200)
    }

    pub(super) fn lasting(begin: i64, end: i64) -> Bob {
        Bob { address: "bob@north.example", kind: KeyType::EcP256, begin, end, form: Form::User }
    }

    pub(super) fn named(address: &'static str) -> Bob {
        Bob { address, ..Bob::valid() }
    }

    pub(super) fn of_kind(kind: KeyType) -> Bob {
        Bob { kind, ..Bob::valid() }
    }

    pub(super) fn authority() -> Bob {
        Bob { form: Form::Authority, ..Bob::valid() }
    }

    pub(super) fn turned_round() -> Bob {
        Bob { form: Form::TurnedRound, ..Bob::valid() }
    }
}

/// A key with its certificate.
pub(super) struct Person {
    pub(super) key: UnlockedKey,
    pub(super) certificate: Certificate,
}

fn seed(byte: u8) -> Seed {
    Seed::from_bytes(&mut [byte; 32])
}

fn midnight() -> OffsetDateTime {
    on_one_day();
    OffsetDateTime::now_utc().replace_time(time::Time::MIDNIGHT)
}

fn validity(begin: i64, end: i64) -> Validity {
    Validity { not_before: midnight() + Duration::days(begin), not_after: midnight() + Duration::days(end) }
}

/// The authority of everybody here, and its key.
pub(super) fn another_authority() -> Person {
    let key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let subject = Subject::named("Another authority");
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity: validity(-900, 900) };
    Person { certificate: self_sign(&key, &profile, seed(2)).unwrap(), key }
}

/// Somebody with that certificate; another number is another person.
pub(super) fn person(bob: &Bob, number: u8) -> Person {
    let key = UnlockedKey::generate(bob.kind, seed(number)).unwrap();
    let root = another_authority();
    let addresses = [Address::parse(bob.address).unwrap()];
    let validity = validity(bob.begin, bob.end);
    let subject = Subject::named("bob");
    let certificate = match bob.form {
        Form::Authority => {
            self_sign(&key, &AuthorityProfile { subject: &subject, dns_names: &[], validity }, seed(4))
                .unwrap()
        }
        Form::User | Form::TurnedRound => {
            let user = UserProfile { common_name: "bob", addresses: &addresses, validity, reads: Reads::Cbc };
            let authority = Authority::new(&root.certificate, &root.key).unwrap();
            authority.issue(&key.public(), &user, seed(number + 1)).unwrap()
        }
    };
    let certificate = if bob.form == Form::TurnedRound { turn_round(&certificate) } else { certificate };
    Person { key, certificate }
}

/// Two UTCTimes of 13 octets, each behind its tag and length.
fn turn_round(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    let at = der.windows(4).position(|octets| octets == [0x30, 30, 0x17, 13]).unwrap() + 2;
    let (first, second) = der[at..at + 30].split_at_mut(15);
    first.swap_with_slice(second);
    Certificate::from_der(&der).unwrap()
}

/// Who can open what was stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opens {
    /// Nothing was stored.
    Nobody,
    Bob,
    /// The administrator of the domain, and not Bob.
    Domain,
    /// It is clear.
    Everybody,
}

pub(super) struct Bench {
    site: Site,
    bob: Option<Person>,
    base: std::cell::RefCell<String>,
}

impl Bench {
    /// A domain that is its own authority and whose key may be sealed to.
    pub(super) fn without_certificate() -> Bench {
        let site = Site::bare();
        for words in [
            "init",
            "domain add north.example",
            "account add bob@north.example",
            "key generate --domain north.example --type ec-p256",
            "cert self-sign --domain north.example",
            "cert self-sign --domain north.example --purpose sealing",
        ] {
            site.run(words).ok();
        }
        let bench = Bench { site, bob: None, base: Default::default() };
        bench.site("");
        bench
    }

    pub(super) fn with(bob: &Bob) -> Bench {
        let mut bench = Bench::without_certificate();
        let person = person(bob, 30);
        bench.hold(&person);
        bench.bob = Some(person);
        bench
    }

    pub(super) fn directory(&self) -> SqliteDirectory {
        SqliteDirectory::open(&self.site.root()).unwrap()
    }

    /// Gives Bob one more certificate.
    pub(super) fn hold(&self, person: &Person) {
        let bob = Address::parse("bob@north.example").unwrap();
        self.directory().add_certificate(&bob, &person.certificate, "a test").unwrap();
    }

    pub(super) fn bob(&self) -> &Person {
        self.bob.as_ref().unwrap()
    }

    /// What every configuration of this bench says besides.
    pub(super) fn site(&self, text: &str) {
        text.clone_into(&mut self.base.borrow_mut());
        self.for_the_site(&[]);
    }

    /// The settings are the site's, and the domain says nothing.
    pub(super) fn for_the_site(&self, settings: &[(&str, &str)]) {
        let options: Vec<String> = KEYS.iter().map(|key| format!("--{key} inherit")).collect();
        self.command(&format!("domain set north.example {}", options.join(" "))).run().ok();
        let lines: String = settings.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
        let log = self.site.folder().join("log");
        let text = format!("log = \"{}\"\n{lines}{}", path(&log), self.base.borrow());
        std::fs::write(self.site.root().join("sealpost.toml"), text).unwrap();
    }

    /// The settings are the domain's, and the site has its defaults.
    pub(super) fn for_the_domain(&self, settings: &[(&str, &str)]) {
        self.for_the_site(&[]);
        let options: Vec<String> = settings.iter().map(|(key, value)| format!("--{key} {value}")).collect();
        self.command(&format!("domain set north.example {}", options.join(" "))).run().ok();
    }

    pub(super) fn command(&self, words: &str) -> Program {
        self.site.program(words)
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.site.folder().join("log")).unwrap_or_default()
    }

    /// Hands a message for Bob to the hook; what it said, and what the log says of it.
    pub(super) fn deliver(&self) -> (Ended, String) {
        let _ = std::fs::remove_file(self.site.folder().join("log"));
        self.forget_mail();
        let ended = self.command("deliver --sender=anna@south.example --recipient=bob@north.example");
        let ended = ended.input(MESSAGE).run();
        (ended, self.log())
    }

    pub(super) fn forget_mail(&self) {
        let _ = std::fs::remove_dir_all(self.site.root().join("mail"));
    }

    /// The copies in Bob's INBOX.
    pub(super) fn stored(&self) -> Vec<Vec<u8>> {
        let new = self.site.root().join("mail/north.example/bob/Maildir/new");
        let Ok(entries) = std::fs::read_dir(new) else { return Vec::new() };
        entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    pub(super) fn assert_opens(&self, who: Opens, what: &str) {
        let stored = self.stored();
        let clear = stored.iter().any(|bytes| bytes == MESSAGE);
        assert_eq!(clear, who == Opens::Everybody, "{what}");
        let wanted = usize::from(who != Opens::Nobody);
        assert_eq!(stored.len(), wanted, "{what}");
        let Some(sealed) = stored.first().filter(|_| !clear) else { return };
        assert!(!sealed.windows(super::CLEAR.len()).any(|octets| octets == super::CLEAR), "{what}");
        let marked = sealed.windows(12).any(|octets| octets == b"domain-key=\"");
        assert_eq!((self.opens_as_bob(sealed), marked), (who == Opens::Bob, who == Opens::Domain), "{what}");
        let domain = self.command("open --domain north.example").input(sealed.clone()).run();
        assert_eq!(domain.code == Some(0), who == Opens::Domain, "{what}: {}", domain.stderr);
        if who == Opens::Domain {
            assert_eq!(domain.ok(), crlf(MESSAGE), "{what}");
        }
    }

    pub(super) fn opens_as_bob(&self, sealed: &[u8]) -> bool {
        self.bob.as_ref().is_some_and(|bob| opens(bob, sealed))
    }

    /// The text with fingerprints in it.
    pub(super) fn fill(&self, text: &str) -> String {
        let own = self.bob.as_ref().map(|bob| bob.certificate.fingerprint().to_string());
        let domain = self.directory().domain("north.example").unwrap();
        let sealing = domain.sealing.map(|certificate| certificate.fingerprint().to_string());
        text.replace("{fp}", &own.unwrap_or_default()).replace("{domain}", &sealing.unwrap_or_default())
    }

    /// So many days from today.
    pub(super) fn day(&self, days: i64) -> String {
        (midnight() + Duration::days(days)).date().to_string()
    }

    /// Marks Bob's certificate as issued and taken back by the domain.
    pub(super) fn revoke(&self, reason: &str) {
        let certificate = &self.bob().certificate;
        let connection = rusqlite::Connection::open(self.site.root().join("directory.sqlite")).unwrap();
        let sql = "INSERT OR REPLACE INTO issued (issuer, serial, account, der, issued, fingerprint, revoked, reason)
            VALUES ('x', ?1, 'bob@north.example', ?2, 0, ?3, ?4, ?5)";
        let print = certificate.fingerprint().to_string();
        let at = midnight().unix_timestamp();
        connection.execute(sql, (certificate.serial(), certificate.der(), print, at, reason)).unwrap();
    }
}

pub(super) fn opens(person: &Person, sealed: &[u8]) -> bool {
    let key = OpeningKey { key: &person.key, certificate: Some(&person.certificate) };
    open(sealed, &[key]).is_ok_and(|opened| opened.message.expose() == crlf(MESSAGE))
}

const KEYS: [&str; 8] =
    ["profile", "trust", "expired", "not-yet-valid", "unusable", "crl", "missing-certificate", "inbox"];

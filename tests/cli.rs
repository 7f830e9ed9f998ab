//! The command line as a person and a script meet it: exit codes, errors, JSON, odd arguments, streams.

mod bench;
mod daemon;
mod demo;
mod filters;
mod forms;
mod inspect;
mod json;
mod pages;
mod readme;

use crate::support::{Ended, Program, Site, path};
use sealpost::crypto::Seed;
use sealpost::mail::Address;
use sealpost::pki::*;
use serde_json::Value;
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime, macros::datetime};

/// An authority that nobody here knows of.
struct Elsewhere {
    key: UnlockedKey,
    certificate: Certificate,
}

impl Elsewhere {
    fn new() -> Elsewhere {
        let key = UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [7; 32])).unwrap();
        let validity = Validity::lasting(datetime!(2020-01-01 0:00 UTC), Duration::days(36_500));
        let subject = Subject::named("south.example");
        let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
        let certificate = self_sign(&key, &profile, Seed::from_bytes(&mut [8; 32])).unwrap();
        Elsewhere { key, certificate }
    }

    /// Of bob@north.example and for its own key.
    fn bob(&self, validity: Validity) -> Certificate {
        let authority = Authority::new(&self.certificate, &self.key).unwrap();
        let addresses = [Address::parse("bob@north.example").unwrap()];
        let user = UserProfile { common_name: "Bob", addresses: &addresses, validity, reads: Reads::Cbc };
        authority.issue(&self.key.public(), &user, Seed::from_bytes(&mut [9; 32])).unwrap()
    }
}

/// From yesterday on.
fn lasting(days: i64) -> Validity {
    Validity::lasting(OffsetDateTime::now_utc() - Duration::days(1), Duration::days(days))
}

/// A certificate that ended in 2021, for whose key nobody cares, and a good one; both name bob@north.example.
fn identities(site: &Site) -> (String, String) {
    let past = Validity::lasting(datetime!(2020-01-01 0:00 UTC), Duration::days(366));
    let file = |name: &str, validity| {
        let certificate = Elsewhere::new().bob(validity);
        path(&site.write(name, &certificate.to_pem().unwrap())).to_owned()
    };
    (file("old.pem", past), file("good.pem", lasting(90)))
}

/// Standard error as the one JSON object that it must be.
fn error(ended: &Ended) -> Value {
    let value: Value =
        serde_json::from_str(&ended.stderr).unwrap_or_else(|_| panic!("no JSON: {}", ended.stderr));
    assert_eq!(value["v"], 1);
    assert!(value["error"]["text"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(value["error"].as_object().unwrap().contains_key("hint"));
    value["error"].clone()
}

/// The codes and their words in `--help`. 70 needs a bug: a unit test of the code makes one.
#[test]
fn every_exit_code_of_the_table_is_given_by_a_command() {
    let (site, _) = Site::certified();
    let garbage = site.write("garbage", "no certificate\n");
    let broken = Site::furnished();
    std::fs::write(broken.root().join("sealpost.toml"), "profile = \"modem\"\n").unwrap();
    let busy = Site::furnished();
    let lock = rusqlite::Connection::open(busy.root().join("directory.sqlite")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let nowhere = site.folder().join("nowhere");
    let add = "cert add --account bob@north.example --file";
    let cases = [
        (0, "done", site.program("config check")),
        (1, "no", site.program("cert issue --account bob@north.example")),
        (64, "usage", site.program("domain add")),
        (65, "data", site.program(add).args([path(&garbage)])),
        (66, "not-found", site.program("account show eve@north.example")),
        (69, "unavailable", site.program("doctor --postfix").env("PATH", path(&nowhere))),
        (74, "io", site.program(add).args([path(site.folder())])),
        (75, "try-again", busy.program("domain add south.example")),
        (
            77,
            "no-permission",
            site.program("key test --account bob@north.example --password-file -").input("x"),
        ),
        (78, "config", broken.program("config check")),
    ];
    let mut given = BTreeSet::from([70]);
    for (code, word, program) in cases {
        let ended = program.words("--json").run();
        assert_eq!(ended.code, Some(code), "{word}: {}", ended.stderr);
        if code != 0 {
            assert_eq!(error(&ended)["code"], word);
        }
        given.insert(code);
    }
    let help = Program::sealpost().words("--help").run().text();
    let table = help.split_once("Exit codes").unwrap().1.lines().skip(1);
    let documented: BTreeSet<i32> =
        table.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
    assert_eq!(documented, given);
}

#[test]
fn values_that_are_empty_or_begin_with_a_hyphen_are_values() {
    let (site, _) = Site::certified();
    let explain = "rules explain --recipient=bob@north.example";
    let (_, good) = identities(&site);
    for (code, words) in [
        (0, "account set --alias=-x@north.example bob@north.example"),
        (0, "account add -- -y@north.example"),
        (0, "domain set north.example --catch-all=-y@north.example"),
        (0, "domain set north.example --catch-all="),
        (0, &format!("{explain} --sender=")),
        (0, &format!("{explain} --sender=-a@b.example")),
        (0, "rules explain --recipient=-x@north.example"),
        (0, "rules explain --recipient -x@north.example --sender -a@b.example"),
        (0, "deliver --recipient=bob@north.example --sender= --original-recipient= --client= --queue-id="),
        (0, "deliver --recipient=-x@north.example --recipient=bob@north.example --sender=-a@b.example"),
        (0, "cert issue --account=bob@north.example --name=-Bob --renew"),
        (65, &format!("seal --cert {good} --for=-x@y.example")),
        (64, "domain add --alias= south.example"),
        (64, "domain add -x"),
        (64, "domain add -- -x"),
        (64, "domain set north.example --mode="),
        (64, "domain set north.example --mode tset"),
        (64, "account add --alias= adam@north.example"),
        (64, "account set bob@north.example --inbox="),
        (64, "key generate --domain north.example --account bob@north.example"),
        (64, "key show --domain="),
        (64, "key import --domain north.example --file="),
        (64, "key generate --domain north.example --type="),
        (64, "cert self-sign --domain north.example --days 0"),
        (64, "cert self-sign --domain north.example --country Norway"),
        (64, "cert retire --account bob@north.example --fingerprint zz"),
        (64, "acl grant --mailbox= --account bob@north.example"),
        (64, "rules install x.toml"),
        (64, "rules check --scope= x.toml"),
        (64, "rules explain --recipient="),
        (64, "seal --cert="),
        (64, &format!("seal --cert {good} --for=")),
        (64, &format!("seal --cert {good} --profile=")),
        (64, "open"),
        (64, "open --key k --account bob@north.example"),
        (64, "completions tcsh"),
        (64, "man"),
        (64, "nonsense"),
        (64, ""),
    ] {
        let ended = site.program(words).input("Subject: x\n\ny\n").run();
        assert_eq!(ended.code, Some(code), "{words}: {}{}", ended.text(), ended.stderr);
        assert!(code == 0 || ended.text().is_empty(), "{words}: {}", ended.text());
    }
}

#[test]
fn refusals_say_why_and_what_to_do() {
    let (site, password) = Site::certified();
    let fits = |words: &str, expected: &str| {
        let (_, text) = site.refused(words);
        assert!(text.contains(expected), "{words}: {text}");
    };
    fits(
        "key generate --domain north.example --type rsa-1024",
        "in reach of a well-funded attacker; take rsa-2048",
    );
    fits("key generate --domain north.example --type rsa2048", "did you mean rsa-2048?");
    fits(
        "key generate --account bob@north.example",
        "no terminal to ask at\n  use --password-file FILE or --password-fd N",
    );
    fits(
        &format!("key generate --domain north.example --password-file {}", path(&password)),
        "has no password",
    );
    fits("key show --domain south.example", "there is no domain south.example\n  see: sealpost domain list");
    fits("key remove --account bob@north.example", "to lose it say which: --forget ");
    fits("domain add south..example", "\"south..example\" is no domain name; one looks like north.example");
    fits("account add bob", "\"bob\" is no mail address: it has no @");
    fits("cert add --account bob@north.example --file /dev/null", "/dev/null is empty");
    fits(
        "cert retire --account bob@north.example --fingerprint 00000000",
        "begins with 00000000\n  there is ",
    );
    fits(
        "key test --account bob@north.example --password-fd 9",
        "the descriptor 9 is not open\n  open it for the command: 9< FILE",
    );
    fits(
        "cert add --account bob@north.example --file /nonexistent",
        "cannot read /nonexistent: No such file or directory\n",
    );
}

#[test]
fn passwords_come_from_a_file_a_descriptor_or_standard_input() {
    let (site, password) = Site::certified();
    let binary = env!("CARGO_BIN_EXE_sealpost");
    let (root, password) = (site.root(), path(&password).to_owned());
    let test = format!("'{binary}' --root '{}' key test --account bob@north.example", path(&root));
    for (line, code) in [
        (format!("{test} --password-fd 3 3< '{password}'"), 0),
        (format!("{test} --password-fd=0 < '{password}'"), 0),
        (format!("{test} --password-file - < '{password}'"), 0),
        (format!("{test} --password-file '{password}'"), 0),
        (format!("echo wrong | {test} --password-file=-"), 77),
        (format!("{test} --password-file '{password}' --password-fd 3 3< '{password}'"), 64),
        (format!("{test} < '{password}'"), 64),
    ] {
        let ended = Program::new("sh").args(["-c", &line]).run();
        assert_eq!(ended.code, Some(code), "{line}: {}", ended.stderr);
        assert!(!ended.stderr.contains("correct horse"));
    }
}

/// A reader that goes away, no reader at all, and a full disk.
#[test]
fn standard_output_may_be_closed_or_full() {
    let (site, _) = Site::certified();
    let root = site.root();
    let sealpost = format!("'{}' --root '{}'", env!("CARGO_BIN_EXE_sealpost"), path(&root));
    let verbs =
        ["--help", "config show", "config show --json", "completions bash", "doctor", "key generate --help"];
    let run = |line: &str| Program::new("sh").args(["-c", line]).input("x").run();
    for verb in verbs {
        // The reader is gone before a byte is written.
        let gone = run(&format!("{{ sleep 0.2; {sealpost} {verb}; echo $? >&2; }} | true"));
        assert_eq!(gone.stderr, "0\n", "{verb}");
        let closed = run(&format!("{sealpost} {verb} >&-"));
        assert_eq!((closed.code, closed.stderr.as_str()), (Some(0), ""), "{verb}");
        let full = run(&format!("{sealpost} {verb} > /dev/full"));
        assert_eq!(full.code, Some(74), "{verb}");
        assert!(full.stderr.contains("cannot write to standard output"), "{}", full.stderr);
    }
    let silent = run(&format!("{sealpost} domain show nowhere.example 2>&-"));
    assert_eq!(silent.code, Some(66));
}

/// Clear text by consent is no fault, and it is said.
#[test]
fn doctor_names_every_consent_to_clear_text() {
    let (site, _) = Site::certified();
    site.run("account set bob@north.example --inbox plain").ok();
    site.run("domain set north.example --inbox seal --missing-certificate plain").ok();
    let text = String::from_utf8(site.run("doctor").ok()).unwrap();
    assert_eq!(
        text,
        "note: north.example says missing-certificate = plain: without a certificate mail is stored in the clear\n\
         note: bob@north.example says inbox = plain: INBOX copies are stored in the clear\n\
         all is well\n"
    );
}

#[test]
fn doctor_asks_postfix_whether_its_mail_comes_here() {
    let (site, _) = Site::certified();
    let tools = site.folder().join("bin");
    std::fs::create_dir(&tools).unwrap();
    let postconf = |main: &str, service: &str, domains: &str| {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in\n-M*) echo '{service}';;\n-x*) echo 'virtual_transport = sealpost'\n\
             echo 'sealpost_destination_recipient_limit = {main}'; echo 'virtual_mailbox_domains = {domains}';;\nesac\n"
        );
        std::fs::write(tools.join("postconf"), script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(tools.join("postconf"), executable).unwrap();
        let search = format!("{}:/usr/bin:/bin", path(&tools));
        site.program("doctor --postfix").env("PATH", search).run()
    };
    let made = site.json("init --postfix");
    let service: Vec<&str> =
        made["master_cf"].as_str().unwrap().lines().filter(|line| !line.starts_with('#')).collect();
    let right = postconf("1", &service.join(" "), "north.example, alias.example");
    assert_eq!((right.code, right.text().as_str()), (Some(0), "all is well\n"));
    let wrong = postconf("", "", "north.example");
    assert_eq!(wrong.code, Some(1));
    for line in [
        "main.cf must say sealpost_destination_recipient_limit = 1",
        "master.cf has no service sealpost",
        "main.cf does not name alias.example in virtual_mailbox_domains",
    ] {
        assert!(wrong.text().contains(line), "{line}: {}", wrong.text());
    }
}

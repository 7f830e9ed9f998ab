//! Revocation lists of a whole hierarchy, made by OpenSSL: authorities between, delta lists, lists that somebody else signs; at
//! delivery and at the doors through which a certificate comes in.

use super::bench::Bench;
use crate::laws::crl::{extension, time, tlv};
use crate::support::path;
use crate::verify::House;
use sealpost::mail::Address;
use sealpost::pki::Certificate;

/// Root, the authority between, Bob, whose certificate the store holds; whom it trusts is the root.
struct Line {
    bench: Bench,
    house: House,
    bob: Certificate,
}

const CHAIN: (&str, &str) = ("trust", "chain");
const REVOKED: &str = "240101120000Z,keyCompromise";

/// A line of OpenSSL's index.
fn entry(when_and_why: &str, serial: u8) -> String {
    format!("R\t351231235959Z\t{when_and_why}\t{serial:02X}\tunknown\t/CN=x\n")
}

impl Line {
    fn new() -> Option<Line> {
        let house = House::new()?;
        Some(Line::of(house, "bob"))
    }

    fn of(house: House, bob: &str) -> Line {
        let bench = Bench::without_certificate();
        let pem = |name: &str| std::fs::read(house.file(&format!("{name}.pem"))).unwrap();
        let root = house.file("root.pem");
        bench.command("trust add --domain north.example --file").args([path(&root)]).run().ok();
        let bob = Certificate::from_pem(&pem(bob)).unwrap();
        let between = Certificate::from_pem(&pem("between")).unwrap();
        let directory = bench.directory();
        directory.set_chain("north.example", &[between]).unwrap();
        directory.add_certificate(&Address::parse("bob@north.example").unwrap(), &bob, "a test").unwrap();
        Line { bench, house, bob }
    }

    /// Makes a list and gives it to the store, with the certificate of who signed it.
    fn list(&self, issuer: &str, number: u8, section: &str, entries: &str, more: &str) {
        self.house.list("made", issuer, number, section, entries, more);
        self.add("made.crl", issuer);
    }

    fn add(&self, file: &str, issuer: &str) {
        let (file, issuer) = (self.house.file(file), self.house.file(&format!("{issuer}.pem")));
        self.bench.command("crl add").args(["--file", path(&file), "--issuer", path(&issuer)]).run().ok();
    }

    /// What becomes of a message, and a piece of the log.
    fn told(&self, settings: &[(&str, &str)], code: i32, log: &str) {
        self.bench.for_the_domain(settings);
        let (ended, found) = self.bench.deliver();
        let log = log.replace("{fp}", &self.bob.fingerprint().to_string());
        assert_eq!(ended.code, Some(code), "{settings:?}: {found}");
        assert!(found.contains(&log), "{settings:?}: {log}\n{found}");
        assert_eq!(self.bench.stored().len(), usize::from(code == 0), "{settings:?}");
    }
}

const NONE: &str =
    "none of the 1 active certificates of bob@north.example may be sealed to; the newest, {fp}: ";

#[test]
fn a_revoked_authority_between_defers_whom_it_issued() {
    let Some(line) = Line::new() else { return };
    line.told(&[CHAIN, ("crl", "hard")], 0, "warnings=0");
    line.list("root", 1, "list", &entry(REVOKED, 3), "");
    let revoked = format!(
        "{NONE}the certificate of its issuer CN=between: it was revoked on 2024-01-01 (key-compromise)"
    );
    line.told(&[CHAIN], 75, &revoked);
    line.told(&[CHAIN, ("unusable", "reject")], 65, &revoked);
    // Nobody asks for the chain of what is believed where it is held.
    line.told(&[("trust", "pinned"), ("crl", "hard")], 0, "warnings=0");
    let file = line.house.file("bob.pem");
    line.bench.for_the_domain(&[CHAIN]);
    let added = line.bench.command("cert add --account bob@north.example --file").args([path(&file)]).run();
    assert_eq!(added.code, Some(65));
    assert!(
        added.stderr.contains("the certificate of its issuer CN=between: it was revoked"),
        "{}",
        added.stderr
    );
}

/// To trust it was meant before it was taken back.
#[test]
fn a_trusted_authority_that_a_list_takes_back_vouches_for_nobody() {
    let Some(line) = Line::new() else { return };
    let between = line.house.file("between.pem");
    line.bench.command("trust add --server --file").args([path(&between)]).run().ok();
    line.bench.directory().set_chain("north.example", &[]).unwrap();
    line.told(&[CHAIN, ("crl", "hard")], 0, "warnings=0");
    line.list("root", 1, "list", &entry(REVOKED, 3), "");
    let revoked = format!(
        "{NONE}the certificate of its issuer CN=between: it was revoked on 2024-01-01 (key-compromise)"
    );
    line.told(&[CHAIN], 75, &revoked);
}

#[test]
fn an_authority_on_hold_defers_and_never_rejects() {
    let Some(line) = Line::new() else { return };
    line.list("root", 1, "list", &entry("240101120000Z,certificateHold", 3), "");
    let held = format!("{NONE}the certificate of its issuer CN=between: it is on hold since 2024-01-01");
    for unusable in ["defer", "reject", "domain-key"] {
        line.told(&[CHAIN, ("unusable", unusable)], 75, &held);
    }
    line.list("root", 2, "list", "", "");
    line.told(&[CHAIN, ("crl", "hard"), ("unusable", "reject")], 0, "warnings=0");
}

#[test]
fn an_old_list_of_the_root_is_a_warning_or_defers() {
    let Some(line) = Line::new() else { return };
    let old = " -crl_lastupdate 20240101000000Z -crl_nextupdate 20240201000000Z";
    line.list("root", 1, "list", "", old);
    let why = "the revocation list of CN=root is old: the next one was due on 2024-02-01";
    line.told(&[CHAIN], 0, &format!("certificate {{fp}} of bob@north.example: {why}"));
    line.told(&[CHAIN], 0, "warnings=1");
    line.told(&[CHAIN, ("crl", "hard"), ("unusable", "reject")], 75, &format!("{NONE}{why}"));
    line.told(&[("trust", "pinned"), ("crl", "hard")], 0, "warnings=0");
}

/// The list of changes names him; the complete one that it continues does not.
#[test]
fn a_delta_list_counts() {
    let Some(line) = Line::new() else { return };
    line.list("between", 1, "list", "", "");
    for trust in ["chain", "pinned"] {
        line.told(&[("trust", trust), ("crl", "hard")], 0, "warnings=0");
    }
    line.list("between", 2, "delta", &entry(REVOKED, 7), "");
    let revoked = format!("{NONE}it was revoked on 2024-01-01 (key-compromise)");
    for trust in ["chain", "pinned"] {
        line.told(&[("trust", trust), ("unusable", "reject")], 65, &revoked);
    }
}

/// Of a list that his certificate names, and that his issuer did not sign. Who signed it, nobody here knows: it was checked
/// when it was added.
#[test]
fn an_indirect_list_counts() {
    let Some(house) = House::new() else { return };
    let config = std::fs::read_to_string(house.file("config")).unwrap();
    let more = "[indirect]\nkeyUsage=critical,keyAgreement\nextendedKeyUsage=emailProtection\n\
        subjectAltName=email:bob@north.example\ncrlDistributionPoints=place\n[place]\n\
        fullname=URI:http://lists.example/all\nCRLissuer=dirName:lists\n[lists]\nCN=lists\n";
    house.write("config", &(config + more));
    house.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out lists.key");
    house.issue("lists", "lists", "root", "root", 5);
    house.issue("named", "bob", "between", "indirect", 9);
    let line = Line::of(house, "named");
    let missing = "no revocation list of CN=between is at hand";
    for trust in ["chain", "pinned"] {
        line.told(&[("trust", trust)], 0, &format!("certificate {{fp}} of bob@north.example: {missing}"));
        line.told(&[("trust", trust), ("crl", "hard")], 75, &format!("{NONE}{missing}"));
    }
    indirect_list(&line.house, 9);
    line.add("indirect.crl", "lists");
    let revoked = format!("{NONE}it was revoked on 2024-01-01");
    for trust in ["chain", "pinned"] {
        line.told(&[("trust", trust), ("unusable", "reject")], 65, &revoked);
    }
}

/// OpenSSL signs such lists and cannot write them.
fn indirect_list(house: &House, serial: u8) {
    let name = |common: &str| {
        let attribute = [&[6, 3, 0x55, 4, 3][..], &tlv(0x0c, common.as_bytes())].concat();
        tlv(0x30, &tlv(0x31, &tlv(0x30, &attribute)))
    };
    let algorithm = tlv(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    let of_between = extension(&[6, 3, 0x55, 0x1d, 29], true, &tlv(0x30, &tlv(0xa4, &name("between"))));
    let entry = tlv(0x30, &[vec![2, 1, serial], time("240101000000Z"), tlv(0x30, &of_between)].concat());
    let number = extension(&[6, 3, 0x55, 0x1d, 20], false, &[2, 1, 1]);
    let indirect = extension(&[6, 3, 0x55, 0x1d, 28], true, &tlv(0x30, &[0x84, 1, 0xff]));
    let body = [
        vec![2, 1, 1],
        algorithm.clone(),
        name("lists"),
        time("240101000000Z"),
        time("491231235959Z"),
        tlv(0x30, &entry),
        tlv(0xa0, &tlv(0x30, &[number, indirect].concat())),
    ];
    let body = tlv(0x30, &body.concat());
    std::fs::write(house.file("body"), &body).unwrap();
    house.openssl("dgst -sha256 -sign lists.key -out signature body");
    let signature = std::fs::read(house.file("signature")).unwrap();
    let signature = tlv(3, &[vec![0], signature].concat());
    std::fs::write(house.file("indirect.crl"), tlv(0x30, &[body, algorithm, signature].concat())).unwrap();
}

#[test]
fn a_revoked_certificate_is_refused_at_every_door() {
    let Some(line) = Line::new() else { return };
    line.list("between", 1, "list", &entry(REVOKED, 7), "");
    line.bench.for_the_domain(&[("trust", "pinned")]);
    let (file, print) = (line.house.file("bob.pem"), line.bob.fingerprint());
    let added = line.bench.command("cert add --account bob@north.example --file").args([path(&file)]).run();
    let expected = format!(
        "sealpost: mail for bob@north.example cannot be sealed to the certificate {print}: it was revoked on 2024-01-01 \
         (key-compromise)\n"
    );
    assert_eq!((added.code, added.stderr), (Some(65), expected));
    let both = line.house.file("both.pem");
    let parts = ["bob.key", "bob.pem"].map(|part| std::fs::read(line.house.file(part)).unwrap());
    std::fs::write(&both, parts.concat()).unwrap();
    line.house.write("password", "quite a long password\n");
    let password = line.house.file("password");
    let imported = line
        .bench
        .command("key import --account bob@north.example")
        .args(["--file", path(&both), "--password-file", path(&password)])
        .run();
    let kept = format!("certificate {print} stays as it is: it was revoked on 2024-01-01 (key-compromise)\n");
    assert!(imported.text().contains(&kept), "{} {}", imported.text(), imported.stderr);
}

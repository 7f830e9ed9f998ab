//! `sealpost cert verify`: exact texts, JSON, exit codes.

use crate::support::{Ended, Program, on_one_day, tools};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Authorities and people that OpenSSL made: a root, a cross-signed authority below it, Bob.
pub(crate) struct House {
    folder: TempDir,
}

const CONFIG: &str = "[req]\ndistinguished_name=d\nprompt=no\n[d]\n[ca]\ndefault_ca=c\n[c]\ndatabase=index\n\
    crlnumber=number\ndefault_md=sha256\ndefault_crl_days=7\n[list]\n[delta]\n2.5.29.27=critical,DER:020101\n\
    [root]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=none\n\
    authorityKeyIdentifier=none\n[bob]\nkeyUsage=critical,keyAgreement\nextendedKeyUsage=emailProtection\n\
    subjectAltName=email:bob@north.example\n[signer]\nkeyUsage=critical,digitalSignature\n\
    extendedKeyUsage=clientAuth\nsubjectAltName=email:bob@north.example\n[odd]\n1.2.3.4=critical,DER:0500\n\
    [policy]\nbasicConstraints=critical,CA:TRUE\ncertificatePolicies=1.2.3\n[own]\ncertificatePolicies=1.2.3\n\
    keyUsage=critical,keyAgreement\nsubjectAltName=email:bob@north.example\n";

impl House {
    pub(crate) fn new() -> Option<House> {
        if !tools(&["openssl"]) {
            return None;
        }
        on_one_day();
        let house = House { folder: tempfile::tempdir().unwrap() };
        house.write("config", CONFIG);
        for key in ["root", "old", "between", "bob"] {
            house.openssl(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {key}.key"));
        }
        house.issue("root", "root", "root", "root", 1);
        house.issue("old", "old", "old", "root", 2);
        house.issue("between", "between", "root", "root", 3);
        house.issue("bob", "bob", "between", "bob", 7);
        Some(house)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    pub(crate) fn openssl(&self, words: &str) {
        let mut command = std::process::Command::new("openssl");
        let made = command.current_dir(self.folder.path()).args(words.split(' ')).output().unwrap();
        assert!(made.status.success(), "{words}: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// `NAME.pem` for the key of that name, which is the subject too, valid for 1000 days from now.
    pub(crate) fn issue(&self, file: &str, subject: &str, issuer: &str, section: &str, serial: u8) {
        self.issue_with(file, subject, issuer, section, serial, "-days 1000");
    }

    fn issue_with(&self, file: &str, subject: &str, issuer: &str, section: &str, serial: u8, more: &str) {
        self.openssl(&format!("req -new -config config -key {subject}.key -subj /CN={subject} -out request"));
        let signer = if subject == issuer {
            format!("-signkey {issuer}.key")
        } else {
            format!("-CA {issuer}.pem -CAkey {issuer}.key")
        };
        self.openssl(&format!(
            "x509 -req -in request -out {file}.pem {signer} -set_serial {serial} -extfile config -extensions {section} \
             {more}"
        ));
    }

    /// `NAME.crl` of that authority with its entries: a line of OpenSSL's index each.
    pub(crate) fn list(
        &self,
        file: &str,
        issuer: &str,
        number: u8,
        section: &str,
        entries: &str,
        more: &str,
    ) {
        self.write("index", entries);
        self.write("number", &format!("{number:02X}\n"));
        self.openssl(&format!(
            "ca -gencrl -config config -keyfile {issuer}.key -cert {issuer}.pem -out {file}.crl -crlexts {section}{more}"
        ));
    }

    fn verify(&self, words: &str) -> Ended {
        let place = |word: &str| {
            let is_file = ["pem", "crl", "der"].iter().any(|end| word.ends_with(&format!(".{end}")));
            if is_file { self.file(word).display().to_string() } else { word.to_owned() }
        };
        let args: Vec<String> = words.split(' ').filter(|word| !word.is_empty()).map(place).collect();
        Program::sealpost().args(["cert", "verify"]).args(args).run()
    }

    /// Exit code 1 with that sentence.
    fn refused(&self, words: &str, reason: &str) {
        let ended = self.verify(words);
        assert_eq!(ended.code, Some(1), "{words}: {}{}", ended.text(), ended.stderr);
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, format!("sealpost: CN=bob is not valid: {reason}"), "{words}");
    }

    fn valid(&self, words: &str) -> Ended {
        let ended = self.verify(words);
        assert_eq!(ended.code, Some(0), "{words}: {}{}", ended.text(), ended.stderr);
        ended
    }
}

const REVOKED: &str = "R\t301231235959Z\t261101120000Z,keyCompromise\t07\tunknown\t/CN=bob\n";
const HELD: &str = "R\t301231235959Z\t261101120000Z,certificateHold\t07\tunknown\t/CN=bob\n";
const BACK: &str = "R\t301231235959Z\t261101120000Z,removeFromCRL\t07\tunknown\t/CN=bob\n";
const LINE: &str = "--trust root.pem --untrusted between.pem bob.pem";

fn end_of(file: &Path) -> String {
    let pem = std::fs::read(file).unwrap();
    sealpost::pki::Certificate::from_pem(&pem).unwrap().not_after().date().to_string()
}

#[test]
fn a_path_is_shown_line_by_line() {
    let Some(house) = House::new() else { return };
    let end = end_of(&house.file("bob.pem"));
    let text = format!(
        "certificate  ends        state    revocation\n\
         CN=bob       {end}  valid    no list\n\
         CN=between   {end}  valid    no list\n\
         CN=root      {end}  trusted  not asked\n"
    );
    assert_eq!(house.valid(LINE).text(), text);
    // The same out of one file, in DER, and from standard input.
    let pem = |name: &str| std::fs::read_to_string(house.file(name)).unwrap();
    house.write("chain.pem", &[pem("bob.pem"), pem("between.pem")].concat());
    assert_eq!(house.valid("--trust root.pem chain.pem").text(), text);
    house.openssl("x509 -in bob.pem -outform DER -out bob.der");
    house.openssl("x509 -in root.pem -outform DER -out root.der");
    assert_eq!(house.valid("--trust root.der --untrusted between.pem bob.der").text(), text);
    let input = Program::sealpost().args(["cert", "verify", "--trust"]).args([house.file("root.pem")]);
    let ended = input.args(["-"]).input(std::fs::read(house.file("chain.pem")).unwrap()).run();
    assert_eq!(ended.text(), text);
    let trusted =
        format!("certificate  ends        state    revocation\nCN=bob       {end}  trusted  no list\n");
    assert_eq!(house.valid("--trust bob.pem bob.pem").text(), trusted);
}

#[test]
fn json_says_the_same() {
    let Some(house) = House::new() else { return };
    let json = |ended: &Ended| serde_json::from_slice::<serde_json::Value>(&ended.stdout).unwrap();
    let valid = json(&house.valid(&format!("--json {LINE}")));
    assert_eq!((&valid["valid"], &valid["v"]), (&true.into(), &1.into()));
    assert_eq!(valid["path"][0]["subject"], "CN=bob");
    assert_eq!(valid["path"][2]["trusted"], true);
    assert_eq!(valid["path"][1]["revocation"], "no list");
    let ended = house.verify("--json --trust old.pem --untrusted between.pem bob.pem");
    assert_eq!(ended.code, Some(1));
    let refused = json(&ended);
    assert_eq!(refused["valid"], false);
    assert_eq!(refused["reasons"][0], "no trusted authority issued CN=between; its issuer is CN=root");
    assert_eq!(refused["path"].as_array().unwrap().len(), 2);
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["code"], "no");
}

#[test]
fn the_nearest_failure_is_told() {
    let Some(house) = House::new() else { return };
    house.refused("--trust root.pem bob.pem", "no trusted authority issued it; its issuer is CN=between");
    house.refused(
        "--trust old.pem --untrusted between.pem bob.pem",
        "no trusted authority issued CN=between; its issuer is CN=root",
    );
    let hint = house.verify("--trust old.pem --untrusted between.pem bob.pem").stderr;
    assert!(hint.ends_with("\n  the path that came nearest: CN=bob, issued by CN=between\n"), "{hint}");
    // An authority that ends before the others.
    house.issue_with("brief", "between", "root", "root", 4, "-days 1");
    let end = end_of(&house.file("brief.pem"));
    let later = (time::OffsetDateTime::now_utc() + time::Duration::days(400)).date();
    house.refused(
        &format!("--at {later} --trust root.pem --untrusted brief.pem bob.pem"),
        &format!("the issuer's certificate CN=between ended on {end}"),
    );
    let far = "--at 2040-06-01T08:00:00+02:00";
    let bob = end_of(&house.file("bob.pem"));
    house.refused(
        &format!("{far} {LINE}"),
        &format!(
            "it ended on {bob}; the trusted certificate CN=root ended on {bob}; the issuer's certificate CN=between \
             ended on {bob}"
        ),
    );
    // A user's certificate is no authority.
    house.issue("user", "between", "root", "bob", 5);
    house.refused(
        "--trust root.pem --untrusted user.pem bob.pem",
        "the issuer's certificate CN=between may not sign certificates: its basicConstraints name no authority",
    );
    house.issue("bob", "bob", "between", "odd", 7);
    house.refused(&format!("--purpose any {LINE}"), "it has the unknown critical extension 1.2.3.4");
}

#[test]
fn purpose_and_address_are_looked_at() {
    let Some(house) = House::new() else { return };
    house.valid(&format!("--address BOB@north.example {LINE}"));
    house.refused(
        &format!("--address eve@north.example {LINE}"),
        "it names bob@north.example and not eve@north.example",
    );
    house.refused(
        &format!("--purpose any --address eve@north.example {LINE}"),
        "it names bob@north.example and not eve@north.example",
    );
    house.issue("bob", "bob", "between", "signer", 7);
    house.refused(
        LINE,
        "it may not be used to encrypt mail: its keyUsage lacks keyAgreement; it may not be used to encrypt mail: its \
         extKeyUsage lacks emailProtection",
    );
    house.valid(&format!("--purpose any {LINE}"));
}

#[test]
fn what_a_list_names_is_not_valid() {
    let Some(house) = House::new() else { return };
    house.list("good", "between", 1, "list", "", "");
    house.list("gone", "between", 1, "list", REVOKED, "");
    let text = house.valid(&format!("--crl good.crl --crl-policy hard {LINE}")).text();
    assert!(text.contains("valid    not revoked\nCN=between"), "{text}");
    let reason = "it was revoked on 2026-11-01 (key-compromise)";
    house.refused(&format!("--crl gone.crl {LINE}"), reason);
    house.openssl("crl -in gone.crl -outform DER -out gone.der");
    house.refused(&format!("--crl gone.der {LINE}"), reason);
    // Of another authority: nobody's business.
    house.list("other", "root", 1, "list", REVOKED, "");
    house.valid(&format!("--crl other.crl {LINE}"));
}

#[test]
fn a_list_that_is_too_old_warns_or_refuses() {
    let Some(house) = House::new() else { return };
    let dates = " -crl_lastupdate 20260901120000Z -crl_nextupdate 20260908120000Z";
    house.list("old", "between", 1, "list", "", dates);
    let why = "the revocation list of CN=between is old: the next one was due on 2026-09-08";
    let soft = house.valid(&format!("--crl old.crl {LINE}"));
    assert_eq!(soft.stderr, format!("sealpost: warning: {why}\n"));
    assert!(soft.text().contains("valid    not known"), "{}", soft.text());
    let hard = format!("--crl old.crl --crl-policy hard {LINE}");
    house.refused(&hard, &format!("it may be revoked: {why}"));
    house.list("oldgone", "between", 1, "list", REVOKED, dates);
    house.refused(&format!("--crl oldgone.crl {LINE}"), "it was revoked on 2026-11-01 (key-compromise)");
}

#[test]
fn a_delta_list_changes_the_complete_one() {
    let Some(house) = House::new() else { return };
    house.list("held", "between", 1, "list", HELD, "");
    house.list("back", "between", 2, "delta", BACK, "");
    house.list("gone", "between", 2, "delta", REVOKED, "");
    house.refused(&format!("--crl held.crl {LINE}"), "it is on hold since 2026-11-01");
    house.valid(&format!("--crl held.crl --crl back.crl --crl-policy hard {LINE}"));
    house.refused(
        &format!("--crl held.crl --crl gone.crl {LINE}"),
        "it was revoked on 2026-11-01 (key-compromise)",
    );
    let alone = "the revocation list of CN=between is a delta list, and the complete list that it continues is not here";
    let back = house.valid(&format!("--crl back.crl {LINE}"));
    assert_eq!(back.stderr, format!("sealpost: warning: {alone}\n"));
}

/// The authority is signed by both roots, and either leads to Bob.
#[test]
fn a_cross_certificate_leads_to_another_root() {
    let Some(house) = House::new() else { return };
    house.issue("cross", "between", "old", "root", 9);
    for root in ["root", "old"] {
        let words = format!("--trust {root}.pem --untrusted between.pem --untrusted cross.pem bob.pem");
        let text = house.valid(&words).text();
        assert!(text.lines().last().unwrap().starts_with(&format!("CN={root} ")), "{text}");
    }
}

#[test]
fn policies_are_asked_for() {
    let Some(house) = House::new() else { return };
    house.issue("between", "between", "root", "policy", 3);
    house.issue("bob", "bob", "between", "own", 7);
    let text = house.valid(&format!("--explicit-policy --policy 1.2.3 {LINE}")).text();
    assert!(text.ends_with("\nvalid for the certificate policies 1.2.3\n"), "{text}");
    house.refused(&format!("--explicit-policy --policy 1.2.4 {LINE}"), "it has no valid certificate policy");
    house.valid(&format!("--policy 1.2.4 --inhibit-mapping --inhibit-any {LINE}"));
}

#[test]
fn broken_files_and_wrong_words_have_their_codes() {
    let Some(house) = House::new() else { return };
    let says = |words: &str, code: i32, text: &str| {
        let ended = house.verify(words);
        let told = ended.stderr.replace(&format!("{}/", house.folder.path().display()), "");
        assert_eq!((ended.code, told.lines().next().unwrap_or_default()), (Some(code), text), "{words}");
        assert!(ended.stdout.is_empty());
    };
    house.write("empty.pem", "");
    house.write("words.pem", "no certificate\n");
    let cut = std::fs::read_to_string(house.file("bob.pem")).unwrap();
    house.write("cut.pem", &cut[..200]);
    house.list("good", "between", 1, "list", "", "");
    let truncated =
        "sealpost: cut.pem: the PEM block is broken: BEGIN CERTIFICATE has no END: the file is truncated";
    says("cut.pem", 65, truncated);
    says("--trust cut.pem bob.pem", 65, truncated);
    says("empty.pem", 65, "sealpost: empty.pem is empty");
    says("words.pem", 65, "sealpost: words.pem: no certificate found: the file holds neither PEM nor DER");
    says(
        "--crl bob.pem bob.pem",
        65,
        "sealpost: bob.pem: no revocation list found: the file holds a certificate",
    );
    says("good.crl", 65, "sealpost: good.crl: no certificate found: the file holds a revocation list");
    says("missing.pem", 66, "sealpost: cannot read missing.pem: No such file or directory");
    says(
        "--at noon bob.pem",
        64,
        "sealpost: invalid value 'noon' for '--at <TIME>': a time is written as 2027-03-01 or 2027-03-01T08:00:00Z",
    );
    says(
        "--policy x bob.pem",
        64,
        "sealpost: invalid value 'x' for '--policy <OID>': a policy is written in numbers, as 2.16.840.1.101",
    );
    says("", 64, "sealpost: the following required arguments were not provided:");
}

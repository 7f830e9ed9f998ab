//! The chain above the certificate of a domain.

use super::outer::{Outer, openssl};
use crate::support::{Program, Site, path, tools};
use serde_json::json;
use std::path::Path;

/// north.example issues by a certificate that Issuing signed, which Root signed.
fn below_an_authority() -> (Site, Outer) {
    let site = Site::furnished();
    site.run("key generate --domain north.example --type ec-p256").ok();
    let outer = Outer::new(site.folder());
    let pem = site.run("cert request --domain north.example").ok();
    std::fs::write(outer.file("domain.csr"), pem).unwrap();
    let signed = outer.sign("domain.csr", "domain", "domain.pem");
    site.run(&format!("cert set --domain north.example --file {}", path(&signed))).ok();
    (site, outer)
}

fn set(file: &Path) -> String {
    format!("chain set --domain north.example --file {}", path(file))
}

#[test]
fn a_chain_is_set_shown_and_removed() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    let nothing = "north.example has no chain: sealpost chain set --domain north.example --file FILE\n";
    assert_eq!(site.run("chain show --domain north.example").text(), nothing);
    let file = outer.joined(&["issuing.pem", "root.pem"], "chain.pem");
    let ended = site.run(&set(&file));
    assert_eq!(
        (ended.text().as_str(), ended.stderr.as_str()),
        ("chain of north.example stored: 2 certificates\n", "")
    );
    let shown = site.json("chain show --domain alias.example");
    let subjects: Vec<_> =
        shown["chain"].as_array().unwrap().iter().map(|one| one["subject"].clone()).collect();
    assert_eq!((subjects, &shown["warnings"]), (vec![json!("CN=Issuing"), json!("CN=Root")], &json!([])));
    let text = site.run("chain show --domain north.example").text();
    assert!(
        text.starts_with("#  subject     issuer   valid until  fingerprint\n1  CN=Issuing  CN=Root"),
        "{text}"
    );
    assert_eq!(site.json("domain show north.example")["chain"].as_array().unwrap().len(), 2);
    // From standard input, in the place of the one before.
    let ended = site.program("chain set --domain north.example").input(std::fs::read(&file).unwrap()).run();
    assert_eq!(ended.text(), "chain of north.example stored: 2 certificates\n");
    // OpenSSL agrees that it is one.
    let verified = Program::new("openssl")
        .words("verify -x509_strict -CAfile")
        .args([path(&outer.file("root.pem")), "-untrusted", path(&file), path(&outer.file("domain.pem"))])
        .run();
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert_eq!(site.run("chain remove --domain north.example").ok(), b"chain of north.example removed\n");
    assert_eq!(
        site.refused("chain remove --domain north.example"),
        (66, "sealpost: north.example has no chain\n".to_owned())
    );
}

#[test]
fn a_link_that_does_not_hold_is_named() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    let other = site.folder().join("other");
    std::fs::create_dir(&other).unwrap();
    Outer::new(&other);
    let warned = |file: &Path| {
        let ended = site.run(&set(file));
        assert_eq!(ended.code, Some(0));
        ended.stderr
    };
    let warning = "sealpost: warning: the chain does not hold:";
    assert_eq!(
        warned(&outer.file("issuing.pem")),
        format!(
            "{warning} certificate 1 (CN=Issuing) is the last and no root: its issuer CN=Root is missing\n"
        )
    );
    assert_eq!(
        warned(&outer.file("root.pem")),
        format!(
            "{warning} the domain's certificate (CN=north.example) is not signed by certificate 1 (CN=Root)\n"
        )
    );
    // The names fit and the keys do not.
    let file = outer.joined(&["issuing.pem", "other/root.pem"], "mixed.pem");
    let text = format!("{warning} certificate 1 (CN=Issuing) is not signed by certificate 2 (CN=Root)\n");
    assert_eq!(warned(&file), text);
    let program = site.json(&set(&file));
    assert_eq!(program["warnings"], json!([text.trim_end().replace("sealpost: warning: ", "")]));
    let shown = site.run("chain show --domain north.example");
    assert!(
        shown.stderr.contains("the chain of north.example does not hold: certificate 1"),
        "{}",
        shown.stderr
    );
    let doctor = site.run("doctor").text();
    assert!(
        doctor.contains("the chain of north.example does not hold: certificate 1 (CN=Issuing)"),
        "{doctor}"
    );
    // A new certificate of the domain can break it as well.
    site.run(&set(&outer.joined(&["issuing.pem", "root.pem"], "chain.pem"))).ok();
    let signed = site.run("cert self-sign --domain north.example");
    let text = "sealpost: warning: the chain of north.example does not hold: the domain's certificate (CN=north.example) \
                is not signed by certificate 1 (CN=Issuing)\n";
    assert_eq!(signed.stderr, text);
}

#[test]
fn a_wrong_order_is_refused_with_the_right_one() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    let text = "sealpost: the chain of north.example is in the wrong order: what signed the domain's certificate comes \
                first, and the root last\n  put them so:\n  1. CN=Issuing\n  2. CN=Root\n";
    let wrong = outer.joined(&["root.pem", "issuing.pem"], "wrong.pem");
    assert_eq!(site.refused(&set(&wrong)), (65, text.to_owned()));
    assert_eq!(site.json("chain show --domain north.example")["chain"], json!([]));
    // The domain that it is for has no certificate yet: they tell their order themselves.
    site.run("domain add void.example").ok();
    let void = format!("chain set --domain void.example --file {}", path(&wrong));
    assert_eq!(site.refused(&void), (65, text.replace("north.example", "void.example")));
}

#[test]
fn what_is_no_chain_is_refused() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    for (names, why) in [
        (vec!["domain.pem"], "it holds the certificate of north.example and nothing above it"),
        (vec!["issuing.pem", "root.pem", "issuing.pem"], "CN=Issuing stands in it twice"),
        (vec!["issuing.key"], "no certificate found: the file holds a private key"),
        (vec!["x509.cnf"], "no certificate found: the file holds neither PEM nor DER"),
    ] {
        let file = outer.joined(&names, "bad");
        assert_eq!(site.refused(&set(&file)), (65, format!("sealpost: {}: {why}\n", path(&file))));
    }
    let pem = std::fs::read_to_string(outer.file("issuing.pem")).unwrap();
    let file = site.write("cut.pem", pem.split_at(200).0);
    let why = "the PEM block is broken: BEGIN CERTIFICATE has no END: the file is truncated";
    assert_eq!(site.refused(&set(&file)), (65, format!("sealpost: {}: {why}\n", path(&file))));
    for number in 0..9 {
        outer.key(&format!("many{number}"));
        outer.person(&format!("many{number}"), &format!("many{number}.pem"));
    }
    let many: Vec<String> = (0..9).map(|number| format!("many{number}.pem")).collect();
    let file = outer.joined(&many.iter().map(String::as_str).collect::<Vec<_>>(), "many.pem");
    let why = "it holds 9 certificates; a chain has at most 8";
    assert_eq!(site.refused(&set(&file)), (65, format!("sealpost: {}: {why}\n", path(&file))));
    // What servers take begins with the domain's own: it is left out.
    let file = outer.joined(&["domain.pem", "issuing.pem", "root.pem"], "full.pem");
    let ended = site.run(&set(&file));
    let note = "sealpost: warning: the certificate of north.example itself is left out of its chain\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), note));
    assert_eq!(site.json("chain show --domain north.example")["chain"].as_array().unwrap().len(), 2);
}

/// What an account takes along: its certificate, that of the domain, and all above it.
#[test]
fn the_chain_goes_into_what_accounts_export() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    site.run(&set(&outer.joined(&["issuing.pem", "root.pem"], "chain.pem"))).ok();
    let password = site.write("password", "correct horse\n");
    let with_password =
        |words: &str| site.program(words).args(["--password-file", path(&password)]).run().ok();
    with_password("key generate --account bob@north.example --type ec-p256");
    site.run("cert issue --account bob@north.example").ok();
    let file = site.folder().join("bob.p12");
    with_password(&format!("key export --account bob@north.example --output {}", path(&file)));
    let text =
        openssl("pkcs12 -nodes -password file:PASSWORD".replace("PASSWORD", path(&password)).as_str(), &file);
    let subjects: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("subject=")).collect();
    assert_eq!(subjects, ["CN = bob@north.example", "CN = north.example", "CN = Issuing", "CN = Root"]);
    // A chain that is not the domain's stays at home.
    let other = site.folder().join("other");
    std::fs::create_dir(&other).unwrap();
    Outer::new(&other);
    site.run(&set(&outer.joined(&["other/issuing.pem", "other/root.pem"], "chain.pem"))).ok();
    let file = site.folder().join("again.p12");
    with_password(&format!("key export --account bob@north.example --output {}", path(&file)));
    let text =
        openssl("pkcs12 -nodes -password file:PASSWORD".replace("PASSWORD", path(&password)).as_str(), &file);
    assert_eq!(text.matches("subject=").count(), 2, "{text}");
}

/// A certificate that an authority above the domain's signed: the chain leads to the root, and the root alone is trusted.
#[test]
fn the_chain_helps_to_find_a_path() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = Site::furnished();
    let outer = Outer::new(site.folder());
    outer.key("bob");
    let person = outer.person("bob", "bob.pem");
    std::fs::write(
        site.root().join("sealpost.toml"),
        "trust = \"chain\"\ntrust-bundle = \"none\"\nlog = \"none\"\n",
    )
    .unwrap();
    let add = format!("cert add --account bob@north.example --file {}", path(&person));
    let (code, text) = site.refused(&add);
    assert!(
        code == 65 && text.ends_with("it does not chain to a trusted authority: no authority is trusted\n"),
        "{text}"
    );
    site.run(&format!("trust add --server --file {}", path(&outer.file("root.pem")))).ok();
    let (_, text) = site.refused(&add);
    assert!(text.ends_with("no trusted authority issued it; its issuer is CN=Issuing\n"), "{text}");
    site.run(&set(&outer.joined(&["issuing.pem", "root.pem"], "chain.pem"))).ok();
    site.run(&add).ok();
    let deliver = "deliver --sender=x@y.example --recipient=bob@north.example";
    let deliver = || site.program(deliver).input("From: a@b.example\nSubject: x\n\nhello\n").run();
    assert_eq!(deliver().code, Some(0));
    site.run("chain remove --domain north.example").ok();
    assert_eq!(deliver().code, Some(75));
}

#[test]
fn nss_reads_certificate_and_chain() {
    if !tools(&["openssl", "certutil"]) {
        return;
    }
    let (site, outer) = below_an_authority();
    let database = site.folder().join("nss");
    std::fs::create_dir(&database).unwrap();
    let place = format!("sql:{}", path(&database));
    let certutil = |words: &str| {
        let ended = Program::new("certutil").words(words).args(["-d", &place]).run();
        assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
        ended.text()
    };
    certutil("-N --empty-password");
    let own = site.json("cert show --domain north.example")["certificates"][0]["pem"].clone();
    let own = site.write("own.pem", own.as_str().unwrap());
    for (name, trust, file) in [
        ("root", "CT,C,C", outer.file("root.pem")),
        ("issuing", ",,", outer.file("issuing.pem")),
        ("own", ",,", own),
    ] {
        certutil(&format!("-A -n {name} -t {trust} -a -i {}", path(&file)));
    }
    assert!(certutil("-V -n own -u L -e").contains("certificate is valid"));
    let text = certutil("-L -n own");
    assert!(
        text.contains("Certificate Basic Constraints")
            && text.contains("Is a CA with a maximum path length of 0"),
        "{text}"
    );
}

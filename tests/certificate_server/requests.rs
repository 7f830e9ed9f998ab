//! Certificates for people who keep their keys themselves: requests of OpenSSL.

use super::{Office, P256, pem};
use crate::support::{path, tools};
use sealpost::pki::Certificate;
use std::os::unix::fs::PermissionsExt;

fn issue(office: &Office, name: &str) -> (i32, String) {
    let file = office.file(&format!("{name}.csr"));
    office.site.refused(&format!("cert issue --account bob@north.example --request {}", path(&file)))
}

#[test]
fn a_request_gives_its_key_and_nothing_else() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    let san = "subjectAltName=email:BOB@north.example,DNS:evil.example";
    office.request(
        "bob",
        P256,
        &["-subj", "/CN=Root of all/O=Evil", "-addext", san, "-addext", "basicConstraints=critical,CA:TRUE"],
    );
    let file = office.file("bob.csr");
    let command = format!("cert issue --account robert@north.example --name Bob --request {}", path(&file));
    let ended = office.site.run(&command);
    assert_eq!(ended.stderr, "sealpost: mail for bob@north.example is sealed to it from now on\n");
    let printed = ended.ok();
    let made = Certificate::from_pem(&printed).unwrap();
    assert_eq!(printed, made.to_pem().unwrap().as_bytes());
    assert_eq!(made.subject(), "CN=Bob");
    let names = ["bob@north.example", "bob@alias.example", "robert@north.example", "robert@alias.example"];
    assert_eq!(made.addresses(), names);
    assert!(made.basic_constraints().unwrap().is_none());
    // It is bob's, and the key is the one of the request.
    let shown = office.site.json("cert show --account bob@north.example");
    assert_eq!(pem(&shown["certificates"][0]).as_bytes(), printed);
    let public = office.openssl("pkey -in @bob.key -pubout").ok();
    assert_eq!(office.openssl_input("x509 -noout -pubkey", &printed).ok(), public);
    // The same request again.
    let (code, text) = issue(&office, "bob");
    let key = made.key_fingerprint().unwrap();
    let print = made.fingerprint();
    assert_eq!(
        (code, text),
        (1, format!("sealpost: the key {key} of bob@north.example has a certificate already: {print}\n"))
    );
}

#[test]
fn a_request_comes_from_standard_input_and_in_der_and_the_certificate_goes_into_a_file() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    office.request("one", P256, &["-subj", "/CN=x"]);
    office.request("two", "RSA -pkeyopt rsa_keygen_bits:2048", &["-subj", "/CN=x", "-sha512"]);
    let pem = std::fs::read(office.file("one.csr")).unwrap();
    let program = office.site.program("cert issue --account bob@north.example --request -").input(pem);
    Certificate::from_pem(&program.run().ok()).unwrap();
    let der = office.openssl("req -in @two.csr -outform DER").ok();
    let out = office.file("two.pem");
    let words = format!("cert issue --account bob@north.example --request - --output {}", path(&out));
    let told = office.site.program(&words).input(der.clone()).run().ok();
    let made = Certificate::from_pem(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(made.key_description(), "RSA 2048");
    let until = made.not_after().date();
    let text = format!(
        "mail for bob@north.example is sealed to {}, valid until {until}, besides ",
        made.fingerprint()
    );
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with(&text), "{told}");
    let mend = "sealpost cert retire --account bob@north.example --fingerprint ";
    assert!(told.lines().nth(1).is_some_and(|line| line.contains(mend)), "{told}");
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    // Another certificate, so another key: the first stays beside it.
    assert_eq!(office.states(), ["active", "active"]);
    // Nothing is issued if the file cannot be written.
    let ended = office.site.program(&words).input(der).run();
    assert_eq!(
        (ended.code, ended.stderr),
        (
            Some(1),
            format!(
                "sealpost: {} is there already\n  name another file: what is there may be the only copy of a key\n",
                path(&out)
            )
        )
    );
}

#[test]
fn a_key_of_somebody_else_is_refused_by_name() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    office.site.run("account add eve@north.example").ok();
    office.request("one", P256, &["-subj", "/CN=x"]);
    let file = office.file("one.csr");
    let made =
        office.site.run(&format!("cert issue --account eve@north.example --request {}", path(&file))).ok();
    let key = Certificate::from_pem(&made).unwrap().key_fingerprint().unwrap();
    let text = format!(
        "sealpost: the key {key} is that of the account eve@north.example: each account needs a key of its own\n"
    );
    assert_eq!(issue(&office, "one"), (1, text));
    assert_eq!(office.site.json("cert issued --domain north.example")["issued"].as_array().unwrap().len(), 1);
}

#[test]
fn an_address_of_somebody_else_is_refused_by_name() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    for (name, more) in [
        (
            "san",
            &["-subj", "/CN=x", "-addext", "subjectAltName=email:bob@north.example,email:eve@north.example"]
                [..],
        ),
        ("subject", &["-subj", "/CN=x/emailAddress=eve@north.example"]),
    ] {
        office.request(name, P256, more);
        let text = "sealpost: the request asks for eve@north.example, which is no address of the account \
            bob@north.example\n  is it one? sealpost account set bob@north.example --alias eve@north.example\n";
        assert_eq!(issue(&office, name), (1, text.to_owned()));
    }
    assert!(office.site.json("cert issued --domain north.example")["issued"].as_array().unwrap().is_empty());
}

/// Each fault has its own text, and nothing is issued.
#[test]
fn what_is_wrong_with_a_request_is_said() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    office.request("good", P256, &["-subj", "/CN=x"]);
    office.request("weak", "RSA -pkeyopt rsa_keygen_bits:1024", &["-subj", "/CN=x"]);
    office.request("sha1", "RSA -pkeyopt rsa_keygen_bits:2048", &["-subj", "/CN=x", "-sha1"]);
    office.request("pss", "RSA-PSS -pkeyopt rsa_keygen_bits:2048", &["-subj", "/CN=x"]);
    let good = office.openssl("req -in @good.csr -outform DER").ok();
    let pem = std::fs::read_to_string(office.file("good.csr")).unwrap();
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(office.file(&format!("{name}.csr")), bytes).unwrap();
    write("broken", &broken);
    write("behind", &[&good[..], b"xy"].concat());
    write("cut", &good[..good.len() - 1]);
    write("two", format!("{pem}{pem}").as_bytes());
    write("key", &std::fs::read(office.file("good.key")).unwrap());
    write("open", pem.replace("-----END CERTIFICATE REQUEST-----\n", "").as_bytes());
    write("large", &[0x30; 70_000]);
    write("empty", b"");
    let cases = [
        (
            "broken",
            "the request's own signature does not hold: it was changed, or whoever made it does not have the private key",
        ),
        ("weak", "the RSA key has 1024 bits; at least 2048 are required"),
        ("sha1", "not supported: signatures of the kind sha1WithRSAEncryption (1.2.840.113549.1.1.5)"),
        ("pss", "not supported: keys of the kind id-RSASSA-PSS (1.2.840.113549.1.1.10)"),
        ("behind", "2 octets stand behind the certificate request: nothing may"),
        ("cut", "the certificate request is broken: "),
        ("two", "the file holds 2 certificate requests; exactly one is expected: split the file"),
        ("key", "no certificate request found: the file holds a private key"),
        ("open", "the PEM block is broken: BEGIN CERTIFICATE REQUEST has no END: the file is truncated"),
        ("large", "the file has 70000 octets; at most 65536 are read as a request"),
    ];
    for (name, text) in cases {
        let (code, said) = issue(&office, name);
        let wanted = format!("sealpost: {}: {text}", path(&office.file(&format!("{name}.csr"))));
        assert_eq!(code, 65, "{said}");
        assert!(
            said.starts_with(&wanted) && (text.ends_with(": ") || said == format!("{wanted}\n")),
            "{said}\n{wanted}"
        );
    }
    let empty = format!("sealpost: {} is empty\n", path(&office.file("empty.csr")));
    assert_eq!(issue(&office, "empty"), (65, empty));
    let certificate = office.site.json("cert show --domain north.example");
    write("certificate", super::pem(&certificate["certificates"][0]).as_bytes());
    let (_, said) = issue(&office, "certificate");
    assert!(said.ends_with("no certificate request found: the file holds a certificate\n"), "{said}");
    assert_eq!(issue(&office, "missing").0, 66);
    assert!(office.site.json("cert issued --domain north.example")["issued"].as_array().unwrap().is_empty());
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let office = Office::new();
    for words in [
        "cert issue --account bob@north.example --request x --renew",
        "cert issue --account bob@north.example --days 826",
        "cert issue --bulk x",
        "cert issue --account bob@north.example --domain north.example",
        "cert issue --account bob@north.example --bulk x --domain north.example",
        "cert issue --domain north.example",
        "cert issue",
    ] {
        assert_eq!(office.site.refused(words).0, 64, "{words}");
    }
    office.site.run("domain set north.example --mode test").ok();
    let text = "sealpost: north.example issues nothing while its mode is test\n  \
        sealpost domain set north.example --mode enabled\n";
    assert_eq!(office.site.refused("cert issue --account bob@north.example"), (1, text.to_owned()));
}

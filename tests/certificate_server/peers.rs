//! What foreign programs say of our certificates, lists and requests.

use super::{Office, pem};
use crate::support::{Program, files, path, tools};

const JARS: [&str; 3] =
    ["/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"];
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificate_server/Server.java");

/// `ca.pem`, `bob.pem`, and the lists before (`before.crl`) and after (`after.crl`) bob's certificate was revoked.
fn furnish(kind: &str) -> Office {
    let site = crate::support::Site::furnished();
    let password = site.write("password", "correct horse\n");
    let office = Office { site, password };
    office.site.run(&format!("key generate --domain north.example --type {kind}")).ok();
    office.site.run("cert self-sign --domain north.example --organization North").ok();
    office.make_key("bob");
    office.configure(
        "crl-url = \"http://crl.north.example/{authority}.crl\"\nissue-policy = [\"2.23.140.1.5.1.1\"]\n",
    );
    let bob = office.site.json("cert issue --account bob@north.example");
    let shown = office.site.json("cert show --domain north.example");
    std::fs::write(office.file("bob.pem"), pem(&bob)).unwrap();
    std::fs::write(office.file("ca.pem"), pem(&shown["certificates"][0])).unwrap();
    let list = |name: &str| {
        std::fs::write(office.file(name), office.site.run("crl sign --domain north.example").ok()).unwrap()
    };
    list("before.crl");
    office.site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
    list("after.crl");
    office
}

#[test]
fn openssl_follows_our_lists() {
    if !tools(&["openssl"]) {
        return;
    }
    for kind in ["ec-p256", "ec-p384", "rsa-2048"] {
        let office = furnish(kind);
        let verify = |list: &str| {
            office.openssl(&format!(
                "verify -x509_strict -crl_check -purpose smimesign -CAfile @ca.pem -CRLfile @{list} @bob.pem"
            ))
        };
        let good = verify("before.crl");
        assert!(good.text().ends_with("bob.pem: OK\n"), "{kind}: {}{}", good.text(), good.stderr);
        let revoked = verify("after.crl");
        assert!(
            revoked.code == Some(2) && revoked.stderr.contains("certificate revoked"),
            "{kind}: {}",
            revoked.stderr
        );
        let checked = office.openssl("crl -in @after.crl -CAfile @ca.pem -noout -text");
        assert!(checked.stderr.contains("verify OK"), "{}", checked.stderr);
        let text = checked.text();
        for one in ["CRL Number: \n                2\n", "Key Compromise", "Authority Key Identifier"] {
            assert!(text.contains(one), "{one} is not in {text}");
        }
        let request = office.site.run("cert request --domain north.example").ok();
        let verified = office.openssl_input("req -verify -noout", &request);
        assert!((verified.text() + &verified.stderr).contains("verify OK"));
    }
}

#[test]
fn nss_follows_our_lists() {
    if !tools(&["certutil", "crlutil"]) {
        return;
    }
    let office = furnish("rsa-2048");
    let (ca, bob, der) = (office.file("ca.pem"), office.file("bob.pem"), office.file("list.der"));
    // A fresh database for each list: one of the same second as the one before is refused as old.
    let verify = |list: &str| {
        let folder = office.file(&format!("nss-{list}"));
        std::fs::create_dir(&folder).unwrap();
        let database = format!("sql:{}", path(&folder));
        let run = |name: &str, words: &str| Program::new(name).words(words).args(["-d", &database]).run();
        run("certutil", "-N --empty-password").ok();
        run("certutil", &format!("-A -n ca -t CT,CT,CT -a -i {}", path(&ca))).ok();
        run("certutil", &format!("-A -n bob -t ,, -a -i {}", path(&bob))).ok();
        office.openssl(&format!("crl -in @{list} -outform DER -out @list.der")).ok();
        run("crlutil", &format!("-I -t 1 -i {}", path(&der))).ok();
        let verified = run("certutil", "-V -n bob -u R -e");
        (verified.text() + &verified.stderr, run("crlutil", "-L -n ca").text())
    };
    assert_eq!(verify("before.crl").0, "certutil: certificate is valid\n");
    let (refused, listed) = verify("after.crl");
    assert!(refused.contains("has been revoked"), "{refused}");
    assert!(listed.contains("CRL reason code") && listed.contains("Data: 1 (0x1)"), "{listed}");
}

#[test]
fn bouncy_castle_follows_our_lists() {
    if !tools(&["java", "javac", "openssl"]) || !files(&JARS) {
        return;
    }
    let office = furnish("ec-p384");
    let classes = office.file("classes");
    let class_path = format!("{}:{}", path(&classes), JARS.join(":"));
    let compile = ["-nowarn", "-cp", &class_path, "-d", path(&classes), DRIVER];
    Program::new("javac").args(compile).run().ok();
    let judge = |args: &[&str]| {
        let args: Vec<_> = args.iter().map(|name| office.file(name)).collect();
        Program::new("java").args(["-cp", &class_path, "Server"]).args(args).run()
    };
    let good = judge(&["ca.pem", "bob.pem", "before.crl"]);
    assert_eq!(good.text(), "valid\n", "{}", good.stderr);
    let revoked = judge(&["ca.pem", "bob.pem", "after.crl"]).text();
    assert!(
        revoked.starts_with("Certificate revocation after ") && revoked.ends_with("reason: keyCompromise\n"),
        "{revoked}"
    );
    let request = office.site.run("cert request --domain north.example").ok();
    let der = office.openssl_input("req -outform DER", &request).ok();
    std::fs::write(office.file("request.der"), der).unwrap();
    assert_eq!(judge(&["request.der"]).text(), "true\n");
}

//! The certificates of a domain: names and attributes, requests, set, self-signed, refreshed, shown, removed; modes and renaming.

use super::outer::{Outer, openssl};
use crate::support::{Site, on_one_day, path, tools};
use serde_json::json;

/// north.example (alias alias.example) with a key.
fn site() -> Site {
    let site = Site::furnished();
    site.run("key generate --domain north.example --type ec-p256").ok();
    site
}

/// The request, in a file.
fn request(site: &Site, words: &str) -> std::path::PathBuf {
    let pem = site.run(&format!("cert request --domain north.example {words}")).ok();
    site.write("domain.csr", &String::from_utf8(pem).unwrap())
}

#[test]
fn a_name_is_the_domain_an_alias_or_the_wildcard() {
    let site = site();
    for (words, subject) in [
        ("", "CN=north.example"),
        ("--common-name alias.example", "CN=alias.example"),
        ("--common-name ALIAS.Example", "CN=alias.example"),
        ("--wildcard", "CN=*.north.example"),
    ] {
        assert_eq!(site.json(&format!("cert self-sign --domain north.example {words}"))["subject"], subject);
    }
    assert_eq!(
        site.refused("cert self-sign --domain north.example --common-name south.example"),
        (64, "sealpost: south.example is no name of the domain north.example\n".to_owned())
    );
    assert_eq!(
        site.refused("cert self-sign --domain north.example --country Norway"),
        (
            64,
            "sealpost: \"Norway\" cannot be used as country: a country is two letters, such as DE\n"
                .to_owned()
        )
    );
    site.run("domain add mail.north.example").ok();
    site.run("key generate --domain mail.north.example --type ec-p256").ok();
    let made = site.json("cert self-sign --domain mail.north.example --wildcard");
    assert_eq!(made["subject"], "CN=*.north.example", "the first label becomes a star");
}

const ATTRIBUTES: &[&str] = &[
    "--country",
    "NO",
    "--state",
    "Troms",
    "--locality",
    "North Town",
    "--organization",
    "North, Ltd",
    "--organizational-unit",
    "Mail",
    "--contact",
    "ca@north.example",
];

#[test]
fn every_attribute_and_name_is_in_the_request_and_in_the_certificate() {
    let site = site();
    let made = site.program("cert self-sign --domain north.example").args(ATTRIBUTES).run();
    made.ok();
    let shown = site.json("cert show --domain north.example");
    let subject = shown["certificates"][0]["subject"].as_str().unwrap();
    for one in ["CN=north.example", "OU=Mail", "O=North\\, Ltd", "L=North Town", "ST=Troms", "C=NO"] {
        assert!(subject.contains(one), "{subject}");
    }
    if !tools(&["openssl"]) {
        return;
    }
    let pem = site.program("cert request --domain north.example --wildcard").args(ATTRIBUTES).run().ok();
    let file = site.write("domain.csr", &String::from_utf8(pem).unwrap());
    let text = openssl("req -verify -noout -text", &file);
    for one in [
        "verify OK",
        "C = NO, ST = Troms, L = North Town, O = \"North, Ltd\", OU = Mail, CN = *.north.example, emailAddress = ca@north.example",
        "DNS:*.north.example, DNS:north.example, DNS:alias.example",
    ] {
        assert!(text.contains(one), "{one}: {text}");
    }
}

#[test]
fn an_outer_authority_signs_the_request_and_the_certificate_is_set() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = site();
    let outer = Outer::new(site.folder());
    request(&site, "--organization North");
    let signed = outer.sign("domain.csr", "server", "domain.pem");
    let set = |file: &str| format!("cert set --domain north.example --file {file}");
    let stored = site.run(&set(path(&signed)));
    assert!(
        stored.text().starts_with("generic certificate ")
            && stored.text().contains(" of north.example stored, valid until ")
    );
    // DER, and standard input.
    let der = site.folder().join("domain.der");
    openssl(&format!("x509 -outform DER -out {}", path(&der)), &signed);
    site.run(&set(path(&der))).ok();
    site.program(&set("-")).input(std::fs::read(&der).unwrap()).run().ok();
    site.program(&set("-")).input(std::fs::read(&signed).unwrap()).run().ok();
    let shown = &site.json("cert show --domain north.example")["certificates"][0];
    assert_eq!(
        (&shown["subject"], &shown["issuer"]),
        (&"CN=north.example,O=North".into(), &"CN=Issuing".into())
    );
    assert_eq!(shown["purposes"], json!(["sign", "TLS server"]));
    assert_eq!(shown["role"], "TLS; it may not sign the certificates of the accounts");
    // A file with more in it: the first is the domain's, the rest its chain.
    let all = outer.joined(&["domain.pem", "issuing.pem", "root.pem"], "all.pem");
    let ended = site.run(&set(path(&all)));
    let note = format!(
        "sealpost: 2 more certificates in {0}: to store the chain, sealpost chain set --domain north.example --file {0}\n",
        path(&all)
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), note.as_str()));
    // What may not issue cannot be the issuer.
    assert_eq!(
        site.refused(&format!("{} --purpose smime", set(path(&signed)))),
        (
            65,
            "sealpost: CN=north.example,O=North cannot issue certificates: its certificate is not that of an authority \
             (basicConstraints CA is missing)\n"
                .to_owned()
        )
    );
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = site();
    let outer = Outer::new(site.folder());
    let key = site.json("key show --domain north.example")["keys"][0]["fingerprint"].clone();
    let (code, text) =
        site.refused(&format!("cert set --domain north.example --file {}", path(&outer.file("root.pem"))));
    let wanted = format!(", and the key of north.example is {}\n", key.as_str().unwrap());
    assert!(
        code == 65 && text.starts_with("sealpost: the certificate holds the key ") && text.ends_with(&wanted),
        "{text}"
    );
    let file = site.write("key.pem", &std::fs::read_to_string(outer.file("root.key")).unwrap());
    assert_eq!(
        site.refused(&format!("cert set --domain north.example --file {}", path(&file))),
        (65, format!("sealpost: {}: no certificate found: the file holds a private key\n", path(&file)))
    );
    assert_eq!(site.json("cert show --domain north.example")["certificates"], json!([]));
}

#[test]
fn a_self_signed_certificate_is_able_to_issue_unless_asked_otherwise() {
    let site = site();
    let made = site.json("cert self-sign --domain north.example");
    assert_eq!(made["purposes"], json!(["authority", "sign certificates", "sign revocation lists", "sign"]));
    let shown = |at: usize| site.json("cert show --domain north.example")["certificates"][at].clone();
    assert_eq!(
        (&shown(0)["role"], &shown(0)["issues"]),
        (&"issues the certificates of the accounts".into(), &true.into())
    );
    let made = site.json("cert self-sign --domain north.example --end-entity");
    assert_eq!(made["purposes"], json!(["sign", "TLS server", "TLS client"]));
    assert_eq!(shown(0)["issues"], false);
    assert_eq!(
        site.refused("cert self-sign --domain north.example --end-entity --purpose smime"),
        (64, "sealpost: --end-entity makes a certificate for TLS, and that is the generic one\n".to_owned())
    );
    // One that mail is sealed to is neither for TLS nor an issuer.
    site.run("cert self-sign --domain north.example --purpose sealing").ok();
    assert_eq!(shown(1)["role"], "mail is sealed to it where the key of the domain stands in for an account");
    assert_eq!((&shown(0)["issues"], &shown(1)["issues"]), (&false.into(), &false.into()));
    site.run("cert remove --domain north.example --purpose sealing").ok();
    // The special one issues from now on, and the generic one serves TLS.
    site.run("cert self-sign --domain north.example --purpose smime").ok();
    assert_eq!(shown(0)["role"], "TLS; the S/MIME certificate issues those of the accounts");
    assert_eq!((&shown(1)["purpose"], &shown(1)["issues"]), (&"smime".into(), &true.into()));
    site.run("domain set north.example --mode test").ok();
    assert_eq!(shown(1)["role"], "issues nothing while the mode of the domain is test");
    site.run("cert remove --domain north.example --purpose smime").ok();
    assert_eq!(
        site.refused("cert remove --domain north.example --purpose smime"),
        (66, "sealpost: north.example has no such certificate\n".to_owned())
    );
    let removed = site.run("cert remove --domain north.example").ok();
    assert_eq!(removed, b"generic certificate of north.example removed\n");
    assert_eq!(
        site.refused("cert self-sign --domain north.example --refresh"),
        (
            66,
            "sealpost: north.example has no generic certificate to refresh\n  \
             make one: sealpost cert self-sign --domain north.example --purpose generic\n"
                .to_owned()
        )
    );
}

#[test]
fn a_refreshed_certificate_keeps_its_serial_number_and_what_it_is() {
    on_one_day();
    let site = site();
    for (words, days) in [("", 3652), ("--end-entity", 397)] {
        let made = site.json(&format!("cert self-sign --domain north.example --days 10 {words}"));
        let new = site.json("cert self-sign --domain north.example --refresh");
        assert_eq!((&new["serial"], &new["subject"]), (&made["serial"], &made["subject"]));
        assert_eq!(new["purposes"], made["purposes"]);
        assert_ne!(new["fingerprint"], made["fingerprint"]);
        let end = (time::OffsetDateTime::now_utc() + time::Duration::days(days)).date().to_string();
        assert_eq!(new["not_after"], end);
    }
    let (code, text) = site.refused("cert self-sign --domain north.example --refresh --organization North");
    let wanted = "sealpost: the argument '--refresh' cannot be used with '--organization <ORGANIZATION>'\n";
    assert!(code == 64 && text.starts_with(wanted), "{text}");
    if !tools(&["openssl"]) {
        return;
    }
    let outer = Outer::new(site.folder());
    request(&site, "");
    let signed = outer.sign("domain.csr", "domain", "domain.pem");
    site.run(&format!("cert set --domain north.example --file {}", path(&signed))).ok();
    let text = "sealpost: CN=north.example was signed by CN=Issuing, and only that authority can renew it\n  \
                send it a new request: sealpost cert request --domain north.example\n  \
                and set what it signs: sealpost cert set --domain north.example --file FILE\n";
    assert_eq!(site.refused("cert self-sign --domain north.example --refresh"), (65, text.to_owned()));
}

#[test]
fn a_certificate_is_shown_with_all_that_a_person_asks_for() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = site();
    let made = site.json("cert self-sign --domain north.example --organization North");
    let file = site.write("domain.pem", made["pem"].as_str().unwrap());
    let plain = |line: &str| {
        let text = openssl(line, &file);
        text.trim().rsplit('=').next().unwrap().replace(':', "").to_ascii_lowercase()
    };
    let shown = site.run("cert show --domain north.example").text();
    for (name, value) in [
        ("certificate", plain("x509 -noout -fingerprint -sha256")),
        ("SHA-1", plain("x509 -noout -fingerprint -sha1")),
        ("subject", "CN=north.example,O=North".to_owned()),
        ("issuer", "CN=north.example,O=North".to_owned()),
        ("serial", plain("x509 -noout -serial").to_ascii_uppercase()),
        (
            "valid",
            format!("{} to {}", made["not_before"].as_str().unwrap(), made["not_after"].as_str().unwrap()),
        ),
        ("DNS names", "north.example alias.example".to_owned()),
        ("key", "EC P-256".to_owned()),
        ("key fingerprint", made["key_fingerprint"].as_str().unwrap().to_owned()),
        ("purposes", "authority, sign certificates, sign revocation lists, sign".to_owned()),
    ] {
        let line = shown
            .lines()
            .find(|line| line.starts_with(&format!("{name}  ")))
            .unwrap_or_else(|| panic!("{name}: {shown}"));
        assert!(line.ends_with(&format!("  {value}")), "{line}");
    }
    assert_eq!(made["fingerprint_sha1"], plain("x509 -noout -fingerprint -sha1"));
}

#[test]
fn the_modes_are_set_shown_and_explained() {
    let site = site();
    site.run("cert self-sign --domain north.example").ok();
    let password = site.write("password", "correct horse\n");
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    for (mode, meaning) in [
        ("disabled", "its keys and certificates are not used; its accounts count as having none"),
        ("test", "they serve TLS only; its accounts count as having no certificate"),
        ("enabled", "its keys and certificates are used"),
    ] {
        let set = site.run(&format!("domain set north.example --mode {mode}")).text();
        assert!(set.contains(&format!(" {mode}: {meaning}\n")), "{set}");
        assert_eq!(site.json("domain show north.example")["mode"], mode);
        let issue = site.run("cert issue --account bob@north.example");
        if mode == "enabled" {
            assert_eq!(issue.code, Some(0), "{}", issue.stderr);
        } else {
            let text = format!(
                "sealpost: north.example issues nothing while its mode is {mode}\n  \
                 sealpost domain set north.example --mode enabled\n"
            );
            assert_eq!((issue.code, issue.stderr), (Some(1), text));
        }
        assert!(site.run("domain set --help").text().contains(meaning));
    }
}

#[test]
fn renaming_leaves_the_certificates_as_they_are_and_says_so() {
    let site = site();
    let made = site.json("cert self-sign --domain north.example");
    let said = site.run("domain rename north.example south.example").text();
    for line in [
        "domain north.example is now south.example\n",
        "mail to addresses of north.example is taken no more; to take it as before: sealpost domain set south.example \
         --alias north.example\n",
        "its certificates stay as they are, with the old name in them: what they issued stays valid\n",
        "for TLS under the new name: sealpost cert self-sign --domain south.example (or cert request, and cert set)\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let shown = site.json("cert show --domain south.example");
    assert_eq!(shown["certificates"][0]["fingerprint"], made["fingerprint"]);
    site.run("domain set south.example --alias north.example").ok();
    let renamed = site.json("domain rename south.example east.example");
    assert_eq!(renamed["unchanged_certificates"], json!([made["fingerprint"]]));
}

/// Another subject than before, or none: what was issued names somebody who is gone, and nothing that was sealed to yesterday
/// is refused today by surprise.
#[test]
fn an_authority_that_valid_certificates_name_stays_unless_somebody_insists() {
    let (site, password) = Site::certified();
    std::fs::write(site.root().join("sealpost.toml"), "trust = \"chain\"\nlog = \"none\"\n").unwrap();
    let deliver = || {
        let words = "deliver --sender=x@y.example --recipient=bob@north.example";
        site.program(words).input("From: a@b.example\nSubject: x\n\nhello\n").run().code
    };
    let quiet = site.run("cert self-sign --domain north.example");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "the same name: nothing is lost");
    let refused = |refresh: &str| {
        let text = format!(
            "sealpost: 1 valid certificate was issued by CN=north.example, and that authority would be gone: nobody would \
             believe what it issued where trust is \"chain\", and mail would wait\n  {refresh}to keep the old authority \
             valid beside the new one, first: sealpost key rotate --domain north.example\n  \
             to do it all the same: --anyway\n"
        );
        (1, text)
    };
    let renewed = "to renew its validity alone: sealpost cert self-sign --domain north.example --refresh\n  ";
    let sign = "cert self-sign --domain north.example --organization North";
    assert_eq!(site.refused(sign), refused(renewed));
    assert_eq!(site.refused("cert self-sign --domain north.example --end-entity"), refused(renewed));
    assert_eq!(site.refused("cert remove --domain north.example"), refused(""));
    assert_eq!(deliver(), Some(0));
    // What it names first is done.
    site.run("cert self-sign --domain north.example --refresh").ok();
    let warning = "sealpost: warning: 1 valid certificate was issued by CN=north.example, and that authority is gone: renew \
                   what is in use (sealpost cert renew --domain north.example)\n";
    let ended = site.run(&format!("{sign} --anyway"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), warning));
    assert_eq!(deliver(), Some(75));
    site.run("cert renew --domain north.example").ok();
    // After a rotation the old authority vouches for what it issued, whatever its successor is called.
    site.run("key rotate --domain north.example").ok();
    let ended = site.run("cert self-sign --domain north.example --organization South");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    // What was taken back, or has ended, is nobody's loss.
    let key = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(key).args([path(&password)]).run().ok();
    let new = site.json("cert issue --account bob@north.example");
    let remove = "cert remove --domain north.example";
    assert_eq!(site.refused(remove).0, 1);
    let print = new["fingerprint"].as_str().unwrap();
    let revoke = "cert revoke --account bob@north.example --reason superseded --fingerprint";
    site.run(&format!("{revoke} {print}")).ok();
    let ended = site.run(remove);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_outer_certificate_is_held_against_what_was_issued_as_well() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, _) = Site::certified();
    let outer = Outer::new(site.folder());
    request(&site, "--organization North");
    let signed = outer.sign("domain.csr", "domain", "domain.pem");
    let set = format!("cert set --domain north.example --file {}", path(&signed));
    let (code, text) = site.refused(&set);
    assert!(
        code == 1 && text.starts_with("sealpost: 1 valid certificate was issued by CN=north.example, "),
        "{text}"
    );
    assert!(text.ends_with("\n  to do it all the same: --anyway\n") && !text.contains("--refresh"), "{text}");
    site.run(&format!("{set} --anyway")).ok();
}

#[test]
fn what_is_wrong_with_a_certificate_that_is_set_is_said() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = site();
    let outer = Outer::new(site.folder());
    request(&site, "");
    outer.sign("domain.csr", "domain", "domain.pem");
    // The authority in front, as some send it.
    let turned = outer.joined(&["issuing.pem", "root.pem", "domain.pem"], "turned.pem");
    let set = |file: &std::path::Path| format!("cert set --domain north.example --file {}", path(file));
    let text = format!(
        "sealpost: {}: certificate 1 (CN=Issuing) is not of the key of north.example\n  \
         certificate 3 is yours: put it first\n",
        path(&turned)
    );
    assert_eq!(site.refused(&set(&turned)), (65, text));
    // Windows: a mark in front, and lines that end in CR LF.
    let text = std::fs::read_to_string(outer.file("domain.pem")).unwrap();
    let marked = site.write("marked.pem", &format!("\u{feff}{}", text.replace('\n', "\r\n")));
    site.run(&set(&marked)).ok();
    let ended = outer.past("domain.csr", "ended.pem");
    let said = site.run(&set(&ended));
    let until = said.text().rsplit(' ').next().unwrap().trim().to_owned();
    let warning = format!("sealpost: warning: the certificate ended on {until}\n");
    assert_eq!((said.code, said.stderr), (Some(0), warning));
}

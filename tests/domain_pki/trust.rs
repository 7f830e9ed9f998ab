//! Whom the server and a domain trust.

use super::deliver;
use super::outer::Outer;
use crate::support::{Site, path, tools};
use serde_json::json;
use std::path::Path;

fn configure(site: &Site, text: &str) {
    std::fs::write(site.root().join("sealpost.toml"), format!("{text}\nlog = \"none\"\n")).unwrap();
}

/// Bob's certificate by an outer authority, under `trust = "chain"`; nothing is built in.
fn stage() -> (Site, Outer) {
    let site = Site::furnished();
    let outer = Outer::new(site.folder());
    outer.key("bob");
    let person = outer.person("bob", "bob.pem");
    site.run(&format!("cert add --account bob@north.example --file {}", path(&person))).ok();
    configure(&site, "trust = \"chain\"\ntrust-bundle = \"none\"");
    (site, outer)
}

fn add(site: &Site, holder: &str, file: &Path) -> serde_json::Value {
    site.json(&format!("trust add {holder} --file {}", path(file)))
}

/// Origins and subjects.
fn listed(site: &Site, words: &str) -> Vec<(String, String)> {
    let list = site.json(&format!("trust list {words}"));
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    list["trusted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (word(&one["origin"]), word(&one["subject"])))
        .collect()
}

fn row(origin: &str, subject: &str) -> (String, String) {
    (origin.to_owned(), subject.to_owned())
}

#[test]
fn every_set_lets_mail_be_sealed_and_a_removed_one_no_more() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = stage();
    assert_eq!(deliver(&site).code, Some(75));
    for holder in ["--server", "--domain north.example", "--domain alias.example"] {
        let added = add(&site, holder, &outer.file("issuing.pem"));
        let print = added["added"][0].as_str().unwrap();
        assert_eq!((deliver(&site).code, added["warnings"].clone()), (Some(0), json!([])), "{holder}");
        site.run(&format!("trust remove {} {holder}", &print[..8])).ok();
        assert_eq!(deliver(&site).code, Some(75), "{holder}");
    }
    // A certificate that is itself in a set needs no issuer.
    let added = add(&site, "--domain north.example", &outer.file("bob.pem"));
    assert_eq!(added["warnings"], json!(["CN=bob is trusted for itself only: it may not sign certificates"]));
    assert_eq!(deliver(&site).code, Some(0));
    // And the set of another domain is none of ours.
    site.run(&format!("trust remove {} --domain north.example", added["added"][0].as_str().unwrap())).ok();
    site.run("domain add far.example").ok();
    add(&site, "--domain far.example", &outer.file("issuing.pem"));
    assert_eq!(deliver(&site).code, Some(75));
}

#[test]
fn what_is_inherited_is_shown_and_removed_where_it_comes_from() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = stage();
    let bundle = outer.joined(&["root.pem"], "bundle.pem");
    configure(&site, &format!("trust-bundle = \"{}\"", path(&bundle)));
    site.run("key generate --domain north.example --type ec-p256").ok();
    let own = site.json("cert self-sign --domain north.example")["fingerprint"].as_str().unwrap().to_owned();
    let issuing = add(&site, "--server", &outer.file("issuing.pem"))["added"][0].as_str().unwrap().to_owned();
    add(&site, "--domain north.example", &outer.file("bob.pem"));
    let server = [row("server", "CN=Issuing"), row("built-in", "CN=Root")];
    let domain = [row("own", "CN=north.example"), row("domain", "CN=bob")];
    assert_eq!(listed(&site, ""), server);
    assert_eq!(listed(&site, "--domain alias.example"), [&domain[..], &server].concat());
    let text = site.run("trust list --domain north.example").text();
    assert!(text.starts_with("origin    fingerprint       valid until  subject\nown       "), "{text}");
    let root = site.json("trust list")["trusted"][1]["fingerprint"].as_str().unwrap().to_owned();
    let removed = |print: &str, holder: &str| site.refused(&format!("trust remove {print} {holder}"));
    assert_eq!(
        removed(&issuing, "--domain north.example"),
        (
            1,
            format!(
                "sealpost: CN=Issuing is inherited from the server's set, and cannot be removed here\n  \
                 remove it there, for every domain: sealpost trust remove {} --server\n",
                &issuing[..16]
            )
        )
    );
    for holder in ["--domain north.example", "--server"] {
        let text = format!(
            "sealpost: CN=Root is built in, from {}, and cannot be removed here\n  \
             take it out of that bundle, or name another one in sealpost.toml: trust-bundle\n",
            path(&bundle)
        );
        assert_eq!(removed(&root, holder), (1, text));
    }
    assert_eq!(
        removed(&own, "--domain north.example"),
        (
            1,
            "sealpost: CN=north.example is a certificate of north.example itself, and cannot be removed here\n  \
             remove it there: sealpost cert remove --domain north.example\n"
                .to_owned()
        )
    );
    assert_eq!(removed(&own, "--server").0, 66, "the server does not know it");
    assert_eq!(removed("0123456789", "--server").0, 66);
    assert_eq!(site.refused("trust remove 0123456789").0, 64, "whose set?");
}

#[test]
fn what_cannot_be_trusted_is_refused_and_what_is_there_is_said() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = stage();
    let both = outer.joined(&["root.pem", "issuing.pem"], "both.pem");
    let added = add(&site, "--server", &both);
    assert_eq!(added["added"].as_array().unwrap().len(), 2);
    let again = site.refused(&format!("trust add --server --file {}", path(&outer.file("root.pem"))));
    let text = format!("sealpost: the server trusts already: {}\n", added["added"][0].as_str().unwrap());
    assert_eq!(again, (1, text));
    let more = add(&site, "--server", &outer.joined(&["root.pem", "bob.pem"], "more.pem"));
    assert_eq!((more["known"].as_array().unwrap().len(), more["added"].as_array().unwrap().len()), (1, 1));
    let file = site.write("key.pem", &std::fs::read_to_string(outer.file("root.key")).unwrap());
    assert_eq!(
        site.refused(&format!("trust add --server --file {}", path(&file))),
        (65, format!("sealpost: {}: no certificate found: the file holds a private key\n", path(&file)))
    );
    assert_eq!(
        site.refused(&format!("trust add --domain south.example --file {}", path(&both))),
        (66, "sealpost: there is no domain south.example\n  see: sealpost domain list\n".to_owned())
    );
    assert_eq!(listed(&site, "").len(), 3);
}

#[test]
fn the_bundle_of_the_site_is_believed_under_chain() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = stage();
    let bundle = outer.joined(&["root.pem", "issuing.pem"], "bundle.pem");
    configure(&site, &format!("trust = \"chain\"\ntrust-bundle = \"{}\"", path(&bundle)));
    assert_eq!(deliver(&site).code, Some(0));
    // One broken certificate keeps nobody from trusting the others.
    let text = std::fs::read_to_string(&bundle).unwrap();
    std::fs::write(&bundle, text.replacen("MII", "!!!", 1)).unwrap();
    assert_eq!(deliver(&site).code, Some(0));
    let listed = site.run("trust list");
    let note = format!("sealpost: warning: 1 certificate of {} cannot be read: left out\n", path(&bundle));
    assert_eq!(listed.stderr, note);
    assert_eq!(site.run("config check").ok(), b"the configuration is right\n");
}

/// What is held twice is not lost by being removed once.
#[test]
fn whoever_still_trusts_it_through_another_set_is_told() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, outer) = stage();
    let twice = outer.joined(&["issuing.pem", "issuing.pem"], "twice.pem");
    let said = site.run(&format!("trust add --server --file {}", path(&twice)));
    let print = listed_prints(&site, "").remove(0);
    assert_eq!(said.text(), format!("the server trusts CN=Issuing ({print})\n"), "{}", said.stderr);
    let again = site.refused(&format!("trust add --server --file {}", path(&twice)));
    assert_eq!(again, (1, format!("sealpost: the server trusts already: {print}\n")));
    let added = add(&site, "--domain north.example", &twice);
    assert_eq!((&added["added"], &added["known"]), (&json!([print]), &json!([])));
    let remove = |holder: &str| site.run(&format!("trust remove {} {holder}", &print[..8]));
    let short = &print[..16];
    assert_eq!(
        remove("--domain north.example").text(),
        format!(
            "{print} is in the set of north.example no more\nit is still trusted through the server's set: remove it \
             there, for every domain: sealpost trust remove {short} --server\n"
        )
    );
    assert_eq!(deliver(&site).code, Some(0));
    configure(&site, &format!("trust = \"chain\"\ntrust-bundle = \"{}\"", path(&twice)));
    assert_eq!(
        remove("--server").text(),
        format!(
            "{print} is in the set of the server no more\nit is still trusted through the built-in set, {}: take it out \
             of that bundle, or name another one in sealpost.toml: trust-bundle\n",
            path(&twice)
        )
    );
    add(&site, "--server", &twice);
    configure(&site, "trust = \"chain\"\ntrust-bundle = \"none\"");
    assert_eq!(remove("--server").text(), format!("the server trusts {print} no more\n"));
    assert_eq!(deliver(&site).code, Some(75));
}

fn listed_prints(site: &Site, words: &str) -> Vec<String> {
    let list = site.json(&format!("trust list {words}"))["trusted"].clone();
    list.as_array().unwrap().iter().map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
}

/// The site does not know whom it trusts: mail waits, and whoever looks after the machine is told.
#[test]
fn a_missing_bundle_is_a_doubt_and_said_by_check_and_doctor() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, _) = stage();
    let missing = site.folder().join("missing.pem");
    configure(
        &site,
        &format!("trust = \"chain\"\nunusable = \"reject\"\ntrust-bundle = \"{}\"", path(&missing)),
    );
    let ended = deliver(&site);
    assert_eq!(
        (ended.code, ended.text().as_str()),
        (Some(75), "4.3.5 the trusted authorities are not ready here\n")
    );
    let text = format!(
        "the built-in trusted authorities: cannot read {}: No such file or directory",
        path(&missing)
    );
    assert_eq!(site.refused("config check"), (78, format!("sealpost: {text}\n")));
    let doctor = site.run("doctor");
    assert_eq!((doctor.code, doctor.text().contains(&text)), (Some(1), true), "{}", doctor.text());
    // Where nothing asks for it, nothing waits for it.
    configure(&site, &format!("trust-bundle = \"{}\"", path(&missing)));
    assert_eq!(deliver(&site).code, Some(0));
    let (code, text) = {
        configure(&site, "trust-bundle = \"relative.pem\"");
        site.refused("config check")
    };
    assert_eq!(code, 78);
    assert!(text.contains("allowed: \"system\", \"none\", a path with a leading /"), "{text}");
}

/// What every Debian has.
#[test]
fn the_bundle_of_the_operating_system_is_built_in() {
    if !crate::support::files(&["/etc/ssl/certs/ca-certificates.crt"]) {
        return;
    }
    let site = Site::furnished();
    let list = site.json("trust list");
    assert_eq!(list["trust_bundle"], "/etc/ssl/certs/ca-certificates.crt");
    assert!(list["trusted"].as_array().unwrap().iter().all(|one| one["origin"] == "built-in"));
    assert!(list["trusted"].as_array().unwrap().len() > 50 && list["broken"] == 0);
    configure(&site, "trust-bundle = \"none\"");
    assert_eq!(site.run("trust list").text(), "nobody is trusted\n");
}

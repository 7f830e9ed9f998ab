//! The rotation of an authority: the new one takes over, the old one vouches for what it issued until it is forgotten.

use super::deliver;
use crate::support::{Ended, Program, Site, path, tools};
use serde_json::json;

#[test]
fn what_was_issued_stays_valid_until_the_old_authority_is_forgotten() {
    let (site, _) = Site::certified();
    let config = "trust = \"chain\"\ntrust-bundle = \"none\"\nlog = \"none\"\n";
    std::fs::write(site.root().join("sealpost.toml"), config).unwrap();
    let old =
        site.json("key show --domain north.example")["keys"][0]["fingerprint"].as_str().unwrap().to_owned();
    let before = site.json("cert show --domain north.example")["certificates"][0].clone();
    let until = site.json("cert show --account bob@north.example")["certificates"][0]["not_after"].clone();
    let said = site.run("key rotate --domain alias.example").text();
    let keys = site.json("key show --domain north.example")["keys"].clone();
    let new = keys[0]["fingerprint"].as_str().unwrap();
    let after = site.json("cert show --domain north.example")["certificates"][0].clone();
    assert_eq!(
        said,
        format!(
            "EC P-256 key {new} of north.example takes the place of {old}\n\
             generic certificate {} signed by the new key, valid until {}\n\
             still valid of the old authority: 1 certificate, the last until {}; renew what is in use: \
             sealpost cert renew --domain north.example\n\
             give the new certificate to whom trusts the old one: sealpost cert show --domain north.example\n\
             when the old authority is needed no more: sealpost key remove --domain north.example --forget {}\n",
            after["fingerprint"].as_str().unwrap(),
            after["not_after"].as_str().unwrap(),
            until.as_str().unwrap(),
            &old[..16]
        )
    );
    assert_eq!(after["subject"], before["subject"]);
    assert_eq!(after["purposes"], before["purposes"]);
    assert_ne!(after["serial"], before["serial"]);
    // Everybody who asks is told of the old one.
    assert_eq!(keys[1]["fingerprint"], old.as_str());
    assert!(keys[1]["state"].as_str().unwrap().starts_with("retired on "));
    let shown = site.json("cert show --domain north.example")["retired"].clone();
    assert_eq!((&shown[0]["key_fingerprint"], &shown[0]["not_after"]), (&json!(old), &before["not_after"]));
    let text = site.run("cert show --domain north.example").text();
    assert!(
        text.contains("replaced authority  key               on          valid until\nCN=north.example    "),
        "{text}"
    );
    let text = site.run("domain show north.example").text();
    let words =
        format!("replaced authorities  1, the last until {}\n", before["not_after"].as_str().unwrap());
    assert!(text.contains(&words), "{text}");
    assert_eq!(site.json("trust list --domain north.example")["trusted"][1]["origin"], "replaced");
    // Mail is sealed to what either of them issued.
    assert_eq!(deliver(&site).code, Some(0));
    assert_eq!(site.run("doctor").ok(), b"all is well\n");
    let renewed = site.json("cert issue --account bob@north.example --renew");
    assert_eq!(deliver(&site).code, Some(0));
    // Forgotten: what it issued is worth nothing, what the new one issued is.
    let forget = format!("key remove --domain north.example --forget {}", &old[..16]);
    let text = format!(
        "key {old} of north.example removed: what it issued chains to nothing any more\n\
         still valid of what it issued: 1 certificate: sealpost cert issued --domain north.example\n"
    );
    assert_eq!(site.run(&forget).text(), text);
    assert_eq!(site.json("cert show --domain north.example")["retired"], json!([]));
    assert_eq!(deliver(&site).code, Some(0));
    let print = renewed["fingerprint"].as_str().unwrap();
    let first = site.json("cert show --account bob@north.example")["certificates"][0]["pem"].clone();
    let file = site.write("first.pem", first.as_str().unwrap());
    site.run(&format!("cert retire --account bob@north.example --fingerprint {print}")).ok();
    let (code, text) = site.refused(&format!("cert add --account bob@north.example --file {}", path(&file)));
    assert_eq!(code, 65);
    assert!(text.contains("it does not chain to a trusted authority"), "{text}");
}

#[test]
fn another_kind_of_key_and_both_certificates() {
    let site = Site::furnished();
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example --end-entity").ok();
    site.run("cert self-sign --domain north.example --purpose smime --organization North").ok();
    let rotated = site.json("key rotate --domain north.example --type ed25519 --days 100");
    assert_eq!((&rotated["type"], &rotated["issued_in_use"]), (&"Ed25519".into(), &0.into()));
    let shown = site.json("cert show --domain north.example");
    let certificates = shown["certificates"].as_array().unwrap();
    let subjects: Vec<_> =
        certificates.iter().map(|one| (one["subject"].clone(), one["issues"].clone())).collect();
    assert_eq!(
        subjects,
        [(json!("CN=north.example"), json!(false)), (json!("CN=north.example,O=North"), json!(true))]
    );
    assert_eq!(certificates[0]["purposes"], json!(["sign", "TLS server", "TLS client"]));
    // What issued nothing is not kept.
    assert_eq!(shown["retired"].as_array().unwrap().len(), 1);
    assert_eq!(shown["retired"][0]["subject"], "CN=north.example,O=North");
    site.run("key test --domain north.example").ok();
}

/// Mail that was sealed to the old key in the place of an account stays readable, and the new one stands in from now on.
#[test]
fn a_key_that_stands_in_for_accounts_is_followed_by_one_that_can() {
    let site = Site::furnished();
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example").ok();
    site.run("cert self-sign --domain north.example --purpose sealing").ok();
    let text = "sealpost: a key of the kind Ed25519 signs and does nothing else, and mail is sealed to the key of north.example \
                in the place of accounts (domain-key)\n  without that: sealpost cert remove --domain north.example --purpose sealing\n";
    assert_eq!(site.refused("key rotate --domain north.example --type ed25519"), (1, text.to_owned()));
    let made = site.json("key rotate --domain north.example --type rsa-2048");
    let purposes: Vec<_> =
        made["certificates"].as_array().unwrap().iter().map(|one| one["purpose"].clone()).collect();
    assert_eq!(purposes, ["generic", "sealing"]);
    let shown = site.json("cert show --domain north.example");
    assert_eq!(shown["certificates"][1]["purposes"], json!(["sign", "encrypt", "mail"]));
    assert_eq!(shown["retired"].as_array().unwrap().len(), 1, "the other one signed nothing");
}

#[test]
fn there_must_be_an_authority_to_replace() {
    let site = Site::furnished();
    let rotate = "key rotate --domain north.example";
    assert_eq!(
        site.refused(rotate),
        (
            66,
            "sealpost: north.example has no key\n  make one: sealpost key generate --domain north.example\n"
                .to_owned()
        )
    );
    site.run("key generate --domain north.example --type ec-p256").ok();
    let nothing = "sealpost: north.example has no certificate that may sign others: there is no authority to replace\n  \
                   make it one: sealpost cert self-sign --domain north.example\n  \
                   or replace its key: sealpost key remove --domain north.example, then key generate\n";
    assert_eq!(site.refused(rotate), (1, nothing.to_owned()));
    site.run("cert self-sign --domain north.example --end-entity").ok();
    assert_eq!(site.refused(rotate), (1, nothing.to_owned()));
    site.run("cert self-sign --domain north.example").ok();
    let (code, text) = site.refused("key rotate --domain north.example --type x25519");
    assert_eq!(code, 1);
    assert!(text.starts_with("sealpost: a key of the kind X25519 cannot sign"), "{text}");
    assert_eq!(site.json("cert show --domain north.example")["retired"], json!([]));
}

#[test]
fn a_domain_is_not_removed_while_any_of_its_keys_is_there() {
    let site = Site::furnished();
    site.run("account remove bob@north.example").ok();
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example").ok();
    site.run("key rotate --domain north.example").ok();
    let keys = site.json("key show --domain north.example")["keys"].clone();
    let [new, old] = [0, 1].map(|at| keys[at]["fingerprint"].as_str().unwrap().to_owned());
    let (code, text) = site.refused("domain remove north.example");
    assert!(code == 1 && text.contains(&new) && text.contains(&old), "{text}");
    for forget in [&new, &old] {
        assert_eq!(site.refused(&format!("domain remove north.example --forget {forget}")).0, 1);
    }
    site.run(&format!("domain remove north.example --forget {new} --forget {old}")).ok();
}

/// Two programs that were not told: the same name, two keys, and each certificate finds its own.
#[test]
fn openssl_tells_the_old_authority_from_the_new_one() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, _) = Site::certified();
    let pem =
        |words: &str, at: usize| site.json(words)["certificates"][at]["pem"].as_str().unwrap().to_owned();
    let old = pem("cert show --domain north.example", 0);
    site.run("key rotate --domain north.example").ok();
    let both = site.write("both.pem", &format!("{old}{}", pem("cert show --domain north.example", 0)));
    site.run("cert issue --account bob@north.example --renew").ok();
    for at in [0, 1] {
        let user = site.write("user.pem", &pem("cert show --account bob@north.example", at));
        let verify = Program::new("openssl")
            .words("verify -x509_strict -CAfile")
            .args([path(&both), path(&user)])
            .run();
        assert_eq!(verify.code, Some(0), "{}", verify.stderr);
    }
}

/// Two at once: one of them takes over, the other is told so or rotates the new one; nothing is lost.
#[test]
fn rotations_at_once_lose_no_key() {
    let (site, _) = Site::certified();
    let rotate = || site.run("key rotate --domain north.example");
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(rotate)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let done = ended.iter().filter(|one| one.code == Some(0)).count();
    let late = "sealpost: the key of the domain north.example was changed meanwhile: look at it again (sealpost key show \
                --domain north.example)\n";
    assert!(done >= 1 && ended.iter().all(|one| one.code == Some(0) || one.stderr == late));
    let keys = site.json("key show --domain north.example")["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), done + 1);
}

/// Which key is which, and what each one vouches for.
#[test]
fn of_several_keys_each_is_told_with_its_state_before_one_goes() {
    let (site, _) = Site::certified();
    site.run("key rotate --domain north.example").ok();
    let keys = site.json("key show --domain north.example")["keys"].clone();
    let [new, old] = [0, 1].map(|at| keys[at]["fingerprint"].as_str().unwrap().to_owned());
    let since = keys[1]["state"].as_str().unwrap();
    let (code, text) = site.refused("key remove --domain north.example");
    let hint = format!(
        "\n  {} active, EC P-256: issued 0 valid certificates\n  {} {since}, EC P-256: issued 1 valid certificate\n  \
         to take certificates back first: sealpost cert revoke --domain north.example --serial SERIAL --reason \
         affiliation-changed (see sealpost cert issued --domain north.example)\n  to lose it say which: --forget {old}\n",
        &new[..16],
        &old[..16]
    );
    assert!(code == 1 && text.ends_with(&hint), "{text}");
    let removed = site.run(&format!("key remove --domain north.example --forget {old}")).text();
    let text = format!(
        "key {old} of north.example removed: what it issued chains to nothing any more\n\
         still valid of what it issued: 1 certificate: sealpost cert issued --domain north.example\n"
    );
    assert_eq!(removed, text);
}

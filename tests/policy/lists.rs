//! Revocation lists of other authorities at delivery: what they take back, and what an old or a missing one means.

use super::bench::{Bench, Bob, Opens, another_authority};
use crate::support::{Program, path, tools};
use sealpost::pki::{Crl, read_crls};
use std::path::Path;

const CONFIG: &str = "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=e\n\
                      [e]\nauthorityKeyIdentifier=keyid\n[delta]\n2.5.29.27=critical,DER:020101\nauthorityKeyIdentifier=keyid\n";

/// A list of the other authority, made by OpenSSL: what it says of Bob's certificate, from when to when (days from now).
fn list(bench: &Bench, entry: Option<&str>, extensions: &str, made: i64, due: i64) -> Crl {
    let folder = tempfile::tempdir().unwrap();
    let authority = another_authority();
    let serial = bench.bob().certificate.serial();
    let index = entry.map_or(String::new(), |reason| {
        format!("R\t351231235959Z\t{},{reason}\t{serial}\tunknown\t/CN=bob\n", stamp(bench, made))
    });
    let key = pem("PRIVATE KEY", authority.key.to_pkcs8().unwrap().expose());
    let ca = authority.certificate.to_pem().unwrap();
    let files = [
        ("index", index),
        // The later it was made, the greater.
        ("number", format!("{:02X}\n", 100 + made)),
        ("config", CONFIG.to_owned()),
        ("key", key),
        ("ca", ca),
    ];
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    let (from, to) = (stamp(bench, made), stamp(bench, due));
    let at = |name: &str| folder.path().join(name);
    let words = format!("ca -gencrl -crl_lastupdate 20{from} -crl_nextupdate 20{to} -crlexts {extensions}");
    let files = ["-config", path(&at("config")), "-keyfile", path(&at("key")), "-cert", path(&at("ca"))]
        .map(str::to_owned);
    let made = Program::new("sh")
        .args(["-c", &format!("cd {} && openssl {words} {}", path(folder.path()), files.join(" "))]);
    read_crls(&made.run().ok()).unwrap().remove(0)
}

/// UTCTime.
fn stamp(bench: &Bench, days: i64) -> String {
    format!("{}120000Z", &bench.day(days).replace('-', "")[2..])
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", encodify_lines(der))
}

fn encodify_lines(der: &[u8]) -> String {
    let text = Program::new("openssl").words("base64").input(der).run().ok();
    String::from_utf8(text).unwrap().trim_end().to_owned()
}

fn bench(lists: &[(Option<&str>, &str, i64, i64)]) -> Option<Bench> {
    if !tools(&["openssl", "sh"]) || !Path::new("/bin/sh").exists() {
        return None;
    }
    let bench = Bench::with(&Bob::valid());
    for (entry, extensions, made, due) in lists {
        let list = list(&bench, *entry, extensions, *made, *due);
        assert!(list.is_signed_by(&another_authority().certificate));
        bench.directory().add_crl(&list, "a test", &[]).unwrap();
    }
    Some(bench)
}

/// What the hook says under each setting, and a piece of the log.
fn told(bench: &Bench, settings: &[(&str, &str)], code: i32, opens: Opens, log: &str) {
    for domain in [false, true] {
        if domain {
            bench.for_the_domain(settings)
        } else {
            bench.for_the_site(settings)
        }
        let (ended, found) = bench.deliver();
        assert_eq!(ended.code, Some(code), "{settings:?}: {found}");
        assert!(found.contains(&bench.fill(log)), "{settings:?}: {log}\n{found}");
        bench.assert_opens(opens, log);
    }
}

const NONE: &str =
    "none of the 1 active certificates of bob@north.example may be sealed to; the newest, {fp}: ";

#[test]
fn what_a_list_takes_back_is_not_sealed_to() {
    let Some(bench) = bench(&[(Some("keyCompromise"), "e", -3, 4)]) else { return };
    let revoked = format!("{NONE}it was revoked on {} (key-compromise)", bench.day(-3));
    told(&bench, &[], 75, Opens::Nobody, &revoked);
    told(&bench, &[("unusable", "reject")], 65, Opens::Nobody, &revoked);
    told(&bench, &[("unusable", "domain-key"), ("crl", "hard")], 0, Opens::Domain, &revoked);
}

#[test]
fn an_old_list_still_revokes_what_it_lists() {
    let Some(bench) = bench(&[(Some("superseded"), "e", -30, -20)]) else { return };
    let revoked = format!("{NONE}it was revoked on {} (superseded)", bench.day(-30));
    for crl in ["soft", "hard"] {
        told(&bench, &[("crl", crl), ("unusable", "reject")], 65, Opens::Nobody, &revoked);
    }
}

#[test]
fn a_hold_defers_until_a_newer_list_passes_over_it() {
    let Some(bench) = bench(&[(Some("certificateHold"), "e", -3, 4)]) else { return };
    let held = format!("{NONE}it is on hold since {}", bench.day(-3));
    told(&bench, &[("unusable", "reject")], 75, Opens::Nobody, &held);
    told(&bench, &[("unusable", "domain-key")], 75, Opens::Nobody, &held);
    let newer = list(&bench, None, "e", -2, 5);
    bench.directory().add_crl(&newer, "a test", &[]).unwrap();
    told(&bench, &[("crl", "hard")], 0, Opens::Bob, "warnings=0");
}

#[test]
fn remove_from_crl_clears_a_hold() {
    let held = (Some("certificateHold"), "e", -3, 4);
    let Some(bench) = bench(&[held, (Some("removeFromCRL"), "delta", -2, 4)]) else { return };
    told(&bench, &[("crl", "hard"), ("unusable", "reject")], 0, Opens::Bob, "warnings=0");
}

/// Ended certificates leave the lists; that is no pardon.
#[test]
fn what_was_revoked_for_good_stays_so_when_a_newer_list_passes_over_it() {
    let lists = [(Some("keyCompromise"), "e", -9, -5), (None, "e", -3, 4)];
    let Some(bench) = bench(&lists) else { return };
    told(
        &bench,
        &[],
        75,
        Opens::Nobody,
        &format!("{NONE}it was revoked on {} (key-compromise)", bench.day(-9)),
    );
}

#[test]
fn an_old_list_is_a_warning_or_defers() {
    let Some(bench) = bench(&[(None, "e", -30, -20)]) else { return };
    let old = format!(
        "the revocation list of CN=Another authority is old: the next one was due on {}",
        bench.day(-20)
    );
    told(&bench, &[], 0, Opens::Bob, &format!("certificate {{fp}} of bob@north.example: {old}"));
    told(&bench, &[("crl", "soft")], 0, Opens::Bob, "warnings=1");
    // Neither refused nor given to others: the list may come.
    for unusable in ["defer", "reject", "domain-key"] {
        told(&bench, &[("crl", "hard"), ("unusable", unusable)], 75, Opens::Nobody, &format!("{NONE}{old}"));
    }
    bench.for_the_site(&[]);
    let doctor = bench.command("doctor").run();
    let found = format!(
        "warning   CN=Another authority  the revocation list is old: the next one was due on {}: get the issuer's newest \
         revocation list\n",
        bench.day(-20)
    );
    assert!(doctor.text().contains(&found), "{}", doctor.text());
    assert_eq!(doctor.code, Some(1));
}

/// A list of changes alone says nothing of what did not change.
#[test]
fn a_list_that_is_needed_and_missing_is_a_warning_or_defers() {
    let Some(bench) = bench(&[(None, "delta", -3, 4)]) else { return };
    let missing = "the revocation list of CN=Another authority is a delta list, and the complete list that it continues is \
                   not here";
    told(&bench, &[], 0, Opens::Bob, &format!("certificate {{fp}} of bob@north.example: {missing}"));
    told(&bench, &[("crl", "hard"), ("unusable", "reject")], 75, Opens::Nobody, &format!("{NONE}{missing}"));
}

/// Of what a domain of ours issued its own record tells.
#[test]
fn what_the_domain_issued_itself_needs_no_list() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, _) = crate::support::Site::certified();
    std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\ncrl = \"hard\"\n").unwrap();
    let ended = site.program("deliver --sender= --recipient=bob@north.example").input(super::MESSAGE).run();
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
}

//! A newer revocation list of another authority takes the place of the older one, and forgives nothing.

use super::bench::{Bench, Bob, Opens, another_authority};
use super::lists::list;
use crate::support::{path, tools};
use sealpost::pki::Crl;
use serde_json::{Value, json};
use std::path::Path;

/// Bob's certificate is of the other authority.
fn bench() -> Option<Bench> {
    (tools(&["openssl", "sh"]) && Path::new("/bin/sh").exists()).then(|| Bench::with(&Bob::valid()))
}

/// What `crl add` says of it.
fn add(bench: &Bench, list: &Crl) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (file, issuer) = (folder.path().join("list"), folder.path().join("issuer"));
    std::fs::write(&file, list.der()).unwrap();
    std::fs::write(&issuer, another_authority().certificate.to_pem().unwrap()).unwrap();
    let words = format!("crl add --file {} --issuer {}", path(&file), path(&issuer));
    bench.command(&words).run().text()
}

/// Number and reason of staying of each list that is here.
fn here(bench: &Bench) -> Vec<(String, Value)> {
    let listed: Value = serde_json::from_slice(&bench.command("crl list --json").run().ok()).unwrap();
    let lists = listed["lists"].as_array().unwrap().iter();
    lists.map(|one| (one["number"].as_str().unwrap().to_owned(), one["kept_for"].clone())).collect()
}

fn row(number: &str, kept_for: Value) -> (String, Value) {
    (number.to_owned(), kept_for)
}

#[test]
fn a_list_that_passes_over_what_was_revoked_for_good_keeps_the_older_one() {
    let Some(bench) = bench() else { return };
    let lost = list(&bench, Some("keyCompromise"), "e", -9, -5);
    add(&bench, &lost);
    let next = list(&bench, None, "e", -5, 2);
    let told = format!(
        "list 995 of CN=Another authority is kept; it takes back 0 certificates\n\
         {} stays: it revokes 1 held certificate that the new list passes over\n",
        lost.fingerprint()
    );
    assert_eq!(add(&bench, &next), told);
    assert_eq!(here(&bench), [row("991", json!(1)), row("995", Value::Null)]);
    let text = bench.command("crl list").run().text();
    assert!(text.lines().nth(1).unwrap().contains("  1 certificate  "), "{text}");
    // Another one takes the place of the second, and not of the first.
    let last = list(&bench, None, "e", -3, 4);
    let told = add(&bench, &last);
    let lines = [
        format!("it takes the place of {}\n", next.fingerprint()),
        format!("{} stays: ", lost.fingerprint()),
    ];
    lines.iter().for_each(|line| assert!(told.contains(line), "{line} is not in\n{told}"));
    assert_eq!(here(&bench), [row("991", json!(1)), row("997", Value::Null)]);
    bench.site("unusable = \"reject\"\n");
    let (ended, log) = bench.deliver();
    assert_eq!(ended.code, Some(65), "{log}");
    assert!(log.contains(&format!("it was revoked on {} (key-compromise)", bench.day(-9))), "{log}");
    bench.assert_opens(Opens::Nobody, &log);
    // One that names it again takes the place of all.
    add(&bench, &list(&bench, Some("keyCompromise"), "e", -2, 5));
    assert_eq!(here(&bench), [row("998", Value::Null)]);
}

/// Retired ones are judged too: their account may still be asked to seal to them again.
#[test]
fn a_retired_certificate_is_held_and_one_of_nobody_is_not() {
    let Some(bench) = bench() else { return };
    add(&bench, &list(&bench, Some("keyCompromise"), "e", -9, -5));
    let print = bench.bob().certificate.fingerprint();
    bench.command(&format!("cert retire --account bob@north.example --fingerprint {print}")).run().ok();
    add(&bench, &list(&bench, None, "e", -5, 2));
    assert_eq!(here(&bench), [row("991", json!(1)), row("995", Value::Null)]);
    bench.command("account remove bob@north.example").run().ok();
    assert_eq!(here(&bench), [row("991", json!(0)), row("995", Value::Null)]);
    add(&bench, &list(&bench, None, "e", -3, 4));
    assert_eq!(here(&bench), [row("997", Value::Null)]);
}

#[test]
fn a_hold_ends_with_the_list_that_it_stood_in() {
    let Some(bench) = bench() else { return };
    let held = list(&bench, Some("certificateHold"), "e", -9, -5);
    add(&bench, &held);
    let told = add(&bench, &list(&bench, None, "e", -3, 4));
    assert!(told.ends_with(&format!("it takes the place of {}\n", held.fingerprint())), "{told}");
    assert_eq!(here(&bench), [row("997", Value::Null)]);
    bench.site("crl = \"hard\"\n");
    let (ended, log) = bench.deliver();
    assert_eq!(ended.code, Some(0), "{log}");
    bench.assert_opens(Opens::Bob, &log);
}

/// removeFromCRL takes back holds, and nothing else.
#[test]
fn a_delta_that_removes_from_the_list_does_not_take_the_place_of_one_that_revokes_for_good() {
    for (reason, numbers) in [("keyCompromise", vec!["991", "997"]), ("certificateHold", vec!["997"])] {
        let Some(bench) = bench() else { return };
        add(&bench, &list(&bench, Some(reason), "delta", -9, -5));
        add(&bench, &list(&bench, Some("removeFromCRL"), "delta", -3, 4));
        let found: Vec<String> = here(&bench).into_iter().map(|(number, _)| number).collect();
        assert_eq!(found, numbers, "{reason}");
    }
}

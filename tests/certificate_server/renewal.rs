//! The same keys again.

use super::Office;
use crate::support::{AT_ANOTHER_TIME, Program, on_one_day, path, tools};
use sealpost::crypto::Seed;
use sealpost::directory::{CertificateUse, SqliteDirectory};
use sealpost::pki::{Certificate, UnlockedKey, Validity, refresh};
use time::{Duration, OffsetDateTime};

#[test]
fn an_account_is_renewed_with_the_same_key_and_its_predecessor_retired() {
    let (office, first) = Office::issued();
    let before = office.site.json("cert list --account bob@north.example")["certificates"][0].clone();
    let renewed = office.site.json("cert renew --account bob@north.example --days 30");
    let new = &renewed["renewed"][0];
    assert_eq!(new["retired"], serde_json::json!([first]));
    assert_eq!(new["key_fingerprint"], before["key_fingerprint"]);
    assert_ne!(new["serial"], before["serial"]);
    assert_eq!(new["subject"], before["subject"]);
    assert_eq!(office.states(), ["retired", "active"]);
    let print = new["fingerprint"].as_str().unwrap();
    let text = office.site.run("cert renew --account bob@north.example --days 20").text();
    assert!(text.starts_with("mail for bob@north.example is sealed to "), "{text}");
    assert!(text.ends_with(&format!("{print} is retired: it has the same key\n")), "{text}");
    let soon = office.site.run("cert renew --account bob@north.example --within 10");
    assert_eq!(soon.text(), "no certificate of bob@north.example ends so soon\n");
}

#[test]
fn a_name_and_what_programs_read_stay() {
    let office = Office::new();
    office.site.run("cert issue --account bob@north.example --name Bob --reads aes-256-gcm").ok();
    let renewed = office.site.json("cert renew --account bob@north.example");
    assert_eq!(renewed["renewed"][0]["subject"], "CN=Bob");
    let pem = super::pem(&renewed["renewed"][0]);
    let made = Certificate::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(made.reads(), sealpost::pki::Reads::Gcm);
}

#[test]
fn what_cannot_be_renewed_is_said() {
    let office = Office::new();
    let text = "sealpost: bob@north.example has no active certificate that north.example issued\n  \
        see: sealpost cert list --account bob@north.example\n";
    assert_eq!(office.site.refused("cert renew --account bob@north.example"), (66, text.to_owned()));
    let issued = office.site.json("cert issue --account bob@north.example");
    let print = issued["fingerprint"].as_str().unwrap();
    office.site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
    let today = issued["not_before"].as_str().unwrap();
    let text = format!(
        "sealpost: {print} was revoked on {today} (key-compromise)\n  that stays. A new key gets a new certificate: \
         sealpost key generate, then cert issue\n"
    );
    assert_eq!(office.site.refused("cert renew --account bob@north.example"), (1, text));
}

#[test]
fn a_certificate_that_ends_with_its_authority_waits_for_it() {
    let office = Office::new();
    office.site.run("cert self-sign --domain north.example --days 100").ok();
    let issued = office.site.json("cert issue --account bob@north.example");
    let (print, end) = (issued["fingerprint"].as_str().unwrap(), issued["not_after"].as_str().unwrap());
    let text = format!(
        "sealpost: {print} cannot be renewed: it ends with its authority, on {end}\n  \
         renew the authority first: sealpost cert self-sign --domain north.example --refresh\n"
    );
    assert_eq!(office.site.refused("cert renew --account bob@north.example"), (1, text));
    office.site.run("cert self-sign --domain north.example --refresh").ok();
    let renewed = office.site.json("cert renew --account bob@north.example");
    assert_ne!(renewed["renewed"][0]["not_after"], issued["not_after"]);
}

/// Another certificate of the domain's key in the place of the one for that use.
fn replace(
    office: &Office,
    purpose: CertificateUse,
    make: impl FnOnce(&Certificate, &UnlockedKey) -> Certificate,
) {
    let directory = SqliteDirectory::open(&office.site.root()).unwrap();
    let key = directory.domain_key("north.example").unwrap().unwrap();
    let key = UnlockedKey::from_pkcs8(key.pkcs8.expose()).unwrap();
    let held = directory.domain_certificates("north.example").unwrap();
    let old = held.iter().find(|held| held.purpose == purpose).unwrap();
    let new = make(&old.certificate, &key);
    directory.set_domain_certificate("north.example", purpose, &new).unwrap();
}

/// The same names, and a validity that has ended.
fn ended(old: &Certificate, key: &UnlockedKey) -> Certificate {
    let begin = OffsetDateTime::now_utc() - Duration::days(10);
    refresh(old, key, Validity::lasting(begin, Duration::days(5)), Seed::from_bytes(&mut [7; 32])).unwrap()
}

#[test]
fn an_authority_that_ended_is_named_with_the_command_that_renews_it() {
    on_one_day();
    let (office, _) = Office::issued();
    let end = (OffsetDateTime::now_utc() - Duration::days(5)).date();
    let refused = |purpose: &str| {
        let text = format!(
            "sealpost: north.example issues nothing: its authority's certificate ended on {end}\n  renew it first: \
             sealpost cert self-sign --domain north.example{purpose} --refresh\n"
        );
        for command in [
            "cert issue --account bob@north.example --renew",
            "cert renew --account bob@north.example",
            "cert renew --domain north.example",
        ] {
            assert_eq!(office.site.refused(command), (1, text.clone()));
        }
    };
    replace(&office, CertificateUse::Generic, ended);
    refused("");
    office.site.run("cert self-sign --domain north.example --purpose smime").ok();
    replace(&office, CertificateUse::Smime, ended);
    refused(" --purpose smime");
    office.site.run("cert self-sign --domain north.example --purpose smime --refresh").ok();
    office.site.run("cert renew --account bob@north.example").ok();
}

#[test]
fn what_was_revoked_is_said_before_what_ends_with_its_authority() {
    let office = Office::new();
    office.site.run("cert self-sign --domain north.example --days 100").ok();
    office.site.run("cert issue --account bob@north.example").ok();
    office.site.run("cert revoke --account bob@north.example --reason superseded").ok();
    let (code, text) = office.site.refused("cert renew --account bob@north.example");
    assert!(
        code == 1 && text.contains(" was revoked on ") && text.contains("sealpost key generate"),
        "{text}"
    );
}

#[test]
fn a_certificate_for_tls_issues_nothing_and_the_special_one_beside_it_does() {
    let office = Office::new();
    office.site.run("cert self-sign --domain north.example --end-entity").ok();
    let text = "sealpost: CN=north.example cannot issue certificates: its certificate is not that of an authority \
        (basicConstraints CA is missing)\n  make one that can: sealpost cert self-sign --domain north.example --purpose \
        smime\n";
    assert_eq!(office.site.refused("cert issue --account bob@north.example"), (65, text.to_owned()));
    office.site.run("cert self-sign --domain north.example --purpose smime").ok();
    office.site.run("cert issue --account bob@north.example").ok();
}

#[test]
fn the_authority_is_written_to_a_file_for_others_to_trust() {
    let office = Office::new();
    let file = office.file("authority.pem");
    let show = format!("cert show --domain north.example --output {}", path(&file));
    let shown = office.site.json("cert show --domain north.example")["certificates"][0].clone();
    let text = format!(
        "generic certificate {} of north.example is written to {}\n",
        shown["fingerprint"].as_str().unwrap(),
        path(&file)
    );
    assert_eq!(office.site.run(&show).text(), text);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), super::pem(&shown));
    assert_eq!(office.site.refused(&show).0, 1);
    // The special one issues, and the other one can be asked for.
    office.site.run("cert self-sign --domain north.example --purpose smime").ok();
    let written = |name: &str, more: &str| {
        let file = office.file(name);
        office.site.run(&format!("cert show --domain north.example --output {} {more}", path(&file))).ok();
        std::fs::read_to_string(&file).unwrap()
    };
    assert_ne!(written("special.pem", ""), super::pem(&shown));
    assert_eq!(written("generic.pem", "--purpose generic"), super::pem(&shown));
    let none = format!(
        "cert show --domain north.example --purpose sealing --output {}",
        path(&office.file("no.pem"))
    );
    let text = "sealpost: north.example has no sealing certificate to write\n  see: sealpost cert show --domain \
        north.example\n";
    assert_eq!(office.site.refused(&none), (66, text.to_owned()));
    assert!(!office.file("no.pem").exists());
    office.site.run("cert issue --account bob@north.example").ok();
    let of_bob = office.site.folder().join("bob.active.pem");
    let show = format!("cert show --account bob@north.example --output {}", path(&of_bob));
    let told = String::from_utf8(office.site.run(&show).ok()).unwrap();
    assert_eq!(told, format!("1 certificate of bob@north.example written to {}\n", path(&of_bob)));
    let listed = office.site.json("cert show --account bob@north.example")["certificates"].clone();
    let active = listed.as_array().unwrap().iter().find(|one| one["state"] == "active").unwrap();
    assert_eq!(std::fs::read_to_string(&of_bob).unwrap(), super::pem(active));
    assert_eq!(
        office.site.refused("cert show --account bob@north.example --purpose sealing --output x").0,
        64
    );
}

/// A report that is kept for years must not keep anybody from a new certificate.
#[test]
fn what_a_report_names_is_renewed_again_when_half_its_time_is_over() {
    if !tools(&["faketime"]) {
        return;
    }
    let (office, _) = Office::issued();
    let report = office.file("renewed.csv");
    let renew = format!("cert renew --domain north.example --within 10000 --report {}", path(&report));
    let root = office.site.root();
    let last = |days: i64| {
        let day = (OffsetDateTime::now_utc() + Duration::days(days)).date().to_string();
        let program = [&day, env!("CARGO_BIN_EXE_sealpost"), "--root", path(&root)];
        let shell = Program::new("sh").args(["-c", AT_ANOTHER_TIME, "sh"]);
        shell.args(program).words(&renew).run().text().lines().last().unwrap().to_owned()
    };
    let passed_over = "0 certificates renewed, 1 certificate of an earlier run passed over";
    // Whatever the time zone, by which a day begins for faketime: the certificate was issued before.
    assert_eq!(last(2), "1 certificate renewed");
    assert_eq!(last(360), passed_over);
    assert_eq!(last(370), "1 certificate renewed");
    assert_eq!(last(370), passed_over);
}

#[test]
fn a_domain_is_renewed_where_it_is_due() {
    let office = Office::new();
    for name in ["dan", "eve", "ida"] {
        office.site.run(&format!("account add {name}@north.example")).ok();
        office.make_key(name);
    }
    office.site.run("cert issue --account bob@north.example --days 20").ok();
    office.site.run("cert issue --account dan@north.example --days 31").ok();
    office.site.run("cert issue --account eve@north.example --days 20").ok();
    office.site.run("cert issue --account ida@north.example --days 20").ok();
    office.site.run("cert revoke --account eve@north.example --reason superseded").ok();
    let report = office.file("renewed.csv");
    // Ida's address is not hers any more in the certificate to come: it cannot be issued.
    let command = format!("cert renew --domain north.example --report {}", path(&report));
    let ended = office.site.run(&command);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = ended.text();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(rows[0], ["account", "outcome", "certificate or reason"]);
    assert_eq!(rows[1][..2], ["bob@north.example", "renewed"]);
    assert_eq!(rows[2][..2], ["eve@north.example", "skipped"]);
    assert!(
        rows[2][2].starts_with("it was revoked on ")
            && rows[2][2].ends_with(" (superseded): it is left alone")
    );
    assert_eq!(rows[3][..2], ["ida@north.example", "renewed"]);
    assert_eq!(rows[4], ["2 certificates renewed"]);
    let csv = std::fs::read_to_string(&report).unwrap();
    let csv: Vec<&str> = csv.lines().collect();
    assert_eq!(csv[0], "address,outcome,detail");
    assert_eq!(csv[1], format!("bob@north.example,issued,{}", rows[1][2]));
    assert_eq!(csv.len(), 4);
    let again = office.site.run("cert renew --domain north.example").text();
    assert!(
        again.contains("eve@north.example  skipped") && again.ends_with("0 certificates renewed\n"),
        "{again}"
    );
    // The report is a memory: what it names is not renewed twice, however long the time that is asked for.
    let long = format!("{command} --within 10000");
    let first = office.site.run(&long).text();
    assert!(
        first.ends_with("1 certificate renewed, 2 certificates of an earlier run passed over\n"),
        "{first}"
    );
    let second = office.site.run(&long).text();
    assert!(
        second.ends_with("0 certificates renewed, 3 certificates of an earlier run passed over\n"),
        "{second}"
    );
    let rows = std::fs::read_to_string(&report).unwrap();
    assert_eq!(rows.lines().count(), 5, "{rows}");
    let all = office.site.json("cert renew --domain north.example --within 10000");
    assert_eq!(all["certificates"].as_array().unwrap().len(), 4);
}

//! Certificates that are taken back.

use super::{Office, P256};
use crate::support::{on_one_day, path, tools};
use sealpost::directory::SqliteDirectory;
use sealpost::engine::CertificateState;
use sealpost::mail::Address;
use sealpost::pki::Certificate;

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

#[test]
fn a_revocation_says_what_happened_and_what_next() {
    on_one_day();
    let (office, print) = Office::issued();
    let serial = office.site.json("cert issued --domain north.example")["issued"][0]["serial"]
        .as_str()
        .unwrap()
        .to_owned();
    let today = today();
    let text = office.site.run("cert revoke --account bob@north.example --reason key-compromise").text();
    assert_eq!(
        text,
        format!(
            "{print} of bob@north.example is revoked from {today} on (key-compromise); serial {serial}\n\
             bob@north.example has no other certificate: what becomes of its mail, the configuration says\n\
             a new key and certificate: sealpost key generate --account bob@north.example, then sealpost cert issue \
             --account bob@north.example\n\
             to tell others: sealpost crl sign --domain north.example\n"
        )
    );
    let listed = office.site.run("cert list --account bob@north.example").text();
    assert!(listed.contains("active, revoked"), "{listed}");
    let shown = office.site.run("cert show --account bob@north.example").text();
    assert!(shown.contains(&format!("revoked          {today} (key-compromise)\n")), "{shown}");
    // A second time.
    assert_eq!(
        office.site.refused("cert revoke --account bob@north.example --reason superseded"),
        (
            1,
            format!(
                "sealpost: {print} was revoked on {today} (key-compromise)\n  that stays. A new key gets a new \
                 certificate: sealpost key generate, then cert issue\n"
            )
        )
    );
    let text = format!(
        "sealpost: every key of bob@north.example has a certificate, and {print} was revoked on {today} (key-compromise)\n  \
         make a new key: sealpost key generate --account bob@north.example\n"
    );
    assert_eq!(office.site.refused("cert issue --account bob@north.example"), (1, text));
    assert_eq!(
        office
            .site
            .refused(&format!("cert revoke --domain north.example --serial {serial} --reason superseded")),
        (
            1,
            format!(
                "sealpost: {print} was revoked on {today} (key-compromise)\n  that stays. A new key gets a new \
                 certificate: sealpost key generate, then cert issue\n"
            )
        )
    );
    // The new key.
    office.make_key("bob");
    let issued = String::from_utf8(office.site.run("cert issue --account bob@north.example").ok()).unwrap();
    assert!(issued.contains(&format!("{print} is retired: it was revoked\n")), "{issued}");
    assert_eq!(office.states(), ["retired", "active"]);
}

#[test]
fn all_certificates_of_a_key_go_together_and_somebody_who_left_is_found_by_serial() {
    on_one_day();
    let (office, first) = Office::issued();
    let second = office.site.json("cert renew --account bob@north.example");
    let serial = second["renewed"][0]["serial"].as_str().unwrap().to_owned();
    let key = second["renewed"][0]["key_fingerprint"].as_str().unwrap().to_owned();
    office.site.run(&format!("account remove bob@north.example --forget {key}")).ok();
    let spelled: String = serial
        .to_lowercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap())
        .collect::<Vec<_>>()
        .join(":");
    let revoked = office.site.json(&format!(
        "cert revoke --domain alias.example --serial {spelled} --reason affiliation-changed --at {}",
        today()
    ));
    let prints: Vec<&str> = revoked["revoked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(prints, [second["renewed"][0]["fingerprint"].as_str().unwrap(), &first]);
    let issued = office.site.json("cert issued --domain north.example");
    for one in issued["issued"].as_array().unwrap() {
        assert_eq!((&one["state"], &one["reason"]), (&"revoked".into(), &"affiliation-changed".into()));
        assert_eq!(one["account"], "bob@north.example");
    }
    assert_eq!(
        office.site.refused("cert revoke --domain north.example --serial 01ab --reason superseded"),
        (
            66,
            "sealpost: north.example has issued no certificate with the serial number 01AB\n  \
             see: sealpost cert issued --domain north.example\n"
                .to_owned()
        )
    );
}

#[test]
fn a_hold_is_released_or_made_final() {
    on_one_day();
    let (office, print) = Office::issued();
    let hold = "cert revoke --account bob@north.example --reason certificate-hold";
    let held = office.site.run(hold).text();
    assert!(
        held.contains("to let it be used again: sealpost cert release --account bob@north.example\n"),
        "{held}"
    );
    let issued = office.site.run("cert issued --domain north.example").text();
    assert!(issued.contains(&format!("on hold since {}\n", today())), "{issued}");
    assert_eq!(
        office.site.refused("cert renew --account bob@north.example"),
        (
            1,
            format!(
                "sealpost: {print} was revoked on {} (certificate-hold)\n  it is on hold: sealpost cert release\n",
                today()
            )
        )
    );
    assert_eq!(
        office.site.run("cert release --account bob@north.example").text(),
        format!(
            "{print} of bob@north.example is on hold no more\nto tell others: sealpost crl sign --domain north.example\n"
        )
    );
    assert_eq!(office.site.json("cert issued --domain north.example")["issued"][0]["state"], "valid");
    let release = "cert release --account bob@north.example";
    assert_eq!(office.site.refused(release), (1, format!("sealpost: {print} is not on hold\n")));
    assert_eq!(
        office.site.refused(&format!("cert release --account bob@north.example --fingerprint {print}")),
        (1, format!("sealpost: {print} is not on hold\n"))
    );
    office.site.run(hold).ok();
    office.site.run("cert revoke --account bob@north.example --reason privilege-withdrawn").ok();
    assert_eq!(
        office.site.json("cert issued --domain north.example")["issued"][0]["reason"],
        "privilege-withdrawn"
    );
    let (code, text) = office.site.refused(release);
    let wanted =
        format!("sealpost: {print} was revoked on {} (privilege-withdrawn)\n  that stays. ", today());
    assert!(code == 1 && text.starts_with(&wanted), "{text}");
}

#[test]
fn which_one_is_asked_where_there_are_several() {
    let (office, first) = Office::issued();
    office.make_key("bob");
    let second = office.site.json("cert issue --account bob@north.example");
    let other = &second["fingerprint"].as_str().unwrap()[..16];
    let which = format!("say which: --fingerprint {} or --fingerprint {other}\n", &first[..16]);
    let revoke = "cert revoke --account bob@north.example --reason superseded";
    assert_eq!(
        office.site.refused(revoke),
        (64, format!("sealpost: bob@north.example has several active certificates\n  {which}"))
    );
    assert_eq!(
        office.site.refused("cert retire --account bob@north.example"),
        (64, format!("sealpost: bob@north.example has several active certificates\n  {which}"))
    );
    for print in [&first[..16], other] {
        let hold = "cert revoke --account bob@north.example --reason certificate-hold --fingerprint";
        office.site.run(&format!("{hold} {print}")).ok();
    }
    assert_eq!(
        office.site.refused("cert release --account bob@north.example"),
        (64, format!("sealpost: bob@north.example has several certificates on hold\n  {which}"))
    );
    for print in [&first[..16], other] {
        office.site.run(&format!("cert release --account bob@north.example --fingerprint {print}")).ok();
    }
    let text = office.site.run(&format!("{revoke} --fingerprint {}", &first[..10])).text();
    assert!(text.starts_with(&first) && !text.contains("has no other certificate"), "{text}");
    // The other one is left, so nothing need be said.
    let text = office.site.run(revoke).text();
    assert!(text.starts_with(second["fingerprint"].as_str().unwrap()), "{text}");
}

#[test]
fn a_hold_of_a_key_is_released_with_all_its_certificates() {
    let (office, first) = Office::issued();
    let second = office.site.json("cert renew --account bob@north.example");
    let second = second["renewed"][0]["fingerprint"].as_str().unwrap();
    office.site.run("cert revoke --account bob@north.example --reason certificate-hold").ok();
    let released = office.site.run("cert release --account bob@north.example").text();
    let wanted = format!(
        "{second} of bob@north.example is on hold no more\n{first} of bob@north.example is on hold no more\n\
         to tell others: sealpost crl sign --domain north.example\n"
    );
    assert_eq!(released, wanted);
}

#[test]
fn a_retired_certificate_is_valid_until_it_is_revoked() {
    on_one_day();
    let (office, print) = Office::issued();
    let retire = "cert retire --account bob@north.example";
    office.site.run(retire).ok();
    assert_eq!(
        office.site.refused(&format!("{retire} --fingerprint {}", &print[..16])),
        (1, format!("sealpost: {print} is retired already: nothing is sealed to it\n"))
    );
    let revoke = "cert revoke --account bob@north.example --reason key-compromise";
    let text = format!(
        "sealpost: bob@north.example has no active certificate, but retired ones that are still valid\n  say which: \
         --fingerprint {}\n",
        &print[..16]
    );
    assert_eq!(office.site.refused(revoke), (64, text));
    office.site.run(&format!("{revoke} --fingerprint {}", &print[..16])).ok();
    let (code, text) = office.site.refused(revoke);
    let wanted = format!("sealpost: {print} was revoked on {} (key-compromise)\n", today());
    assert!(code == 1 && text.starts_with(&wanted), "{text}");
    office.site.run("account add eve@north.example").ok();
    let none = "sealpost: eve@north.example has no certificate\n  see: sealpost cert list --account eve@north.example\n";
    let revoke = "cert revoke --account eve@north.example --reason superseded";
    assert_eq!(office.site.refused(revoke), (66, none.to_owned()));
}

/// Two accounts can still hold one key: each imported it.
#[test]
fn whoever_is_left_without_a_certificate_is_named() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    office.site.run("account add eve@north.example").ok();
    office.openssl(&format!("genpkey -algorithm {P256} -out @shared.key")).ok();
    for name in ["bob", "eve"] {
        let import = format!(
            "key import --account {name}@north.example --file {} --password-file",
            path(&office.file("shared.key"))
        );
        office.site.program(&import).args([path(&office.password)]).run().ok();
        office.site.run(&format!("cert issue --account {name}@north.example")).ok();
    }
    let text = office.site.run("cert revoke --account bob@north.example --reason key-compromise").text();
    for name in ["bob", "eve"] {
        let line = format!(
            "{name}@north.example has no other certificate: what becomes of its mail, the configuration says\n"
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn what_cannot_be_said_of_a_certificate_is_refused() {
    on_one_day();
    let (office, print) = Office::issued();
    let revoke = |more: &str| office.site.refused(&format!("cert revoke --account bob@north.example {more}"));
    assert_eq!(
        revoke("--reason remove-from-crl"),
        (
            64,
            "sealpost: remove-from-crl takes nothing back: it ends a hold\n  sealpost cert release\n"
                .to_owned()
        )
    );
    for reason in ["ca-compromise", "aa-compromise"] {
        assert_eq!(
            revoke(&format!("--reason {reason}")),
            (
                64,
                format!(
                    "sealpost: {reason} is said of an authority and not of a person's certificate\n  somebody else may \
                     have the person's key: key-compromise\n"
                )
            )
        );
    }
    assert_eq!(
        revoke("--reason superseded --at 2999-01-01"),
        (
            64,
            "sealpost: --at lies in the future: a certificate is revoked from now or an earlier moment on\n"
                .to_owned()
        )
    );
    assert_eq!(
        revoke("--reason superseded --at 2020-01-01"),
        (
            1,
            format!(
                "sealpost: {print} was issued on {}: it cannot be revoked from an earlier day\n",
                today()
            )
        )
    );
    assert_eq!(revoke("--reason superseded --at yesterday").0, 64);
    assert_eq!(revoke("--reason lost").0, 64);
    assert_eq!(revoke("").0, 64);
    assert_eq!(office.site.refused("cert revoke --serial 01 --reason superseded").0, 64);
}

#[test]
fn what_was_issued_is_listed_by_serial_with_its_state() {
    let office = Office::new();
    assert_eq!(
        office.site.run("cert issued --domain north.example").text(),
        "north.example has issued nothing: sealpost cert issue --account ADDRESS\n"
    );
    office.site.run("cert issue --account bob@north.example --days 10").ok();
    office.site.run("cert renew --account bob@north.example --days 20").ok();
    let listed = office.site.json("cert issued --domain north.example");
    let issued = listed["issued"].as_array().unwrap();
    let serials: Vec<&str> = issued.iter().map(|one| one["serial"].as_str().unwrap()).collect();
    assert!(serials.len() == 2 && serials.is_sorted());
    let text = office.site.run("cert issued --domain alias.example").text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("serial ")
            && lines[0].ends_with("  account            from        until       state")
    );
    for (line, one) in lines[1..].iter().zip(issued) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let wanted =
            ["serial", "account", "not_before", "not_after", "state"].map(|name| one[name].as_str().unwrap());
        assert_eq!(cells, wanted);
    }
    assert_eq!(office.site.refused("cert issued --domain void.example").0, 66);
}

/// Whoever makes a certificate chooses its serial number. One of somebody else takes back nothing of ours.
#[test]
fn a_certificate_of_somebody_else_with_the_serial_of_ours_revokes_and_releases_nothing() {
    let (office, print) = Office::issued();
    let directory = SqliteDirectory::open(&office.site.root()).unwrap();
    let bob = Address::parse("bob@north.example").unwrap();
    let real = directory.certificates(&bob).unwrap().remove(0).held.certificate;
    office.site.run("account add eve@north.example").ok();
    let eve = Address::parse("eve@north.example").unwrap();
    let forged = |octet: u8| {
        let mut der = real.der().to_vec();
        *der.last_mut().unwrap() ^= octet;
        Certificate::from_der(&der).unwrap()
    };
    let (waiting, active) = (forged(1), forged(2));
    assert_eq!(waiting.serial(), real.serial());
    directory.offer_certificate(&eve, &waiting, "a test", CertificateState::Pending).unwrap();
    directory.add_certificate(&eve, &active, "a test").unwrap();
    let refused = |verb: &str, certificate: &Certificate, mend: &str| {
        let named = format!("--account eve@north.example --fingerprint {}", certificate.fingerprint());
        let short = &certificate.fingerprint().to_string()[..16];
        assert_eq!(
            office.site.refused(&format!("cert {}", verb.replace("WHICH", &named))),
            (
                66,
                format!(
                    "sealpost: {} of eve@north.example was not issued by north.example, which can take back only its \
                     own\n  {mend} --account eve@north.example --fingerprint {short}\n",
                    certificate.fingerprint()
                )
            )
        );
    };
    let revoke = "revoke WHICH --reason key-compromise";
    refused(revoke, &waiting, "to take it out of those that wait: sealpost cert refuse");
    refused(revoke, &active, "to seal to it no more: sealpost cert retire");
    // Also where nobody says which: it is the only one that is active.
    let (code, text) = office.site.refused("cert revoke --account eve@north.example --reason key-compromise");
    assert!(code == 66 && text.contains(" was not issued by north.example"), "{text}");
    assert_eq!(office.site.json("cert issued --domain north.example")["issued"][0]["state"], "valid");
    office.site.run("cert revoke --account bob@north.example --reason certificate-hold").ok();
    refused("release WHICH", &active, "to seal to it no more: sealpost cert retire");
    // Retired, it is not sealed to anyhow.
    let active = active.fingerprint().to_string();
    office.site.run(&format!("cert retire --account eve@north.example --fingerprint {active}")).ok();
    let release = format!("cert release --account eve@north.example --fingerprint {active}");
    assert_eq!(
        office.site.refused(&release),
        (
            66,
            format!(
                "sealpost: {active} of eve@north.example was not issued by north.example, which can take back only its own\n"
            )
        )
    );
    let issued = office.site.json("cert issued --domain north.example");
    assert_eq!(
        (&issued["issued"][0]["state"], &issued["issued"][0]["reason"]),
        (&"on hold".into(), &"certificate-hold".into())
    );
    assert_eq!(issued["issued"][0]["fingerprint"], print.as_str());
}

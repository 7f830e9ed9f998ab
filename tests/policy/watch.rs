//! What the doctor says of the lists that a domain signs itself, and of the keys in the vaults.

use super::bench::Bench;
use crate::support::{Site, on_one_day, path, tools};
use sealpost::crypto::Seed;
use sealpost::pki::{Authority, ListProfile, UnlockedKey};
use time::{Duration, OffsetDateTime};

/// Signs a list of the domain as of so many days from now, which another one was to follow after so many.
fn sign(bench: &Bench, made: i64, due: i64) {
    let directory = bench.directory();
    let key = directory.domain_key("north.example").unwrap().unwrap();
    let key = UnlockedKey::from_pkcs8(key.pkcs8.expose()).unwrap();
    let certificate = directory.domain("north.example").unwrap().authorities.remove(0);
    let day = |days: i64| OffsetDateTime::now_utc() + Duration::days(days);
    let signed = directory.sign_crls("north.example", |number, _| {
        let profile = ListProfile { number, this_update: day(made), next_update: day(due), revoked: &[] };
        Ok(vec![Authority::new(&certificate, &key)?.sign_crl(&profile, Seed::from_bytes(&mut [9; 32]))?])
    });
    signed.unwrap();
}

#[test]
fn an_overdue_list_of_a_domain_is_told() {
    on_one_day();
    let bench = Bench::without_certificate();
    let told = || bench.command("doctor --within 3000").run().text();
    assert!(!told().contains("revocation list"), "{}", told());
    // Due soon is early enough: cron signs it.
    sign(&bench, -3, 4);
    assert!(!told().contains("revocation list"), "{}", told());
    sign(&bench, -2, -1);
    let overdue = format!(
        "warning   north.example      its revocation list 2 of CN=north.example is old: the next one was due on {}: sealpost \
         crl sign --domain north.example\n",
        bench.day(-1)
    );
    assert!(told().contains(&overdue), "{}", told());
    bench.command("crl sign --domain north.example").run().ok();
    assert!(!told().contains("revocation list"), "{}", told());
}

#[test]
fn keys_that_are_weak_or_have_no_certificate_are_told() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, password) = Site::certified();
    assert_eq!(site.run("doctor").ok(), b"all is well\n");
    let print = |at: usize| {
        let keys = site.json("key show --account bob@north.example");
        keys["keys"][at]["fingerprint"].as_str().unwrap()[..16].to_owned()
    };
    std::fs::write(site.root().join("sealpost.toml"), "minimum-rsa-bits = 3072\n").unwrap();
    let weak = format!(
        "warning   bob@north.example  its vault key {} is weak: 2048 bits, at least 3072 are required: sealpost key generate \
         --account bob@north.example, then cert issue\n",
        print(0)
    );
    assert!(site.run("doctor").text().contains(&weak), "{}", site.run("doctor").text());
    std::fs::write(site.root().join("sealpost.toml"), "").unwrap();
    for _ in 0..2 {
        let words = "key generate --account bob@north.example --type ec-p256 --password-file";
        site.program(words).args([path(&password)]).run().ok();
    }
    let told = site.run("doctor").text();
    let expected = format!(
        "severity  about              finding\n\
         warning   bob@north.example  its vault key {} has no certificate: sealpost cert add --account bob@north.example \
         --file FILE, or key remove --account bob@north.example\n\
         warning   bob@north.example  its vault key {} has no certificate: sealpost cert issue --account bob@north.example\n",
        print(1),
        print(2)
    );
    assert_eq!(told, expected);
}

//! What every command that shows something prints with `--json`: one object on one line, of known fields. Left out is
//! `cert fetch`, which needs a directory server: its own tests read its JSON.

use super::{Elsewhere, lasting};
use crate::support::{Site, path};
use sealpost::crypto::Seed;
use sealpost::pki::{KeyType, Request, Subject, UnlockedKey};
use serde_json::Value;
use std::collections::BTreeSet;

/// Of each certificate.
const CERTIFICATE: &str = "fingerprint fingerprint_sha1 subject issuer serial not_before not_after addresses dns_names key key_fingerprint purposes pem";

/// Commands (behind ` | `: the member of the object whose first element is looked at) and fields.
fn shows(site: &Site, rows: &[(&str, &str)]) {
    for (line, fields) in rows {
        let (words, member) = line.split_once(" | ").unwrap_or((line, ""));
        let output = site.program(words).words("--json").run();
        let text = output.text();
        assert_eq!(text.matches('\n').count(), 1, "{line}: {text} {}", output.stderr);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["v"], 1, "{line}");
        let object = if member.is_empty() { &value } else { &value[member][0] };
        let found: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted: BTreeSet<&str> = fields.split(' ').collect();
        if member.is_empty() {
            wanted.insert("v");
        }
        assert_eq!(found, wanted, "{line}");
    }
}

/// Each command that shows something, the fields of its object, and that it is one object on one line.
#[test]
fn json_is_one_object_of_known_fields() {
    let (site, password) = Site::certified();
    let rules =
        site.write("r.toml", "[[rule]]\nname = \"a\"\npriority = 5\nwhen = []\nthen = [[\"Discard\"]]\n");
    let array = site.write("r.txt", "(5,a,(),((Discard)))");
    let install = format!("rules install {} --domain north.example", path(&rules));
    let test = format!("key test --account bob@north.example --password-file {}", path(&password));
    let check = format!("rules check {}", path(&rules));
    let copy = site.folder().join("copy");
    let (backup, restore) = (format!("backup {}", path(&copy)), format!("restore {} --replace", path(&copy)));
    let account = "account domain aliases inbox attachments profile also_classical rules_allowed recovery recovery_certificate active_certificates \
        pending_certificates keys";
    let domain = "domain aliases mode catch_all inbox attachments profile also_classical missing_certificate rules_allowed effective \
        recovery_certificate certificates chain trusted replaced_authorities";
    let entry = "scope holder version running change restores rules installed by as file";
    let shown = [
        ("init", "root owner made main_cf master_cf exim"),
        ("doctor", "ok findings consents"),
        ("queue list", "mails"),
        ("queue run", "sent waiting failed claimed claimed_until released dropped mails"),
        ("queue retry --all", "retried"),
        ("queue remove --all-failed", "removed"),
        ("domain add south.example", "domain"),
        ("domain list", "domains"),
        ("domain list | domains", domain),
        ("domain show north.example", domain),
        ("domain set north.example --mode enabled", domain),
        ("domain rename south.example east.example", "domain was unchanged_certificates"),
        ("domain remove east.example", "removed messages"),
        ("account add eve@north.example", "account"),
        ("account list", "accounts"),
        ("account list | accounts", account),
        ("account show bob@north.example", account),
        ("account set bob@north.example --profile inherit", account),
        ("key show --domain north.example", "keys"),
        ("key show --account bob@north.example | keys", "type fingerprint state stored"),
        ("key test --domain north.example", "tested not_tested"),
        (&test, "tested not_tested"),
        ("cert list --account bob@north.example", "account certificates"),
        (
            "cert show --account bob@north.example | certificates",
            &format!("{CERTIFICATE} state added source"),
        ),
        ("cert show --domain north.example", "domain certificates retired issued"),
        ("cert show --domain north.example | certificates", &format!("{CERTIFICATE} purpose role issues")),
        ("cert show --domain north.example | issued", "account on serial fingerprint"),
        ("cert request --domain north.example", "domain request"),
        (
            "cert issue --account bob@north.example --renew",
            &format!("{CERTIFICATE} account state retired warnings"),
        ),
        ("acl grant --mailbox ~bob/Archive --account eve@north.example --create", "rights"),
        ("acl list --mailbox ~bob@north.example/Archive | rights", "mailbox account right"),
        (&check, "file scope rules warnings faults"),
        (&format!("rules import {}", path(&array)), "file scope taken refused notes output text"),
        (&format!("rules export {}", path(&rules)), "file scope holder rules output text"),
        ("rules list", "rules"),
        (&install, "file scope holder rules version warnings"),
        ("rules list | rules", entry),
        ("rules list --history | rules", entry),
        ("rules show --domain north.example", &format!("{entry} text")),
        ("rules remove --domain north.example", "scope holder version"),
        ("rules rollback --domain north.example", "scope holder version restores file rules"),
        (
            "rules explain --recipient bob@north.example",
            "answer cause hint fired programs copies effects mails warnings",
        ),
        (
            "inspect",
            "form structure content recipients post_quantum layers limit notes fault size store claim",
        ),
        ("bench --seconds 1", "processor cores cbc gcm rsa folder in_memory sealing storing steps"),
        ("mailbox list", "mailboxes total"),
        ("mailbox list | mailboxes", "account mailbox messages sealed clear other bytes"),
        ("dataset add --account bob@north.example Friends eve@x.example", "account dataset added"),
        ("dataset list --account bob@north.example", "account datasets"),
        ("dataset list --account bob@north.example | datasets", "dataset members changed"),
        ("dataset show --account bob@north.example Friends", "account dataset members"),
        ("dataset show --account bob@north.example Friends | members", "member added"),
        ("dataset show --account bob@north.example Friends --values", "account dataset values"),
        ("dataset remove --account bob@north.example Friends --all", "account dataset removed"),
        ("account preference set bob@north.example Language de", "account preferences"),
        ("account preference list bob@north.example | preferences", "preference value"),
        ("account preference unset bob@north.example Language", "account preferences"),
        ("config check", "ok"),
        ("config show | settings", "key value line"),
        ("cert retire --account bob@north.example", "account retired"),
        ("account unlock bob@north.example", "account forgotten"),
        ("account remove eve@north.example", "removed messages still_valid queued rules"),
        (&backup, "domains accounts vault_keys domain_keys datasets file"),
        (&restore, "domains accounts vault_keys domain_keys datasets root kept keys_gone carried_over"),
    ];
    shows(&site, &shown);
}

/// eve has a request of her own, adam stands on a list; the store goes on with what the row before left.
#[test]
fn so_is_that_of_what_a_domain_issues_and_takes_back() {
    let (site, _) = Site::certified();
    site.run("account add eve@north.example").ok();
    site.run("account add adam@north.example").ok();
    let key = UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [1; 32])).unwrap();
    let request = Request::make(&key, &Subject::named("Eve"), &[], Seed::from_bytes(&mut [2; 32])).unwrap();
    let request = site.write("eve.csr", &request.to_pem().unwrap());
    let people = site.write("people.csv", "address,name\nadam@north.example,Adam\n");
    let letters = site.folder().join("letters");
    let list = site.folder().join("list");
    let issued = format!("{CERTIFICATE} account state retired warnings");
    let from_request = format!("cert issue --account eve@north.example --request {}", path(&request));
    let bulk = format!("cert issue --domain north.example --bulk {} --passwords", path(&people));
    let bulk = format!("{bulk} {}", path(&letters));
    let listed = format!("crl show {} | lists", path(&list));
    let list = path(&list);
    let said_of_list = "fingerprint issuer number made next delta_to authority_key revoked pem";
    shows(
        &site,
        &[
            (&from_request, &issued),
            (&bulk, "issued skipped failed done_before lines"),
            ("cert issued --domain north.example", "domain issued"),
            ("cert issued --domain north.example | issued", &format!("{CERTIFICATE} account issued state")),
            ("cert renew --account bob@north.example", "account renewed"),
            ("cert renew --account bob@north.example | renewed", &issued),
            ("cert renew --domain north.example", "domain certificates done_before"),
            ("cert revoke --account eve@north.example --reason certificate-hold", "domain reason revoked"),
            ("cert release --account eve@north.example", "domain released"),
            (
                "cert revoke --account eve@north.example --reason superseded | revoked",
                "account fingerprint serial from",
            ),
            (&format!("crl sign --domain north.example --output {list}"), "domain lists"),
            (
                &format!("crl sign --domain north.example --output {list} | lists"),
                &format!("{said_of_list} authority file"),
            ),
            (&listed, said_of_list),
            (&format!("crl add --file {list}"), "added"),
            ("crl list", "lists"),
            ("crl list | lists", "fingerprint issuer number made next entries source added kept_for"),
            ("cert renew --domain north.example --within 800 | certificates", "account outcome detail"),
        ],
    );
    let held = site.json("crl list")["lists"][0]["fingerprint"].as_str().unwrap().to_owned();
    shows(
        &site,
        &[
            (&format!("crl remove --fingerprint {held}"), "removed"),
            (&format!("crl add --file {list} | added"), "fingerprint issuer number replaced kept"),
        ],
    );
}

#[test]
fn so_is_that_of_what_comes_from_elsewhere() {
    let (site, _) = Site::certified();
    let elsewhere = Elsewhere::new();
    let root = site.write("root.pem", &elsewhere.certificate.to_pem().unwrap());
    let root = path(&root);
    let (one, other) = (elsewhere.bob(lasting(90)), elsewhere.bob(lasting(91)));
    let folder = site.folder().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    let [file, second] = ["one.pem", "other.pem"].map(|name| folder.join(name));
    std::fs::write(&file, one.to_pem().unwrap()).unwrap();
    std::fs::write(&second, other.to_pem().unwrap()).unwrap();
    let (file, root_print) = (path(&file), elsewhere.certificate.fingerprint());
    let of_bob = |verb: &str, print| format!("cert {verb} --account bob@north.example --fingerprint {print}");
    shows(
        &site,
        &[
            (&format!("cert verify --trust {root} {file}"), "valid path policies warnings reasons"),
            (
                &format!("cert verify --trust {root} {file} | path"),
                "subject fingerprint not_after trusted revocation",
            ),
            (&format!("cert add --from-folder {} --domain north.example", path(&folder)), "certificates"),
            (
                &format!("cert add --from-folder {} --domain north.example | certificates", path(&folder)),
                "from account certificate outcome failed",
            ),
            ("cert pending", "pending"),
            ("cert pending | pending", &format!("{CERTIFICATE} account added source chain")),
            (&of_bob("refuse", other.fingerprint()), "account refused"),
            (&of_bob("accept", one.fingerprint()), &format!("{CERTIFICATE} account state retired warnings")),
            (&format!("trust add --domain north.example --file {root}"), "holder added known warnings"),
            ("trust list --domain north.example", "holder trusted trust_bundle broken warnings"),
            ("trust list --domain north.example | trusted", "origin fingerprint subject not_after authority"),
            (&format!("trust remove {root_print} --domain north.example"), "holder removed still_trusted"),
            (&format!("chain set --domain north.example --file {root}"), "domain chain warnings"),
            ("chain show --domain north.example", "domain chain warnings"),
            ("chain show --domain north.example | chain", CERTIFICATE),
            ("chain remove --domain north.example", "domain removed"),
            (
                &format!("recovery set --domain north.example --file {file}"),
                &format!("{CERTIFICATE} domain replaced"),
            ),
            ("recovery show --domain north.example", &format!("{CERTIFICATE} domain added")),
            ("recovery remove --domain north.example", "domain removed"),
        ],
    );
}

#[test]
fn so_is_that_of_keys_and_their_passwords() {
    let (site, password) = Site::certified();
    site.run("account add eve@north.example").ok();
    let (password, new) = (path(&password), site.write("new", "another horse\n"));
    let (new, p12) = (path(&new), site.folder().join("bob.p12"));
    let p12 = path(&p12);
    let change = format!(
        "key password --account bob@north.example --password-file {password} --new-password-file {new}"
    );
    let export = format!(
        "key export --account bob@north.example --password-file {new} --file-password-file {password} --output {p12}"
    );
    let import = format!(
        "key import --account eve@north.example --file {p12} --file-password-file {password} --password-file {new}"
    );
    shows(
        &site,
        &[
            (&change, "account changed kept"),
            (&export, "account fingerprint type format legacy file certificates issuers warnings"),
            (&import, "account keys certificates"),
            (
                "key rotate --domain north.example",
                "domain fingerprint type replaced certificates issued_in_use in_use_until",
            ),
            ("key rotate --domain north.example | certificates", "purpose replaced fingerprint"),
        ],
    );
}

/// An object a message, an object an account, and a last one.
#[test]
fn so_is_that_of_a_run_over_messages_line_by_line() {
    let (site, password) = Site::certified();
    let inbox = site.root().join("mail/north.example/bob/Maildir/cur");
    std::fs::create_dir_all(&inbox).unwrap();
    std::fs::write(inbox.join("1577836801.a.host:2,S"), "Subject: pay\n\nThe body.\n").unwrap();
    let numbers = "already_right and_others bytes_after bytes_before clear done_before failed finished gone looked_at noted openpgp other_keys \
        replaced sealed_to_others weak_algorithms would_be_replaced";
    let lines = [
        "account bytes_after bytes_before event mailbox message notes outcome reason v".to_owned(),
        format!("account event leftovers outcome reason v warnings {numbers}"),
        format!(
            "accounts accounts_failed dry_run event kept_by lost_by not_found operation resumed stopped v {numbers}"
        ),
    ];
    let keys = format!("--password-file {}", path(&password));
    for (verb, keys, done) in
        [("encrypt", "", "sealed"), ("rekey", &*keys, "left"), ("decrypt", &*keys, "decrypted")]
    {
        let ended = site.run(&format!("mailbox {verb} --account bob@north.example --all --json {keys}"));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{verb}");
        let text = ended.text();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found =
            events.iter().map(|event| event.as_object().unwrap().keys().map(String::as_str).collect());
        let wanted = lines.iter().map(|line| line.split_whitespace().collect());
        assert_eq!(found.collect::<Vec<BTreeSet<&str>>>(), wanted.collect::<Vec<BTreeSet<&str>>>(), "{verb}");
        assert!(events.iter().all(|event| event["v"] == 1));
        let kinds: Vec<&Value> = events.iter().map(|event| &event["event"]).collect();
        assert_eq!(kinds, ["message", "account", "summary"]);
        let name = events[0]["message"].as_str().unwrap();
        assert!(name.starts_with("1577836801.") && !name.contains(":2,"), "{name}");
        assert_eq!((&events[0]["outcome"], &events[2]["operation"]), (&done.into(), &verb.into()));
        assert_eq!(events[2]["looked_at"], 1);
    }
}

//! The verbs of an administrator, from an empty folder to mail that can be sealed.

use crate::support::{Site, path, root};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o7777
}

#[test]
fn init_makes_what_is_missing_and_changes_nothing_that_is_there() {
    let site = Site::bare();
    site.run("init").ok();
    assert_eq!(mode(&site.root()), 0o700);
    for file in ["directory.sqlite", "sealpost.toml"] {
        assert_eq!(mode(&site.root().join(file)), 0o600, "{file}");
    }
    let config = site.root().join("sealpost.toml");
    std::fs::write(&config, "inbox = \"plain\"\n").unwrap();
    site.run("domain add north.example --alias alias.example").ok();
    let made = site.json("init --postfix");
    assert_eq!(made["made"], false);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "inbox = \"plain\"\n");
    let main = made["main_cf"].as_str().unwrap();
    assert!(main.contains("\nsealpost_destination_recipient_limit = 1\n"));
    assert!(main.contains("\nvirtual_mailbox_domains = north.example, alias.example\n"));
    let master = made["master_cf"].as_str().unwrap();
    assert!(master.contains("flags=DORXhu user="));
    assert!(master.contains(" deliver\n    --sender=${sender} --recipient=${recipient} "));
}

#[test]
fn no_store_is_said_with_the_way_to_make_one() {
    let site = Site::bare();
    let root = site.root();
    let root = path(&root);
    assert_eq!(
        site.refused("domain list"),
        (66, format!("sealpost: there is no store in {root}: make one with sealpost --root {root} init\n"))
    );
}

#[test]
fn a_store_that_others_can_enter_is_refused_and_the_doctor_names_it() {
    let site = Site::furnished();
    std::fs::set_permissions(site.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let root = site.root();
    let text = format!("{0} is open to others (mode 0755): chmod 700 {0}", path(&root));
    assert_eq!(site.refused("account list"), (78, format!("sealpost: {text}\n")));
    let doctor = site.run("doctor");
    assert_eq!((doctor.code, doctor.text().contains(&text)), (Some(1), true));
}

#[test]
fn domains_and_accounts_are_added_shown_changed_and_removed() {
    let site = Site::furnished();
    assert_eq!(
        site.refused("domain add ALIAS.example"),
        (1, "sealpost: alias.example is already a name of the domain north.example\n".to_owned())
    );
    assert_eq!(
        site.refused("account show eve@north.example"),
        (66, "sealpost: there is no account eve@north.example\n  see: sealpost account list\n".to_owned())
    );
    assert_eq!(site.refused("account add bob").0, 64);
    let long = "/".repeat(90) + "@north.example";
    assert_eq!(
        site.refused(&format!("account add {long}")),
        (1, format!("sealpost: the name of {long} is too long for a folder of this store\n"))
    );
    let domain =
        site.json("domain set north.example --mode test --catch-all bob@alias.example --inbox plain");
    assert_eq!((&domain["mode"], &domain["inbox"]), (&"test".into(), &"plain".into()));
    assert_eq!(domain["catch_all"], "bob@north.example");
    let domain = site.json(
        "domain set alias.example --inbox inherit --catch-all= --remove-alias alias.example --mode=enabled",
    );
    assert!(domain["inbox"].is_null() && domain["catch_all"].is_null());
    assert_eq!(domain["aliases"], serde_json::json!([]));
    let account = site.json("account set robert@north.example --profile modern --alias b@north.example");
    assert_eq!(account["account"], "bob@north.example");
    assert_eq!(account["aliases"], serde_json::json!(["b@north.example", "robert@north.example"]));
    assert_eq!(
        site.refused("domain remove north.example"),
        (1, "sealpost: the domain north.example still has accounts: remove them first (1)\n".to_owned())
    );
    site.run("account remove bob@north.example").ok();
    site.run("domain rename north.example south.example").ok();
    site.run("domain remove south.example").ok();
    assert_eq!(site.json("domain list")["domains"], serde_json::json!([]));
}

#[test]
fn a_domain_issues_certificates_for_its_accounts() {
    let site = Site::furnished();
    let password = site.write("password", "correct horse\n");
    let password = path(&password);
    assert_eq!(
        site.refused("cert self-sign --domain north.example"),
        (
            66,
            "sealpost: north.example has no key\n  make one: sealpost key generate --domain north.example\n"
                .to_owned()
        )
    );
    let key = site.json("key generate --domain north.example --type rsa-2048");
    let print = key["fingerprint"].as_str().unwrap();
    site.run("key test --domain alias.example").ok();
    assert_eq!(site.refused("key generate --domain north.example --type rsa-2048").0, 1);
    site.run("cert self-sign --domain north.example --organization North --country NO").ok();
    assert_eq!(site.refused("cert issue --account bob@north.example").0, 66);
    site.run(&format!("key generate --account bob@north.example --type rsa-2048 --password-file {password}"))
        .ok();
    let wrong = site.program("key test --account bob@north.example --password-file -").input("wrong\n").run();
    assert_eq!(
        (wrong.code, wrong.stderr.as_str()),
        (Some(77), "sealpost: wrong Secure Mail password of bob@north.example\n")
    );
    site.run(&format!("key test --account bob@north.example --password-file {password}")).ok();
    let issued = site.json("cert issue --account bob@north.example --name Bob");
    assert_eq!(issued["subject"], "CN=Bob");
    assert_eq!(issued["issuer"], "CN=north.example,O=North,C=NO");
    assert_eq!(
        issued["addresses"],
        serde_json::json!([
            "bob@north.example",
            "bob@alias.example",
            "robert@north.example",
            "robert@alias.example"
        ])
    );
    assert_eq!(site.refused("cert issue --account bob@north.example").0, 1);
    let renewed = site.json("cert issue --account bob@north.example --renew");
    assert_eq!(renewed["retired"], serde_json::json!([issued["fingerprint"]]));
    let shown = site.json("cert show --domain north.example");
    assert_eq!(shown["issued"].as_array().unwrap().len(), 2);
    assert_eq!(site.run("doctor").ok(), b"all is well\n");
    // Losing a key is hard; losing it on purpose takes its certificates along.
    let (code, text) = site.refused("key remove --domain north.example");
    assert_eq!((code, text.contains(&format!("--forget {print}"))), (1, true), "{text}");
    assert_eq!(site.refused("account remove bob@north.example").0, 1);
    site.run(&format!("key remove --domain north.example --forget {}", &print[..8])).ok();
    assert_eq!(site.json("cert show --domain north.example")["certificates"], serde_json::json!([]));
    site.run("cert retire --account bob@north.example").ok();
    let doctor = site.run("doctor");
    assert_eq!(doctor.code, Some(1));
    let found = "problem   bob@north.example  it has no active certificate: mail for it waits: sealpost cert issue --account \
                 bob@north.example\n";
    assert!(doctor.text().contains(found), "{}", doctor.text());
    assert_eq!(doctor.stderr, "sealpost: 1 problem found\n");
}

#[test]
fn an_account_with_an_ec_key_gets_its_mail() {
    let site = Site::furnished();
    let password = site.write("password", "correct horse\n");
    let password = path(&password);
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example").ok();
    site.run(&format!("key generate --account bob@north.example --type ec-p256 --password-file {password}"))
        .ok();
    let issued = site.json("cert issue --account bob@north.example");
    assert_eq!(site.run("doctor").ok(), b"all is well\n");
    for profile in ["compatible", "modern"] {
        let text = format!("profile = \"{profile}\"\nlog = \"none\"\n");
        std::fs::write(site.root().join("sealpost.toml"), text).unwrap();
        let message = "From: a@b.example\nSubject: x\n\nhello\n";
        site.program("deliver --sender= --recipient=bob@north.example").input(message).run().ok();
        let inbox = site.root().join("mail/north.example/bob/Maildir/new");
        let file = std::fs::read_dir(&inbox).unwrap().next().unwrap().unwrap().path();
        let sealed = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let open = format!("open --account bob@north.example --password-file {password}");
        let opened = site.program(&open).input(sealed.clone()).run().ok();
        assert!(opened.ends_with(b"Subject: x\r\n\r\nhello\r\n"), "{}", opened.escape_ascii());
        let shown = site.program("inspect").input(sealed).run();
        assert!(shown.text().contains("dhSinglePass-stdDH-sha256kdf-scheme"), "{}", shown.text());
    }
    // A certificate that somebody else made, and a key of the account's own.
    let file = site.write("issued.pem", issued["pem"].as_str().unwrap());
    site.run("cert retire --account bob@north.example").ok();
    site.run(&format!("cert add --account bob@north.example --file {}", path(&file))).ok();
}

#[test]
fn a_certificate_is_refused_with_every_reason() {
    let site = Site::furnished();
    site.run("domain add other.example").ok();
    site.run("key generate --domain other.example --type ec-p256").ok();
    let shown = site.json("cert self-sign --domain other.example");
    let file = site.write("other.pem", shown["pem"].as_str().unwrap());
    let (code, text) = site.refused(&format!("cert add --account bob@north.example --file {}", path(&file)));
    assert_eq!(code, 65);
    for reason in ["it may not be used to encrypt mail: its keyUsage lacks keyAgreement", "it names"] {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    assert_eq!(
        site.refused("key generate --account bob@north.example --type rsa-1024 --password-file -").0,
        64
    );
    let other_key = site.refused(&format!("cert set --domain other.example --file {}", path(&site.root())));
    assert_eq!(other_key.0, 74, "a folder is no file: {}", other_key.1);
}

#[test]
fn rights_are_granted_listed_and_revoked() {
    let site = Site::furnished();
    site.run("account add eve@north.example").ok();
    site.run("acl grant --mailbox ~bob/Archive --account eve@north.example").ok();
    let list = site.json("acl list --mailbox ~bob@north.example/Archive");
    assert_eq!(list["rights"][0]["account"], "eve@north.example");
    assert_eq!(site.json("acl list --mailbox ~bob@north.example/Other")["rights"], serde_json::json!([]));
    site.run("acl revoke --mailbox ~bob/Archive --account eve@north.example").ok();
    assert_eq!(site.refused("acl revoke --mailbox ~bob/Archive --account eve@north.example").0, 66);
    assert_eq!(site.refused("acl grant --mailbox Archive --account eve@north.example").0, 64);
}

#[test]
fn a_wrong_rule_file_leaves_what_runs() {
    let site = Site::furnished();
    let right = "[[rule]]\nname = \"a\"\npriority = 5\nwhen = []\nthen = [[\"Discard\"]]\n";
    let right_file = site.write("right.toml", right);
    let wrong_file = site.write("wrong.toml", &right.replace("Discard", "Discrad"));
    site.run(&format!("rules check {}", path(&right_file))).ok();
    site.run(&format!("rules install {} --account bob@north.example", path(&right_file))).ok();
    let (code, text) =
        site.refused(&format!("rules install {} --account bob@north.example", path(&wrong_file)));
    assert_eq!(code, 65);
    assert!(text.contains("wrong.toml:5:10") && text.contains("did you mean \"Discard\"?"), "{text}");
    let list = &site.json("rules list")["rules"][0];
    assert_eq!((&list["file"], &list["holder"]), (&"right.toml".into(), &"bob@north.example".into()));
    assert_eq!(site.refused(&format!("rules install {}", path(&right_file))).0, 64);
}

#[test]
fn the_configuration_is_shown_with_its_origin_and_refused_with_all_faults() {
    let site = Site::furnished();
    let file = site.root().join("sealpost.toml");
    std::fs::write(&file, "# ours\nprofile = \"modern\"\n").unwrap();
    let shown = site.json("config show");
    let settings = shown["settings"].as_array().unwrap();
    let profile = settings.iter().find(|one| one["key"] == "profile").unwrap();
    assert_eq!((&profile["value"], &profile["line"]), (&"\"modern\"".into(), &2.into()));
    std::fs::write(&file, "profile = \"modem\"\nmax-mesage = 1\n").unwrap();
    let name = path(&file);
    assert_eq!(
        site.refused("config check"),
        (
            78,
            format!(
                "{name}:1:11: profile = \"modem\" is not allowed; allowed: \"compatible\", \"modern\", \"post-quantum\", \"auto\"\n\
                 {name}:2:1: there is no key max-mesage; did you mean max-message?\n"
            )
        )
    );
    let doctor = site.run("doctor");
    assert_eq!((doctor.code, doctor.text().contains("max-mesage")), (Some(1), true));
}

#[test]
fn sixty_four_hooks_at_once_beside_a_writing_command() {
    let site = Site::furnished();
    let password = site.write("password", "correct horse\n");
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example").ok();
    let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
    site.run(&format!("{generate} {}", path(&password))).ok();
    site.run("cert issue --account bob@north.example").ok();
    std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
    let deliver = || {
        let message = "From: a@b.example\nSubject: x\n\nhello\n";
        let ended = site.program("deliver --sender= --recipient=bob@north.example").input(message).run();
        assert_eq!((ended.code, ended.text().starts_with("2.")), (Some(0), true), "{}", ended.text());
    };
    std::thread::scope(|scope| {
        let hooks: Vec<_> = (0..64).map(|_| scope.spawn(deliver)).collect();
        for number in 0..8 {
            site.run(&format!("account add user{number}@north.example")).ok();
        }
        hooks.into_iter().for_each(|hook| hook.join().unwrap());
    });
    let stored = site.root().join("mail/north.example/bob/Maildir/new");
    assert_eq!(std::fs::read_dir(stored).unwrap().count(), 64);
}

#[test]
fn explain_says_what_would_be_done_and_stores_nothing() {
    let site = Site::furnished();
    let rule = "[[rule]]\nname = \"away\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"x*\"]]\nthen = [[\"Discard\"]]\n";
    let file = site.write("away.toml", rule);
    site.run(&format!("rules install {} --domain north.example", path(&file))).ok();
    let explain = |subject: &str| {
        let message = format!("From: a@b.example\nSubject: {subject}\n\nhello\n");
        site.program("rules explain --recipient bob@north.example").input(message).run().text()
    };
    let text = explain("xyz");
    assert!(text.contains("\"away\" (domain, priority 5) matches"), "{text}");
    assert!(text.contains("would be told: 2."), "{text}");
    // Bob has no certificate: what the rule does not discard would wait.
    let text = explain("abc");
    assert!(text.contains("would be told: 4.7."), "{text}");
    assert_eq!(std::fs::read_dir(site.root().join("mail")).unwrap().count(), 0);
}

#[test]
fn every_command_of_root_works_as_the_owner() {
    if !root(&[]) {
        return;
    }
    let site = Site::bare();
    std::fs::set_permissions(site.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(site.json("init --owner nobody --postfix")["owner"], "nobody");
    let other = site.refused("init --owner daemon");
    assert_eq!((other.0, other.1.contains("belongs to nobody, not to daemon")), (1, true), "{}", other.1);
    site.run("domain add north.example").ok();
    site.run("account add bob@north.example").ok();
    // A file that root alone can read is read before root becomes the owner.
    let password = site.write("password", "correct horse\n");
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let generate = "key generate --account bob@north.example --type rsa-2048 --password-file";
    site.run(&format!("{generate} {}", path(&password))).ok();
    site.run(&format!("key test --account bob@north.example --password-file {}", path(&password))).ok();
    let owner = |file: &Path| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(file).unwrap());
    let nobody = owner(&site.root());
    assert_ne!(nobody, 0);
    for entry in std::fs::read_dir(site.root()).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(owner(&file), nobody, "{}", file.display());
    }
}

//! Datasets and preferences of accounts, by the commands of an administrator and by rules that remember.

use crate::support::{Site, Store, path};

const OF: &str = "--account bob@north.example";

fn values(site: &Site, name: &str) -> Vec<String> {
    let shown = site.json(&format!("dataset show {OF} {name} --values"));
    shown["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn datasets_are_filled_shown_and_emptied() {
    let site = Site::furnished();
    let none = site.run(&format!("dataset list {OF}"));
    assert_eq!(none.text(), "bob@north.example has no dataset\n");
    let file =
        site.write("friends", "\u{feff}Zoe@X.example\r\n\n# mine\n  #\n  bo@south.example \nzoe@x.example\n");
    let added = site.run(&format!("dataset add {OF} Friends west --file {}", path(&file)));
    assert_eq!(added.text(), "3 members added to Friends of bob@north.example, 1 known before\n");
    assert_eq!(values(&site, "Friends"), ["bo@south.example", "west", "zoe@x.example"]);
    let by_alias = site.json("dataset list --account robert@alias.example");
    assert_eq!(by_alias["datasets"][0]["members"], 3);
    let removed = site.run(&format!("dataset remove {OF} Friends BO@south.example nobody@x.example"));
    assert_eq!(removed.text(), "1 member removed from Friends of bob@north.example\n");
    site.run(&format!("dataset remove {OF} Friends --all")).ok();
    assert_eq!(
        site.refused(&format!("dataset show {OF} Friends")),
        (
            66,
            "sealpost: bob@north.example has no dataset Friends\n  see: sealpost dataset list --account bob@north.example\n"
                .to_owned()
        )
    );
}

#[test]
fn what_is_no_name_and_no_member_is_refused() {
    let site = Site::furnished();
    let refused = |words: &str, text: &str| {
        let (code, told) = site.refused(words);
        assert!(code == 64 && told.contains(text), "{words}: {code} {told}");
    };
    refused(&format!("dataset add {OF} #Friends a"), "the # belongs to lists of pictures");
    refused(&format!("dataset add {OF} Friends"), "no member is named");
    let whole = "no member is named: give them, --file FILE, or --all for the whole dataset";
    refused(&format!("dataset remove {OF} Friends"), whole);
    refused(&format!("dataset remove {OF} Friends a --all"), "cannot be used with");
    let bad = site.write("bad", "a@x.example\nb\u{7}\n");
    let (code, told) = site.refused(&format!("dataset add {OF} Friends --file {}", path(&bad)));
    assert!(code == 65 && told.contains("bad:2: a member is one line"), "{code} {told}");
    assert_eq!(site.json(&format!("dataset list {OF}"))["datasets"].as_array().unwrap().len(), 0);
    assert_eq!(site.refused("dataset list --account x@north.example").0, 66);
}

#[test]
fn a_dataset_has_a_limit_and_takes_all_or_none() {
    let site = Site::furnished();
    let lines: String = (0..100_000).map(|number| format!("{number}@x.example\n")).collect();
    let file = site.write("many", &lines);
    site.run(&format!("dataset add {OF} Many --file {}", path(&file))).ok();
    let (code, told) = site.refused(&format!("dataset add {OF} Many 5@x.example one@x.example"));
    assert_eq!(code, 1);
    assert!(
        told.contains("the dataset Many of bob@north.example has 100000 members, and takes no more"),
        "{told}"
    );
    site.run(&format!("dataset add {OF} Many 5@x.example")).ok();
    let rest = site.json(&format!("dataset list {OF}"));
    assert_eq!(rest["datasets"][0]["members"], 100_000);
}

#[test]
fn an_account_that_is_gone_leaves_no_dataset() {
    let site = Site::furnished();
    site.run("account add eve@north.example").ok();
    site.run("dataset add --account eve@north.example Secret very-secret-member@x.example").ok();
    site.run("account preference set eve@north.example Language de").ok();
    site.run("account remove eve@north.example").ok();
    site.run("account add eve@north.example").ok();
    assert_eq!(
        site.json("dataset list --account eve@north.example")["datasets"].as_array().unwrap().len(),
        0
    );
    assert_eq!(
        site.run("account preference list eve@north.example").text(),
        "eve@north.example has no preference\n"
    );
}

#[test]
fn datasets_stay_with_an_account_whose_domain_is_renamed() {
    let site = Site::furnished();
    site.run(&format!("dataset add {OF} Friends a@x.example")).ok();
    site.run("domain rename north.example south.example").ok();
    assert_eq!(site.json("dataset list --account bob@south.example")["datasets"][0]["dataset"], "Friends");
}

#[test]
fn preferences_are_set_listed_and_unset() {
    let site = Site::furnished();
    let of = "bob@north.example";
    site.run(&format!("account preference set {of} Language en")).ok();
    let set = site.run(&format!("account preference set {of} Language de"));
    assert_eq!(set.text(), "preference  value\nLanguage    de\n");
    let (code, told) = site.refused(&format!("account preference set {of} a:b c"));
    assert!(code == 64 && told.contains("no colon"), "{told}");
    assert_eq!(
        site.run(&format!("account preference unset {of} Language")).text(),
        "bob@north.example has no preference\n"
    );
    assert_eq!(site.refused(&format!("account preference unset {of} Language")).0, 66);
}

const REMEMBER: &str = "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\n\
    then = [[\"Remember 'From' in\", \"Seen\"], [\"Remember 'From' in\", \"All\"]]\n";

#[test]
fn a_rule_remembers_the_authors_once_the_message_is_stored() {
    let store = Store::new();
    store.rules(REMEMBER);
    let shown = |name: &str| {
        let shown = store.json(&format!("dataset show {OF} {name} --values"));
        shown["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mail =
        b"From: \"A, B\" <Anna@South.Example>, no address, anna@south.example,\r\n c@x.example\r\n\r\nhi\r\n";
    store.deliver(mail).ok();
    store.deliver(mail).ok();
    assert_eq!(shown("Seen"), ["anna@south.example", "c@x.example"]);
    assert_eq!(shown("All"), shown("Seen"));
    store.deliver(b"Subject: nobody wrote this\r\n\r\nhi\r\n").ok();
    assert_eq!(shown("Seen").len(), 2);
    assert_eq!(store.inbox().len(), 3);
}

#[test]
fn a_full_dataset_is_a_warning_and_the_mail_is_stored() {
    let store = Store::new();
    store.rules(REMEMBER);
    let log = store.file("log");
    std::fs::write(store.root().join("sealpost.toml"), format!("log = \"{}\"\n", path(&log))).unwrap();
    let members = store.file("members");
    let lines: String = (0..100_000).map(|number| format!("{number}@x.example\n")).collect();
    std::fs::write(&members, lines).unwrap();
    store.command(&format!("dataset add {OF} Seen --file {}", path(&members))).run().ok();
    store.deliver(b"From: new@x.example\n\nhi\n").ok();
    assert_eq!(store.inbox().len(), 1);
    let all = store.json(&format!("dataset list {OF}"));
    assert_eq!(
        (&all["datasets"][0]["members"], &all["datasets"][1]["members"]),
        (&1.into(), &100_000.into())
    );
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains("the dataset Seen of bob@north.example has 100000 members"), "{told}");
    assert!(!told.contains("new@x.example"), "{told}");
}

#[test]
fn doctor_names_datasets_that_rules_ask_for_and_nobody_fills() {
    let store = Store::new();
    store.rules(
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [[\"From\", \"in\", [\"#Friends\"]]]\nthen = [[\"Mark\", \"Flagged\"]]\n",
    );
    let told = |store: &Store| {
        let found = store.command("doctor --json").run().text();
        found.contains("conditions ask for the dataset #Friends, which has no member")
    };
    assert!(told(&store));
    store.command(&format!("dataset add {OF} Friends anna@south.example")).run().ok();
    assert!(!told(&store));
}

#[test]
fn what_a_rule_remembered_the_next_message_is_held_against() {
    let store = Store::new();
    store.rules(
        "[[rule]]\nname = \"known\"\npriority = 9\nwhen = [[\"From\", \"in\", [\"#Seen\"]]]\nthen = [[\"Tag Subject\", \"[known]\"]]\n\
         [[rule]]\nname = \"all\"\npriority = 5\nwhen = []\nthen = [[\"Remember 'From' in\", \"Seen\"]]\n",
    );
    for _ in 0..2 {
        store.deliver(b"From: Anna@South.example\nSubject: hi\n\ntext\n").ok();
    }
    let tagged = |mail: &&Vec<u8>| mail.windows(7).any(|window| window == b"[known]");
    assert_eq!(store.inbox().iter().filter(tagged).count(), 1);
}

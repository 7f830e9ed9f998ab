//! What Postfix makes of accounts' addresses before it hands mail over.

use super::super::owned::Owned;
use super::Asked;
use crate::support::path;
use crate::support::servers::{Postfix, can_run};
use std::collections::BTreeSet;

impl Asked {
    /// With carol beside bob, and further names.
    fn with_carol() -> Asked {
        let site = Owned::new();
        for words in [
            "domain set north.example --alias alias.example",
            "account add carol@north.example --alias caroline@north.example",
            "domain set north.example --missing-certificate plain",
        ] {
            site.house.run(words);
        }
        Asked::of(site)
    }

    /// A map in a file, as main.cf names it.
    fn map(&self, kind: &str, lines: &str) -> String {
        let file = self.etc.join(kind);
        std::fs::write(&file, lines).unwrap();
        format!("virtual_alias_maps = {kind}:{}", path(&file))
    }

    /// Without what is said of certificates, which only bob has.
    fn of_postfix(&self) -> Vec<[String; 3]> {
        let is_other = |[_, text, _]: &[String; 3]| !text.contains("certificate");
        self.told().into_iter().filter(is_other).collect()
    }
}

const TAKE: &str = "out of virtual_alias_maps";

#[test]
fn an_alias_that_keeps_mail_from_its_account_is_named_with_what_it_says() {
    if !can_run() {
        return;
    }
    let asked = Asked::with_carol();
    assert_eq!(asked.of_postfix(), [[""; 3]; 0]);
    let cases: &[(&str, &[[&str; 3]])] = &[
        (
            "bob@north.example eve@far.example\n",
            &[["bob@north.example", "mail for bob@north.example does not come here", TAKE]],
        ),
        (
            "bob@north.example Caroline@alias.example\n",
            &[["bob@north.example", "goes to the account carol@north.example instead", TAKE]],
        ),
        // To itself, to another name of itself, by way of a list: it comes.
        ("bob@north.example bob@north.example\ncarol@north.example caroline@alias.example\n", &[]),
        ("carol@north.example list@far.example\nlist@far.example caroline\n", &[]),
        ("@alias.example @north.example\n", &[]),
        (
            "bob@north.example BOB@north.example, eve@far.example\n",
            &[["note", "mail for bob@north.example goes to eve@far.example too", ""]],
        ),
        (
            "bob@north.example carol@north.example\ncarol@north.example bob@north.example\n",
            &[
                ["bob@north.example", "mail for bob@north.example goes round in circles", TAKE],
                ["carol@north.example", "goes round in circles", TAKE],
            ],
        ),
        // One line, one finding.
        (
            "@north.example @far.example\nbob@north.example bob@north.example\n",
            &[[
                "north.example",
                "\"@north.example @far.example\": mail for carol@north.example and 1 more does not come here",
                "give each account a line that leads to itself",
            ]],
        ),
        // By the local part alone, where the domain is Postfix's own.
        ("bob eve@far.example\n", &[["bob@north.example", "\"bob eve@far.example\"", TAKE]]),
    ];
    for (lines, expected) in cases {
        asked.with(&format!("myorigin = north.example\n{}", asked.map("texthash", lines)));
        let told = asked.of_postfix();
        assert_eq!(told.len(), expected.len(), "{lines}: {told:?}");
        for (told, expected) in told.iter().zip(*expected) {
            for (told, expected) in told.iter().zip(expected) {
                assert!(told.contains(expected), "{lines}: {told}");
            }
        }
    }
    // Patterns are asked for whole addresses, and only for them.
    asked.with(&asked.map("regexp", "/^@north/ eve@far.example\n/^b.b@n/ eve@far.example\n"));
    let [about, finding, _] = asked.one_of_postfix();
    assert_eq!(about, "bob@north.example");
    assert!(finding.contains("does not come here"), "{finding}");
}

impl Asked {
    fn one_of_postfix(&self) -> [String; 3] {
        let told = self.of_postfix();
        let [one] = &told[..] else { panic!("{told:?}") };
        one.clone()
    }
}

#[test]
fn a_domain_that_is_handed_elsewhere_is_named() {
    if !can_run() {
        return;
    }
    let asked = Asked::with_carol();
    asked.with("virtual_alias_domains = north.example");
    let [about, finding, mend] = asked.one_of_postfix();
    assert_eq!(about, "north.example");
    let refused = "it is one of Postfix's virtual_alias_domains: mail for bob@north.example and 2 more is refused as for \
                   unknown users";
    assert_eq!(finding, refused);
    assert!(mend.contains("out of virtual_alias_domains"), "{mend}");
    // By default whatever stands in the maps is one.
    asked.with(&asked.map("texthash", "north.example anything\n"));
    assert_eq!(asked.one_of_postfix()[1], refused);
    // Another name that leads to the accounts may be one, and need be no domain of mailboxes.
    let only = asked.main.replace("north.example, alias.example", "north.example");
    let lines = asked.map("texthash", "alias.example anything\n@alias.example @north.example\n");
    asked.write(&format!("{only}{lines}\n"), &asked.master);
    assert_eq!(asked.of_postfix(), [[""; 3]; 0]);

    asked.with("mydestination = localhost, north.example");
    let [about, finding, mend] = asked.one_of_postfix();
    assert_eq!((about.as_str(), mend.as_str()), ("north.example", "take north.example out of mydestination"));
    assert!(finding.starts_with("mydestination names it: "), "{finding}");

    // Domains in a map or in a file are asked for too.
    let (map, file) = (asked.etc.join("domains"), asked.etc.join("names"));
    std::fs::write(&map, "north.example x\n").unwrap();
    std::fs::write(&file, "# one\nnorth.example\nalias.example\n").unwrap();
    let listed = |list: &str| {
        let line = "virtual_mailbox_domains = north.example, alias.example";
        asked.write(&asked.main.replace(line, &format!("virtual_mailbox_domains = {list}")), &asked.master);
        asked.of_postfix()
    };
    assert_eq!(listed(path(&file)), [[""; 3]; 0]);
    let [[_, finding, _]] = &listed(&format!("texthash:{}", path(&map)))[..] else { panic!() };
    assert_eq!(finding, "main.cf does not name alias.example in virtual_mailbox_domains");
}

#[test]
fn a_map_that_cannot_be_asked_is_said() {
    if !can_run() {
        return;
    }
    let asked = Asked::with_carol();
    asked.with("virtual_alias_maps = hash:/no/such\nvirtual_alias_domains =");
    let [about, finding, mend] = asked.one_of_postfix();
    assert_eq!(about, "Postfix");
    let why = "open database /no/such.db: No such file or directory";
    assert_eq!(finding, format!("virtual_alias_maps cannot be asked where mail goes ({why})"));
    assert!(mend.contains("postmap -q"), "{mend}");
    // Nothing is guessed from the other one.
    asked.with("virtual_alias_maps = fail:gone, inline:{bob@north.example=eve@far.example}");
    let finding = &asked.one_of_postfix()[1];
    assert!(
        finding.starts_with("virtual_alias_maps cannot be asked where mail goes (table fail:gone"),
        "{finding}"
    );
    for list in ["virtual_alias_domains", "virtual_mailbox_domains", "mydestination"] {
        asked.with(&format!("{list} = /no/such"));
        let wanted = format!(
            "{list} cannot be asked where mail goes (/no/such: No such file or directory (os error 2))"
        );
        assert_eq!(asked.one_of_postfix()[1], wanted);
    }
}

/// The judge is a Postfix that runs with the same lines.
#[test]
fn postfix_does_with_mail_what_the_doctor_says() {
    if !can_run() {
        return;
    }
    let asked = Asked::with_carol();
    let accounts = ["bob", "carol", "dora", "emil", "finn", "gabi", "hans"];
    for name in &accounts[2..] {
        asked.site.house.run(&format!("account add {name}@north.example"));
    }
    let lines = asked.map(
        "texthash",
        "bob@north.example eve@far.example\ncarol@north.example list@far.example\n\
         list@far.example caroline, ada@far.example\ndora@north.example @alias.example\nemil finn@north.example\n\
         @alias.example gone@far.example\nalias.example anything\n",
    );
    let pattern = asked.etc.join("regexp");
    std::fs::write(
        &pattern,
        "/^finn\\+?@/ finn+x@north.example\n/^@/ eve@far.example\n/^gabi@/ hans@north.example\n",
    )
    .unwrap();
    let lines =
        format!("{lines}, regexp:{}\nmyorigin = north.example\nrecipient_delimiter = +\n", path(&pattern));
    let main = asked.main.replace("north.example, alias.example", "north.example");
    asked.write(&format!("{main}{lines}"), &asked.master);
    let told = asked.of_postfix();
    let blamed = |name: &&&str| {
        told.iter().any(|[about, finding, _]| {
            about != "note" && finding.contains(&format!("mail for {name}@north.example"))
        })
    };
    let astray: BTreeSet<&str> = accounts.iter().filter(blamed).copied().collect();
    assert_eq!(astray, BTreeSet::from(["bob", "dora", "emil", "gabi"]), "{told:?}");

    let printed = format!("# --- main.cf ---\n{main}{lines}# --- master.cf ---\n{}", asked.master);
    let postfix = Postfix::start(&asked.site.house.folder().join("mta"), &printed);
    for name in accounts {
        let message = format!("From: a@far.example\nSubject: to {name}\n\nx\n");
        let id = postfix.send("anna@south.example", &format!("{name}@north.example"), &message);
        postfix.wait_until_gone(&id);
        let subject = format!("Subject: to {name}\r\n");
        let stored = asked.site.house.new_mail(name);
        let came = stored.iter().any(|file| std::fs::read_to_string(file).unwrap().contains(&subject));
        assert_eq!(came, !astray.contains(name), "{name}: {told:?}");
    }
}

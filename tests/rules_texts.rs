//! `rules import` and `rules export`, and array text where a rule file may stand.

use crate::support::{Site, path};
use serde_json::Value;
use std::fs;
use std::path::Path;

const PAYROLL: &str = r#"[[rule]]
name = "Seal payroll"
priority = 7
when = [
  ["From", "in", ["*@payroll.north.example", "hr@north.example"]],
]
then = [
  ["Store Encrypted in", "Vault/Payroll"],
  ["Discard"],
]
comment = "sealed copy only"
"#;

const PAYROLL_ARRAY: &str = r#"(
  (7,"Seal payroll",((From,in,"*@payroll.north.example,hr@north.example")),(("Store Encrypted in","Vault/Payroll"),(Discard)),"sealed copy only")
)
"#;

/// Two that are right, two that cannot be taken.
const SETTINGS: &str = r#"{
  Password = "correct horse";
  Rules = (
    (7,"Seal payroll",((From,in,"*@payroll.north.example,hr@north.example")),(("Store Encrypted","Vault/Payroll"),(Discard,"---")),"sealed copy only"),
    (5,Busy,((FreeBusy,is,busy)),(("Store in",Later))),
    (4,Slip,((Form,is,x)),((Discrad))),
    (0,Asleep,(),((Discard)))
  );
}
"#;

#[test]
fn import_writes_what_can_be_taken_and_names_the_rest() {
    let site = Site::bare();
    let settings = site.write("account.settings", SETTINGS);
    let name = path(&settings);
    let ended = site.program("rules import").args([name]).run();
    assert_eq!(ended.code, Some(1));
    let asleep = "\n[[rule]]\nname = \"Asleep\"\npriority = 0\nthen = [\n  [\"Discard\"],\n]\n";
    assert_eq!(ended.text(), format!("{PAYROLL}{asleep}"));
    let expected = format!(
        "sealpost: {name}: 4 rules read: 2 taken, 2 not\n\
         sealpost: {name}:2: note: left aside, for they are no mail rules: \"Password\"\n\
         sealpost: {name}:4: note: rule \"Seal payroll\": \"Store Encrypted\" is read as \"Store Encrypted in\"\n\
         sealpost: {name}:5: rule \"Busy\" is not taken\n\
         sealpost: {name}:5:15: the condition \"FreeBusy\" is refused: not in this product: it needs a calendar, and Sealpost keeps none\n\
         sealpost: {name}:6: rule \"Slip\" is not taken\n\
         sealpost: {name}:6:15: no condition is called \"Form\"; did you mean \"From\"?\n\
         sealpost: {name}:6:29: no action is called \"Discrad\"; did you mean \"Discard\"?\n\
         sealpost: 2 of 4 rules cannot be taken\n  \
           sealpost rules check {name} shows each fault in its place and what is allowed there\n  \
           --partial if the rest is all that is wanted: then this is no failure\n"
    );
    assert_eq!(ended.stderr, expected);
    let partial = site.program("rules import --partial").args([name]).run();
    assert_eq!((partial.code, partial.text()), (Some(0), ended.text()));
    let from_standard_input = site.program("rules import --partial -").input(SETTINGS).run();
    assert_eq!((from_standard_input.code, from_standard_input.text()), (Some(0), ended.text()));
}

#[test]
fn import_overwrites_no_file_unless_it_is_told_to() {
    let site = Site::bare();
    let settings = site.write("rules.txt", PAYROLL_ARRAY);
    let target = site.write("anna.toml", "mine");
    let import = |words: &str| site.program(words).args([path(&settings), "--output", path(&target)]).run();
    let ended = import("rules import");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("anna.toml is there already\n  --force takes its place"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    assert_eq!(import("rules import --force").code, Some(0));
    assert_eq!(fs::read_to_string(&target).unwrap(), PAYROLL);
    fs::remove_file(&target).unwrap();
    let ended = import("rules import");
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(&target).unwrap(), PAYROLL);
    assert!(fs::read_dir(site.folder()).unwrap().count() == 2, "nothing else is left");
    let lost = site.program("rules import").args([path(&settings), "--output", "/nowhere/x.toml"]).run();
    assert_eq!(lost.code, Some(66), "{}", lost.stderr);
}

#[test]
fn what_is_no_array_text_is_refused_whole() {
    let site = Site::bare();
    let refused = |text: &str| {
        let file = site.write("rules.txt", text);
        site.refused(&format!("rules import {}", path(&file)))
    };
    let (code, said) = refused(PAYROLL);
    assert_eq!(code, 65);
    assert!(said.ends_with(
        "is no array text, which begins with ( or {\n  TOML is checked and installed as it stands\n"
    ));
    let (code, said) = refused("{ Password = horse; Rules = ((1,\"a,())); }");
    assert_eq!(code, 65);
    assert!(said.starts_with("error: this string is not closed in its line\n"), "{said}");
    assert!(!said.contains("horse"), "{said}");
    assert_eq!(site.refused("rules import nowhere.txt").0, 66);
}

#[test]
fn export_gives_what_import_takes() {
    let site = Site::furnished();
    let file = site.write("payroll.toml", PAYROLL);
    let export = |words: &str| String::from_utf8(site.run(&format!("rules export {words}")).ok()).unwrap();
    assert_eq!(export(path(&file)), PAYROLL_ARRAY);
    assert_eq!(export(&format!("{} --toml", path(&file))), PAYROLL);
    let array = site.write("payroll.txt", PAYROLL_ARRAY);
    assert_eq!(export(path(&array)), PAYROLL_ARRAY);
    assert_eq!(export(&format!("{} --toml", path(&array))), PAYROLL);

    let (code, said) = site.refused("rules export --domain north.example");
    assert_eq!(code, 66);
    assert!(said.contains("no rules run for domain north.example"), "{said}");
    let commented = site.write("commented.toml", &format!("# mine\n{PAYROLL}"));
    site.run(&format!("rules install {} --domain north.example", path(&commented))).ok();
    assert_eq!(export("--domain north.example"), PAYROLL_ARRAY);
    assert_eq!(export("--domain north.example --toml"), format!("# mine\n{PAYROLL}"));
    let out = site.folder().join("out.txt");
    site.run(&format!("rules export --domain north.example --output {}", path(&out))).ok();
    assert_eq!(fs::read_to_string(out).unwrap(), PAYROLL_ARRAY);
    assert_eq!(site.refused("rules export").0, 64);
    assert_eq!(site.refused(&format!("rules export {} --server", path(&file))).0, 64);
}

#[test]
fn array_text_is_checked_and_installed_as_toml() {
    let site = Site::furnished();
    let array = site.write("payroll.txt", &format!("// scope: domain\n{PAYROLL_ARRAY}"));
    let check = site.run(&format!("rules check {}", path(&array))).ok();
    assert_eq!(
        String::from_utf8(check).unwrap(),
        format!("{}: 1 rule, right for scope domain\n", path(&array))
    );
    site.run(&format!("rules install {} --account bob@north.example", path(&array))).ok();
    assert_eq!(site.run("rules show --account bob@north.example").text(), PAYROLL);
    let wrong = site.write("wrong.txt", SETTINGS);
    let ended = site.run(&format!("rules check {}", path(&wrong)));
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().contains(":6:15\n"), "{}", ended.text());
    let (code, said) = site.refused(&format!("rules install {} --account bob@north.example", path(&wrong)));
    assert_eq!(code, 65);
    assert!(said.contains("the condition \"FreeBusy\" is refused"), "{said}");
    assert!(!said.contains("horse"), "{said}");
    assert_eq!(site.run("rules show --account bob@north.example").text(), PAYROLL);
}

#[test]
fn json_holds_the_report() {
    let site = Site::bare();
    let settings = site.write("account.settings", SETTINGS);
    let import = site.json(&format!("rules import --partial {}", path(&settings)));
    let found = (&import["taken"], &import["scope"], &import["output"]);
    assert_eq!(found, (&Value::from(2), &Value::from("account"), &Value::Null));
    assert_eq!(import["refused"][0]["name"], "Busy");
    assert_eq!(import["refused"][0]["faults"][0]["column"], 15);
    assert_eq!(import["notes"][0]["line"], 2);
    assert!(import["text"].as_str().unwrap().starts_with(PAYROLL));
    let target = site.folder().join("x.toml");
    let words = format!("rules import --partial {} --output {}", path(&settings), path(&target));
    let import = site.json(&words);
    assert_eq!((&import["text"], Path::new(import["output"].as_str().unwrap())), (&Value::Null, &*target));
    let export = site.json(&format!("rules export {}", path(&target)));
    assert_eq!((&export["rules"], &export["holder"]), (&Value::from(2), &Value::Null));
    assert!(export["text"].as_str().unwrap().starts_with("(\n  (7,\"Seal payroll\","));
}

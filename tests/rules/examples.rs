//! Each file of `rules/` with its cases in `fixtures/rules-examples`, tried by `sealpost rules test`.

use super::{compiled, entries, scope};
use crate::support::{Program, path};

#[test]
fn each_file_that_ships_does_what_its_cases_say() {
    for file in entries("rules") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let cases = super::root().join("fixtures/rules-examples").join(name);
        let tried =
            Program::sealpost().words("rules test").args([path(&cases), "--rules", path(&file)]).run();
        assert_eq!(tried.code, Some(0), "{name}: {}{}", tried.text(), tried.stderr);
    }
}

/// A rule that no case makes match is not shown to do anything, and a file that no case leaves alone may take all.
#[test]
fn each_rule_that_ships_matches_in_a_case() {
    for file in entries("rules") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if name == "reject-too-large" {
            // Its messages would be larger than all the rest of this repository.
            continue;
        }
        let cases = entries(&format!("fixtures/rules-examples/{name}"));
        let expected: Vec<_> = cases.iter().map(|case| super::expected(case)).collect();
        for rule in compiled(&file).rules() {
            let matches = expected.iter().any(|case| case.matches.contains(&rule.name));
            assert!(matches, "{name}: no case for \"{}\" ({})", rule.name, scope(&file).name());
        }
    }
}

/// A folder without a file would be tried by nobody.
#[test]
fn each_folder_of_cases_has_its_file() {
    for folder in entries("fixtures/rules-examples") {
        let file = super::root().join("rules").join(folder.file_name().unwrap()).with_extension("toml");
        assert!(file.exists(), "{}", folder.display());
    }
}

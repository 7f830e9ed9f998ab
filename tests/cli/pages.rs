//! Help, manual pages and completions cover every verb.

use crate::support::Program;

/// Every command that does something, as its words: `["domain", "add"]`.
fn verbs() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    descend(&mut Vec::new(), &mut found);
    found
}

fn descend(words: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let help = help(words);
    let Some((_, below)) = help.split_once("\nCommands:\n") else {
        found.push(words.clone());
        return;
    };
    let names = below
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        words.push(name.to_owned());
        descend(words, found);
        words.pop();
    }
}

fn help(words: &[String]) -> String {
    let output = Program::sealpost().args(words).args(["--help"]).run().ok();
    String::from_utf8(output).unwrap()
}

#[test]
fn the_help_of_every_verb_has_an_example_and_stays_narrow() {
    let verbs = verbs();
    assert!(verbs.len() > 40, "{verbs:?}");
    for words in verbs {
        let (help, name) = (help(&words), words.join(" "));
        let examples = help.split_once("\nExample").map(|(_, after)| after.to_owned()).unwrap_or_default();
        let has_example = examples.lines().any(|line| line.contains("sealpost ") && line.contains(&name));
        assert!(has_example, "{name}:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 110), "{name}:\n{help}");
        assert!(help.contains("Options of every command:"), "{name}");
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    Program::sealpost().args(["man", folder.path().join("made/here").to_str().unwrap()]).run().ok();
    for words in verbs() {
        let page = folder.path().join(format!("made/here/sealpost-{}.1", words.join("-")));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("no {}", page.display()));
        assert!(text.contains(".SH NAME") && text.contains(".SH \"EXAMPLES\"\n.nf\n"), "{text}");
    }
}

#[test]
fn completions_know_every_verb() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(Program::sealpost().args(["completions", shell]).run().ok()).unwrap();
        for words in verbs() {
            assert!(words.iter().all(|word| script.contains(word.as_str())), "{shell}: {words:?}");
        }
        assert!(script.contains("missing-certificate") && script.contains("rsa-3072"), "{shell}");
    }
    if crate::support::tools(&["bash"]) {
        let script = Program::sealpost().args(["completions", "bash"]).run().ok();
        Program::new("bash").args(["-n"]).input(script).run().ok();
    }
}

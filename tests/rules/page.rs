//! docs/RULES.md is the list of the words as a page.

use sealpost::rules::{ACTIONS, CONDITIONS, Operator, ScopeKind, refused_words};
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RULES.md");

const INTRODUCTION: &str = r##"# The rule language

This page is written by the tests, out of the words that the program knows; each example on it is read by them.
`SEALPOST_BLESS=1 cargo nextest run --locked rules::page` writes it anew. `sealpost rules words NAME` says the same of one word.

A rule file holds rules. All conditions of a rule must hold; a rule without conditions is for every message. Then its actions run
in their order, and the next rule is looked at, unless an action ends the rules. When no rule ended them, the message goes into
the account's INBOX, sealed unless somebody consented to clear text (`inbox`).

```toml
[[rule]]
name = "Seal payroll"        # unique in its file
priority = 7                 # 10 runs first; 0 is inactive and kept
when = [
  ["From", "in", ["*@payroll.north.example", "hr@north.example"]],
]
then = [
  ["Store Encrypted in", "Vault/Payroll"],
  ["Discard"],
]
comment = "sealed copy only"
```

## Where rules run

| scope | installed by | runs | acts as |
|---|---|---|---|
| server | `rules install FILE --server` | once for a message, before it is known whose it is, over all recipients of the call | the server: each mailbox begins with its owner, `~owner@domain/Box` |
| domain | `rules install FILE --domain NAME` | once for each recipient's account in the domain | that account |
| account | `rules install FILE --account ADDRESS` | once for each delivery to the account | that account |

The server's rules run first; conditions of the others see the header as those changed it. Rules of a domain and of an account are one
list: by priority, high first; at equal priority those of the domain before those of the account; then as they stand in the file.

What the owner of an account may have installed for himself (`rules install --by-owner`) says `rules-allowed` of the account, its
domain or the site: `none`; `filter-only`: actions of class filter, which is the default; `all-but-exec`: mail too; `any`. What an
administrator installs is never limited by it.

## Operators and pictures

| operator | what it takes | it holds if |
|---|---|---|
| `is`, `is not` | one picture | the picture matches the whole value, or does not |
| `in`, `not in` | a list of pictures, or `"#Name"`, alone or in the list: the members of the account's dataset of that name. A picture that begins with `#` is written `'\#…'` there | one of them matches, or none does |
| `less than`, `greater than` | a number, a size (`"10K"`, `"25M"`, `"1G"`; steps of 1024), a time, a date | the value is smaller, or larger |

In a picture `*` stands for any characters, none too. Upper and lower case are the same, in all scripts. `\*`, `\,` and `\\` stand
for the characters themselves; in double quotes TOML eats one backslash: `"\\*"` or `'\*'`.
"##;

const ARRAY: &str = r#"
## The other text

A rule file may also be the array text of CommuniGate Pro, which begins with `(` or `{`. It says the same:

```
(7,"Seal payroll",((From,in,"*@payroll.north.example,hr@north.example")),(("Store Encrypted in","Vault/Payroll"),(Discard)))
```

`sealpost rules import` makes TOML of it and names each rule that cannot be taken, and why; `sealpost rules export` writes it.
"#;

/// For a cell: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

fn scopes(scopes: &[ScopeKind]) -> String {
    match scopes.len() {
        3 => "all".to_owned(),
        _ => scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", "),
    }
}

fn operators(operators: &[Operator]) -> String {
    match operators {
        [] => "none".to_owned(),
        some => some.iter().map(|operator| format!("`{operator}`")).collect::<Vec<_>>().join(", "),
    }
}

fn render() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Conditions\n\n| condition | operators | scopes | what it looks at | example |\n|---|---|---|---|---|\n");
    for word in CONDITIONS {
        let (name, operators, scopes) = (code(word.name), operators(word.operators), scopes(word.scopes));
        let (doc, example) = (cell(word.doc), code(word.example));
        writeln!(page, "| {name} | {operators} | {scopes} | {doc} | {example} |").unwrap();
    }
    page.push_str("\n## Actions\n\n| action | takes | class | scopes | what it does | example |\n|---|---|---|---|---|---|\n");
    for word in ACTIONS {
        let takes = if word.parameter.is_empty() { "nothing".to_owned() } else { cell(word.parameter) };
        let (name, class, scopes) = (code(word.name), word.class.name(), scopes(word.scopes));
        let (doc, example) = (cell(word.doc), code(word.example));
        writeln!(page, "| {name} | {takes} | {class} | {scopes} | {doc} | {example} |").unwrap();
    }
    page.push_str("\n## Words that are refused\n\n| word | reason |\n|---|---|\n");
    for (name, reason) in refused_words() {
        writeln!(page, "| {} | {} |", code(name), cell(reason)).unwrap();
    }
    page + ARRAY
}

#[test]
fn the_page_says_what_the_words_say() {
    let expected = render();
    if std::env::var_os("SEALPOST_BLESS").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        page == expected,
        "docs/RULES.md is not what src/rules says: run SEALPOST_BLESS=1 cargo nextest run --locked rules::page, and read the \
         difference"
    );
}

/// The texts of the introduction are no words of the list: they are read here.
#[test]
fn the_examples_of_the_introduction_are_right() {
    use sealpost::rules::RuleSet;
    let toml = INTRODUCTION.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let array = ARRAY.split("```\n").nth(1).unwrap();
    let of = |text: &str| {
        RuleSet::from_text("page", text, ScopeKind::Account).unwrap_or_else(|faults| panic!("{faults}"))
    };
    let (toml, array) = (of(toml), of(array));
    let said = |set: &RuleSet| set.to_toml().replace("comment = \"sealed copy only\"\n", "");
    assert_eq!(said(&toml), said(&array), "both say the same, but for the comment");
}

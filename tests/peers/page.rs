//! docs/INTEROP.md is the tables of this folder as a page; the README's words about readers are held against them too.

use super::form::{Form, Maker};
use super::forms::FORMS;
use super::offer::{OFFERS, Offer};
use super::person::By;
use super::reader::Reader;
use std::collections::BTreeMap;
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/INTEROP.md");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

const INTRODUCTION: &str = "# Which program reads what

This page is written by the tests, out of the tables that they hold the programs to: `tests/peers/forms.rs` and
`tests/peers/offer.rs`. Every word in it is tried on every run, \"no\" too: when a program learns, a test says so.
`SEALPOST_BLESS=1 cargo nextest run --locked peers::page` writes it anew; `tests/peers/install` and `.ci/run install` bring the programs.

Thunderbird stands here with its own NSS libraries, under NSS's command `cmsutil`.
";

const FORMS_HEADING: &str = "
## Who opens a form

The key is the one that opens; where there are more recipients, the form says so.
";

const OFFERS_HEADING: &str = "
## What the programs seal by themselves

Sealpost and OpenSSL open all of it. What OpenSSL seals, and how it was told to, stands above.
";

/// The versions of the foreign programs that the page tells of.
type Versions = BTreeMap<&'static str, String>;

fn foreign() -> impl Iterator<Item = Reader> {
    Reader::ALL.into_iter().filter(|reader| *reader != Reader::Sealpost)
}

fn render(versions: &Versions) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## The programs\n\n| program | version |\n|---|---|\n");
    for reader in foreign() {
        let version = versions.get(reader.name()).map_or("", String::as_str);
        writeln!(page, "| {} | {version} |", reader.name()).unwrap();
    }
    page.push_str(FORMS_HEADING);
    page.push_str(&forms(versions));
    page.push_str(OFFERS_HEADING);
    page.push_str("\n| sealed by | key | content | content key |\n|---|---|---|---|\n");
    OFFERS.iter().for_each(|offer| page.push_str(&offered(offer)));
    page
}

fn forms(versions: &Versions) -> String {
    let version = |reader: Reader| versions.get(reader.name()).map_or("", String::as_str);
    let column = |reader: Reader| format!("{} {}", reader.family(), version(reader)).trim().to_owned();
    let columns: Vec<String> = Reader::ALL.into_iter().map(column).collect();
    let mut table = format!("\n| sealed by | form | key | {} |\n", columns.join(" | "));
    writeln!(table, "|---|---|---|{}", "---|".repeat(columns.len())).unwrap();
    FORMS.iter().for_each(|form| table.push_str(&row(form)));
    table
}

fn row(form: &Form) -> String {
    let verdict = |reader: Reader| if form.is_opened_by(reader) { "yes" } else { "no" };
    let verdicts: Vec<&str> = Reader::ALL.into_iter().map(verdict).collect();
    let (sealer, key) = (form.sealer().name(), form.by.key());
    format!("| {sealer} | {} | {key} | {} |\n", form.name, verdicts.join(" | "))
}

fn offered(offer: &Offer) -> String {
    format!("| {} | {} | {} | {} |\n", offer.sealer.name(), offer.to.key(), offer.content, offer.key)
}

/// What the page's first table says.
fn documented(page: &str) -> Versions {
    let version = |reader: Reader| {
        let begin = format!("| {} | ", reader.name());
        let line = page.lines().find_map(|line| line.strip_prefix(&begin))?;
        Some((reader.name(), line.trim_end_matches(" |").to_owned()))
    };
    foreign().filter_map(version).collect()
}

/// Of this machine; all programs must be there.
fn measured() -> Versions {
    let version = |reader: Reader| {
        let version = reader.version();
        (reader.name(), version.unwrap_or_else(|| panic!("{} is needed to write the page", reader.name())))
    };
    foreign().map(version).collect()
}

#[test]
fn the_page_says_what_the_tables_say() {
    if std::env::var_os("SEALPOST_BLESS").is_some() {
        std::fs::write(PAGE, render(&measured())).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let expected = render(&documented(&page));
    assert!(
        page == expected,
        "docs/INTEROP.md is not what tests/peers says: run SEALPOST_BLESS=1 cargo nextest run peers::page, and read \
         the difference"
    );
    name_other_versions(&documented(&page));
}

/// A newer program is no fault: its verdicts are tried all the same. Which one the page means is said where it differs.
fn name_other_versions(documented: &Versions) {
    for reader in foreign() {
        let Some(here) = reader.version() else { continue };
        let there = documented.get(reader.name()).expect("the page names each program's version");
        if *there != here {
            println!("{}: docs/INTEROP.md was written with {there}; here it is {here}", reader.name());
        }
    }
}

/// A column whose program no test starts, or an offer that nobody takes up, would be an empty word.
#[test]
fn every_column_and_every_offer_is_tried() {
    let tests = include_str!("../peers.rs");
    for reader in Reader::ALL {
        assert!(tests.contains(&format!("judge(&stage, Reader::{reader:?}, ")), "{reader:?}");
        let offers = OFFERS.iter().any(|offer| offer.sealer == reader);
        assert_eq!(tests.contains(&format!("we_open(&stage, Reader::{reader:?}, ")), offers, "{reader:?}");
    }
}

/// Two rows with the same words would be one to the reader of the page.
#[test]
fn no_two_rows_are_called_the_same() {
    let mut rows: Vec<String> = FORMS
        .iter()
        .map(|form| format!("{} {} {}", form.sealer().name(), form.name, form.by.key()))
        .collect();
    rows.sort();
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]), "{rows:#?}");
}

/// Who opens what this profile writes for one key of that kind.
fn who_opens(profile: &str, by: By) -> Vec<Reader> {
    let wanted = format!("--profile={profile}");
    let is_it = |form: &&Form| {
        form.by == by
            && matches!(form.maker, Maker::Sealpost { options, to } if options == wanted && to == [by])
    };
    let form = FORMS.iter().find(is_it).unwrap_or_else(|| panic!("no form for {profile}, {by:?}"));
    foreign().filter(|reader| form.is_opened_by(*reader)).collect()
}

/// A word for a kind of key, and who has one.
type Kinds = &'static [(&'static str, &'static [By])];

/// The profiles of the README's table, with the kinds of keys that its last column tells apart.
const PROFILES: [(&str, Kinds); 3] = [
    ("compatible", &[("RSA", &[By::Bob]), ("EC", &[By::Dana, By::Erin, By::Frank])]),
    ("modern", &[("RSA", &[By::Bob]), ("EC", &[By::Dana, By::Erin, By::Frank]), ("X25519", &[By::Grace])]),
    ("post-quantum", &[("ML-KEM", &[By::Heidi, By::Ivan])]),
];

/// `RSA: …; EC: …`, as the README has it in the last column.
fn who_reads(profile: &str, kinds: Kinds) -> String {
    let kind = |(name, people): &(&str, &[By])| {
        let mut each = people.iter().map(|by| words_for(&who_opens(profile, *by)));
        let first = each.next().expect("somebody has such a key");
        assert!(each.all(|other| other == first), "{profile}, {name}: not one kind to its readers");
        format!("{name}: {first}")
    };
    kinds.iter().map(kind).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_readme_says_who_reads_a_profile() {
    let readme = std::fs::read_to_string(README).unwrap();
    for (profile, kinds) in PROFILES {
        let begin = format!("| `{profile}`");
        let line = readme.lines().find(|line| line.starts_with(&begin)).expect("a row for each profile");
        let said = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert_eq!(said, who_reads(profile, kinds), "README.md, who reads {profile}");
    }
    assert!(readme.contains("(docs/INTEROP.md)"), "the README links the page");
}

/// The names of the programs, families joined.
fn words_for(readers: &[Reader]) -> String {
    let names: Vec<&str> = readers.iter().map(|reader| reader.name()).collect();
    match names.as_slice() {
        [] => "no other program tried".to_owned(),
        all if all.len() == foreign().count() => "every program tried".to_owned(),
        some => some.join(", ").replace("OpenSSL 3, OpenSSL 4", "OpenSSL"),
    }
}

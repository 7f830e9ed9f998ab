//! What the fuzz targets begin with beside `fixtures/mail` and `fixtures/odd-mail`: made here, so that it can be made anew
//! (`SEALPOST_BLESS=1`) when a structure changes, and so that the two runs know the same words.

use super::containers::containers;
use super::damage::WORDS;
use super::requests::{lists, requests};
use super::subject::scripts;
use crate::laws::long::long_messages;
use crate::laws::people::{ELLA, opening};
use crate::laws::signed_message;
use crate::laws::structure::{mail, structures};
use crate::laws::{certificate, crl, filter_answer, lanes, large, lmtp, mbox, rules_array, rules_evaluate};
use sealpost::mail::Span;
use sealpost::rules::{Import, RuleSet, ScopeKind};
use sealpost::smime::{LargeMessage, open_large};
use std::collections::BTreeMap;
use std::path::Path;

/// File names below `fuzz/` and what is in them.
fn files() -> BTreeMap<String, Vec<u8>> {
    let sealed =
        structures().iter().map(|made| (format!("seeds/cms/{}.ber", made.name), made.octets.clone()));
    let scripts =
        scripts(0).zip(0..).map(|(script, change)| (format!("seeds/cms/change-{change:02}"), script));
    let keys = containers().into_iter().map(|(name, octets)| (format!("seeds/keys/{name}"), octets));
    let certificates = certificate::seeds().into_iter();
    let certificates = certificates.map(|(name, made)| (format!("seeds/certificate/{name}"), made));
    let crls = crl::seeds().into_iter().map(|(name, made)| (format!("seeds/crl/{name}"), made));
    let words = ("words.dict".to_owned(), dictionary());
    let signed = ("seeds/signed/sample.ber".to_owned(), signed_message::sample().to_vec());
    let requests = requests().into_iter().map(|(name, octets)| (format!("seeds/request/{name}"), octets));
    let tables = lists().into_iter().map(|(name, text)| (format!("seeds/bulk_csv/{name}"), text));
    let answers = filter_answer::seeds().into_iter();
    let answers = answers.map(|(name, said)| (format!("seeds/filter_answer/{name}"), said));
    let mboxes = mbox::seeds().into_iter().map(|(name, file)| (format!("seeds/mbox/{name}"), file));
    let together = lanes::seeds().into_iter().map(|(name, made)| (format!("seeds/lanes/{name}"), made));
    let talks = lmtp::seeds().into_iter().map(|(name, said)| (format!("seeds/lmtp/{name}"), said));
    let long = large::seeds().into_iter().map(|(name, made)| (format!("seeds/large/{name}"), made));
    let made = sealed.chain(scripts).chain(keys).chain(certificates).chain(crls);
    let arrays = rules_array::seeds().into_iter();
    let arrays = arrays.map(|(name, text)| (format!("seeds/rules_array/{name}"), text.as_bytes().to_vec()));
    let rules = rules_evaluate::seeds().into_iter();
    let rules = rules.map(|(name, made)| (format!("seeds/rules_evaluate/{name}"), made.into_bytes()));
    let made = made
        .chain(requests)
        .chain(tables)
        .chain(arrays)
        .chain(rules)
        .chain(answers)
        .chain(mboxes)
        .chain(together)
        .chain(long)
        .chain(talks);
    made.chain([signed, words]).collect()
}

/// In the form that libFuzzer reads: a word a line in quotes.
fn dictionary() -> Vec<u8> {
    let spell = |octet: &u8| match octet {
        b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' => char::from(*octet).to_string(),
        other => format!("\\x{other:02x}"),
    };
    let line = |word: &&[u8]| format!("\"{}\"\n", word.iter().map(spell).collect::<String>());
    WORDS.iter().map(line).collect::<String>().into_bytes()
}

#[test]
fn the_fuzz_targets_begin_with_what_is_made_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let bless = std::env::var_os("SEALPOST_BLESS").is_some();
    for (name, bytes) in files() {
        let file = folder.join(&name);
        if bless {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &bytes).unwrap();
        }
        let committed = std::fs::read(&file).unwrap_or_default();
        assert!(committed == bytes, "fuzz/{name} is not what is made here; SEALPOST_BLESS=1 writes it anew");
        assert!(bytes.len() < 4096, "fuzz/{name} is no small seed");
    }
    let count = |kind: &str| std::fs::read_dir(folder.join("seeds").join(kind)).unwrap().count();
    let kinds = [
        "bulk_csv",
        "certificate",
        "cms",
        "crl",
        "filter_answer",
        "keys",
        "lanes",
        "large",
        "lmtp",
        "mbox",
        "request",
        "rules_array",
        "rules_evaluate",
        "signed",
    ];
    let there: usize = kinds.into_iter().map(count).sum();
    assert_eq!(there + 1, files().len(), "fuzz/seeds holds files that nothing makes");
}

/// Undamaged, each is what it says: otherwise the laws would hold for rubbish only.
#[test]
fn the_rules_are_read() {
    for (name, text) in rules_array::seeds() {
        let import = Import::from_array(name, text, ScopeKind::Account).unwrap();
        assert!(import.rules.rules().count() + import.refused.len() > 0, "{name}");
    }
    for (name, made) in rules_evaluate::seeds() {
        let (rules, mail) = made.split_once('\0').unwrap();
        assert!(mail.ends_with("Hi.\n"));
        RuleSet::from_text(name, rules, ScopeKind::Account).unwrap_or_else(|faults| panic!("{faults}"));
    }
}

#[test]
fn the_conversations_deliver() {
    let found: Vec<(String, usize)> =
        lmtp::seeds().iter().map(|(name, said)| (name.clone(), lmtp::messages(said))).collect();
    let some: Vec<_> =
        found.iter().filter(|(_, messages)| *messages > 0).map(|(name, _)| name.as_str()).collect();
    assert_eq!(some, ["data", "twice", "chunks", "utf8", "bare"]);
}

#[test]
fn the_mboxes_are_cut() {
    let found: Vec<(String, Option<usize>)> =
        mbox::seeds().into_iter().map(|(name, file)| (name, mbox::messages(&file))).collect();
    let of = |name: &str| found.iter().find(|(other, _)| other == name).unwrap().1;
    let names = ["rd", "o", "cl", "cl2", "crlf", "flags", "ours", "large", "none", "long-line"];
    let numbers = [2, 3, 2, 2, 2, 1, 1, 2].map(Some).into_iter().chain([None, None]);
    assert_eq!(names.map(of).to_vec(), numbers.collect::<Vec<_>>());
    assert_eq!(names.len(), found.len());
}

/// Undamaged, all of them are worked on in pieces: otherwise the law would hold for what is never done.
#[test]
fn the_long_messages_are_opened_in_pieces() {
    for (message, number) in long_messages().iter().zip(0..) {
        let source = message.as_slice();
        let opened = open_large(Span::of(&source), &[ELLA.opening()]);
        assert!(opened.is_ok_and(|opened| opened.len() > 80_000), "{number}");
        assert!(LargeMessage::survey(Span::of(&source)).is_ok(), "{number}");
    }
    for structure in structures() {
        let message = mail(&structure.octets);
        let source = message.as_slice();
        let keys = opening(&structure.people);
        assert!(open_large(Span::of(&source), &keys).is_ok(), "{}", structure.name);
    }
}

//! An MTA that calls `--batch` by mistake keeps its mail: whatever is wrong ends in 75.

use crate::support::{Site, path};

const MAIL: &str = "From: carol@far.example\nSubject: pay\n\nThe body.\n";

#[test]
fn whatever_is_wrong_is_to_be_tried_again() {
    let (site, _) = Site::certified();
    let empty = site.folder().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let folder = path(&empty).to_owned();
    for (words, text) in [
        ("deliver --batch - --recipient bob@north.example".to_owned(), "this is no mbox"),
        (format!("deliver --batch {folder}"), "--recipient"),
        (format!("deliver --batch {folder} --recipient x"), "x"),
        (format!("deliver --batch {folder} --recipient bob@north.example --nonsense"), "--nonsense"),
        (
            format!("deliver --batch {folder} --recipient bob@north.example --queue-id Q1"),
            "cannot be used with",
        ),
        (format!("deliver --batch {folder}/nowhere --recipient bob@north.example"), "cannot list"),
        ("deliver --batch".to_owned(), "--batch"),
        ("deliver --done /tmp --recipient bob@north.example".to_owned(), ""),
    ] {
        let ended = site.program(&words).input(MAIL).run();
        assert_eq!(ended.code, Some(75), "{words}: {} {}", ended.text(), ended.stderr);
        assert!(ended.stderr.contains(text), "{words}: {}", ended.stderr);
    }
    let bare = Site::bare();
    let ended = bare.run(&format!("deliver --batch {folder} --recipient bob@north.example"));
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
}

/// Nothing on standard input is no mail that was stored.
#[test]
fn an_empty_standard_input_is_no_success() {
    let (site, _) = Site::certified();
    let ended = site.program("deliver --batch - --recipient bob@north.example").input("").run();
    assert_eq!(ended.code, Some(75), "{} {}", ended.text(), ended.stderr);
}

/// The address of a sender may be any word.
#[test]
fn a_sender_of_that_name_is_a_sender() {
    let (site, _) = Site::certified();
    for sender in ["--batch", "--batch=x"] {
        let words = format!("deliver --sender {sender} --recipient bob@north.example");
        let ended = site.program(&words).input(MAIL).run();
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"), "{}", ended.stderr);
    }
}

/// A help text is no delivery.
#[test]
fn help_is_no_answer_to_an_mta() {
    let (site, _) = Site::certified();
    let ended = site.program("deliver --batch - --recipient bob@north.example --help").input(MAIL).run();
    assert_eq!(ended.code, Some(75), "{}", ended.text());
}

//! `sealpost bench`: the figures, where it stores, and that it leaves nothing.

use crate::support::{Ended, Program, Site, path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn bench(folder: &Path, words: &str) -> Ended {
    let program = Program::sealpost().words("bench --seconds 1 --store-in").args([path(folder)]).words(words);
    program.env("SEALPOST_ROOT", folder.join("no-store")).run()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn the_table_is_aligned_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let ended = bench(folder.path(), "");
    let text = ended.text();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{text}");
    assert_eq!(entries(folder.path()), 0);
    let blocks: Vec<Vec<&str>> =
        text.split("\n\n").map(|block| block.lines().filter(|line| line.contains("  ")).collect()).collect();
    let [machine, sealed, stored, steps, words] = blocks.as_slice() else { panic!("{text}") };
    assert_eq!((machine.len(), words.len()), (0, 0), "{text}");
    for (rows, count) in [(sealed, 9), (stored, 2), (steps, 5)] {
        assert_eq!(rows.len(), count + 1, "{text}");
        assert!(rows.iter().all(|row| row.chars().count() == rows[0].chars().count()), "{text}");
    }
    let begins = |rows: &[&str], names: &[&str]| {
        rows.iter().skip(1).zip(names).all(|(row, name)| row.starts_with(name))
    };
    let profiles = ["compatible    RSA 2048", "modern        EC P-256", "post-quantum  ML-KEM-768"];
    let profiles: Vec<&str> = profiles.into_iter().flat_map(|profile| [profile; 3]).collect();
    assert!(begins(sealed, &profiles), "{text}");
    assert!(begins(stored, &["4 KiB", "75 KiB"]), "{text}");
    assert!(begins(steps, &["content key", "line ends", "the rest", "store", "all"]), "{text}");
    assert!(
        text.contains("; AES-256-CBC by ")
            && text.contains("; AES-256-GCM by ")
            && text.contains("; RSA by "),
        "{text}"
    );
    assert!(text.contains(&format!("\nStored in {}, each message synced:\n", folder.path().display())));
}

fn positive(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object[name].as_f64().is_some_and(|figure| figure > 0.0), "{name} of {object}");
    }
}

#[test]
fn json_has_all_figures() {
    let folder = tempfile::tempdir().unwrap();
    let figures: Value = serde_json::from_slice(&bench(folder.path(), "--json").ok()).unwrap();
    let sealing = figures["sealing"].as_array().unwrap();
    assert_eq!((sealing.len(), entries(folder.path())), (9, 0));
    for of in sealing {
        let fields: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["all_cores", "batch", "key", "one_core", "opened_per_second", "profile", "size"]);
        positive(of, &["batch", "opened_per_second"]);
        for (side, threads) in [("one_core", &1.into()), ("all_cores", &figures["cores"])] {
            positive(&of[side], &["per_second", "mb_per_second"]);
            assert_eq!(&of[side]["threads"], threads, "{side}");
        }
    }
    let sizes = |member: &str| {
        figures[member].as_array().unwrap().iter().map(|of| of["size"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(sizes("sealing"), [4096, 76800, 1_048_576].repeat(3));
    assert_eq!((sizes("storing"), sizes("steps")), (vec![4096, 76800], vec![4096, 76800]));
    for of in figures["storing"].as_array().unwrap() {
        positive(of, &["at_once", "in_turn_per_second", "at_once_per_second"]);
    }
    for of in figures["steps"].as_array().unwrap() {
        positive(of, &["store_us", "store_percent"]);
        let steps = ["content", "key", "rest", "store"];
        let fields: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
        let named = steps.iter().flat_map(|step| [format!("{step}_percent"), format!("{step}_us")]);
        let mut expected: Vec<String> = named.chain(["size".to_owned()]).collect();
        expected.sort();
        assert_eq!(fields, expected);
        let sum: f64 = steps.iter().map(|step| of[format!("{step}_percent")].as_f64().unwrap()).sum();
        assert!((sum - 100.0).abs() < 0.1, "{of}");
    }
    positive(&figures, &["cores"]);
}

#[test]
fn it_stores_where_the_mail_is_or_where_temporary_files_are() {
    let site = Site::furnished();
    let before = entries(&site.root());
    let told = site.json("bench --seconds 1");
    assert_eq!((told["folder"].as_str(), entries(&site.root())), (Some(path(&site.root())), before));
    let folder = tempfile::tempdir().unwrap();
    let program = Program::sealpost().words("bench --seconds 1 --json --root").args([path(folder.path())]);
    let ended = program.env("TMPDIR", folder.path()).run();
    let told: Value = serde_json::from_slice(&ended.ok()).unwrap();
    assert_eq!((told["folder"].as_str(), entries(folder.path())), (Some(path(folder.path())), 0));
}

#[test]
fn a_folder_that_takes_nothing_is_told_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (file, missing) = (folder.path().join("file"), folder.path().join("missing"));
    std::fs::write(&file, "").unwrap();
    for (place, code, why) in [(&file, 74, "Not a directory"), (&missing, 66, "No such file or directory")] {
        let ended = bench(place, "");
        let said = format!(
            "sealpost: cannot make a folder in {}: {why}\n  --store-in DIR names another folder\n",
            place.display()
        );
        assert_eq!((ended.code, ended.text().as_str(), ended.stderr), (Some(code), "", said));
    }
    for words in ["bench --seconds 0", "bench --seconds 601", "bench --seconds x"] {
        assert_eq!(Program::sealpost().words(words).run().code, Some(64), "{words}");
    }
}

/// Ctrl-C: what was made goes away, and nothing is told that was not measured.
#[test]
fn whoever_ends_it_finds_nothing_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.args(["bench", "--seconds", "600", "--store-in", path(folder.path())]);
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn().unwrap();
    let begin = Instant::now();
    while entries(folder.path()) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "it makes no folder");
        std::thread::sleep(Duration::from_millis(2));
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stdout.as_slice()), (Some(1), &b""[..]));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "sealpost: ended before everything was measured\n");
    assert_eq!(entries(folder.path()), 0);
}

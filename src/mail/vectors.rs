//! The public test vectors, for tests only.

mod deviations;

pub(crate) use deviations::Verdicts;

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Every file below a folder of the vectors, with its bytes. Without vectors: none, and one line that says so.
pub(crate) fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Some(folder) = self::folder(folder) else { return Vec::new() };
    let mut found = Vec::new();
    walk(&folder, &mut found);
    assert!(!found.is_empty(), "no files in {}", folder.display());
    found
}

/// A folder of the vectors. Without vectors: none, and one line that says so.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let root = env::var_os("SEALPOST_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"), PathBuf::from);
    let folder = root.join(name);
    if !folder.is_dir() {
        skip("vectors", &format!("no vectors in {}", folder.display()));
        return None;
    }
    // Some of the files name others by paths with `..` in them.
    Some(folder.canonicalize().unwrap())
}

/// One line for what is missing; a failure where `SEALPOST_REQUIRE` names it.
pub(crate) fn skip(word: &str, missing: &str) {
    let required = env::var("SEALPOST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|required| required.trim() == word),
        "{missing}, and {word} is required"
    );
    println!("skipped: {missing}");
    // `./check` collects the lines, because the output of a passing test is not shown.
    if let Some(list) = env::var_os("SEALPOST_SKIPPED") {
        let mut list = fs::OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(format!("skipped: {missing}\n").as_bytes()).unwrap();
    }
}

fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}

//! BoringSSL's names: each of its constraints on mail addresses with each of its mail addresses.

use super::*;
use crate::mail::vectors::files;
use crate::pki::path::forge::{Draft, NOW, critical, extension, key};
use crate::pki::pem;
use std::collections::BTreeMap;

const FOLDER: &str = "boringssl-pki/pki/testdata/name_constraints_unittest";

/// What each constraint holds for, of the names that are mailboxes.
const HOLDS: [(&str, &[&str]); 6] = [
    ("", &["", "domaincase", "localpartcase", "quoted", "ipv4", "subdomain", "subdomaincase", "multiple"]),
    ("foo@example.com", &["", "domaincase", "quoted"]),
    ("\"foo\"@example.com", &["", "domaincase", "quoted"]),
    ("example.com", &["", "domaincase", "localpartcase", "quoted", "multiple"]),
    (".example.com", &["subdomain", "subdomaincase"]),
    ("[8.8.8.8]", &["ipv4"]),
];

/// The files with these constraints, permitted and excluded.
const FILES: [(&str, &str); 7] = [
    ("-empty", ""),
    ("", "foo@example.com"),
    ("-quoted", "\"foo\"@example.com"),
    ("-hostname", "example.com"),
    ("-subdomains", ".example.com"),
    ("-ipv4", "[8.8.8.8]"),
    // No constraint at all: whatever it stands beside is refused.
    ("-hostnamewithat", "@example.com"),
];

/// Names that are no mailboxes: refused under every constraint.
const BROKEN: [&str; 6] =
    ["empty-localpart", "empty", "no-at", "subdomain-no-at", "subdomain-two-ats", "two-ats"];

const SOUND: [&str; 8] =
    ["", "domaincase", "localpartcase", "quoted", "ipv4", "subdomain", "subdomaincase", "multiple"];

fn der(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<u8> {
    pem::read(&files[name]).unwrap().remove(0).der.to_vec()
}

fn is_valid(constraints: &[u8], names: &[u8]) -> bool {
    let (top, holder) = (key(1), key(2));
    let root = [Draft::root("CN=Root", &top).with(critical("2.5.29.30", constraints)).make()];
    let bob = Draft::of("CN=Bob", &holder, "CN=Root", &top).with(extension("2.5.29.17", names)).make();
    let policies = PolicyCheck::default();
    Rfc5280::default().validate(&bob, &path(&root, &[], NOW, &policies)).is_ok()
}

/// One of two addresses, or one in another case, is enough to be excluded, and not enough to be permitted.
fn is_excluded(constraint: &str, name: &str, holds: bool) -> bool {
    let exact = constraint.contains('@');
    holds || (exact && (name == "multiple" || name == "localpartcase"))
}

#[test]
fn each_constraint_holds_for_its_addresses() {
    let named = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files: BTreeMap<_, _> = files(FOLDER).into_iter().map(|(path, bytes)| (named(path), bytes)).collect();
    if files.is_empty() {
        return;
    }
    let san = |name: &str| match name {
        "" => "san-rfc822name.pem".to_owned(),
        name => format!("san-rfc822name-{name}.pem"),
    };
    for (file, constraint) in FILES {
        let permitted = der(&files, &format!("rfc822name-permitted{file}.pem"));
        let excluded = der(&files, &format!("rfc822name-excluded{file}.pem"));
        for name in BROKEN {
            let names = der(&files, &san(name));
            assert!(!is_valid(&permitted, &names) && !is_valid(&excluded, &names), "{constraint} {name}");
        }
        let row = HOLDS.iter().find(|(text, _)| *text == constraint).map(|(_, names)| *names);
        for name in SOUND {
            let names = der(&files, &san(name));
            let (may, may_not) = match row {
                Some(row) => (row.contains(&name), is_excluded(constraint, name, row.contains(&name))),
                None => (false, true),
            };
            assert_eq!(is_valid(&permitted, &names), may, "permitted {constraint} {name}");
            assert_eq!(is_valid(&excluded, &names), !may_not, "excluded {constraint} {name}");
        }
    }
}

//! The people of RFC 9216: RSA and Ed25519 authorities that signed for each other.

use super::*;
use crate::mail::vectors::files;
use std::collections::BTreeMap;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);

#[test]
fn everybody_chains_to_the_own_authority_and_by_the_cross_certificate_to_the_other() {
    let named = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files: BTreeMap<_, _> =
        files("rfc9216").into_iter().map(|(path, bytes)| (named(path), bytes)).collect();
    if files.is_empty() {
        return;
    }
    let read = |name: &str| Certificate::from_pem(&files[name]).unwrap();
    let policies = PolicyCheck::default();
    let people = [("alice", "rsa"), ("bob", "rsa"), ("carlos", "25519"), ("dana", "25519")];
    for ((person, own), use_of) in
        people.into_iter().flat_map(|one| ["sign", "encrypt"].map(|use_of| (one, use_of)))
    {
        let target = read(&format!("{person}.{use_of}.crt"));
        let other = if own == "rsa" { "25519" } else { "rsa" };
        let (own_root, other_root) = ([read(&format!("ca.{own}.crt"))], [read(&format!("ca.{other}.crt"))]);
        let cross = [read(&format!("ca.{own}.cross.crt"))];
        let found = |anchors: &[Certificate], between: &[Certificate]| {
            let valid = Rfc5280::default().validate(&target, &path(anchors, between, NOW, &policies));
            valid.map(|valid| valid.certificates.len()).map_err(|failure| failure.to_string())
        };
        assert_eq!(found(&own_root, &[]), Ok(2), "{person}");
        assert_eq!(found(&other_root, &cross), Ok(3), "{person}");
        let alone = format!("no trusted authority issued it; its issuer is {}", target.issuer());
        assert_eq!(found(&other_root, &[]), Err(alone), "{person}");
    }
}

//! BoringSSL's chains: each file of a test names a chain, whom it trusts, a time, a usage, and the errors that it expects.

use super::*;
use crate::mail::vectors::files;
use crate::pki::read_certificates;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use std::collections::BTreeMap;
use std::path::PathBuf;
use time::macros::{datetime, format_description};

const FOLDER: &str = "boringssl-pki/pki/testdata/verify_certificate_chain_unittest";

/// Usages that are no more than the one that a certificate names; the others are profiles of BoringSSL's own.
const USAGES: [(&str, Option<ObjectIdentifier>); 3] =
    [("ANY_EKU", None), ("SERVER_AUTH", Some(ID_KP_SERVER_AUTH)), ("CLIENT_AUTH", Some(ID_KP_CLIENT_AUTH))];

/// One test file.
struct Case {
    name: String,
    chain: Vec<u8>,
    trust: String,
    at: OffsetDateTime,
    usage: Option<ObjectIdentifier>,
    expected: Vec<String>,
    policies: Option<String>,
}

fn moment(text: &str) -> OffsetDateTime {
    if text == "DEFAULT" {
        return datetime!(2021-10-05 12:00 UTC);
    }
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    time::PrimitiveDateTime::parse(&format!("20{text}"), format).unwrap().assume_utc()
}

fn case(path: &std::path::Path, text: &str, files: &BTreeMap<PathBuf, Vec<u8>>) -> Option<Case> {
    let field = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
    };
    let (_, usage) = USAGES.iter().find(|(name, _)| *name == field("key_purpose").unwrap())?;
    let folder = path.parent().unwrap();
    let chain = folder.join(field("chain").unwrap());
    let chain = chain.components().fold(PathBuf::new(), |mut path, part| {
        if part.as_os_str() == ".." {
            path.pop();
        } else {
            path.push(part);
        }
        path
    });
    let errors = text.lines().filter(|line| line.contains("ERROR: "));
    Some(Case {
        name: format!("{}/{}", folder.file_name()?.to_str()?, path.file_stem()?.to_str()?),
        chain: files[&chain].clone(),
        trust: field("last_cert_trust").unwrap(),
        at: moment(&field("utc_time").unwrap()),
        usage: *usage,
        expected: errors.map(str::to_owned).collect(),
        policies: field("expected_user_constrained_policy_set"),
    })
}

fn validate(case: &Case) -> Result<ValidPath, String> {
    let chain = read_certificates(&case.chain).map_err(|error| error.to_string())?;
    let (target, above) = chain.split_first().unwrap();
    let (last, between) = above.split_last().unwrap_or((target, &[]));
    let trusted = !matches!(case.trust.as_str(), "DISTRUSTED" | "UNSPECIFIED");
    let anchors = if trusted { std::slice::from_ref(last) } else { &[] };
    let policies = PolicyCheck::default();
    let check = PathCheck { usage: case.usage, ..path(anchors, between, case.at, &policies) };
    Rfc5280::default().validate(target, &check).map_err(|failure| words(&failure))
}

fn judge(case: &Case) -> Result<(), String> {
    match validate(case) {
        Ok(_) if !case.expected.is_empty() => {
            Err(format!("it is valid, and not {}", case.expected.join("; ")))
        }
        Err(why) if case.expected.is_empty() => Err(why),
        Ok(valid) => {
            let found = valid.policies.iter().map(|policy| match policy.to_string().as_str() {
                "2.5.29.32.0" => "anyPolicy".to_owned(),
                other => other.to_owned(),
            });
            let found = found.collect::<Vec<_>>().join(",");
            match &case.policies {
                Some(policies) if *policies != found => Err(format!("policies {found}, and not {policies}")),
                _ => Ok(()),
            }
        }
        Err(_) => Ok(()),
    }
}

#[test]
fn the_chains_of_boringssl_are_judged_as_it_says() {
    let files: BTreeMap<PathBuf, Vec<u8>> = files(FOLDER).into_iter().collect();
    if files.is_empty() {
        return;
    }
    let mut verdicts = Verdicts::on(FOLDER);
    for (path, bytes) in files.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "test")) {
        let text = String::from_utf8_lossy(bytes);
        if let Some(case) = case(path, &text, &files) {
            verdicts.add(&[&case.name], judge(&case));
        }
    }
    assert_eq!(verdicts.close(), 157);
}

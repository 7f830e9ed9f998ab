//! x509-limbo: every case that is about paths. Left out are the rules of the web PKI and today's sites of the web.

use super::*;
use crate::mail::vectors::folder;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

const PLACE: &str = "limbo/limbo.json";

/// Namespaces about which we say nothing: the rules of the CA/Browser Forum for servers, and certificates of sites.
const FOREIGN: [&str; 2] = ["webpki", "online"];

fn texts(case: &Value, field: &str) -> Vec<Vec<u8>> {
    let list = case[field].as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap().as_bytes().to_vec()).collect()
}

fn certificates(case: &Value, field: &str) -> Result<Vec<Certificate>, String> {
    let read = |pem: &Vec<u8>| Certificate::from_pem(pem).map_err(|error| error.to_string());
    texts(case, field).iter().map(read).collect()
}

fn crls(case: &Value) -> Result<Vec<Crl>, String> {
    let each = texts(case, "crls").into_iter().map(|pem| crate::pki::read_crls(&pem));
    let lists = each.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok(lists.into_iter().flatten().collect())
}

fn moment(case: &Value) -> OffsetDateTime {
    let text = case["validation_time"].as_str().unwrap_or("2026-03-15T00:00:00Z");
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn validate(case: &Value) -> Result<Work, String> {
    let (anchors, between) =
        (certificates(case, "trusted_certs")?, certificates(case, "untrusted_intermediates")?);
    let target = Certificate::from_pem(case["peer_certificate"].as_str().unwrap().as_bytes());
    let target = target.map_err(|error| error.to_string())?;
    let (crls, policies) = (crls(case)?, PolicyCheck::default());
    let mut check = path(&anchors, &between, moment(case), &policies);
    check.revocation.crls = &crls;
    if !crls.is_empty() {
        check.revocation.policy = RevocationPolicy::Hard;
    }
    check.usage =
        Some(if case["validation_kind"] == "SERVER" { ID_KP_SERVER_AUTH } else { ID_KP_CLIENT_AUTH });
    let mut limits = Limits::default();
    if let Some(depth) = case["max_chain_depth"].as_u64() {
        limits.path = usize::try_from(depth).unwrap();
    }
    let valid = Rfc5280 { limits }.validate(&target, &check).map_err(|failure| words(&failure))?;
    Ok(valid.work)
}

#[test]
fn the_paths_of_limbo_are_judged_as_it_says() {
    let Some(folder) = folder("limbo") else { return };
    let text = std::fs::read_to_string(folder.join("limbo.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let mut verdicts = Verdicts::on(PLACE);
    for case in all["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if FOREIGN.iter().any(|name| id.starts_with(&format!("{name}::"))) {
            continue;
        }
        let went = match (validate(case), case["expected_result"] == "SUCCESS") {
            (Ok(_), true) | (Err(_), false) => Ok(()),
            (Ok(_), false) => Err("it is valid".to_owned()),
            (Err(why), true) => Err(why),
        };
        verdicts.add(&[id], went);
    }
    assert_eq!(verdicts.close(), 138);
}

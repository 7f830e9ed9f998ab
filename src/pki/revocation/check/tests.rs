//! Lists of every kind, and what they say of one certificate.

use super::super::super::path::forge::{
    Draft, ListDraft, NOW, authority, critical, directory, extension, key, list_at, sequence, tlv,
};
use super::*;
use time::Duration;

const CA: &str = "CN=Authority";

fn issuer() -> Certificate {
    Draft::root(CA, &key(1)).make()
}

fn bob() -> Draft<'static> {
    let keys = Box::leak(Box::new((key(1), key(2))));
    Draft { serial: 7, ..Draft::of("CN=Bob", &keys.1, CA, &keys.0) }
}

fn list(number: u8) -> ListDraft<'static> {
    ListDraft::of(CA, Box::leak(Box::new(key(1))), number)
}

fn status(certificate: &Certificate, crls: &[Crl]) -> RevocationStatus {
    check(certificate, &[&issuer()], crls, NOW, 2048)
}

/// Of Bob.
fn verdict(crls: impl IntoIterator<Item = ListDraft<'static>>) -> RevocationStatus {
    let crls: Vec<Crl> = crls.into_iter().map(ListDraft::make).collect();
    status(&bob().make(), &crls)
}

fn revoked(reason: RevocationReason) -> RevocationStatus {
    RevocationStatus::Revoked(Revocation { at: NOW - Duration::days(3), reason })
}

fn unclear(why: &str) -> RevocationStatus {
    RevocationStatus::Unclear(format!("the revocation list of {CA} {why}"))
}

/// issuingDistributionPoint with these fields.
fn scope(fields: &[Vec<u8>]) -> Vec<u8> {
    critical("2.5.29.28", &sequence(fields))
}

const FOR_USERS: [u8; 3] = [0x81, 1, 0xff];
const FOR_AUTHORITIES: [u8; 3] = [0x82, 1, 0xff];
const INDIRECT: [u8; 3] = [0x84, 1, 0xff];
const FOR_ATTRIBUTES: [u8; 3] = [0x85, 1, 0xff];

#[test]
fn a_list_names_a_certificate_or_clears_it() {
    assert_eq!(verdict([]), RevocationStatus::NoList);
    assert_eq!(verdict([list(1).naming(8, 1)]), RevocationStatus::Good);
    assert_eq!(verdict([list(1).naming(8, 0).naming(7, 1)]), revoked(RevocationReason::KeyCompromise));
    assert_eq!(verdict([list(1).naming(7, 0)]), revoked(RevocationReason::Unspecified));
    let other = ListDraft { issuer: "CN=Other", ..list(1) };
    assert_eq!(verdict([other.naming(7, 0)]), RevocationStatus::NoList);
}

#[test]
fn an_old_list_revokes_and_clears_nobody() {
    let old = || ListDraft { end: NOW - Duration::HOUR, ..list(1) };
    assert_eq!(verdict([old()]), unclear("is old: the next one was due on 2026-11-01"));
    assert_eq!(verdict([old().naming(7, 4)]), revoked(RevocationReason::Superseded));
    // Beside a new one it is of no importance.
    assert_eq!(verdict([old(), list(2)]), RevocationStatus::Good);
    assert_eq!(verdict([old().naming(7, 4), list(2)]), revoked(RevocationReason::Superseded));
}

#[test]
fn a_list_of_tomorrow_revokes_what_was_revoked_by_then() {
    let later = || ListDraft { begin: NOW + Duration::DAY, ..list(1) };
    assert_eq!(verdict([later()]), unclear("begins on 2026-11-02"));
    assert_eq!(verdict([later().naming(7, 1)]), revoked(RevocationReason::KeyCompromise));
    let crls = [later().naming(7, 1).make()];
    let before = check(&bob().make(), &[&issuer()], &crls, NOW - Duration::days(4), 2048);
    assert_eq!(before, unclear("begins on 2026-11-02"));
}

#[test]
fn a_hold_ends_with_a_delta_list_or_the_next_complete_one() {
    let held = || list(1).naming(7, 6);
    let since = NOW - Duration::days(3);
    assert_eq!(verdict([held()]), RevocationStatus::OnHold(since));
    assert_eq!(verdict([held(), list(2).over(1).naming(7, 8)]), RevocationStatus::Good);
    assert_eq!(verdict([list(2), held()]), RevocationStatus::Good);
    assert_eq!(verdict([list(2).naming(7, 6), held()]), RevocationStatus::OnHold(since));
    // Not with one of tomorrow, one that is too old, or one that cannot be understood.
    let later = |list: ListDraft<'static>| ListDraft { begin: NOW + Duration::DAY, ..list };
    let old = |list: ListDraft<'static>| ListDraft { end: NOW - Duration::HOUR, ..list };
    assert_eq!(verdict([held(), later(list(2).over(1).naming(7, 8))]), RevocationStatus::OnHold(since));
    let unknown = list(2).with(critical("1.2.3.4", &[5, 0]));
    for next in [later(list(2)), old(list(2)), unknown] {
        assert_eq!(verdict([held(), next]), RevocationStatus::OnHold(since));
    }
    // It comes back for good.
    assert_eq!(verdict([held(), list(2).over(1).naming(7, 1)]), revoked(RevocationReason::KeyCompromise));
    // Older than the complete list, or over one that is newer.
    assert_eq!(
        verdict([list(3).naming(7, 6), list(2).over(1).naming(7, 8)]),
        RevocationStatus::OnHold(since)
    );
    assert_eq!(verdict([held(), list(5).over(4).naming(7, 8)]), RevocationStatus::OnHold(since));
    let why = "takes a certificate off a list and is no delta list";
    let suspect = RevocationStatus::Suspect(format!("the revocation list of {CA} {why}"));
    assert_eq!(verdict([list(1).naming(7, 8)]), suspect);
}

#[test]
fn a_delta_list_adds_to_the_complete_one_and_keeps_it_fresh() {
    assert_eq!(verdict([list(1), list(2).over(1)]), RevocationStatus::Good);
    assert_eq!(verdict([list(1), list(2).over(1).naming(7, 1)]), revoked(RevocationReason::KeyCompromise));
    let newest = [list(1), list(2).over(1).naming(7, 6), list(3).over(1).naming(7, 8)];
    assert_eq!(verdict(newest), RevocationStatus::Good);
    let old = || ListDraft { end: NOW - Duration::HOUR, ..list(1) };
    assert_eq!(verdict([old(), list(2).over(1)]), RevocationStatus::Good);
    let alone = unclear("is a delta list, and the complete list that it continues is not here");
    assert_eq!(verdict([list(2).over(1)]), alone);
    assert_eq!(verdict([list(2).over(1).naming(7, 1)]), revoked(RevocationReason::KeyCompromise));
}

#[test]
fn a_list_for_others_clears_nobody() {
    for (field, authority_too) in [(FOR_USERS, true), (FOR_AUTHORITIES, false), (FOR_ATTRIBUTES, false)] {
        let crls = [list(1).with(scope(&[field.to_vec()])).make()];
        let user = status(&bob().make(), &crls);
        assert_eq!(user == RevocationStatus::Good, authority_too, "{field:?}");
        let below = status(&bob().with(authority()).make(), &crls);
        assert_eq!(below == RevocationStatus::Good, field == FOR_AUTHORITIES, "{field:?}");
    }
    // But what it names is revoked.
    let authorities = list(1).with(scope(&[FOR_AUTHORITIES.to_vec()])).naming(7, 1);
    assert_eq!(verdict([authorities]), revoked(RevocationReason::KeyCompromise));
    let both = list(1).with(scope(&[FOR_USERS.to_vec(), FOR_AUTHORITIES.to_vec()]));
    assert_eq!(verdict([both]), unclear("has an issuingDistributionPoint that contradicts itself"));
}

#[test]
fn a_list_of_one_place_clears_who_names_the_place() {
    let at = |uri: &str| scope(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())))]);
    let crls = [list(1).with(at("http://a.example/1")).make()];
    let there = bob().with(list_at("http://a.example/1")).make();
    assert_eq!(status(&there, &crls), RevocationStatus::Good);
    let elsewhere = bob().with(list_at("http://a.example/2")).make();
    assert_eq!(status(&elsewhere, &crls), RevocationStatus::NoList);
}

#[test]
fn lists_of_some_reasons_clear_together() {
    // keyCompromise and cACompromise; the other six.
    let some = || list(1).with(scope(&[vec![0x83, 2, 5, 0x60]]));
    let others = || list(1).with(scope(&[vec![0x83, 3, 7, 0x1f, 0x80]]));
    let partly = RevocationStatus::Unclear("the revocation lists at hand cover some reasons only".to_owned());
    assert_eq!(verdict([some()]), partly);
    assert_eq!(verdict([some(), others()]), RevocationStatus::Good);
    assert_eq!(verdict([some(), others().naming(7, 4)]), revoked(RevocationReason::Superseded));
}

#[test]
fn what_is_not_understood_clears_nobody_and_names_nobody_in_vain() {
    let unknown = critical("1.2.3.4", &[5, 0]);
    let suspect = |why: &str| RevocationStatus::Suspect(format!("the revocation list of {CA} {why}"));
    let why = "has the unknown critical extension 1.2.3.4";
    assert_eq!(verdict([list(1).with(unknown.clone())]), unclear(why));
    assert_eq!(verdict([list(1).with(unknown.clone()).naming(7, 1)]), suspect(why));
    assert_eq!(verdict([list(1).entry(8, vec![unknown.clone()])]), unclear(why));
    assert_eq!(verdict([list(1).entry(7, vec![unknown])]), suspect(why));
    assert_eq!(verdict([list(1).with(extension("1.2.3.4", &[5, 0]))]), RevocationStatus::Good);
    let twice = list(1).with(extension("1.2.3.4", &[5, 0])).with(extension("1.2.3.4", &[5, 0]));
    assert_eq!(verdict([twice]), unclear("has an extension twice"));
    let strange = list(1).naming(7, 7);
    assert!(matches!(verdict([strange]), RevocationStatus::Suspect(_)));
}

#[test]
fn a_list_is_signed_by_who_may() {
    let stranger = key(9);
    let forged = ListDraft::of(CA, &stranger, 1).naming(7, 1).make();
    let wrong = unclear("is not signed by the key of its issuer");
    assert_eq!(status(&bob().make(), std::slice::from_ref(&forged)), wrong);
    // Beside a good one it does no harm.
    assert_eq!(status(&bob().make(), &[forged, list(1).make()]), RevocationStatus::Good);
    let usage = |bits: u8| critical("2.5.29.15", &[3, 2, 1, bits]);
    let crls = [list(1).make()];
    let certs_only = Draft::root(CA, &key(1)).with(usage(0x04)).make();
    let why = "is signed by a key that may not sign lists: its keyUsage lacks cRLSign";
    assert_eq!(check(&bob().make(), &[&certs_only], &crls, NOW, 2048), unclear(why));
    let both = Draft::root(CA, &key(1)).with(usage(0x06)).make();
    assert_eq!(check(&bob().make(), &[&both], &crls, NOW, 2048), RevocationStatus::Good);
}

/// A certificate whose lists come from somebody else, and his list with Bob's issuer named in front of the entries.
#[test]
fn an_indirect_list_speaks_for_those_that_name_its_issuer() {
    let lister = key(3);
    let signer = Draft::root("CN=Lister", &lister).make();
    let point = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/1")));
    let point = sequence(&[sequence(&[point, tlv(0xa2, &directory("CN=Lister"))])]);
    let bob =
        |named: bool| if named { bob().with(extension("2.5.29.31", &point)).make() } else { bob().make() };
    let of = |issuer: &str| critical("2.5.29.29", &sequence(&[directory(issuer)]));
    let list = || ListDraft::of("CN=Lister", &lister, 1).with(scope(&[INDIRECT.to_vec()]));
    let status =
        |named, list: ListDraft<'_>| check(&bob(named), &[&issuer(), &signer], &[list.make()], NOW, 2048);
    let ours = || list().entry(3, vec![of(CA)]).naming(7, 1);
    assert_eq!(status(true, ours()), revoked(RevocationReason::KeyCompromise));
    assert_eq!(status(false, ours()), RevocationStatus::NoList);
    // The entries that follow are of the issuer that was named last.
    assert_eq!(status(true, list().entry(3, vec![of("CN=Other")]).naming(7, 1)), RevocationStatus::Good);
    assert_eq!(status(true, list().naming(7, 1).entry(3, vec![of(CA)])), RevocationStatus::Good);
    // A list that is not indirect speaks for its own certificates.
    let direct = ListDraft::of("CN=Lister", &lister, 1).naming(7, 1);
    assert_eq!(status(true, direct), RevocationStatus::NoList);
}

#[test]
fn there_are_not_many_lists_of_one_issuer() {
    let crls = vec![list(1).make(); MAX_LISTS + 1];
    assert_eq!(status(&bob().make(), &crls), RevocationStatus::Good);
    let old = ListDraft { end: NOW - Duration::HOUR, ..list(1) }.with(scope(&[FOR_AUTHORITIES.to_vec()]));
    let crls = vec![old.make(); MAX_LISTS + 1];
    let many = RevocationStatus::Unclear(format!("there are more than {MAX_LISTS} lists of its issuer"));
    assert_eq!(status(&bob().make(), &crls), many);
}

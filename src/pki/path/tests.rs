//! Paths of every shape: what is found, what is said, and what it costs.

use super::forge::*;
use super::*;
use crate::pki::RevocationReason;
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use time::Duration;

static NO_POLICIES: PolicyCheck = PolicyCheck {
    acceptable: Vec::new(),
    explicit: Explicit::AsCertificatesSay,
    mapping: Leave::Allowed,
    any: Leave::Allowed,
};

fn check<'a>(anchors: &'a [Certificate], intermediates: &'a [Certificate]) -> PathCheck<'a> {
    let revocation = RevocationSources {
        crls: &[],
        at: NOW,
        policy: RevocationPolicy::Soft,
        origin: ListOrigin::Anywhere,
    };
    PathCheck { anchors, intermediates, at: NOW, usage: None, policies: &NO_POLICIES, revocation }
}

fn validate(target: &Certificate, check: &PathCheck<'_>) -> Result<ValidPath, PathFailure> {
    Rfc5280::default().validate(target, check)
}

/// The subjects of the path, or every fault.
fn told(target: &Certificate, check: &PathCheck<'_>) -> Result<Vec<String>, Vec<String>> {
    match validate(target, check) {
        Ok(valid) => Ok(valid.certificates.iter().map(Certificate::subject).collect()),
        Err(failure) => Err(failure.faults.iter().map(ToString::to_string).collect()),
    }
}

fn fault(target: &Certificate, check: &PathCheck<'_>) -> String {
    validate(target, check).unwrap_err().to_string()
}

/// Root, authority below it, Bob: each with its own key.
struct Line {
    root: Certificate,
    between: Certificate,
    bob: Certificate,
}

/// The line, with more extensions for each of the three.
fn line(root: Vec<Vec<u8>>, between: Vec<Vec<u8>>, bob: Vec<Vec<u8>>) -> Line {
    let (top, middle, holder) = (key(1), key(2), key(3));
    let with = |draft: Draft<'_>, more: Vec<Vec<u8>>| more.into_iter().fold(draft, Draft::with).make();
    Line {
        root: with(Draft::root("CN=Root", &top), root),
        between: with(Draft::of("CN=Between", &middle, "CN=Root", &top).with(authority()), between),
        bob: with(Draft::of("CN=Bob", &holder, "CN=Between", &middle), bob),
    }
}

impl Line {
    fn told(&self) -> Result<Vec<String>, Vec<String>> {
        let (root, between) = (std::slice::from_ref(&self.root), std::slice::from_ref(&self.between));
        told(&self.bob, &check(root, between))
    }

    fn fault(&self) -> String {
        self.told().unwrap_err().remove(0)
    }
}

#[test]
fn a_path_is_found_and_told_with_its_cost() {
    let line = line(vec![], vec![], vec![]);
    let (root, between) = ([line.root], [line.between]);
    let valid = validate(&line.bob, &check(&root, &between)).unwrap();
    assert_eq!(valid.certificates.len(), 3);
    assert_eq!(valid.work, Work { steps: 2, signatures: 2, comparisons: 0 });
    assert!(valid.warnings.is_empty() && valid.policies.is_empty());
    assert_eq!(told(&root[0], &check(&root, &[])).unwrap(), ["CN=Root"]);
    assert_eq!(fault(&line.bob, &check(&[], &between)), "no authority is trusted");
    assert_eq!(
        fault(&line.bob, &check(&root, &[])),
        "no trusted authority issued it; its issuer is CN=Between"
    );
    let stranger = [Draft::root("CN=Stranger", &key(9)).make()];
    assert_eq!(
        fault(&line.bob, &check(&stranger, &between)),
        "no trusted authority issued CN=Between; its issuer is CN=Root"
    );
    let namesake = [Draft::root("CN=Root", &key(9)).make()];
    assert_eq!(
        fault(&line.bob, &check(&namesake, &between)),
        "the issuer's certificate CN=Between was not signed by the key of CN=Root that is here"
    );
}

#[test]
fn the_nearest_failure_names_the_certificate_and_the_rule() {
    let (top, middle, holder) = (key(1), key(2), key(3));
    let root = [Draft::root("CN=Root", &top).make()];
    let between = || Draft::of("CN=Between", &middle, "CN=Root", &top).with(authority());
    let bob = Draft::of("CN=Bob", &holder, "CN=Between", &middle).make();
    let ended = Draft { end: NOW - Duration::DAY, ..between() }.make();
    let says = |between: Certificate| fault(&bob, &check(&root, &[between]));
    assert_eq!(says(ended.clone()), "the issuer's certificate CN=Between ended on 2026-10-31");
    let later = Draft { begin: NOW + Duration::DAY, ..between() }.make();
    assert_eq!(says(later), "the issuer's certificate CN=Between begins on 2026-11-02");
    let user = Draft::of("CN=Between", &middle, "CN=Root", &top).make();
    assert_eq!(
        says(user),
        "the issuer's certificate CN=Between may not sign certificates: its basicConstraints name no authority"
    );
    let usage = critical("2.5.29.15", &[3, 2, 5, 0xa0]);
    assert_eq!(
        says(between().with(usage).make()),
        "the issuer's certificate CN=Between may not sign certificates: its keyUsage lacks keyCertSign"
    );
    assert_eq!(
        says(between().with(critical("1.2.3.4", &[5, 0])).make()),
        "the issuer's certificate CN=Between has the unknown critical extension 1.2.3.4"
    );
    // A sound one beside the ended one is found, in whatever order they come.
    let sound = between().make();
    for pair in [[ended.clone(), sound.clone()], [sound, ended]] {
        assert_eq!(told(&bob, &check(&root, &pair)).unwrap().len(), 3);
    }
    let old_root = [Draft { end: NOW - Duration::DAY, ..Draft::root("CN=Root", &top) }.make()];
    let text = "the trusted certificate CN=Root ended on 2026-10-31";
    assert_eq!(fault(&bob, &check(&old_root, &[between().make()])), text);
}

#[test]
fn every_certificate_must_be_allowed_for_the_usage() {
    let only = |usage: &str| extension("2.5.29.37", &sequence(&[oid(usage)]));
    let line = line(vec![], vec![only("1.3.6.1.5.5.7.3.1")], vec![]);
    let (root, between) = ([line.root.clone()], [line.between.clone()]);
    assert!(line.told().is_ok());
    let mail = PathCheck { usage: Some(ID_KP_EMAIL_PROTECTION), ..check(&root, &between) };
    assert_eq!(
        fault(&line.bob, &mail),
        "the issuer's certificate CN=Between may not be used for id-kp-emailProtection (1.3.6.1.5.5.7.3.4): its \
         extKeyUsage lacks that"
    );
}

#[test]
fn an_authority_says_how_many_may_stand_below_it() {
    let none_below = critical("2.5.29.19", &sequence(&[vec![1, 1, 0xff], integer(0)]));
    let (top, middle, holder) = (key(1), key(2), key(3));
    let root = [Draft::of("CN=Root", &top, "CN=Root", &top).with(none_below).make()];
    let between = [Draft::of("CN=Between", &middle, "CN=Root", &top).with(authority()).make()];
    let bob = Draft::of("CN=Bob", &holder, "CN=Between", &middle).make();
    let text = "the trusted certificate CN=Root allows 0 authorities below it, and there are 1";
    assert_eq!(fault(&bob, &check(&root, &between)), text);
}

/// Old and new root sign for each other's key; a third authority is signed by both and by itself.
#[test]
fn cross_certificates_lead_to_whoever_is_trusted() {
    let (old, new, holder) = (key(1), key(2), key(3));
    let old_root = Draft::root("CN=Old", &old).make();
    let new_root = Draft::root("CN=New", &new).make();
    let cross = [
        Draft::of("CN=New", &new, "CN=Old", &old).with(authority()).make(),
        Draft::of("CN=Old", &old, "CN=New", &new).with(authority()).make(),
        old_root.clone(),
        new_root.clone(),
    ];
    let bob = Draft::of("CN=Bob", &holder, "CN=New", &new).make();
    assert_eq!(told(&bob, &check(&[old_root], &cross)).unwrap(), ["CN=Bob", "CN=New", "CN=Old"]);
    assert_eq!(told(&bob, &check(&[new_root], &cross)).unwrap(), ["CN=Bob", "CN=New"]);
    let stranger = [Draft::root("CN=Stranger", &key(9)).make()];
    let failure = validate(&bob, &check(&stranger, &cross)).unwrap_err();
    assert_eq!(failure.to_string(), "no trusted authority issued CN=Old; its issuer is CN=New");
}

#[test]
fn anchors_of_one_name_are_told_apart_by_their_keys() {
    let (old, new, holder) = (key(1), key(2), key(3));
    let anchors = [Draft::root("CN=Root", &old).make(), Draft::root("CN=Root", &new).make()];
    for signer in [&old, &new] {
        let bob = Draft::of("CN=Bob", &holder, "CN=Root", signer).make();
        assert_eq!(told(&bob, &check(&anchors, &[])).unwrap(), ["CN=Bob", "CN=Root"]);
        // A new key under the old name, signed by the old one.
        let rolled = [Draft::of("CN=Root", &new, "CN=Root", &old).with(authority()).make()];
        assert!(told(&bob, &check(&anchors[..1], &rolled)).is_ok());
    }
}

#[test]
fn mail_addresses_are_constrained_wherever_they_stand() {
    let permitted = |names: &[Vec<u8>]| constraints(names, &[]);
    let line_of = |constraint: Vec<u8>, bob: Vec<Vec<u8>>| line(vec![], vec![constraint], bob);
    let north = || permitted(&[mailbox("north.example")]);
    let named = |address: &str| vec![alternative_names(&[mailbox(address)])];
    assert!(line_of(north(), named("bob@NORTH.example")).told().is_ok());
    let fault = line_of(north(), named("bob@south.example")).fault();
    assert_eq!(fault, "it names bob@south.example, which CN=Between may not issue for");
    // Names of another form are not spoken of.
    assert!(line_of(north(), vec![]).told().is_ok());
    let excluded = constraints(&[], &[mailbox("eve@north.example")]);
    assert!(line_of(excluded.clone(), named("bob@north.example")).told().is_ok());
    assert!(line_of(excluded, named("EVE@north.example")).told().is_err());
    // RFC 9598: an address that is not ASCII is held to the same constraints.
    let utf8 = |address: &str| {
        let name = [oid("1.3.6.1.5.5.7.8.9"), tlv(0xa0, &tlv(0x0c, address.as_bytes()))].concat();
        vec![alternative_names(&[tlv(0xa0, &name)])]
    };
    assert!(line_of(north(), utf8("jürgen@north.example")).told().is_ok());
    let fault = line_of(north(), utf8("jürgen@south.example")).fault();
    assert_eq!(fault, "it names jürgen@south.example, which CN=Between may not issue for");
    let other_form = |address: &str| {
        let name = [oid("1.3.6.1.5.5.7.8.9"), tlv(0xa0, &tlv(0x0c, address.as_bytes()))].concat();
        permitted(&[tlv(0xa0, &name)])
    };
    assert!(line_of(other_form("jürgen@north.example"), utf8("jürgen@north.example")).told().is_err());
    let counted = sequence(&[mailbox("north.example"), tlv(0x80, &[1])]);
    let counted = critical("2.5.29.30", &sequence(&[tlv(0xa0, &counted)]));
    let text = "the issuer's certificate CN=Between is broken: its nameConstraints count levels, which RFC 5280 forbids";
    assert_eq!(line_of(counted, vec![]).fault(), text);
}

#[test]
fn the_address_of_the_subject_is_constrained_where_there_is_no_other() {
    let (top, holder) = (key(1), key(3));
    let north = constraints(&[mailbox("north.example")], &[]);
    let root = [Draft::root("CN=Root", &top).with(north).make()];
    let subject = "1.2.840.113549.1.9.1=#161165766540736f7574682e6578616d706c65";
    let bob = |more: Option<Vec<u8>>| {
        let draft = Draft::of(subject, &holder, "CN=Root", &top);
        more.into_iter().fold(draft, Draft::with).make()
    };
    let text = "it names eve@south.example, which CN=Root may not issue for";
    assert_eq!(fault(&bob(None), &check(&root, &[])), text);
    let other = alternative_names(&[mailbox("bob@north.example")]);
    assert!(told(&bob(Some(other)), &check(&root, &[])).is_ok());
}

#[test]
fn names_of_a_directory_are_constrained_by_what_they_begin_with() {
    let (top, holder) = (key(1), key(3));
    let root = [Draft::root("CN=Root", &top).with(constraints(&[directory("O=North,C=DE")], &[])).make()];
    let bob = |subject| Draft::of(subject, &holder, "CN=Root", &top).make();
    assert!(told(&bob("CN=Bob,O=NORTH,C=DE"), &check(&root, &[])).is_ok());
    let text = "it names CN=Bob,O=South,C=DE, which CN=Root may not issue for";
    assert_eq!(fault(&bob("CN=Bob,O=South,C=DE"), &check(&root, &[])), text);
}

fn with_policies(line: &Line, policies: &PolicyCheck) -> Result<Vec<String>, String> {
    let (root, between) = ([line.root.clone()], [line.between.clone()]);
    let check = PathCheck { policies, ..check(&root, &between) };
    let valid = validate(&line.bob, &check).map_err(|failure| failure.to_string())?;
    Ok(valid.policies.iter().map(ToString::to_string).collect())
}

#[test]
fn policies_are_required_where_the_caller_or_a_certificate_says_so() {
    let required = PolicyCheck { explicit: Explicit::Required, ..PolicyCheck::default() };
    let one = || vec![policies(&["1.2.3"])];
    let bare = line(vec![], vec![], vec![]);
    assert_eq!(with_policies(&bare, &NO_POLICIES).unwrap(), [""; 0]);
    assert_eq!(with_policies(&bare, &required).unwrap_err(), "it has no valid certificate policy");
    let both = line(vec![], one(), one());
    assert_eq!(with_policies(&both, &required).unwrap(), ["1.2.3"]);
    let apart = line(vec![], one(), vec![policies(&["1.2.4"])]);
    assert!(with_policies(&apart, &required).is_err() && with_policies(&apart, &NO_POLICIES).is_ok());
    let accepted =
        |number: &str| PolicyCheck { acceptable: vec![number.parse().unwrap()], ..required.clone() };
    assert!(with_policies(&both, &accepted("1.2.3")).is_ok());
    assert!(with_policies(&both, &accepted("1.2.4")).is_err());
    // requireExplicitPolicy at once.
    let constraint = critical("2.5.29.36", &sequence(&[tlv(0x80, &[0])]));
    let demanding = line(vec![], vec![constraint], vec![]);
    assert_eq!(with_policies(&demanding, &NO_POLICIES).unwrap_err(), "it has no valid certificate policy");
}

#[test]
fn any_policy_and_mappings_hold_unless_they_are_inhibited() {
    let required = PolicyCheck { explicit: Explicit::Required, ..PolicyCheck::default() };
    let any = line(vec![], vec![policies(&["2.5.29.32.0"])], vec![policies(&["1.2.3"])]);
    assert_eq!(with_policies(&any, &required).unwrap(), ["1.2.3"]);
    let inhibited = PolicyCheck { any: Leave::Inhibited, ..required.clone() };
    assert!(with_policies(&any, &inhibited).is_err());
    let mapping = critical("2.5.29.33", &sequence(&[sequence(&[oid("1.2.3"), oid("1.2.4")])]));
    let mapped = line(vec![], vec![policies(&["1.2.3"]), mapping], vec![policies(&["1.2.4"])]);
    assert_eq!(with_policies(&mapped, &required).unwrap(), ["1.2.3"]);
    let inhibited = PolicyCheck { mapping: Leave::Inhibited, ..required };
    assert!(with_policies(&mapped, &inhibited).is_err());
}

fn with_lists(line: &Line, crls: &[Crl], policy: RevocationPolicy) -> Result<ValidPath, PathFailure> {
    let (root, between) = ([line.root.clone()], [line.between.clone()]);
    let mut check = check(&root, &between);
    check.revocation = RevocationSources { crls, at: NOW, policy, origin: ListOrigin::Anywhere };
    validate(&line.bob, &check)
}

#[test]
fn what_is_revoked_is_in_no_path_and_what_is_unknown_depends_on_the_policy() {
    use RevocationPolicy::{Hard, Soft};
    let line = line(vec![], vec![], vec![list_at("http://a.example/1")]);
    let (top, middle) = (key(1), key(2));
    let gone = |issuer, signer| [ListDraft::of(issuer, signer, 1).naming(1, 1).make()];
    let says = |crls: &[Crl]| with_lists(&line, crls, Soft).unwrap_err().to_string();
    assert_eq!(says(&gone("CN=Between", &middle)), "it was revoked on 2026-10-29 (key-compromise)");
    assert_eq!(
        says(&gone("CN=Root", &top)),
        "the issuer's certificate CN=Between was revoked on 2026-10-29 (key-compromise)"
    );
    let held = [ListDraft::of("CN=Between", &middle, 1).naming(1, 6).make()];
    assert_eq!(says(&held), "it is on hold since 2026-10-29");
    let old = [ListDraft { end: NOW - Duration::DAY, ..ListDraft::of("CN=Between", &middle, 1) }.make()];
    let why = "the revocation list of CN=Between is old: the next one was due on 2026-10-31";
    assert_eq!(with_lists(&line, &old, Soft).unwrap().warnings, [why]);
    let hard = with_lists(&line, &old, Hard).unwrap_err().to_string();
    assert_eq!(hard, format!("it may be revoked: {why}"));
    let none = with_lists(&line, &[], Hard).unwrap_err().to_string();
    assert_eq!(none, "it may be revoked: no revocation list of CN=Between is at hand");
    assert!(with_lists(&line, &[], Soft).unwrap().warnings.is_empty());
    let good = [ListDraft::of("CN=Between", &middle, 1).make()];
    let valid = with_lists(&line, &good, Hard).unwrap();
    assert_eq!(valid.revocation, [RevocationStatus::Good, RevocationStatus::NoList]);
}

/// The lists of an authority may be signed by another key of its name, if that one chains to the same anchor.
#[test]
fn another_key_signs_lists_if_it_chains_to_the_same_anchor() {
    let line = line(vec![], vec![], vec![]);
    let (top, lister) = (key(1), key(7));
    let crls = [ListDraft::of("CN=Between", &lister, 1).naming(1, 1).make()];
    let second = |signer| Draft { serial: 2, ..Draft::of("CN=Between", &lister, "CN=Root", signer) }.make();
    let judge = |signer: Certificate| {
        let (root, between) = ([line.root.clone()], [line.between.clone(), signer]);
        let mut check = check(&root, &between);
        check.revocation.crls = &crls;
        validate(&line.bob, &check).map(|valid| valid.revocation[0].clone())
    };
    let revoked = PathFault::Revoked { at: NOW - Duration::days(3), reason: RevocationReason::KeyCompromise };
    assert_eq!(judge(second(&top)).unwrap_err().faults[0].fault, revoked);
    let why = "the revocation list of CN=Between is not signed by the key of its issuer".to_owned();
    assert_eq!(judge(second(&lister)).unwrap(), RevocationStatus::Unclear(why));
}

/// Whoever might have signed a list is looked at within the same limits, and not for each anew.
#[test]
fn many_who_might_sign_lists_cost_no_more_than_the_limit() {
    let line = line(vec![], vec![], vec![]);
    let lister = key(7);
    let crls = [ListDraft::of("CN=Between", &lister, 1).make()];
    let mut between = vec![line.between.clone()];
    between.extend((20..60).map(|number| Draft::root("CN=Between", &key(number)).make()));
    let root = [line.root];
    let mut check = check(&root, &between);
    check.revocation.crls = &crls;
    match validate(&line.bob, &check) {
        Ok(valid) => assert!(valid.work.signatures <= 100 && valid.work.steps <= 1000),
        Err(failure) => assert!(failure.to_string().starts_with("the certificates are too complicated")),
    }
}

/// Every authority signed for every other one, and none of them leads anywhere.
#[test]
fn a_hostile_net_ends_within_the_limits() {
    let keys: Vec<_> = (1..=6).map(key).collect();
    let names = ["CN=1", "CN=2", "CN=3", "CN=4", "CN=5", "CN=6"];
    let mut net = Vec::new();
    for (issuer, signer) in names.iter().zip(&keys) {
        for (subject, holder) in names.iter().zip(&keys).filter(|(subject, _)| subject != &issuer) {
            for serial in 1..=3 {
                let draft = Draft::of(subject, holder, issuer, signer).with(authority());
                net.push(Draft { serial, ..draft }.make());
            }
        }
    }
    let bob = Draft::of("CN=Bob", &key(9), "CN=1", &keys[0]).make();
    let stranger = [Draft::root("CN=Stranger", &key(8)).make()];
    let text = "the certificates are too complicated: more than 100 signatures";
    assert_eq!(fault(&bob, &check(&stranger, &net)), text);
    let limits = Limits { signatures: 10_000, ..Limits::default() };
    let failure = Rfc5280 { limits }.validate(&bob, &check(&stranger, &net)).unwrap_err();
    let text = "the certificates are too complicated: more than 1000 steps of the search";
    assert_eq!(failure.to_string(), text);
    // With the anchor in reach the right way is found at once.
    let root = [Draft::root("CN=1", &keys[0]).make()];
    let work = validate(&bob, &check(&root, &net)).unwrap().work;
    assert_eq!((work.steps, work.signatures), (1, 1));
    let limits = Limits { intermediates: 89, ..Limits::default() };
    let failure = Rfc5280 { limits }.validate(&bob, &check(&root, &net)).unwrap_err();
    let text =
        "the certificates are too complicated: more than 89 certificates between it and the trusted ones";
    assert_eq!(failure.to_string(), text);
}

#[test]
fn many_keys_of_one_name_cost_no_more_than_the_limit() {
    let (top, holder) = (key(1), key(2));
    let pretenders: Vec<Certificate> =
        (10..=120).map(|number| Draft::root("CN=Root", &key(number)).make()).collect();
    let bob = Draft::of("CN=Bob", &holder, "CN=Root", &top).make();
    let stranger = [Draft::root("CN=Stranger", &top).make()];
    let text = "the certificates are too complicated: more than 100 signatures";
    assert_eq!(fault(&bob, &check(&stranger, &pretenders)), text);
}

#[test]
fn many_names_under_many_constraints_cost_no_more_than_the_limit() {
    let many: Vec<Vec<u8>> = (0..1100).map(|number| mailbox(&format!("{number}@a.example"))).collect();
    let line = line(vec![], vec![constraints(&many, &[])], vec![alternative_names(&many)]);
    let text = "the certificates are too complicated: more than 1048576 comparisons with name constraints";
    assert_eq!(line.fault(), text);
}

#[test]
fn a_path_is_no_longer_than_the_limit() {
    let keys: Vec<_> = (1..=13).map(key).collect();
    let names: Vec<String> = (0..13).map(|number| format!("CN={number}")).collect();
    let chain: Vec<Certificate> = (1..12)
        .map(|at| Draft::of(&names[at], &keys[at], &names[at - 1], &keys[at - 1]).with(authority()).make())
        .collect();
    let root = [Draft::root(&names[0], &keys[0]).make()];
    let below = |at: usize| Draft::of("CN=Bob", &keys[12], &names[at], &keys[at]).make();
    assert_eq!(told(&below(10), &check(&root, &chain)).unwrap().len(), 12);
    assert!(told(&below(11), &check(&root, &chain)).is_err());
}

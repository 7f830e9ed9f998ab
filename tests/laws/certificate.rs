//! Certificates from anywhere, checked against one authority.

use super::people::{ELLA, ROSA, XENIA, authority, now};
use sealpost::pki::path::{
    Limits, ListOrigin, PathCheck, PathFailure, PathValidator, PolicyCheck, RevocationSources, Rfc5280,
    ValidPath,
};
use sealpost::pki::{Certificate, RevocationPolicy, read_certificates};
use std::sync::OnceLock;

/// The input is one certificate in DER, or several in PEM: the first is asked about, the others may stand in its path.
///
/// - Whatever stands in it, an answer comes, the same twice, and costs no more than the limits.
/// - A valid path ends with the authority, and each certificate of it was signed by the next.
/// - A failure says something, in one line, about a path that begins with the certificate.
pub(crate) fn hold(input: &[u8]) {
    let Ok(found) = read_certificates(input) else { return };
    let Some((target, between)) = found.split_first() else { return };
    let anchor = anchor();
    match (validate(target, between, anchor), validate(target, between, anchor)) {
        (Ok(valid), Ok(again)) => {
            assert!(valid.certificates == again.certificates);
            hold_valid(&valid, target, anchor);
        }
        (Err(failure), Err(again)) => {
            assert_eq!(failure.to_string(), again.to_string());
            hold_failure(&failure, target);
        }
        _ => panic!("valid and not valid"),
    }
}

fn anchor() -> &'static Certificate {
    static ANCHOR: OnceLock<Certificate> = OnceLock::new();
    ANCHOR.get_or_init(|| authority().0)
}

fn validate(
    target: &Certificate,
    between: &[Certificate],
    anchor: &Certificate,
) -> Result<ValidPath, PathFailure> {
    let revocation = RevocationSources {
        crls: &[],
        at: now(),
        policy: RevocationPolicy::Soft,
        origin: ListOrigin::Anywhere,
    };
    let check = PathCheck {
        anchors: std::slice::from_ref(anchor),
        intermediates: between,
        at: now(),
        usage: None,
        policies: &PolicyCheck::default(),
        revocation,
    };
    Rfc5280::default().validate(target, &check)
}

fn hold_valid(valid: &ValidPath, target: &Certificate, anchor: &Certificate) {
    let (limits, work) = (Limits::default(), valid.work);
    assert!(work.steps <= limits.steps && work.signatures <= limits.signatures);
    assert!(work.comparisons <= limits.comparisons);
    assert!(valid.certificates.first() == Some(target) && valid.certificates.last() == Some(anchor));
    for link in valid.certificates.windows(2) {
        assert!(link[0].is_signed_by(&link[1]), "nobody signed {}", link[0].subject());
    }
}

fn hold_failure(failure: &PathFailure, target: &Certificate) {
    assert!(failure.path.first() == Some(target) && !failure.faults.is_empty());
    for text in failure.faults.iter().map(ToString::to_string) {
        assert!(!text.is_empty());
    }
}

/// What the fuzz target begins with, by file name.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let people =
        [&ELLA, &ROSA, &XENIA].map(|one| (format!("{}.der", one.name), one.certificate().der().to_vec()));
    let chain = [ELLA.certificate(), anchor()].map(|one| one.to_pem().unwrap()).concat();
    let others =
        [("authority.der".to_owned(), anchor().der().to_vec()), ("chain.pem".to_owned(), chain.into_bytes())];
    people.into_iter().chain(others).collect()
}

#[test]
fn the_people_chain_to_their_authority() {
    for (_, made) in seeds() {
        let found = read_certificates(&made).unwrap();
        assert!(validate(&found[0], &found[1..], anchor()).is_ok());
        hold(&made);
    }
}

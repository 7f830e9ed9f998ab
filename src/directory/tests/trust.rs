//! Sets of trusted certificates, and chains.

use super::*;

fn north() -> TrustHolder {
    TrustHolder::Domain("north.example".to_owned())
}

fn made(number: u8) -> Certificate {
    certificate(&key(number), number)
}

fn held(directory: &SqliteDirectory, holder: &TrustHolder) -> Vec<Certificate> {
    directory.trusted(holder).unwrap().into_iter().map(|held| held.certificate).collect()
}

#[test]
fn each_set_is_a_set_of_its_own() {
    let (_folder, directory) = furnished();
    let void = TrustHolder::Domain("void.example".to_owned());
    assert_eq!(directory.add_trusted(&TrustHolder::Server, &[made(1)]).unwrap(), []);
    assert_eq!(directory.add_trusted(&north(), &[made(1), made(2)]).unwrap(), []);
    assert_eq!(directory.add_trusted(&north(), &[made(3), made(2), made(3)]).unwrap().len(), 2);
    assert_eq!(held(&directory, &TrustHolder::Server), [made(1)]);
    assert_eq!(held(&directory, &north()), [made(1), made(2), made(3)]);
    assert_eq!(held(&directory, &void), []);
    let trust = |name| directory.domain(name).unwrap().trust;
    let (north_trust, void_trust) = (trust("alias.example"), trust("void.example"));
    assert_eq!((north_trust.domain.len(), north_trust.server.len()), (3, 1));
    assert_eq!((void_trust.domain.len(), void_trust.server.len()), (0, 1));
    directory.remove_trusted(&north(), made(1).fingerprint()).unwrap();
    assert_eq!((held(&directory, &TrustHolder::Server).len(), held(&directory, &north()).len()), (1, 2));
    for (holder, name) in [(north(), "north.example"), (void, "void.example")] {
        let missing = directory.remove_trusted(&holder, made(1).fingerprint()).unwrap_err();
        assert_eq!(missing.to_string(), format!("{name} has no such certificate"));
    }
    let missing = directory.remove_trusted(&TrustHolder::Server, made(2).fingerprint()).unwrap_err();
    assert_eq!(missing.to_string(), "the server has no such certificate");
    directory.remove_trusted(&TrustHolder::Server, made(1).fingerprint()).unwrap();
    assert_eq!(held(&directory, &TrustHolder::Server), []);
}

#[test]
fn nobody_trusts_for_a_domain_that_is_not_there() {
    let (_folder, directory) = furnished();
    let nobody = TrustHolder::Domain("south.example".to_owned());
    assert!(matches!(directory.add_trusted(&nobody, &[made(1)]), Err(AdminError::NoDomain(_))));
    assert!(matches!(directory.trusted(&nobody), Err(AdminError::NoDomain(_))));
}

#[test]
fn a_chain_replaces_the_one_before_and_keeps_its_order() {
    let (_folder, directory) = furnished();
    let missing = directory.remove_chain("alias.example").unwrap_err();
    assert_eq!(missing.to_string(), "north.example has no chain");
    directory.set_chain("north.example", &[made(3), made(1), made(2)]).unwrap();
    assert_eq!(directory.chain("north.example").unwrap(), [made(3), made(1), made(2)]);
    directory.set_chain("alias.example", &[made(2), made(1)]).unwrap();
    assert_eq!(directory.domain("north.example").unwrap().trust.chain, [made(2), made(1)]);
    assert_eq!(directory.chain("void.example").unwrap(), []);
    directory.remove_chain("north.example").unwrap();
    assert_eq!(directory.chain("north.example").unwrap(), []);
}

#[test]
fn a_domain_goes_with_its_set_and_its_chain() {
    let (_folder, directory) = furnished();
    directory.add_trusted(&TrustHolder::Domain("void.example".to_owned()), &[made(1)]).unwrap();
    directory.set_chain("void.example", &[made(2)]).unwrap();
    directory.remove_domain("void.example", &[]).unwrap();
}

//! What is recorded of certificates that domains issue, and how it is taken back.

use super::*;
use crate::pki::{Authority, PublicKey, Reads, Revocation, RevocationReason, UserProfile};
use time::OffsetDateTime;

/// north.example with a key and a certificate.
struct Office {
    _folder: TempDir,
    directory: SqliteDirectory,
    issuer: Certificate,
}

fn office() -> Office {
    let (folder, directory) = furnished();
    directory
        .set_domain_key("north.example", key(1).fingerprint().unwrap(), &key(1).to_pkcs8().unwrap())
        .unwrap();
    let issuer = certificate(&key(1), 1);
    directory.set_domain_certificate("north.example", CertificateUse::Generic, &issuer).unwrap();
    Office { _folder: folder, directory, issuer }
}

impl Office {
    fn sign(&self, to: &str, holder: &PublicKey, number: u8) -> Certificate {
        let user = UserProfile {
            common_name: to,
            addresses: &[address(to)],
            validity: Validity::lasting(self.issuer.not_before(), Duration::days(20)),
            reads: Reads::Cbc,
        };
        let seed = Seed::from_bytes(&mut [number; 32]);
        Authority::new(&self.issuer, &key(1)).unwrap().issue(holder, &user, seed).unwrap()
    }

    fn record(
        &self,
        to: &str,
        certificate: &Certificate,
        follows: Follows,
    ) -> Result<AddedCertificate, AdminError> {
        let account = address(to);
        let issuer = &self.issuer;
        self.directory.record_issue(&Issue { account: &account, certificate, issuer, follows, key: None })
    }

    fn issue(&self, to: &str, holder: u8, number: u8) -> Certificate {
        let made = self.sign(to, &key(holder).public(), number);
        self.record(to, &made, Follows::Nothing).unwrap();
        made
    }
}

fn text<T>(refused: Result<T, AdminError>) -> String {
    refused.err().unwrap().to_string()
}

#[test]
fn issue_and_record_are_one_transaction() {
    let office = office();
    add(&office.directory, "eve@north.example");
    let made = office.issue("bob@north.example", 2, 1);
    // The same serial number again: neither recorded nor added.
    let twice = office.sign("eve@north.example", &key(3).public(), 1);
    assert_eq!(twice.serial(), made.serial());
    assert!(office.record("eve@north.example", &twice, Follows::Nothing).is_err());
    assert!(office.directory.certificates(&address("eve@north.example")).unwrap().is_empty());
    // The key that was made goes with a certificate that fails.
    let (account, public_key) = (address("eve@north.example"), key(3).public().to_spki().unwrap());
    let fingerprint = key(3).fingerprint().unwrap();
    let new = NewVaultKey { fingerprint, public_key: &public_key, record: b"record" };
    let issue = |certificate| Issue {
        account: &account,
        certificate,
        issuer: &office.issuer,
        follows: Follows::Nothing,
        key: Some(new),
    };
    assert!(office.directory.record_issue(&issue(&twice)).is_err());
    assert!(office.directory.vault_keys(&account).unwrap().is_empty());
    office.directory.record_issue(&issue(&office.sign("eve@north.example", &key(3).public(), 2))).unwrap();
    assert_eq!(office.directory.vault_keys(&account).unwrap().len(), 1);
    // Names of the domain do not matter, and neither does a new one.
    assert_eq!(office.directory.issued("alias.example").unwrap().len(), 2);
    office.directory.rename_domain("north.example", "new.example").unwrap();
    assert_eq!(office.directory.issued("new.example").unwrap().len(), 2);
}

#[test]
fn whoever_is_second_is_refused() {
    let office = office();
    let bob = "bob@north.example";
    let first = office.issue(bob, 2, 1);
    let second = office.sign(bob, &key(2).public(), 2);
    let key_print = key(2).fingerprint().unwrap();
    assert_eq!(
        text(office.record(bob, &second, Follows::Nothing)),
        format!(
            "the key {key_print} of Bob@north.example has a certificate already: {}",
            first.fingerprint()
        )
    );
    let follows = Follows::Predecessor(first.fingerprint());
    assert_eq!(office.record(bob, &second, follows).unwrap().retired, [first.fingerprint()]);
    let third = office.sign(bob, &key(2).public(), 3);
    assert_eq!(
        text(office.record(bob, &third, follows)),
        format!(
            "{} is not the newest certificate of its key any more: Bob@north.example was given another one meanwhile",
            first.fingerprint()
        )
    );
}

#[test]
fn what_changed_meanwhile_stops_it() {
    let office = office();
    let bob = "bob@north.example";
    let alias = office.sign("robert@north.example", &key(2).public(), 1);
    let change =
        AccountChange { remove_aliases: vec![address("robert@north.example")], ..AccountChange::default() };
    office.directory.set_account(&address(bob), &change).unwrap();
    assert_eq!(
        text(office.record(bob, &alias, Follows::Nothing)),
        "robert@north.example is no address of the account Bob@north.example"
    );
    let made = office.sign(bob, &key(2).public(), 2);
    let other = certificate(&key(1), 9);
    office.directory.set_domain_certificate("north.example", CertificateUse::Generic, &other).unwrap();
    assert_eq!(
        text(office.record(bob, &made, Follows::Nothing)),
        "the authority of north.example was replaced while the certificate was made, which was thrown away: do it again"
    );
    let change = DomainChange { mode: Some(crate::engine::DomainMode::Test), ..DomainChange::default() };
    office.directory.set_domain("north.example", &change).unwrap();
    assert_eq!(
        text(office.record(bob, &made, Follows::Nothing)),
        "north.example issues nothing while its mode is test"
    );
}

fn revocation(reason: RevocationReason) -> Revocation {
    let now = OffsetDateTime::from_unix_timestamp(OffsetDateTime::now_utc().unix_timestamp()).unwrap();
    Revocation { at: now, reason }
}

#[test]
fn a_key_is_revoked_with_all_its_certificates_and_never_certified_again() {
    let office = office();
    let (bob, directory) = ("bob@north.example", &office.directory);
    let first = office.issue(bob, 2, 1);
    let second = office.sign(bob, &key(2).public(), 2);
    office.record(bob, &second, Follows::Predecessor(first.fingerprint())).unwrap();
    let compromise = revocation(RevocationReason::KeyCompromise);
    let done = directory.revoke_certificate("north.example", &second.serial(), compromise).unwrap();
    let prints: Vec<_> = done.iter().map(|one| one.certificate.fingerprint()).collect();
    assert_eq!(prints, [second.fingerprint(), first.fingerprint()]);
    let held = directory.certificates(&address(bob)).unwrap();
    assert!(held.iter().all(|record| record.held.revoked == Some(compromise)));
    assert!(directory.issued("north.example").unwrap().iter().all(|one| one.revoked == Some(compromise)));
    let today = compromise.at.date();
    let print = second.fingerprint();
    let again = directory.revoke_certificate("north.example", &second.serial(), compromise);
    assert_eq!(text(again), format!("{print} was revoked on {today} (key-compromise)"));
    let released = directory.release_certificate("north.example", &second.serial());
    assert_eq!(text(released), format!("{print} was revoked on {today} (key-compromise)"));
    add(directory, "eve@north.example");
    let eve = office.sign("eve@north.example", &key(2).public(), 3);
    assert_eq!(
        text(office.record("eve@north.example", &eve, Follows::Nothing)),
        format!(
            "the key {} was revoked as compromised: it gets no certificate again, make a new key",
            key(2).fingerprint().unwrap()
        )
    );
    let renewed = office.sign(bob, &key(2).public(), 4);
    assert_eq!(
        text(office.record(bob, &renewed, Follows::Predecessor(print))),
        format!("{print} was revoked on {today} (key-compromise)")
    );
}

#[test]
fn one_that_was_superseded_goes_alone() {
    let office = office();
    let bob = "bob@north.example";
    let first = office.issue(bob, 2, 1);
    let second = office.sign(bob, &key(2).public(), 2);
    office.record(bob, &second, Follows::Predecessor(first.fingerprint())).unwrap();
    let superseded = revocation(RevocationReason::Superseded);
    let done = office.directory.revoke_certificate("north.example", &first.serial(), superseded).unwrap();
    assert_eq!(done.len(), 1);
    let held = office.directory.certificates(&address(bob)).unwrap();
    assert_eq!(held.iter().map(|record| record.held.revoked).collect::<Vec<_>>(), [Some(superseded), None]);
}

#[test]
fn a_hold_ends_or_becomes_final_from_its_day_on() {
    let office = office();
    let (bob, directory) = ("bob@north.example", &office.directory);
    let made = office.issue(bob, 2, 1);
    let serial = made.serial();
    assert_eq!(
        text(directory.release_certificate("north.example", &serial)),
        format!("{} is not on hold", made.fingerprint())
    );
    let hold = revocation(RevocationReason::CertificateHold);
    directory.revoke_certificate("north.example", &serial, hold).unwrap();
    assert!(directory.revoke_certificate("north.example", &serial, hold).is_err());
    directory.release_certificate("north.example", &serial).unwrap();
    assert_eq!(directory.issued("north.example").unwrap()[0].revoked, None);
    directory.revoke_certificate("north.example", &serial, hold).unwrap();
    let later = Revocation { at: hold.at + Duration::DAY, reason: RevocationReason::PrivilegeWithdrawn };
    directory.revoke_certificate("north.example", &serial, later).unwrap();
    let stored = directory.issued("north.example").unwrap()[0].revoked.unwrap();
    assert_eq!((stored.at, stored.reason), (hold.at, later.reason));
}

#[test]
fn only_what_was_issued_is_revoked_and_not_from_before() {
    let office = office();
    let made = office.issue("bob@north.example", 2, 1);
    let early = Revocation { at: datetime!(2026-01-02 0:00 UTC), reason: RevocationReason::Unspecified };
    let issued = office.directory.issued("north.example").unwrap()[0].issued.date();
    assert_eq!(
        text(office.directory.revoke_certificate("north.example", &made.serial(), early)),
        format!("{} was issued on {issued}: it cannot be revoked from an earlier day", made.fingerprint())
    );
    assert_eq!(
        text(office.directory.revoke_certificate("north.example", "01AB", early)),
        "north.example has issued no certificate with the serial number 01AB"
    );
    assert_eq!(
        text(office.directory.revoke_certificate("void.example", &made.serial(), early)),
        format!("void.example has issued no certificate with the serial number {}", made.serial())
    );
}

#[test]
fn lists_are_numbered_by_the_domain() {
    let office = office();
    let (directory, own) = (&office.directory, key(1));
    let sign = |lists: u64| {
        directory.sign_crls("north.example", |first, _| {
            let numbers = first..first + lists;
            let lists = numbers.map(|number| {
                let profile = crate::pki::ListProfile {
                    number,
                    this_update: office.issuer.not_before(),
                    next_update: office.issuer.not_after(),
                    revoked: &[],
                };
                Ok(Authority::new(&office.issuer, &own)?
                    .sign_crl(&profile, Seed::from_bytes(&mut [1; 32]))?)
            });
            lists.collect()
        })
    };
    let numbers = |signed: &[SignedCrl]| signed.iter().map(|one| one.number).collect::<Vec<_>>();
    assert_eq!(numbers(&sign(1).unwrap()), [1]);
    assert_eq!(numbers(&sign(2).unwrap()), [2, 3]);
    // What fails takes no number.
    let failed = directory.sign_crls("north.example", |_, _| Err(AdminError::NoKey("north.example".into())));
    assert!(failed.is_err());
    assert_eq!(numbers(&sign(1).unwrap()), [4]);
    let kept = directory.signed_crls("alias.example").unwrap();
    assert_eq!(numbers(&kept), [4, 3, 2, 1]);
    assert_eq!(kept[0].crl.number().unwrap().unwrap(), [4]);
    assert!(directory.signed_crls("void.example").unwrap().is_empty());
}

#[test]
fn a_key_that_was_made_is_not_needed_where_somebody_was_quicker() {
    let office = office();
    let bob = address("bob@north.example");
    let made = |number: u8| {
        let (own, certificate) =
            (key(number), office.sign("bob@north.example", &key(number).public(), number));
        let public = own.public().to_spki().unwrap();
        let key = NewVaultKey { fingerprint: own.fingerprint().unwrap(), public_key: &public, record: &[1] };
        let (issuer, follows) = (&office.issuer, Follows::Nothing);
        let issue = Issue { account: &bob, certificate: &certificate, issuer, follows, key: Some(key) };
        office.directory.record_issue(&issue).map(|_| certificate.fingerprint())
    };
    let first = made(2).unwrap();
    let wanted =
        format!("Bob@north.example was given the certificate {first} meanwhile: no further key was made");
    assert_eq!(text(made(3)), wanted);
    // What it had is retired, and a key without a certificate came in its place.
    office.directory.retire_certificate(&bob, first).unwrap();
    let public = key(4).public().to_spki().unwrap();
    let print = key(4).fingerprint().unwrap();
    let waits = NewVaultKey { fingerprint: print, public_key: &public, record: &[1] };
    office.directory.add_vault_key(&bob, &waits).unwrap();
    let wanted = format!(
        "Bob@north.example was given the key {print} meanwhile, which has no certificate yet: do it again"
    );
    assert_eq!(text(made(3)), wanted);
    assert_eq!(office.directory.vault_keys(&bob).unwrap().len(), 2);
}

//! Signs revocation lists (RFC 5280 5): complete ones of version 2, one for each name and key of an authority.

use super::issue::{asn1_time, extension, sign, unwritten};
use super::{Authority, Certificate, Crl, PkiError, Revocation, RevocationReason};
use crate::crypto::Seed;
use der::Encode;
use der::asn1::Uint;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_cert::Version;
use x509_cert::certificate::Raw;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::pkix::{CrlNumber, CrlReason};
use x509_cert::serial_number::SerialNumber;

/// Hexadecimal digits of a list's name: two lists of one domain are told apart by far fewer.
const NAME_DIGITS: usize = 16;

/// What a list says.
#[derive(Debug, Clone, Copy)]
pub struct ListProfile<'a> {
    /// cRLNumber: larger than that of every earlier list of the same issuer.
    pub number: u64,
    /// When it is made.
    pub this_update: OffsetDateTime,
    /// When the next one comes at the latest.
    pub next_update: OffsetDateTime,
    /// What was taken back. Certificates of other issuers are passed over.
    pub revoked: &'a [(&'a Certificate, Revocation)],
}

impl Authority<'_> {
    /// Signs a complete list of what was taken back under this authority's name. A reason that is unspecified is left
    /// out (RFC 5280 5.3.1), and so is an entry that was released.
    pub fn sign_crl(&self, profile: &ListProfile<'_>, seed: Seed) -> Result<Crl, PkiError> {
        let (certificate, key) = (self.certificate, self.key);
        if certificate.key_usage()?.is_some_and(|usage| !usage.crl_sign()) {
            return Err(PkiError::CannotRevoke { subject: certificate.subject() });
        }
        let number = CrlNumber(Uint::new(&profile.number.to_be_bytes()).map_err(unwritten)?);
        let issuer = certificate.parsed().tbs_certificate().subject().clone();
        let list = TbsCertList::<Raw> {
            version: Version::V2,
            signature: key.public().signature_algorithm()?,
            this_update: asn1_time(profile.this_update)?,
            next_update: Some(asn1_time(profile.next_update)?),
            revoked_certificates: self.entries(profile)?,
            crl_extensions: Some(vec![extension(false, &self.key_id()?)?, extension(false, &number)?]),
            issuer,
        };
        Crl::from_der(&sign(&list.to_der().map_err(unwritten)?, key, &mut seed.into_rng())?)
    }

    /// An empty list is left out, as RFC 5280 5.1.2.6 wants it.
    fn entries(&self, profile: &ListProfile<'_>) -> Result<Option<Vec<RevokedCert<Raw>>>, PkiError> {
        let ours = profile.revoked.iter().filter(|(revoked, _)| revoked.names_as_issuer(self.certificate));
        let stays = |(_, revocation): &&(_, Revocation)| revocation.reason != RevocationReason::RemoveFromCrl;
        let entries = ours.filter(stays).map(|(revoked, revocation)| entry(revoked, *revocation));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(entries).filter(|entries| !entries.is_empty()))
    }

    /// What tells its list from those of the domain's other names and keys, in file names and URLs: the first digits of
    /// SHA-256 over subject and public key, so that a renewed certificate keeps it.
    pub fn list_name(&self) -> Result<String, PkiError> {
        let subject = self.certificate.parsed().tbs_certificate().subject().to_der().map_err(unwritten)?;
        let digest =
            Sha256::new().chain_update(subject).chain_update(self.key.public().to_spki()?).finalize();
        Ok(digest.iter().take(NAME_DIGITS / 2).map(|octet| format!("{octet:02x}")).collect())
    }
}

fn entry(certificate: &Certificate, revocation: Revocation) -> Result<RevokedCert<Raw>, PkiError> {
    let reason = reason(revocation.reason).map(|reason| extension(false, &reason)).transpose()?;
    Ok(RevokedCert {
        serial_number: SerialNumber::new(certificate.serial_octets()).map_err(unwritten)?,
        revocation_date: asn1_time(revocation.at)?,
        crl_entry_extensions: reason.map(|reason| vec![reason]),
    })
}

fn reason(reason: RevocationReason) -> Option<CrlReason> {
    match reason {
        RevocationReason::Unspecified => None,
        RevocationReason::KeyCompromise => Some(CrlReason::KeyCompromise),
        RevocationReason::CaCompromise => Some(CrlReason::CaCompromise),
        RevocationReason::AffiliationChanged => Some(CrlReason::AffiliationChanged),
        RevocationReason::Superseded => Some(CrlReason::Superseded),
        RevocationReason::CessationOfOperation => Some(CrlReason::CessationOfOperation),
        RevocationReason::CertificateHold => Some(CrlReason::CertificateHold),
        RevocationReason::RemoveFromCrl => Some(CrlReason::RemoveFromCRL),
        RevocationReason::PrivilegeWithdrawn => Some(CrlReason::PrivilegeWithdrawn),
        RevocationReason::AaCompromise => Some(CrlReason::AaCompromise),
    }
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{authority, issue, noon, openssl};
    use super::super::key::tests::{ec_key, rsa_key, seed};
    use super::*;
    use time::Duration;

    fn revoked(reason: RevocationReason) -> Revocation {
        Revocation { at: noon() + Duration::HOUR, reason }
    }

    fn list(entries: &[(&Certificate, Revocation)], number: u64) -> Crl {
        let (root, key) = (authority(&ec_key()), ec_key());
        let profile = ListProfile {
            number,
            this_update: noon() + Duration::DAY,
            next_update: noon() + Duration::days(8),
            revoked: entries,
        };
        Authority::new(&root, &key).unwrap().sign_crl(&profile, seed(9)).unwrap()
    }

    #[test]
    fn a_list_says_what_was_put_into_it() {
        let bob = issue(&authority(&ec_key()), &ec_key(), &rsa_key().public());
        for reason in RevocationReason::ALL {
            let crl = list(&[(&bob, revoked(reason))], 0x8001);
            assert_eq!(crl.number().unwrap().unwrap(), [0x80, 0x01]);
            assert_eq!(crl.authority_key_id().unwrap(), authority(&ec_key()).subject_key_id());
            assert_eq!(crl.next_update().unwrap(), noon() + Duration::days(8));
            assert!(crl.is_signed_by(&authority(&ec_key())));
            let found = crl.revocation(bob.serial_octets()).unwrap();
            let wanted = Some(revoked(reason)).filter(|_| reason != RevocationReason::RemoveFromCrl);
            assert_eq!(found, wanted, "{reason:?}");
        }
    }

    #[test]
    fn an_empty_list_and_one_of_strangers_hold_no_entry() {
        let other = super::super::self_sign(
            rsa_key(),
            &super::super::AuthorityProfile {
                subject: &super::super::Subject::named("south.example"),
                dns_names: &[],
                validity: super::super::Validity::lasting(noon(), Duration::DAY),
            },
            seed(1),
        );
        let stranger = issue(&other.unwrap(), rsa_key(), &ec_key().public());
        for entries in [&[][..], &[(&stranger, revoked(RevocationReason::KeyCompromise))]] {
            let crl = list(entries, 1);
            assert!(crl.is_empty());
            let text = crl.to_pem().unwrap();
            let Some(text) = openssl(&["crl", "-noout", "-text"], text.as_bytes()) else { return };
            assert!(text.contains("No Revoked Certificates"), "{text}");
        }
    }

    #[test]
    fn openssl_reads_our_lists() {
        let bob = issue(&authority(&ec_key()), &ec_key(), &rsa_key().public());
        let crl = list(&[(&bob, revoked(RevocationReason::KeyCompromise))], 7).to_pem().unwrap();
        let Some(text) = openssl(&["crl", "-noout", "-text"], crl.as_bytes()) else { return };
        let serial = format!("Serial Number: {}", bob.serial());
        let wanted = [
            "Version 2 (0x1)",
            "Issuer: CN = north.example",
            "Last Update: Nov  2 12:00:00 2026 GMT",
            "Next Update: Nov  9 12:00:00 2026 GMT",
            "X509v3 CRL Number: \n                7\n",
            "Authority Key Identifier",
            &serial,
            "Revocation Date: Nov  1 13:00:00 2026 GMT",
            "Key Compromise",
        ];
        for one in wanted {
            assert!(text.contains(one), "{one} is not in {text}");
        }
    }

    #[test]
    fn a_list_keeps_its_name_when_its_authority_is_renewed() {
        let (old, key) = (authority(&ec_key()), ec_key());
        let later = super::super::Validity::lasting(noon() + Duration::DAY, Duration::days(100));
        let new = super::super::refresh(&old, &key, later, seed(3)).unwrap();
        let name = |certificate| Authority::new(certificate, &key).unwrap().list_name().unwrap();
        assert_eq!(name(&old), name(&new));
        assert_eq!(name(&old).len(), NAME_DIGITS);
    }
}

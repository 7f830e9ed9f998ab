//! Certificate revocation lists (RFC 5280 5).

use super::certificate::{moment, signed_part};
use super::signature::Signed;
use super::{Certificate, Fingerprint, PkiError, Revocation, RevocationReason, contents, pem};
use const_oid::db::rfc5912::ID_CE_ISSUING_DISTRIBUTION_POINT;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_cert::Version;
use x509_cert::certificate::Raw;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BaseCrlNumber, CrlNumber, CrlReason};
use x509_cert::name::Name;

/// The largest lists of public authorities have some 10 MiB.
const MAX_CRL: usize = 32 * 1024 * 1024;

/// Labels of a CRL in PEM (RFC 7468 6; the second is OpenSSL's old one).
const LABELS: [&str; 2] = ["X509 CRL", "CRL"];

/// A parsed list that keeps its exact DER. Nothing of it is believed before its signature was checked.
#[derive(Debug, Clone)]
pub struct Crl {
    der: Vec<u8>,
    parsed: CertificateList<Raw>,
}

/// One certificate that a list takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlEntry {
    /// The content octets of its serial number in hexadecimal, as [`Certificate::serial`] spells them.
    pub serial: String,
    /// When and why.
    pub revocation: Revocation,
}

impl PartialEq for Crl {
    fn eq(&self, other: &Crl) -> bool {
        self.der == other.der
    }
}

impl Eq for Crl {}

impl Crl {
    /// Reads one list in DER. Trailing octets are refused, and so are lists of version 1.
    pub fn from_der(bytes: &[u8]) -> Result<Crl, PkiError> {
        if bytes.len() > MAX_CRL {
            return Err(PkiError::TooLarge { what: "a revocation list", size: bytes.len(), limit: MAX_CRL });
        }
        let parsed = CertificateList::from_der(bytes)
            .map_err(|error| PkiError::malformed("the revocation list", error))?;
        Ok(Crl { der: bytes.to_vec(), parsed })
    }

    /// The issuer of a list, as DER of its Name, without reading the list.
    pub fn issuer_of(list: &[u8]) -> Option<&[u8]> {
        let tbs = AnyRef::from_der(signed_part(list)?).ok()?;
        let mut fields = SliceReader::new(tbs.value()).ok()?;
        // Version and signature algorithm stand before it.
        fields.tlv_bytes().ok()?;
        fields.tlv_bytes().ok()?;
        fields.tlv_bytes().ok()
    }

    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER as PEM, lines ending in LF.
    pub fn to_pem(&self) -> Result<String, PkiError> {
        pem::write("X509 CRL", &self.der)
    }

    /// SHA-256 over the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.der).into())
    }

    /// Who signed it, in RFC 4514 form.
    pub fn issuer(&self) -> String {
        self.issuer_name().to_string()
    }

    /// Who signed it, as a Name.
    pub(crate) fn issuer_name(&self) -> &Name {
        &self.parsed.tbs_cert_list.issuer
    }

    /// cRLNumber, up to 20 octets: big-endian, without leading zeros.
    pub fn number(&self) -> Result<Option<Vec<u8>>, PkiError> {
        Ok(self.extension::<CrlNumber>()?.map(|number| number.0.as_bytes().to_vec()))
    }

    /// BaseCRLNumber of a delta list, in the same form.
    pub fn base_number(&self) -> Result<Option<Vec<u8>>, PkiError> {
        Ok(self.extension::<BaseCrlNumber>()?.map(|number| number.0.as_bytes().to_vec()))
    }

    /// issuingDistributionPoint, if present: what the list speaks of.
    pub fn distribution_point(&self) -> Result<Option<IssuingDistributionPoint>, PkiError> {
        // Its type names another extension in x509-cert 0.3.
        one_extension_called(
            ID_CE_ISSUING_DISTRIBUTION_POINT,
            self.extensions(),
            "an extension of the revocation list",
        )
    }

    /// It as what somebody signed.
    pub(crate) fn signed(&self) -> Signed<'_> {
        Signed {
            der: &self.der,
            algorithm: &self.parsed.signature_algorithm,
            signature: &self.parsed.signature,
        }
    }

    /// Does it say that it is of version 2, as it must (RFC 5280 5.1.2.1)?
    pub(crate) fn is_of_version_2(&self) -> bool {
        self.parsed.tbs_cert_list.version == Version::V2
    }

    /// Both places that name the algorithm of its signature name the same one (RFC 5280 5.1.1.2).
    pub(crate) fn names_one_algorithm(&self) -> bool {
        self.parsed.signature_algorithm == self.parsed.tbs_cert_list.signature
    }

    /// keyIdentifier of the authorityKeyIdentifier: which key of its issuer signed it.
    pub fn authority_key_id(&self) -> Result<Option<Vec<u8>>, PkiError> {
        let id = self.extension::<AuthorityKeyIdentifier>()?.and_then(|id| id.key_identifier);
        Ok(id.map(|id| id.as_bytes().to_vec()))
    }

    /// When it was made.
    pub fn this_update(&self) -> OffsetDateTime {
        moment(self.parsed.tbs_cert_list.this_update)
    }

    /// When the next one comes at the latest; RFC 5280 wants it, and old lists lack it.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.parsed.tbs_cert_list.next_update.map(moment)
    }

    /// How many certificates it lists.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Does it list none?
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// What it lists, in its order, to be shown.
    pub fn listed(&self) -> Result<Vec<CrlEntry>, PkiError> {
        let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02X}")).collect();
        let listed = self.entries().iter().map(|entry| {
            let serial = hex(entry.serial_number.as_bytes());
            Ok(CrlEntry { serial, revocation: revocation(entry)? })
        });
        listed.collect()
    }

    /// Its entries in their order.
    pub(crate) fn entries(&self) -> &[RevokedCert<Raw>] {
        self.parsed.tbs_cert_list.revoked_certificates.as_deref().unwrap_or_default()
    }

    /// Its extensions.
    pub(crate) fn extensions(&self) -> &[Extension] {
        self.parsed.tbs_cert_list.crl_extensions.as_deref().unwrap_or_default()
    }

    /// What it says of the serial number, by its content octets. The list must be the one of the certificate's issuer, and be
    /// no indirect one: entries of those name their issuers.
    pub fn revocation(&self, serial: &[u8]) -> Result<Option<Revocation>, PkiError> {
        let entry = self.entries().iter().find(|entry| entry.serial_number.as_bytes() == serial);
        entry.map(revocation).transpose()
    }

    /// Did the holder of that certificate sign it? Name and signature are compared, and nothing else: neither times nor
    /// whether it may.
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let named = self.issuer_name() == issuer.parsed().tbs_certificate().subject();
        let signed_by = |key| self.signed().verify(&key).is_ok();
        named && self.names_one_algorithm() && issuer.public_key().is_ok_and(signed_by)
    }

    fn extension<'a, E: Decode<'a> + AssociatedOid>(&'a self) -> Result<Option<E>, PkiError>
    where
        E::Error: std::fmt::Display,
    {
        one_extension(self.extensions(), "an extension of the revocation list")
    }
}

/// When and why, out of one entry. removeFromCRL is a reason like the others here.
pub(crate) fn revocation(entry: &RevokedCert<Raw>) -> Result<Revocation, PkiError> {
    let extensions = entry.crl_entry_extensions.as_deref().unwrap_or_default();
    let what = "an entry of the revocation list";
    let reason = match one_extension::<CrlReason>(extensions, what)? {
        None => RevocationReason::Unspecified,
        Some(reason) => RevocationReason::from_code(reason as u8)
            .ok_or_else(|| PkiError::malformed(what, "its reason is unknown"))?,
    };
    Ok(Revocation { at: moment(entry.revocation_date), reason })
}

/// The extension of that kind; one that is broken or stands twice is an error.
fn one_extension<'a, E: Decode<'a> + AssociatedOid>(
    extensions: &'a [Extension],
    what: &'static str,
) -> Result<Option<E>, PkiError>
where
    E::Error: std::fmt::Display,
{
    one_extension_called(E::OID, extensions, what)
}

fn one_extension_called<'a, E: Decode<'a>>(
    oid: ObjectIdentifier,
    extensions: &'a [Extension],
    what: &'static str,
) -> Result<Option<E>, PkiError>
where
    E::Error: std::fmt::Display,
{
    let mut found = extensions.iter().filter(|extension| extension.extn_id == oid);
    let (Some(one), other) = (found.next(), found.next()) else { return Ok(None) };
    if other.is_some() {
        return Err(PkiError::malformed(what, "it stands twice"));
    }
    E::from_der(one.extn_value.as_bytes()).map(Some).map_err(|error| PkiError::malformed(what, error))
}

/// Every list of a PEM text in its order, or the one of a DER file. Other PEM blocks are passed over.
pub fn read_crls(bytes: &[u8]) -> Result<Vec<Crl>, PkiError> {
    if !pem::looks_like_pem(bytes) {
        contents::require_der(bytes, "revocation list")?;
        return Ok(vec![Crl::from_der(bytes)?]);
    }
    let blocks = pem::read_up_to(bytes, pem_size(MAX_CRL))?;
    let lists = blocks.iter().filter(|block| LABELS.contains(&block.label));
    let lists = lists.map(|block| Crl::from_der(&block.der)).collect::<Result<Vec<_>, _>>()?;
    if lists.is_empty() {
        return Err(PkiError::NotFound { wanted: "revocation list", found: contents::found(&blocks) });
    }
    Ok(lists)
}

/// Base64 in lines takes 65 letters for 48 octets; with room for the marks and some prose.
const fn pem_size(der: usize) -> usize {
    der / 48 * 65 + 64 * 1024
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{authority, openssl};
    use super::super::key::tests::ec_key;
    use super::*;
    use std::path::Path;
    use std::process::Command;

    /// What `openssl ca` keeps, with two certificates that were taken back.
    const INDEX: &str = "V\t301231235959Z\t\t7F\tunknown\t/CN=Good\n\
        R\t301231235959Z\t261101120000Z,keyCompromise\tFFFFFFFFFFFFFFFF\tunknown\t/CN=Lost\n\
        R\t301231235959Z\t261102120000Z\t01\tunknown\t/CN=Gone\n";
    const CONFIG: &str = "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n\
        default_crl_days=7\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n";

    fn list(folder: &Path) -> Option<String> {
        let key = pem::write("PRIVATE KEY", ec_key().to_pkcs8().unwrap().expose()).unwrap();
        let files = [
            ("index", INDEX.to_owned()),
            ("number", "1F40\n".to_owned()),
            ("config", CONFIG.to_owned()),
            ("key", key),
            ("ca", authority(&ec_key()).to_pem().unwrap()),
        ];
        files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
        openssl(&["version"], b"")?;
        let words = "ca -gencrl -config config -keyfile key -cert ca";
        let made = Command::new("openssl").current_dir(folder).args(words.split(' ')).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(String::from_utf8(made.stdout).unwrap())
    }

    #[test]
    fn the_list_of_openssl_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let Some(text) = list(folder.path()) else { return };
        let crl = read_crls(text.as_bytes()).unwrap().remove(0);
        assert_eq!(Crl::from_der(crl.der()).unwrap(), crl);
        assert_eq!(read_crls(crl.to_pem().unwrap().as_bytes()).unwrap(), std::slice::from_ref(&crl));
        assert_eq!(crl.issuer(), "CN=north.example");
        let named = Crl::issuer_of(crl.der()).unwrap();
        assert_eq!(named, der::Encode::to_der(crl.issuer_name()).unwrap());
        assert!((0..crl.der().len()).all(|end| Crl::issuer_of(&crl.der()[..end]).is_none()));
        assert_eq!(crl.number().unwrap().unwrap(), [0x1F, 0x40]);
        assert_eq!(crl.base_number().unwrap(), None);
        assert_eq!(crl.authority_key_id().unwrap(), authority(&ec_key()).subject_key_id());
        assert_eq!(crl.next_update().unwrap() - crl.this_update(), time::Duration::days(7));
        assert_eq!(crl.len(), 2);
        let lost = crl.revocation(&[0, 255, 255, 255, 255, 255, 255, 255, 255]).unwrap().unwrap();
        assert_eq!(lost.reason, RevocationReason::KeyCompromise);
        assert_eq!(lost.at, super::super::issue::tests::noon());
        assert_eq!(crl.revocation(&[1]).unwrap().unwrap().reason, RevocationReason::Unspecified);
        assert_eq!(crl.revocation(&[0x7F]).unwrap(), None);
        assert!(crl.is_signed_by(&authority(&ec_key())));
        assert!(!crl.is_signed_by(&authority(super::super::key::tests::rsa_key())));
    }

    #[test]
    fn what_is_no_list_is_named() {
        let certificate = authority(&ec_key());
        let error = |bytes: &[u8]| read_crls(bytes).unwrap_err().to_string();
        assert_eq!(
            error(certificate.to_pem().unwrap().as_bytes()),
            "no revocation list found: the file holds a certificate"
        );
        assert!(error(certificate.der()).starts_with("the revocation list is broken: "));
        assert_eq!(error(b""), "no revocation list found: the file holds nothing: it is empty");
    }

    #[test]
    fn a_cut_or_changed_list_never_panics_and_is_not_signed() {
        let folder = tempfile::tempdir().unwrap();
        let Some(text) = list(folder.path()) else { return };
        let crl = read_crls(text.as_bytes()).unwrap().remove(0);
        let issuer = authority(&ec_key());
        for place in 0..crl.der().len() {
            assert!(Crl::from_der(&crl.der()[..place]).is_err());
            let mut changed = crl.der().to_vec();
            changed[place] ^= 1;
            if let Ok(changed) = Crl::from_der(&changed) {
                assert!(!changed.is_signed_by(&issuer), "{place}");
            }
        }
    }
}

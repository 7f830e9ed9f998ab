//! What an authority says in every certificate that it issues, whoever the holder is.

use super::PkiError;
use super::issue::{extension, unwritten};
use const_oid::ObjectIdentifier;
use der::asn1::Ia5String;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CertificatePolicies;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::crl::CrlDistributionPoints;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};

/// What stands in every certificate of an authority; an empty list is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where its revocation list is fetched (cRLDistributionPoints, RFC 5280 4.2.1.13): http URLs of one list in DER.
    pub crl_urls: Vec<String>,
    /// By which policies it issues (certificatePolicies, RFC 5280 4.2.1.4).
    pub policies: Vec<ObjectIdentifier>,
}

impl Terms {
    /// As extensions.
    pub(super) fn extensions(&self) -> Result<Vec<Extension>, PkiError> {
        let mut made = Vec::new();
        if !self.policies.is_empty() {
            let policy = |oid: &ObjectIdentifier| PolicyInformation {
                policy_identifier: *oid,
                policy_qualifiers: None,
            };
            made.push(extension(false, &CertificatePolicies(self.policies.iter().map(policy).collect()))?);
        }
        if !self.crl_urls.is_empty() {
            let places = self.crl_urls.iter().map(|url| place(url)).collect::<Result<_, _>>()?;
            let point = DistributionPoint {
                distribution_point: Some(DistributionPointName::FullName(places)),
                reasons: None,
                crl_issuer: None,
            };
            made.push(extension(false, &CrlDistributionPoints(vec![point]))?);
        }
        Ok(made)
    }
}

fn place(url: &str) -> Result<GeneralName, PkiError> {
    Ia5String::new(url).map(GeneralName::UniformResourceIdentifier).map_err(unwritten)
}

//! Distinguished names and alternative names, written into certificates and requests.

use super::{Certificate, PkiError};
use crate::mail::Address;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc3280::EMAIL_ADDRESS;
use const_oid::db::rfc4519::{
    COMMON_NAME, COUNTRY_NAME, LOCALITY_NAME, ORGANIZATION_NAME, ORGANIZATIONAL_UNIT_NAME, ST,
};
use der::asn1::{Any, Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

/// ub-common-name, ub-organization-name … (RFC 5280 A.1): letters, not octets.
const MAX_NAME: usize = 64;

/// ub-emailaddress-length (RFC 5280 A.1).
const MAX_EMAIL: usize = 255;

/// Labels of a name with the dots (RFC 1035 2.3.4).
const MAX_DNS_NAME: usize = 253;

/// The subject of an authority or of a request. Only the common name must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// commonName.
    pub common_name: String,
    /// countryName: two letters of ISO 3166.
    pub country: Option<String>,
    /// stateOrProvinceName.
    pub state: Option<String>,
    /// localityName.
    pub locality: Option<String>,
    /// organizationName.
    pub organization: Option<String>,
    /// organizationalUnitName.
    pub organizational_unit: Option<String>,
    /// emailAddress: whom to ask.
    pub contact: Option<Address>,
}

impl Subject {
    /// A subject that is nothing but a common name.
    pub fn named(common_name: impl Into<String>) -> Subject {
        Subject { common_name: common_name.into(), ..Subject::default() }
    }

    /// The Name, from country to common name as authorities write it.
    pub(crate) fn to_name(&self) -> Result<Name, PkiError> {
        let texts = [
            ("state", ST, self.state.as_deref()),
            ("locality", LOCALITY_NAME, self.locality.as_deref()),
            ("organization", ORGANIZATION_NAME, self.organization.as_deref()),
            ("organizational unit", ORGANIZATIONAL_UNIT_NAME, self.organizational_unit.as_deref()),
            ("common name", COMMON_NAME, Some(self.common_name.as_str())),
        ];
        let mut name = RdnSequence::default();
        if let Some(country) = &self.country {
            push(&mut name, COUNTRY_NAME, country_value(country)?)?;
        }
        for (field, oid, text) in texts {
            if let Some(text) = text {
                push(&mut name, oid, text_value(field, text)?)?;
            }
        }
        if let Some(contact) = &self.contact {
            push(&mut name, EMAIL_ADDRESS, email_value(contact)?)?;
        }
        Ok(Name::hazmat_from_rdn_sequence(name))
    }
}

/// The wildcard for a domain: its first label becomes `*`; two labels get `*.` in front.
pub fn wildcard(domain: &str) -> String {
    match domain.split_once('.') {
        Some((_, rest)) if rest.contains('.') => format!("*.{rest}"),
        _ => format!("*.{domain}"),
    }
}

fn push(name: &mut RdnSequence, oid: ObjectIdentifier, value: Any) -> Result<(), PkiError> {
    let mut rdn = RelativeDistinguishedName::default();
    rdn.insert(AttributeTypeAndValue { oid, value })
        .map_err(|error| PkiError::malformed("the name", error))?;
    name.push(rdn);
    Ok(())
}

fn refused(field: &'static str, name: &str, reason: &'static str) -> PkiError {
    PkiError::Name { name: name.to_owned(), field, reason }
}

fn text_value(field: &'static str, text: &str) -> Result<Any, PkiError> {
    if text.is_empty() || text.chars().count() > MAX_NAME {
        return Err(refused(field, text, "it must have 1 to 64 letters"));
    }
    if text.chars().any(char::is_control) {
        return Err(refused(field, text, "control characters are not allowed"));
    }
    let value = Utf8StringRef::new(text).and_then(|text| Any::encode_from(&text));
    value.map_err(|_| refused(field, text, "it is too long"))
}

fn country_value(country: &str) -> Result<Any, PkiError> {
    let reason = "a country is two letters, such as DE";
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(refused("country", country, reason));
    }
    let upper = country.to_ascii_uppercase();
    let value = PrintableStringRef::new(&upper).and_then(|text| Any::encode_from(&text));
    value.map_err(|_| refused("country", country, reason))
}

fn email_value(address: &Address) -> Result<Any, PkiError> {
    let text = address.to_string();
    if text.len() > MAX_EMAIL {
        return Err(refused("contact address", &text, "it is longer than 255 octets"));
    }
    let value = Ia5StringRef::new(&text).and_then(|text| Any::encode_from(&text));
    value.map_err(|_| refused("contact address", &text, "emailAddress takes ASCII only"))
}

impl Certificate {
    /// Every dNSName of its subjectAltName; none if that is broken.
    pub fn dns_names(&self) -> Vec<String> {
        let host = |name: &GeneralName| match name {
            GeneralName::DnsName(host) => Some(host.to_string()),
            _ => None,
        };
        let names = self.extension::<SubjectAltName>().ok().flatten();
        names.map(|(_, names)| names.0.iter().filter_map(host).collect()).unwrap_or_default()
    }
}

/// The dNSName of a domain, which must be in A-labels.
pub(crate) fn dns_name(domain: &str) -> Result<GeneralName, PkiError> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*' | b'_');
    if domain.is_empty() || domain.len() > MAX_DNS_NAME || !domain.bytes().all(letters) {
        return Err(refused("DNS name", domain, "it must be a domain name in ASCII"));
    }
    let value = der::asn1::Ia5String::new(domain).map(GeneralName::DnsName);
    value.map_err(|_| refused("DNS name", domain, "it must be a domain name in ASCII"))
}

/// The rfc822Name of an address, or SmtpUTF8Mailbox where its local part is not ASCII (RFC 9598).
pub(crate) fn mailbox_name(address: &Address) -> Result<GeneralName, PkiError> {
    let text = address.to_string();
    let broken = |_| refused("mail address", &text, "it is too long");
    if text.is_ascii() {
        return der::asn1::Ia5String::new(&text).map(GeneralName::Rfc822Name).map_err(broken);
    }
    let value = Utf8StringRef::new(&text).and_then(|text| Any::encode_from(&text)).map_err(broken)?;
    Ok(GeneralName::OtherName(OtherName { type_id: super::certificate::SMTP_UTF8_MAILBOX, value }))
}

/// A common name cut to what fits.
pub(crate) fn fitting(common_name: &str) -> String {
    common_name.chars().take(MAX_NAME).collect()
}

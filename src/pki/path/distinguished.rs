//! When two distinguished names are the same (RFC 5280 7.1): letter case, blanks and the kind of string do not matter.

use const_oid::ObjectIdentifier;
use der::{Decode, Tag, Tagged};
use std::collections::BTreeSet;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// A name in the one form in which equal names are equal octets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CanonicalName(Vec<Vec<(ObjectIdentifier, Value)>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// Of any string type, folded.
    Text(String),
    /// Anything else, octet by octet.
    Octets(Tag, Vec<u8>),
}

impl CanonicalName {
    pub(crate) fn of(name: &Name) -> CanonicalName {
        let rdns = name.iter_rdn().map(|rdn| {
            let mut attributes: Vec<_> = rdn.iter().map(|one| (one.oid, value(one))).collect();
            // DER sorts a SET by its octets, and folding changes them.
            attributes.sort();
            attributes
        });
        CanonicalName(rdns.collect())
    }

    /// Is it that name, or one below it?
    pub(crate) fn is_within(&self, above: &CanonicalName) -> bool {
        self.0.starts_with(&above.0)
    }
}

/// Names that are looked for. Authorities spell theirs in one kind of string and their issuers' in another.
#[derive(Debug)]
pub struct NameSet(BTreeSet<CanonicalName>);

impl NameSet {
    /// Of these Names in DER; what is none is left out.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a Vec<u8>>) -> NameSet {
        let read = names.into_iter().filter_map(|name| Name::from_der(name).ok());
        NameSet(read.map(|name| CanonicalName::of(&name)).collect())
    }

    /// Is this Name, in DER, one of them (RFC 5280 7.1)?
    pub fn contains(&self, name: &[u8]) -> bool {
        Name::from_der(name).is_ok_and(|name| self.0.contains(&CanonicalName::of(&name)))
    }
}

fn value(attribute: &AttributeTypeAndValue) -> Value {
    let (tag, octets) = (attribute.value.tag(), attribute.value.value());
    match text(tag, octets) {
        Some(text) => Value::Text(folded(&text)),
        None => Value::Octets(tag, octets.to_vec()),
    }
}

/// The letters of a string, if its octets are what its type says.
fn text(tag: Tag, octets: &[u8]) -> Option<String> {
    match tag {
        Tag::PrintableString | Tag::Ia5String | Tag::VisibleString | Tag::NumericString | Tag::Utf8String => {
            std::str::from_utf8(octets).ok().map(str::to_owned)
        }
        // T.61 as everybody wrote it: ISO 8859-1.
        Tag::TeletexString => Some(octets.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units = octets.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(u16::from_be_bytes));
            let units: Vec<u16> = units.collect::<Result<_, _>>().ok()?;
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// In small letters, without blanks around, one blank where there are several.
fn folded(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::asn1::Any;
    use std::str::FromStr;
    use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

    fn name(text: &str) -> CanonicalName {
        CanonicalName::of(&Name::from_str(text).unwrap())
    }

    fn single(tag: Tag, octets: &[u8]) -> CanonicalName {
        let value = Any::new(tag, octets).unwrap();
        let mut rdn = RelativeDistinguishedName::default();
        rdn.insert(AttributeTypeAndValue { oid: const_oid::db::rfc4519::COMMON_NAME, value }).unwrap();
        let mut sequence = RdnSequence::default();
        sequence.push(rdn);
        CanonicalName::of(&Name::hazmat_from_rdn_sequence(sequence))
    }

    /// `CN=North` in DER, as that kind of string.
    fn spelled(tag: u8, text: &[u8; 5]) -> Vec<u8> {
        [&[48, 16, 49, 14, 48, 12, 6, 3, 85, 4, 3, tag, 5][..], text].concat()
    }

    #[test]
    fn a_set_knows_its_names_however_they_are_spelled() {
        let names = NameSet::of(&[spelled(19, b"North"), b"no name".to_vec()]);
        assert!(names.contains(&spelled(19, b"North")) && names.contains(&spelled(12, b"NORTH")));
        assert!(!names.contains(&spelled(12, b"South")) && !names.contains(b"no name"));
        assert!(!NameSet::of(&[]).contains(&spelled(12, b"North")));
    }

    #[test]
    fn case_blanks_and_the_kind_of_string_do_not_matter() {
        assert_eq!(name("CN=Root  Authority,O=North"), name("CN= root AUTHORITY ,O=north"));
        let wanted = single(Tag::Utf8String, "Zürich A".as_bytes());
        assert_eq!(single(Tag::TeletexString, b"Z\xfcrich  a"), wanted);
        assert_eq!(single(Tag::BmpString, b"\0Z\0\xfc\0r\0i\0c\0h\0 \0A"), wanted);
        assert_ne!(single(Tag::OctetString, b"a"), single(Tag::PrintableString, b"a"));
        assert_ne!(single(Tag::BmpString, b"\0Z\0"), single(Tag::PrintableString, b"Z"));
    }

    #[test]
    fn a_name_lies_within_what_it_begins_with() {
        // RFC 4514 writes the last part first.
        assert!(name("CN=Bob,O=North,C=DE").is_within(&name("O=NORTH,C=de")));
        assert!(!name("O=North,C=DE").is_within(&name("CN=Bob,O=North,C=DE")));
        assert!(!name("CN=Bob,O=South,C=DE").is_within(&name("O=North,C=DE")));
        assert!(name("CN=Bob").is_within(&CanonicalName(Vec::new())));
    }
}

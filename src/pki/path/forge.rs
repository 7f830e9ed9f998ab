//! Certificates and revocation lists of every shape, for tests: written octet by octet, because nobody who issues in
//! earnest would make them.

use crate::crypto::Seed;
use crate::pki::{Certificate, Crl, KeyType, UnlockedKey};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ECDSA_WITH_SHA_256;
use der::Encode;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::str::FromStr;
use time::macros::{datetime, format_description};
use time::{Duration, OffsetDateTime};
use x509_cert::name::Name;

/// When everything here is valid unless it says otherwise.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-01 12:00 UTC);

/// The same key for the same number.
pub(crate) fn key(number: u8) -> UnlockedKey {
    UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [number; 32])).unwrap()
}

/// One value of DER.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let octets = length.to_be_bytes();
    let length = match u8::try_from(length).ok().filter(|short| *short < 0x80) {
        Some(short) => vec![short],
        None => {
            let octets: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
            [&[0x80 | octets.len() as u8], octets.as_slice()].concat()
        }
    };
    [&[tag], length.as_slice(), content].concat()
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(text).to_der().unwrap()
}

/// A Name, as `CN=Bob`.
pub(crate) fn name(text: &str) -> Vec<u8> {
    Name::from_str(text).unwrap().to_der().unwrap()
}

pub(crate) fn mailbox(text: &str) -> Vec<u8> {
    tlv(0x81, text.as_bytes())
}

/// GeneralName with a Name.
pub(crate) fn directory(text: &str) -> Vec<u8> {
    tlv(0xa4, &name(text))
}

pub(crate) fn integer(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

fn time(moment: OffsetDateTime) -> Vec<u8> {
    let format = format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
    tlv(0x17, moment.format(format).unwrap().as_bytes())
}

/// An extension that is not critical.
pub(crate) fn extension(number: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[oid(number), tlv(4, value)])
}

pub(crate) fn critical(number: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[oid(number), vec![1, 1, 0xff], tlv(4, value)])
}

/// basicConstraints of an authority.
pub(crate) fn authority() -> Vec<u8> {
    critical("2.5.29.19", &sequence(&[vec![1, 1, 0xff]]))
}

pub(crate) fn alternative_names(names: &[Vec<u8>]) -> Vec<u8> {
    extension("2.5.29.17", &sequence(names))
}

/// nameConstraints: what is permitted, what is excluded.
pub(crate) fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let subtrees = |tag: u8, names: &[Vec<u8>]| {
        let each: Vec<Vec<u8>> = names.iter().map(|name| sequence(std::slice::from_ref(name))).collect();
        if each.is_empty() { Vec::new() } else { tlv(tag, &each.concat()) }
    };
    critical("2.5.29.30", &sequence(&[subtrees(0xa0, permitted), subtrees(0xa1, excluded)]))
}

/// certificatePolicies.
pub(crate) fn policies(numbers: &[&str]) -> Vec<u8> {
    let each: Vec<Vec<u8>> = numbers.iter().map(|number| sequence(&[oid(number)])).collect();
    extension("2.5.29.32", &sequence(&each))
}

/// cRLDistributionPoints with one place.
pub(crate) fn list_at(uri: &str) -> Vec<u8> {
    let full = tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())));
    extension("2.5.29.31", &sequence(&[sequence(&[full])]))
}

fn signed(body: Vec<u8>, signer: &UnlockedKey) -> Vec<u8> {
    let signature = signer.sign(&body, &mut StdRng::from_seed([1; 32])).unwrap();
    sequence(&[body, algorithm(), tlv(3, &[&[0], signature.as_slice()].concat())])
}

fn algorithm() -> Vec<u8> {
    sequence(&[ECDSA_WITH_SHA_256.to_der().unwrap()])
}

/// A certificate to be.
pub(crate) struct Draft<'a> {
    pub(crate) subject: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) serial: u8,
    pub(crate) holder: &'a UnlockedKey,
    pub(crate) signer: &'a UnlockedKey,
    pub(crate) begin: OffsetDateTime,
    pub(crate) end: OffsetDateTime,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl<'a> Draft<'a> {
    /// With serial number 1, valid a year before and after now, without extensions.
    pub(crate) fn of(
        subject: &'a str,
        holder: &'a UnlockedKey,
        issuer: &'a str,
        signer: &'a UnlockedKey,
    ) -> Draft<'a> {
        let (begin, end) = (NOW - Duration::days(365), NOW + Duration::days(365));
        Draft { subject, issuer, serial: 1, holder, signer, begin, end, extensions: Vec::new() }
    }

    /// A self-signed authority.
    pub(crate) fn root(subject: &'a str, key: &'a UnlockedKey) -> Draft<'a> {
        Draft::of(subject, key, subject, key).with(authority())
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Draft<'a> {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn make(self) -> Certificate {
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => tlv(0xa3, &sequence(&self.extensions)),
        };
        let body = sequence(&[
            tlv(0xa0, &integer(2)),
            integer(self.serial),
            algorithm(),
            name(self.issuer),
            sequence(&[time(self.begin), time(self.end)]),
            name(self.subject),
            self.holder.public().to_spki().unwrap(),
            extensions,
        ]);
        Certificate::from_der(&signed(body, self.signer)).unwrap()
    }
}

/// A revocation list to be.
pub(crate) struct ListDraft<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) signer: &'a UnlockedKey,
    pub(crate) begin: OffsetDateTime,
    pub(crate) end: OffsetDateTime,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl<'a> ListDraft<'a> {
    /// With that number, a day old, good for another six.
    pub(crate) fn of(issuer: &'a str, signer: &'a UnlockedKey, number: u8) -> ListDraft<'a> {
        let (begin, end) = (NOW - Duration::DAY, NOW + Duration::days(6));
        let extensions = vec![extension("2.5.29.20", &integer(number))];
        ListDraft { issuer, signer, begin, end, entries: Vec::new(), extensions }
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> ListDraft<'a> {
        self.extensions.push(extension);
        self
    }

    /// A delta list over the complete one of that number.
    pub(crate) fn over(self, base: u8) -> ListDraft<'a> {
        self.with(critical("2.5.29.27", &integer(base)))
    }

    /// Names a serial number, with a reason if it is not 0.
    pub(crate) fn naming(self, serial: u8, reason: u8) -> ListDraft<'a> {
        let reason = (reason != 0).then(|| extension("2.5.29.21", &tlv(0x0a, &[reason])));
        self.entry(serial, reason.into_iter().collect())
    }

    pub(crate) fn entry(mut self, serial: u8, extensions: Vec<Vec<u8>>) -> ListDraft<'a> {
        let extensions = if extensions.is_empty() { Vec::new() } else { sequence(&extensions) };
        let begin = NOW - Duration::days(3);
        self.entries.push(sequence(&[integer(serial), time(begin), extensions]));
        self
    }

    pub(crate) fn make(self) -> Crl {
        let entries = if self.entries.is_empty() { Vec::new() } else { sequence(&self.entries) };
        let body = sequence(&[
            integer(1),
            algorithm(),
            name(self.issuer),
            time(self.begin),
            time(self.end),
            entries,
            tlv(0xa0, &sequence(&self.extensions)),
        ]);
        Crl::from_der(&signed(body, self.signer)).unwrap()
    }
}

//! Which revocation lists of another authority a newer one takes the place of.

use super::crl::number;
use super::failure::{Code, Failure};
use super::words::{self, day};
use crate::directory::{ForeignCrl, SqliteDirectory};
use crate::pki::{Certificate, Crl, Fingerprint, Revocation, RevocationReason};
use std::cmp::Ordering;
use std::collections::HashSet;

/// What becomes of the lists that came before.
pub(super) struct Succession {
    /// They go.
    pub(super) replaced: Vec<Fingerprint>,
    /// They stay, each for so many certificates.
    pub(super) kept: Vec<(Fingerprint, usize)>,
}

/// Every certificate that accounts hold: active, retired, or pending.
pub(super) fn held_certificates(directory: &SqliteDirectory) -> Result<Vec<Certificate>, Failure> {
    let mut held = Vec::new();
    directory.visit_accounts(&mut |account| {
        held.extend(account.certificates.into_iter().map(|one| one.certificate));
    })?;
    Ok(held)
}

/// The lists that it is a newer one of, the oldest first; nothing if it is here already.
pub(super) fn predecessors<'h>(
    crl: &Crl,
    held: &'h [ForeignCrl],
) -> Result<Option<Vec<&'h ForeignCrl>>, Failure> {
    if held.iter().any(|one| one.fingerprint == crl.fingerprint()) {
        return Ok(None);
    }
    let place = Place::of(crl)?;
    let mut older = Vec::new();
    for one in held {
        if Place::of(&one.crl)? != place {
            continue;
        }
        if age(&one.crl, crl)? != Ordering::Less {
            return Err(not_newer(crl, one)?);
        }
        older.push(one);
    }
    Ok(Some(older))
}

fn not_newer(crl: &Crl, held: &ForeignCrl) -> Result<Failure, Failure> {
    let text = format!(
        "list {} of {} of {} is not newer than list {} of {}, which is here",
        number(crl)?,
        day(crl.this_update()),
        crl.issuer(),
        number(&held.crl)?,
        day(held.crl.this_update())
    );
    Ok(Failure::new(Code::No, text).hint(format!(
        "to take it all the same: sealpost crl remove --fingerprint {}",
        words::short(held.fingerprint)
    )))
}

/// An older list stays as long as it alone revokes a certificate for good: what ended leaves the lists, and that is no
/// pardon. Where several older ones do, the oldest stays.
pub(super) fn succession(crl: &Crl, older: &[&ForeignCrl], held: &[Certificate]) -> Succession {
    let mut known = Revoked::by(crl, held);
    let mut result = Succession { replaced: Vec::new(), kept: Vec::new() };
    for one in older {
        let revoked = Revoked::by(&one.crl, held);
        match revoked.0.difference(&known.0).count() {
            0 => result.replaced.push(one.fingerprint),
            passed_over => {
                result.kept.push((one.fingerprint, passed_over));
                known.0.extend(revoked.0);
            }
        }
    }
    result
}

/// For how many held certificates a list is kept though a newer one of the same place is here; nothing for the newest.
pub(super) fn kept_for(
    one: &ForeignCrl,
    lists: &[ForeignCrl],
    held: &[Certificate],
) -> Result<Option<usize>, Failure> {
    let place = Place::of(&one.crl)?;
    let mut newest = &one.crl;
    for other in lists {
        if Place::of(&other.crl)? == place && age(newest, &other.crl)? == Ordering::Less {
            newest = &other.crl;
        }
    }
    if newest == &one.crl {
        return Ok(None);
    }
    let (revoked, known) = (Revoked::by(&one.crl, held), Revoked::by(newest, held));
    Ok(Some(revoked.0.difference(&known.0).count()))
}

/// The certificates that a list revokes for good. Entries of an indirect list name their issuers, and a serial number may
/// stand there twice: there the date and the reason of an entry must be the same for it to be the same.
struct Revoked(HashSet<(Fingerprint, Option<(i64, u8)>)>);

impl Revoked {
    fn by(crl: &Crl, held: &[Certificate]) -> Revoked {
        let listed: HashSet<&[u8]> =
            crl.entries().iter().map(|entry| entry.serial_number.as_bytes()).collect();
        let indirect =
            crl.distribution_point().map_or(true, |point| point.is_some_and(|one| one.indirect_crl));
        let issuer = folded(&crl.issuer());
        let named = held.iter().filter(|one| {
            listed.contains(one.serial_octets()) && (indirect || folded(&one.issuer()) == issuer)
        });
        let for_good = named.filter_map(|one| {
            let entry = for_good(crl, one)?;
            let mark = (entry.at.unix_timestamp(), entry.reason.code());
            Some((one.fingerprint(), indirect.then_some(mark)))
        });
        Revoked(for_good.collect())
    }
}

/// An entry that cannot be read revokes.
fn for_good(crl: &Crl, certificate: &Certificate) -> Option<Revocation> {
    let unread = Revocation { at: crl.this_update(), reason: RevocationReason::Unspecified };
    let entry = crl.revocation(certificate.serial_octets()).unwrap_or(Some(unread))?;
    let passing = [RevocationReason::CertificateHold, RevocationReason::RemoveFromCrl];
    (!passing.contains(&entry.reason)).then_some(entry)
}

/// Names that are spelled otherwise are the same name (RFC 5280 7.1), or so alike that a list may stay for nothing.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What one list after the other speaks of.
#[derive(PartialEq)]
struct Place {
    issuer: String,
    key: Option<Vec<u8>>,
    /// The distribution point, as it is written down for us.
    point: String,
    is_delta: bool,
}

impl Place {
    fn of(crl: &Crl) -> Result<Place, Failure> {
        Ok(Place {
            issuer: crl.issuer(),
            key: crl.authority_key_id()?,
            point: format!("{:?}", crl.distribution_point()?),
            is_delta: crl.base_number()?.is_some(),
        })
    }
}

/// By number where both have one (RFC 5280 5.2.3), else by date.
fn age(one: &Crl, other: &Crl) -> Result<Ordering, Failure> {
    let (Some(first), Some(second)) = (one.number()?, other.number()?) else {
        return Ok(one.this_update().cmp(&other.this_update()));
    };
    Ok(first.len().cmp(&second.len()).then_with(|| first.cmp(&second)))
}

//! `sealpost crl sign`

use super::context::Context;
use super::crl::layout;
use super::failure::{Code, Failure};
use super::issuer::filled_in;
use super::keyring;
use super::output::{Output, with};
use super::words::{self, counted, day};
use crate::config::MOST_CRL_DAYS;
use crate::crypto::{Entropy, Seed};
use crate::directory::{AdminError, IssuedCertificate, SignedCrl, SqliteDirectory};
use crate::engine::{Choice, Clock};
use crate::pki::{Authority, Certificate, Crl, ListProfile, UnlockedKey};
use crate::system::{SystemClock, SystemEntropy};
use serde_json::json;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// For people and most programs.
    Pem,
    /// What the URL in the certificates must lead to (RFC 5280 4.2.1.13).
    Der,
}

impl Choice for Form {
    const ALL: &'static [Form] = &[Form::Pem, Form::Der];

    fn name(self) -> &'static str {
        match self {
            Form::Pem => "pem",
            Form::Der => "der",
        }
    }
}

/// Sign the revocation lists of a domain, also when nothing changed: others believe a list only until its next is due
///
/// A domain has a list for each name and key that it issues or issued with: one, until the authority is replaced or given
/// another name. Each list holds everything that was revoked under its name, whichever key had signed it. Certificates name
/// the list in the configuration's crl-url: {authority} in it, and in --output, tells the lists apart.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost crl sign --domain north.example > north.crl.pem
  sealpost crl sign --domain north.example --form der --output '/srv/www/{authority}.crl'
Run it from cron more often than crl-days says, and after each revocation.")]
pub(super) struct Sign {
    /// Whose
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// Write to this file, readable by everybody; it is renamed into place. {domain} and {authority} are filled in
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// After so many days at the latest comes the next list, if not as the configuration says (crl-days)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=MOST_CRL_DAYS as i64))]
    days: Option<u32>,
    /// PEM, or DER as web servers hand it out
    #[arg(long, value_name = "FORM", default_value = "pem", value_parser = words::choice::<Form>())]
    form: Form,
}

/// A name and key of the domain.
struct Signer {
    certificate: Certificate,
    key: UnlockedKey,
    /// What tells its list from the others.
    name: String,
}

/// What was signed, and by whom.
struct Lists<'a> {
    domain: &'a str,
    signers: &'a [Signer],
    /// One of each signer, in the same order.
    signed: &'a [SignedCrl],
}

impl<'a> Lists<'a> {
    fn each(&self) -> impl Iterator<Item = (&'a Signer, &'a SignedCrl)> {
        self.signers.iter().zip(self.signed)
    }
}

impl Sign {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        let directory = context.directory()?;
        let domain = directory.domain(&self.domain)?.name;
        let now = SystemClock.now();
        let signers = signers(&directory, &domain, now)?;
        self.require_room(&signers)?;
        let days = self.days.unwrap_or(config.issue.crl_days);
        let next = now.saturating_add(Duration::days(days.into()));
        let seeds = signers.iter().map(|_| SystemEntropy.seed()).collect::<Result<Vec<_>, _>>()?;
        let mut left_out = 0;
        let signed = directory.sign_crls(&domain, |first, issued| {
            left_out = uncovered(&signers, issued, now);
            sign_all(&signers, seeds, issued, (first, now, next))
        })?;
        if left_out > 0 {
            let what = counted(left_out, "certificate");
            out.note(&format!(
                "warning: no list tells of {what}, issued under a name or key that {domain} has no more"
            ));
        }
        self.hand_out(&Lists { domain: &domain, signers: &signers, signed: &signed }, out)
    }

    /// Two lists do not go into one place in DER.
    fn require_room(&self, signers: &[Signer]) -> Result<(), Failure> {
        let apart = self.output.as_ref().is_some_and(|path| path.contains("{authority}"));
        if self.form == Form::Pem || signers.len() < 2 || apart {
            return Ok(());
        }
        let text = format!("{} has {} lists, and one file in DER holds one", self.domain, signers.len());
        Err(Failure::new(Code::Usage, text)
            .hint("--output with {authority} in it keeps them apart; or --form pem"))
    }

    fn hand_out(&self, lists: &Lists<'_>, out: &mut Output) -> Result<(), Failure> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (signer, one) in lists.each() {
            let octets = match self.form {
                Form::Pem => one.crl.to_pem()?.into_bytes(),
                Form::Der => one.crl.der().to_vec(),
            };
            let path = self.place(lists, signer).unwrap_or_default();
            match files.iter_mut().find(|(known, _)| *known == path) {
                Some((_, text)) => text.extend(octets),
                None => files.push((path, octets)),
            }
        }
        for (path, octets) in &files {
            match self.output {
                Some(_) => {
                    publish(Path::new(path), octets).map_err(|error| Failure::io("write", path, &error))?
                }
                None if out.is_text() => out.bytes(octets)?,
                None => {}
            }
        }
        self.tell(lists, out)
    }

    /// The file that its list is written to, if not to standard output.
    fn place(&self, lists: &Lists<'_>, signer: &Signer) -> Option<String> {
        self.output.as_ref().map(|path| filled_in(path, lists.domain, &signer.name))
    }

    /// Beside the lists themselves where they stand on standard output.
    fn tell(&self, lists: &Lists<'_>, out: &mut Output) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (signer, one) in lists.each() {
            let next = one.crl.next_update().map(day).unwrap_or_default();
            let (issuer, entries) = (one.crl.issuer(), counted_revocations(one.crl.len()));
            let text = format!("list {} of {issuer}: {entries}, the next one by {next}", one.number);
            let file = self.place(lists, signer);
            match &file {
                Some(path) => out.line(format!("{text}; written to {path}"))?,
                None => out.note(&text),
            }
            let more = [("authority", signer.name.clone().into()), ("file", file.into())];
            rows.push(with(layout(&one.crl)?, more));
        }
        out.json(json!({"domain": lists.domain, "lists": rows}))
    }
}

fn counted_revocations(count: usize) -> String {
    if count == 0 {
        "nothing is revoked".to_owned()
    } else {
        format!("{} revoked", counted(count, "certificate"))
    }
}

/// Every name and key that the domain issues with, or issued with and still keeps. A replaced authority that has ended needs
/// no list: nothing that it issued is valid any more.
fn signers(directory: &SqliteDirectory, domain: &str, now: OffsetDateTime) -> Result<Vec<Signer>, Failure> {
    let mut found = Vec::new();
    for held in directory.domain_certificates(domain)? {
        let key = keyring::domain_key(directory, domain)?;
        if Authority::new(&held.certificate, &key).is_ok() {
            add(&mut found, held.certificate, key)?;
        }
    }
    for retired in directory.retired_authorities(domain)? {
        if retired.certificate.not_after() >= now {
            add(&mut found, retired.certificate, UnlockedKey::from_pkcs8(retired.key.expose())?)?;
        }
    }
    if found.is_empty() {
        let text = format!("{domain} has no certificate that may sign revocation lists");
        return Err(Failure::new(Code::NotFound, text)
            .hint(format!("make one: sealpost cert self-sign --domain {domain}")));
    }
    Ok(found)
}

fn add(found: &mut Vec<Signer>, certificate: Certificate, key: UnlockedKey) -> Result<(), Failure> {
    let name = Authority::new(&certificate, &key)?.list_name()?;
    if !found.iter().any(|known| known.name == name) {
        found.push(Signer { certificate, key, name });
    }
    Ok(())
}

/// Certificates that have not ended and are of none of these.
fn uncovered(signers: &[Signer], issued: &[IssuedCertificate], now: OffsetDateTime) -> usize {
    let of_none = |one: &&IssuedCertificate| {
        one.certificate.not_after() >= now
            && !signers.iter().any(|signer| one.certificate.is_signed_by(&signer.certificate))
    };
    issued.iter().filter(of_none).count()
}

fn sign_all(
    signers: &[Signer],
    seeds: Vec<Seed>,
    issued: &[IssuedCertificate],
    (first, this_update, next_update): (u64, OffsetDateTime, OffsetDateTime),
) -> Result<Vec<Crl>, AdminError> {
    let revoked: Vec<_> =
        issued.iter().filter_map(|one| one.revoked.map(|revoked| (&one.certificate, revoked))).collect();
    let numbered = (first..).zip(signers).zip(seeds);
    let lists = numbered.map(|((number, signer), seed)| {
        let profile = ListProfile { number, this_update, next_update, revoked: &revoked };
        Ok(Authority::new(&signer.certificate, &signer.key)?.sign_crl(&profile, seed)?)
    });
    lists.collect()
}

/// A web server reads it: a file for everybody, renamed into place whole.
fn publish(path: &Path, octets: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let temporary = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        // The mask of this process lets nobody else read what it makes.
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(octets)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(&temporary);
    })
}

/// Of each name and key the newest.
pub(super) fn latest(newest_first: Vec<SignedCrl>) -> Result<Vec<SignedCrl>, Failure> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for one in newest_first {
        let place = (one.crl.issuer(), one.crl.authority_key_id()?);
        if !seen.contains(&place) {
            seen.push(place);
            found.push(one);
        }
    }
    Ok(found)
}

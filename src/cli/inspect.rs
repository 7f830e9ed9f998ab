//! `sealpost inspect`: what protects a message, without any key.

mod text;

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use super::{input, words};
use crate::cms::{self, Holder, HolderRole, HolderState, Input, RecipientId, Report};
use crate::directory::{CertificateHolder, DomainHolder, SqliteDirectory};
use crate::engine::CertificateState;
use crate::mail;
use crate::pki::RevocationReason;
use crate::smime::Claim;
use serde::Serialize;
use std::path::Path;

/// Show to whom the message on standard input is sealed, and how; no key needed
///
/// Layer by layer, as far as can be seen: what is encrypted hides what is in it. The input is a message, or a CMS
/// structure by itself: DER, BER or PEM. Where there is a store, its accounts tell whose certificates the recipients name.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost inspect < sealed.eml
  sealpost --root /srv/sealpost inspect --json < smime.p7m")]
pub(super) struct Inspect {}

/// The object that a program reads.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// Octets of the input.
    size: usize,
    /// The store whose accounts the recipients were matched to.
    store: Option<&'a Path>,
    claim: Option<ShownClaim<'a>>,
}

/// What the field of ours says.
#[derive(Serialize)]
pub(super) struct ShownClaim<'a> {
    vouched_for: bool,
    #[serde(flatten)]
    claim: &'a Claim,
}

impl ShownClaim<'_> {
    /// Whoever can write to a mailbox can write one.
    pub(super) fn of(claim: &Claim) -> ShownClaim<'_> {
        ShownClaim { vouched_for: false, claim }
    }
}

impl Inspect {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let read = input::message()?;
        let input = Input::of(mail::without_mbox_line(read.expose()));
        let mut report = cms::inspect(&input);
        let matched = match_accounts(&mut report, context, out);
        let (size, claim) = (input.bytes().len(), input.message().and_then(Claim::of));
        out.table(&text::table(&report, size, claim.as_ref()))?;
        let store = matched.then_some(context.root());
        let claim = claim.as_ref().map(ShownClaim::of);
        out.json(Shown { report: &report, size, store, claim })?;
        match report.fault {
            Some(fault) => Err(Failure::new(Code::Data, format!("the message is broken: {fault}"))),
            None => Ok(()),
        }
    }
}

/// Says whether the recipients were matched. What keeps them from it is no reason to show nothing.
fn match_accounts(report: &mut Report, context: &Context, out: &Output) -> bool {
    look_up(report, context).unwrap_or_else(|failure| {
        out.note(&format!("recipients are not matched to accounts: {}", failure.text));
        false
    })
}

/// Asks the store, if there is one, whose certificates the recipients name.
fn look_up(report: &mut Report, context: &Context) -> Result<bool, Failure> {
    let Some(directory) = context.directory_if_there()? else { return Ok(false) };
    report.match_recipients(|ids| holders(&directory, ids))?;
    Ok(true)
}

/// Who holds the certificates that these name: accounts, then domains.
pub(super) fn holders(
    directory: &SqliteDirectory,
    ids: &[&RecipientId],
) -> Result<Vec<Vec<Holder>>, Failure> {
    let accounts = directory.certificate_holders(ids)?;
    let domains = directory.domain_holders(ids)?;
    let both = accounts.iter().zip(&domains);
    let holders = both.map(|(accounts, domains)| {
        accounts.iter().map(holder).chain(domains.iter().map(domain_holder)).collect()
    });
    Ok(holders.collect())
}

fn holder(found: &CertificateHolder) -> Holder {
    let state = state(found);
    Holder {
        role: HolderRole::Account,
        account: found.account.to_string(),
        certificate: found.certificate.to_string(),
        state,
        active: state == HolderState::Active,
        pending: state == HolderState::Pending,
        since: words::day(found.added),
    }
}

/// What was taken back is sealed to by nobody, whatever else is said of it.
fn state(found: &CertificateHolder) -> HolderState {
    match (found.revoked, found.state) {
        (_, CertificateState::Pending) => HolderState::Pending,
        (Some(revoked), _) if revoked.reason == RevocationReason::CertificateHold => HolderState::Hold,
        (Some(_), _) => HolderState::Revoked,
        (None, CertificateState::Active) => HolderState::Active,
        (None, CertificateState::Retired) => HolderState::Retired,
    }
}

fn domain_holder(found: &DomainHolder) -> Holder {
    Holder {
        role: if found.recovery { HolderRole::Recovery } else { HolderRole::DomainKey },
        account: found.domain.clone(),
        certificate: found.certificate.to_string(),
        state: if found.active { HolderState::Active } else { HolderState::Retired },
        active: found.active,
        pending: false,
        since: words::day(found.since),
    }
}

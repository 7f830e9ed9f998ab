//! The facts that compiled rules declare, looked up in one batch.

use super::addressee::{Addressee, Addressees};
use super::programs::Programs;
use super::{Account, AccountFacts, CertificateState, Engine, EngineError};
use crate::cms::RecipientId;
use crate::mail::Address;
use crate::rules::{Facts, Needs};

/// What the programs of one call look at.
pub(super) struct Gathered {
    pub(super) server: Facts,
    /// In the order of the addressees.
    pub(super) accounts: Vec<Facts>,
}

impl Gathered {
    /// Looks up what the programs need and nothing else.
    pub(super) fn new(
        engine: &Engine<'_>,
        programs: &Programs,
        addressees: &Addressees,
    ) -> Result<Gathered, EngineError> {
        let needs: Vec<Needs> = programs.accounts.iter().map(crate::rules::Program::needs).collect();
        let mut held = held(engine, &needs, &addressees.known)?.into_iter();
        let of_server = programs.server.needs();
        let base = |needs: &Needs| match needs.now {
            true => Facts { now: engine.settings.time_zone.local(engine.clock.now()), ..Facts::default() },
            false => Facts::default(),
        };
        let routes = if of_server.routes { addressees.routes.clone() } else { Vec::new() };
        let server = Facts { routes, ..base(&of_server) };
        let mut accounts = Vec::with_capacity(needs.len());
        for (needs, addressee) in needs.iter().zip(&addressees.known) {
            let account = &addressee.account;
            let AccountFacts { datasets, preferences } = held.next().unwrap_or_default();
            let owner_ids = if needs.owner_ids { ids(account) } else { Vec::new() };
            let mailboxes = match needs.mailboxes {
                true => engine.store.mailboxes(&account.address).map_err(EngineError::Stage)?,
                false => Vec::new(),
            };
            accounts.push(Facts { owner_ids, mailboxes, datasets, preferences, ..base(needs) });
        }
        Ok(Gathered { server, accounts })
    }
}

/// Datasets and preferences of all accounts in one question, if anybody needs them.
fn held(engine: &Engine<'_>, needs: &[Needs], known: &[Addressee]) -> Result<Vec<AccountFacts>, EngineError> {
    if needs.iter().all(|needs| needs.datasets.is_empty() && !needs.preferences) {
        return Ok(Vec::new());
    }
    let asked: Vec<(Address, Needs)> = known
        .iter()
        .zip(needs)
        .map(|(addressee, needs)| (addressee.account.address.clone(), needs.clone()))
        .collect();
    Ok(engine.directory.rule_facts(&asked)?)
}

fn ids(account: &Account) -> Vec<RecipientId> {
    let active = account.certificates.iter().filter(|held| held.state == CertificateState::Active);
    active.flat_map(|held| held.certificate.recipient_ids()).collect()
}

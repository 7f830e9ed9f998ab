//! From envelope recipients to accounts.

use super::{Account, Engine, EngineError, Request, Route};
use crate::mail::Address;

/// An account that the message is for.
pub(super) struct Addressee {
    /// The account.
    pub(super) account: Account,
    /// The envelope recipients that lead to it, as sent. Several are one delivery.
    pub(super) as_sent: Vec<String>,
}

/// Where the recipients of one call lead.
pub(super) struct Addressees {
    /// Each account once, in the order of the envelope.
    pub(super) known: Vec<Addressee>,
    /// Recipients of our domains who do not exist.
    pub(super) unknown: Vec<Address>,
    /// Where the recipients lead, in the form of the conditions `Any Route` and `Each Route` (ours).
    pub(super) routes: Vec<String>,
}

impl Addressees {
    /// The one domain of all of them: what `~account` means in the server scope.
    pub(super) fn domain(&self) -> Option<&str> {
        let first = self.known.first()?.account.domain.name.as_str();
        self.known.iter().all(|addressee| addressee.account.domain.name == first).then_some(first)
    }
}

/// Looks all recipients up. One unknown domain makes the whole call a doubt.
pub(super) fn resolve(engine: &Engine<'_>, request: &Request<'_>) -> Result<Addressees, EngineError> {
    let addresses: Vec<Address> = request.recipients.iter().map(|to| to.address.clone()).collect();
    let routes = engine.directory.routes(&addresses, engine.settings.recipient_delimiter)?;
    let (mut found, mut unknown, mut lead_to) = (Vec::new(), Vec::new(), Vec::new());
    for (at, recipient) in request.recipients.iter().enumerate() {
        match account_of(routes.get(at), &recipient.address) {
            Ok(account) => {
                lead_to.push(format!("LOCAL({account})"));
                found.push((account.clone(), recipient.as_sent()));
            }
            Err(EngineError::UnknownUser(address)) => unknown.push(address),
            Err(error) => return Err(error),
        }
    }
    Ok(Addressees { known: load(engine, grouped(found))?, unknown, routes: lead_to })
}

/// The account to which a recipient leads, or why there is none.
pub(super) fn account_of<'r>(
    route: Option<&'r Route>,
    recipient: &Address,
) -> Result<&'r Address, EngineError> {
    match route {
        Some(Route::Account(account)) => Ok(account),
        Some(Route::UnknownUser) => Err(EngineError::UnknownUser(recipient.clone())),
        Some(Route::UnknownDomain) => Err(EngineError::UnknownDomain(recipient.clone())),
        None => Err(EngineError::Vanished(recipient.clone())),
    }
}

/// What belongs to one key comes together, where the first of it was.
pub(super) fn grouped<K: PartialEq, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

fn load(engine: &Engine<'_>, found: Vec<(Address, Vec<String>)>) -> Result<Vec<Addressee>, EngineError> {
    let (addresses, as_sent): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let accounts = accounts(engine, &addresses)?;
    Ok(accounts.into_iter().zip(as_sent).map(|(account, as_sent)| Addressee { account, as_sent }).collect())
}

/// All of these accounts.
pub(super) fn accounts(engine: &Engine<'_>, addresses: &[Address]) -> Result<Vec<Account>, EngineError> {
    let mut found = engine.directory.accounts(addresses)?.into_iter();
    let account =
        |address: &Address| found.next().flatten().ok_or_else(|| EngineError::Vanished(address.clone()));
    addresses.iter().map(account).collect()
}

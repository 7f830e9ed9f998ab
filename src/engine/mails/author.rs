//! In whose name a mail is sent.

use crate::engine::addressee::Addressee;
use crate::engine::deliver::Case;
use crate::engine::{Account, Engine, EngineError, Recipient, Request};
use crate::mail::Address;

/// An account, or the server.
pub(super) struct Author {
    /// What stands in From.
    pub(super) address: Address,
    /// All of its addresses.
    own: Vec<Address>,
    /// The recipients of the envelope that lead to it, as sent.
    pub(super) as_sent: Vec<String>,
    delimiter: Option<char>,
}

impl Author {
    pub(super) fn new(
        engine: &Engine<'_>,
        request: &Request<'_>,
        case: &Case<'_>,
        acting: Option<&Account>,
    ) -> Result<Author, EngineError> {
        let delimiter = engine.settings.recipient_delimiter;
        match acting {
            Some(account) => {
                let known = &case.addressees.known;
                let addressee = known.iter().find(|known| known.account.address == account.address);
                let as_sent = addressee.map(|known| known.as_sent.clone()).unwrap_or_default();
                let own = account.addresses().into_iter().chain(addressee.into_iter().flat_map(local));
                Ok(Author { address: account.address.clone(), own: own.collect(), as_sent, delimiter })
            }
            None => {
                let address = of_server(engine, request, case)?;
                let as_sent = request.recipients.iter().map(Recipient::as_sent).collect();
                Ok(Author { own: vec![address.clone()], address, as_sent, delimiter })
            }
        }
    }

    /// Is this one of its addresses, with a detail or without?
    pub(super) fn owns(&self, address: &Address) -> bool {
        let plain = self.delimiter.and_then(|delimiter| address.without_detail(delimiter));
        self.own.iter().any(|own| own == address || Some(own) == plain.as_ref())
    }
}

/// The recipients as sent that belong to the account's domain: what a catch-all takes is written to the account. An
/// address elsewhere (ORCPT) may be that of a list.
fn local(addressee: &Addressee) -> impl Iterator<Item = Address> {
    let domain = &addressee.account.domain;
    let is_local = |address: &Address| {
        address.domain() == domain.name || domain.aliases.iter().any(|name| name == address.domain())
    };
    addressee.as_sent.iter().filter_map(|sent| Address::parse(sent).ok()).filter(is_local)
}

/// `outgoing-from`, else the postmaster of the domain that the message is for.
fn of_server(engine: &Engine<'_>, request: &Request<'_>, case: &Case<'_>) -> Result<Address, EngineError> {
    let account = case.addressees.known.first().map(|known| &known.account.address);
    let anybody = account.or(request.recipients.first().map(|recipient| &recipient.address));
    let anybody = anybody.ok_or(EngineError::NoRecipient)?;
    let postmaster = || Address::parse(&format!("postmaster@{}", anybody.domain()));
    match &engine.settings.outgoing.from {
        Some(address) => Ok(address.clone()),
        // Only a domain that fills an address alone leaves no room.
        None => Ok(postmaster().unwrap_or_else(|_| anybody.clone())),
    }
}

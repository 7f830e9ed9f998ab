//! After a delivery: does the message offer a certificate? Whatever goes wrong here costs the offer and nothing else.

use super::context::Context;
use super::elsewhere::{Incoming, describe};
use crate::config::Config;
use crate::directory::{AdminError, Offered, SqliteDirectory};
use crate::engine::{
    Account, Clock, Directory, NoOffer, Offer, Outcome, Request, Route, may_offer, offered, sole_author,
};
use crate::mail::{Address, Message, without_mbox_line};
use crate::system::SystemClock;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    NoOffer(#[from] NoOffer),
    #[error(transparent)]
    Directory(#[from] AdminError),
}

/// Takes the certificate that a stored message offers, if the site wants it, and says so in the log. The directory is
/// opened for writing only for an offer that holds, and not waited for.
pub(super) fn after_delivery(
    context: &Context,
    config: &Config,
    directory: &SqliteDirectory,
    request: &Request<'_>,
    outcome: &Outcome,
) {
    if !config.certificates_from_mail || outcome.copies.is_empty() {
        return;
    }
    let queue_id = request.queue_id.as_deref().unwrap_or("-");
    // The hook's own handler has logged a panic already.
    let Ok(harvested) = catch_unwind(AssertUnwindSafe(|| harvest(context, config, directory, request)))
    else {
        return;
    };
    match harvested {
        Ok(None) => (),
        Ok(Some((account, offer, taken))) => {
            let (account, certificate) = (account.address, offer.certificate.fingerprint());
            tracing::info!(queue_id, %account, %certificate, "a certificate was offered: it {}", verb(&taken));
        }
        Err(lost) => tracing::info!(queue_id, "no certificate was taken from the message: {lost}"),
    }
}

fn verb(taken: &Offered) -> String {
    match taken {
        Offered::Active(_) => "is sealed to from now on".to_owned(),
        Offered::Pending => "waits for sealpost cert accept".to_owned(),
        Offered::Held(_) | Offered::Refused | Offered::Revoked | Offered::Full => {
            format!("was not taken: {}", describe(taken))
        }
    }
}

type Harvested = (Account, Offer, Offered);

fn harvest(
    context: &Context,
    config: &Config,
    directory: &SqliteDirectory,
    request: &Request<'_>,
) -> Result<Option<Harvested>, Lost> {
    // Whether it is signed shows in the whole message only; nobody sends a large one to be known by it.
    if request.large.is_some() {
        return Ok(None);
    }
    let message = Message::new(without_mbox_line(request.message));
    match may_offer(&message) {
        Err(NoOffer::NotSigned) => return Ok(None),
        other => other?,
    }
    let Some(account) = author(directory, &message, request, config)? else { return Ok(None) };
    let offer = offered(&message, &account, &config.trust_bundle, &config.settings, SystemClock.now())?;
    let directory = SqliteDirectory::open_without_waiting(context.root())?;
    let taken = Incoming::by_mail(&account, &offer).take(&directory, config)?;
    Ok(Some((account, offer, taken)))
}

/// The account that From names, if a recipient of the envelope leads to it.
fn author(
    directory: &SqliteDirectory,
    message: &Message<'_>,
    request: &Request<'_>,
    config: &Config,
) -> Result<Option<Account>, AdminError> {
    let Some(author) = sole_author(message) else { return Ok(None) };
    let account = match directory.account(&author) {
        Err(AdminError::NoAccount(_) | AdminError::NoDomain(_)) => return Ok(None),
        account => account?,
    };
    let recipients: Vec<Address> = request.recipients.iter().map(|to| to.address.clone()).collect();
    let routes = directory.routes(&recipients, config.settings.recipient_delimiter)?;
    let home = Route::Account(account.address.clone());
    Ok(routes.contains(&home).then_some(account))
}

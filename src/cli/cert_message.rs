//! `sealpost cert add --from-message`

use super::cert_fields::layout;
use super::context::Context;
use super::elsewhere::{Incoming, describe};
use super::failure::{Code, Failure};
use super::output::{Output, with};
use super::{input, words};
use crate::directory::Offered;
use crate::engine::{Clock, offered};
use crate::mail::{Address, Message, without_mbox_line};
use crate::system::SystemClock;
use std::path::Path;

/// The certificate that a signed message of the account offers.
pub(super) fn from_message(
    context: &Context,
    out: &mut Output,
    account: &Address,
    file: &Path,
) -> Result<(), Failure> {
    let bytes = input::file(file)?;
    let config = context.config()?;
    let directory = context.directory()?;
    let account = directory.account(account)?;
    let message = Message::new(without_mbox_line(bytes.expose()));
    let offer = offered(&message, &account, &config.trust_bundle, &config.settings, SystemClock.now());
    let offer = offer.map_err(|why| Failure::new(Code::Data, format!("{}: {why}", input::name(file))))?;
    let incoming = Incoming::by_mail(&account, &offer);
    let taken = incoming.take(&directory, &config)?;
    let warnings = words::texts(&offer.untrusted);
    tell(out, &incoming, &taken, &warnings)
}

fn tell(
    out: &mut Output,
    incoming: &Incoming<'_>,
    taken: &Offered,
    warnings: &[String],
) -> Result<(), Failure> {
    let (account, fingerprint) = (&incoming.account.address, incoming.certificate.fingerprint());
    match taken {
        Offered::Active(added) => {
            out.line(format!("mail for {account} is sealed to {fingerprint} from now on"))?;
            for (retired, reason) in added.replaced() {
                out.line(format!("{retired} is retired: {reason}"))?;
            }
        }
        Offered::Pending => {
            out.line(format!(
                "{fingerprint} of {account} waits: nothing is sealed to it before it is accepted"
            ))?;
            out.line(format!(
                "sealpost cert accept --account {account} --fingerprint {}",
                words::short(fingerprint)
            ))?;
        }
        other => {
            let text = format!("{fingerprint} was not taken for {account}: {}", describe(other));
            return Err(Failure::new(Code::No, text));
        }
    }
    for warning in warnings {
        out.line(format!("warning: {warning}"))?;
    }
    let state = if matches!(taken, Offered::Active(_)) { "active" } else { "pending" };
    let place = [("account", account.to_string()), ("state", state.to_owned())];
    out.json(with(layout(&place, incoming.certificate)?, [("warnings", warnings.into())]))
}

//! `sealpost cert issued`

use super::cert_fields::layout;
use super::context::Context;
use super::failure::Failure;
use super::output::{Output, Table};
use super::words::day;
use crate::directory::IssuedCertificate;
use crate::engine::Clock;
use crate::pki::RevocationReason;
use crate::system::SystemClock;
use serde_json::json;
use time::OffsetDateTime;

/// List everything that a domain has issued, by serial number, with its state
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert issued --domain north.example
  sealpost cert issued --domain north.example --json")]
pub(super) struct Issued {
    /// Whose
    #[arg(long, value_name = "NAME")]
    domain: String,
}

impl Issued {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let issued = context.directory_for_reading()?.issued(&self.domain)?;
        let now = SystemClock.now();
        let nothing = format!("{} has issued nothing: sealpost cert issue --account ADDRESS", self.domain);
        let mut table = Table::new(&["serial", "account", "from", "until", "state"], nothing);
        for one in &issued {
            let (from, until) = (one.certificate.not_before(), one.certificate.not_after());
            table.row([
                one.certificate.serial(),
                one.account.clone(),
                day(from),
                day(until),
                state(one, now),
            ]);
        }
        out.table(&table)?;
        let rows = issued.iter().map(|one| {
            let mut place = vec![
                ("account", one.account.clone()),
                ("issued", day(one.issued)),
                ("state", word(one, now).to_owned()),
            ];
            if let Some(revoked) = one.revoked {
                place.extend([("revoked", day(revoked.at)), ("reason", revoked.reason.name().to_owned())]);
            }
            layout(&place, &one.certificate)
        });
        out.json(json!({"domain": self.domain, "issued": rows.collect::<Result<Vec<_>, _>>()?}))
    }
}

/// The state in one word. What was revoked stays revoked when it ends.
fn word(one: &IssuedCertificate, now: OffsetDateTime) -> &'static str {
    match one.revoked {
        Some(held) if held.reason == RevocationReason::CertificateHold => "on hold",
        Some(_) => "revoked",
        None if now > one.certificate.not_after() => "ended",
        None if now < one.certificate.not_before() => "not valid yet",
        None => "valid",
    }
}

/// The state for a person: when and why, too.
fn state(one: &IssuedCertificate, now: OffsetDateTime) -> String {
    match (word(one, now), one.revoked) {
        ("revoked", Some(revoked)) => format!("revoked {} ({})", day(revoked.at), revoked.reason.name()),
        (word, Some(held)) => format!("{word} since {}", day(held.at)),
        (word, None) => word.to_owned(),
    }
}

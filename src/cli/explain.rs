//! `sealpost rules explain`: which rules match, why the others do not, and what would be done.

mod text;

use super::context::{Context, engine, outbox};
use super::failure::{Code, Failure};
use super::moment::moment;
use super::output::Output;
use super::{input, words};
use crate::engine::{Clock, Engine, Recipient, Request};
use crate::helper::SitePrograms;
use crate::mail::Address;
use crate::rules::Source;
use crate::system::SystemClock;
use serde_json::json;
use time::OffsetDateTime;

/// Show which rules match the message on standard input, why the others do not, and what would be done
///
/// Nothing is stored and nobody is told. Filters are asked, as what follows hangs on their answers; no command is run.
/// Beside each condition stands what it looked at. --at asks how it would be at another time: for what rules say of hours
/// and days, and for certificates.
///
/// Exits with 1 if the message would not be delivered.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost rules explain --recipient anna@north.example --sender bob@south.example < message.eml
  sealpost rules explain --recipient anna@north.example --at 2027-01-01T03:00:00Z < message.eml")]
pub(super) struct Explain {
    /// The recipient of the envelope; repeat it for several
    #[arg(long, required = true, value_name = "ADDRESS", value_parser = words::address, allow_hyphen_values = true)]
    recipient: Vec<Address>,
    /// The sender of the envelope; empty for the null sender
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    sender: Option<String>,
    /// As if it came then: a day or a moment of RFC 3339
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<OffsetDateTime>,
}

/// The clock of the machine, or one that stands.
struct At(Option<OffsetDateTime>);

impl Clock for At {
    fn now(&self) -> OffsetDateTime {
        self.0.unwrap_or_else(|| SystemClock.now())
    }
}

impl Explain {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let message = input::message()?;
        let config = context.config()?;
        let (directory, store) = (context.directory_for_reading()?, context.store(&config)?);
        let to = |address| Recipient { address, original: None };
        let request = Request {
            message: message.expose(),
            sender: self.sender,
            recipients: self.recipient.into_iter().map(to).collect(),
            source: Source::Pipe,
            client: None,
            queue_id: None,
        };
        let clock = At(self.at);
        let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
        let engine = Engine { clock: &clock, ..engine(&directory, &store, &outbox, &config, &programs) };
        let explanation = engine.explain(&request);
        text::show(&explanation, out)?;
        out.json(json!({
            "answer": explanation.disposition.line(),
            "cause": explanation.cause,
            "fired": explanation.fired,
            "programs": explanation.programs,
            "copies": explanation.copies,
            "effects": explanation.effects,
            "mails": explanation.mails,
            "warnings": explanation.warnings,
        }))?;
        match explanation.cause {
            None => Ok(()),
            Some(cause) => Err(Failure::new(Code::No, format!("it would not be delivered: {cause}"))),
        }
    }
}

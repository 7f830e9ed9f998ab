//! `sealpost rules explain`: which rules match, why the others do not, and what would be done.

mod text;

use super::context::{Context, engine, outbox};
use super::envelope::Envelope;
use super::failure::{Code, Failure};
use super::input;
use super::moment::{When, when};
use super::output::Output;
use crate::engine::{Clock, Engine, TimeZone};
use crate::helper::SitePrograms;
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
  sealpost rules explain --recipient anna@north.example --source authenticated --client 192.0.2.7 < message.eml
  sealpost rules explain --recipient anna@north.example --at 2027-01-01T03:00 < message.eml")]
pub(super) struct Explain {
    #[command(flatten)]
    envelope: Envelope,
    /// As if it came then: a day or a date and time in the site's time-zone, or a moment of RFC 3339
    #[arg(long, value_name = "TIME", value_parser = when)]
    at: Option<When>,
}

/// The clock of the machine, or one that stands.
struct At(Option<OffsetDateTime>);

impl Clock for At {
    fn now(&self) -> OffsetDateTime {
        self.0.unwrap_or_else(|| SystemClock.now())
    }
}

fn moment(at: When, zone: &TimeZone) -> Result<OffsetDateTime, Failure> {
    match at {
        When::Moment(at) => Ok(at),
        When::Local(shown) => zone
            .moment(shown)
            .ok_or_else(|| Failure::new(Code::Usage, format!("--at: no clock shows {shown}"))),
    }
}

impl Explain {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let recipients = self.envelope.recipients()?;
        let message = input::message()?;
        let config = context.config()?;
        let (directory, store) = (context.directory_for_reading()?, context.store(&config)?);
        let request = self.envelope.request(recipients, message.expose());
        let clock = At(self.at.map(|at| moment(at, &config.settings.time_zone)).transpose()?);
        let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
        let engine = Engine { clock: &clock, ..engine(&directory, &store, &outbox, &config, &programs) };
        let explanation = engine.explain(&request);
        text::show(&explanation, out)?;
        out.json(json!({
            "answer": explanation.disposition.line(),
            "cause": explanation.cause,
            "hint": explanation.hint,
            "fired": explanation.fired,
            "programs": explanation.programs,
            "copies": explanation.copies,
            "effects": explanation.effects,
            "mails": explanation.mails,
            "warnings": explanation.warnings,
        }))?;
        match explanation.cause {
            None => Ok(()),
            Some(cause) => {
                let failure = Failure::new(Code::No, format!("it would not be delivered: {cause}"));
                Err(match explanation.hint {
                    None => failure,
                    Some(hint) => failure.hint(hint),
                })
            }
        }
    }
}

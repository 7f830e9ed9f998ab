//! `sealpost rules explain`

use super::context::Context;
use super::failure::Failure;
use super::input;
use super::output::{Output, Table};
use super::words;
use crate::engine::{Disposition, Engine, Explanation, PlannedCopyReport, Recipient, Request};
use crate::mail::Address;
use crate::rules::Source;
use crate::system::{SystemClock, SystemEntropy};
use serde_json::json;

/// Say what would be done with a message on standard input; nothing is stored
///
/// Every rule with its conditions as far as they were asked, and the copies that would be stored:
/// sealpost rules explain --recipient bob@north.example --sender anna@south.example < message.eml
#[derive(clap::Args)]
pub(super) struct Explain {
    /// A recipient of the envelope; repeat it for several
    #[arg(long, required = true, value_name = "ADDRESS", value_parser = words::address)]
    recipient: Vec<Address>,
    /// The sender of the envelope; empty for the null sender
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    sender: Option<String>,
}

impl Explain {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let message = input::message()?;
        let config = context.config()?;
        let engine = Engine {
            directory: &context.directory_for_reading()?,
            store: &context.store(&config)?,
            clock: &SystemClock,
            entropy: &SystemEntropy,
            settings: &config.settings,
        };
        let to = self.recipient.into_iter().map(|address| Recipient { address, original: None });
        let explanation = engine.explain(&Request {
            message: message.expose(),
            sender: self.sender,
            recipients: to.collect(),
            source: Source::Pipe,
            client: None,
            queue_id: None,
        });
        show(&explanation, out)
    }
}

fn show(explanation: &Explanation, out: &mut Output) -> Result<(), Failure> {
    for program in explanation.programs.iter().filter(|program| !program.trace.rules.is_empty()) {
        let whose =
            program.account.as_deref().map_or("server".to_owned(), |account| format!("for {account}"));
        out.line(format!("rules {whose}:"))?;
        out.line(program.trace.to_string().trim_end())?;
    }
    let mut table = Table::new(&["mailbox", "because of", "stored"]);
    for copy in &explanation.copies {
        let rule = copy.rule.clone().unwrap_or_else(|| "no rule: the INBOX copy".to_owned());
        table.row([format!("~{}/{}", copy.owner, copy.mailbox), rule, way(copy)]);
    }
    if !explanation.copies.is_empty() {
        out.table(&table)?;
    }
    out.line(format!("the answer would be: {}", answer(explanation)))?;
    out.json(json!({
        "programs": explanation.programs,
        "fired": explanation.fired,
        "copies": explanation.copies,
        "answer": explanation.disposition.line(),
        "exit_code": explanation.disposition.exit_code(),
        "cause": explanation.cause,
    }))
}

fn way(copy: &PlannedCopyReport) -> String {
    match copy.plain_source {
        Some(source) => format!("in the clear by {source}"),
        None => {
            let readers: Vec<&str> = copy.sealed_to.iter().map(|to| to.address.as_str()).collect();
            format!("sealed to {} ({})", readers.join(", "), copy.profile.unwrap_or_default())
        }
    }
}

fn answer(explanation: &Explanation) -> String {
    match (&explanation.disposition, &explanation.cause) {
        (Disposition::Delivered, _) => "delivered".to_owned(),
        (other, Some(cause)) => format!("{} ({cause})", other.line()),
        (other, None) => other.line(),
    }
}

//! `sealpost rules explain`: which rules match, why the others do not, and what would be done.

use super::context::{Context, engine, outbox};
use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use super::words;
use crate::engine::{Explanation, PlannedCopyReport, Recipient, Request};
use crate::helper::SitePrograms;
use crate::mail::Address;
use crate::rules::Source;
use serde_json::json;

/// Show which rules match the message on standard input, why the others do not, and what would be done
///
/// Nothing is stored and nobody is told. Filters are asked, as what follows hangs on their answers; no command is run.
///
/// Exits with 1 if the message would not be delivered.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost rules explain --recipient anna@north.example --sender bob@south.example < message.eml")]
pub(super) struct Explain {
    /// The recipient of the envelope; repeat it for several
    #[arg(long, required = true, value_name = "ADDRESS", value_parser = words::address, allow_hyphen_values = true)]
    recipient: Vec<Address>,
    /// The sender of the envelope; empty for the null sender
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    sender: Option<String>,
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
        let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
        let explanation = engine(&directory, &store, &outbox, &config, &programs).explain(&request);
        show(&explanation, out)?;
        out.json(json!({
            "answer": explanation.disposition.line(),
            "cause": explanation.cause,
            "fired": explanation.fired,
            "programs": explanation.programs,
            "copies": explanation.copies,
            "warnings": explanation.warnings,
        }))?;
        match explanation.cause {
            None => Ok(()),
            Some(cause) => Err(Failure::new(Code::No, format!("it would not be delivered: {cause}"))),
        }
    }
}

fn show(explanation: &Explanation, out: &mut Output) -> Result<(), Failure> {
    for program in &explanation.programs {
        let rules = program.trace.to_string();
        if !rules.trim().is_empty() {
            let holder = program
                .account
                .as_deref()
                .map_or("the server".into(), |account| format!("{account} (domain and account)"));
            out.line(format!("Rules of {holder}:\n{}\n", rules.trim_end()))?;
        }
    }
    if !explanation.copies.is_empty() {
        out.line("What would be stored:")?;
        out.table(&copies(&explanation.copies))?;
        let mut warnings = explanation.copies.iter().flat_map(|copy| &copy.warnings);
        warnings.try_for_each(|warning| out.line(format!("warning: {warning}")))?;
        out.line("")?;
    }
    explanation.warnings.iter().try_for_each(|warning| out.line(format!("warning: {warning}")))?;
    out.line(format!("The MTA would be told: {}", explanation.disposition.line()))
}

/// Each once, with the number of its certificates if that is more than one.
fn recipients(copy: &PlannedCopyReport) -> String {
    let each: Vec<String> = words::texts(&copy.sealed_to);
    let mut shown: Vec<String> = Vec::new();
    for (at, one) in each.iter().enumerate() {
        let count = each.iter().filter(|other| *other == one).count();
        if each.iter().position(|other| other == one) == Some(at) {
            shown.push(if count == 1 { one.clone() } else { format!("{one} ({count} certificates)") });
        }
    }
    shown.join(", ")
}

fn copies(copies: &[PlannedCopyReport]) -> Table {
    let mut table = Table::new(&["mailbox", "rule", "how", "to"], "");
    for copy in copies {
        let how = match (copy.profile, copy.plain_source) {
            (_, Some(source)) => format!("in the clear, by {source}"),
            (profile, None) => {
                let (profile, headers) = (profile.unwrap_or("-"), copy.headers.unwrap_or("-"));
                format!("sealed, profile {profile}, headers {headers}")
            }
        };
        let rule = copy.rule.as_deref().unwrap_or("- (INBOX by default)");
        let place = match &copy.file {
            None => format!("~{}/{}", copy.owner, copy.mailbox),
            Some(file) => format!("files of {}: {}/{file}", copy.owner, copy.mailbox),
        };
        table.row([place, rule.to_owned(), how, recipients(copy)]);
    }
    table
}

//! The explanation as a person reads it.

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table};
use crate::cli::words;
use crate::engine::{Explanation, PlannedCopyReport, PlannedEffectReport};
use crate::mail::{cut, printable};

/// Characters of a line that tells of a mail: its subject may be of any length.
const LONGEST_MAIL: usize = 240;

pub(super) fn show(explanation: &Explanation, out: &mut Output) -> Result<(), Failure> {
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
    if explanation.copies.is_empty() {
        out.line("Nothing would be stored.\n")?;
    } else {
        out.line("What would be stored:")?;
        out.table(&copies(&explanation.copies))?;
        let mut warnings = explanation.copies.iter().flat_map(|copy| &copy.warnings);
        warnings.try_for_each(|warning| out.line(format!("warning: {warning}")))?;
        out.line("")?;
    }
    if !explanation.mails.is_empty() {
        out.line("What would be sent:")?;
        let mut mails = explanation.mails.iter().map(ToString::to_string);
        mails.try_for_each(|mail| out.line(cut(&printable(&mail), LONGEST_MAIL)))?;
        out.line("")?;
    }
    if !explanation.effects.is_empty() {
        out.line("What would be done besides:")?;
        out.table(&effects(&explanation.effects))?;
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
        let how = match copy.flags.as_slice() {
            [] => how,
            flags => format!("{how}, flags: {}", flags.join(", ")),
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

/// In their order; a text of several lines on one, and cut.
fn effects(effects: &[PlannedEffectReport]) -> Table {
    const LONGEST: usize = 100;
    let mut table = Table::new(&["for", "rule", "action", "what"], "");
    for effect in effects {
        let whole = words::joined(effect.parameter.split_whitespace());
        let account = effect.account.clone().unwrap_or_else(|| "the server".to_owned());
        let what = cut(&printable(&whole), LONGEST);
        table.row([account, effect.rule.clone(), effect.action.to_owned(), what]);
    }
    table
}

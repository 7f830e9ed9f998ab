//! What the doctor found, and how it is told.

use crate::cli::failure::{Code, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::words::counted;
use serde::Serialize;
use serde_json::json;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Severity {
    /// Today: mail waits, is refused, is clear, or somebody could read what he should not.
    Problem,
    /// Soon, or not as it should be.
    Warning,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Severity::Problem => "problem",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// The account, the domain, the file.
    pub(super) about: String,
    #[serde(rename = "finding")]
    pub(super) text: String,
    /// The command that mends it, if there is one.
    pub(super) mend: Option<String>,
}

impl Finding {
    pub(super) fn problem(about: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding { severity: Severity::Problem, about: about.into(), text: text.into(), mend: None }
    }

    pub(super) fn with_mend(self, mend: impl Into<String>) -> Finding {
        Finding { mend: Some(mend.into()), ..self }
    }

    fn sentence(&self) -> String {
        match &self.mend {
            None => self.text.clone(),
            Some(mend) => format!("{}: {mend}", self.text),
        }
    }
}

/// Says all of it. Anything that was found is exit code 1: monitoring reads the severities, if it wants to.
pub(super) fn report(out: &mut Output, findings: &[Finding], consents: &[String]) -> Result<(), Failure> {
    out.json(json!({"ok": findings.is_empty(), "findings": findings, "consents": consents}))?;
    consents.iter().try_for_each(|consent| out.line(format!("note: {consent}")))?;
    if findings.is_empty() {
        return out.line("all is well");
    }
    let mut table = Table::new(&["severity", "about", "finding"], "");
    for one in findings {
        table.row([one.severity.name().to_owned(), one.about.clone(), one.sentence()]);
    }
    out.table(&table)?;
    Err(Failure::new(Code::No, format!("{} found", count(findings))))
}

/// `2 problems and 1 warning`
fn count(findings: &[Finding]) -> String {
    let of = |severity: Severity| {
        let number = findings.iter().filter(|one| one.severity == severity).count();
        (number > 0).then(|| counted(number, severity.name()))
    };
    let each: Vec<String> = [of(Severity::Problem), of(Severity::Warning)].into_iter().flatten().collect();
    each.join(" and ")
}

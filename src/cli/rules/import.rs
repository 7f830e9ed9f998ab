//! `sealpost rules import`

use super::text::{self, Target};
use super::{named_scope, read_text, scope};
use crate::cli::failure::{Code, Failure};
use crate::cli::input;
use crate::cli::output::Output;
use crate::cli::words;
use crate::rules::{RefusedRule, ScopeKind, Syntax, Warning};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Take rules over from CommuniGate Pro: array text in, TOML out
///
/// FILE holds a rule, an array of rules as the commands GETACCOUNTMAILRULES and GETDOMAINMAILRULES show it, or a file of
/// settings with the rules under Rules; - is standard input. What can be taken is written as TOML; what cannot is named on
/// standard error with every reason, and no other setting is shown.
///
/// Exits with 1 if a rule cannot be taken, unless --partial says that this is as it should be. The rules that can be taken
/// are written in both cases.
#[derive(Args)]
#[command(after_help = "Examples:
  sealpost rules import account.settings > anna.toml
  sealpost rules import domain-rules.txt --scope domain --output north.toml
  sealpost rules import account.settings --partial --output anna.toml --force")]
pub(super) struct Import {
    /// The array text
    file: PathBuf,
    /// For this scope, whatever a line `// scope: …` in the text says; else for an account
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    scope: Option<ScopeKind>,
    #[command(flatten)]
    target: Target,
    /// Rules that cannot be taken are no failure
    #[arg(long)]
    partial: bool,
}

impl Import {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let text = read_text(&self.file)?;
        let name = input::name(&self.file);
        if Syntax::of(&text) == Syntax::Toml {
            let fault = format!("{name} is no array text, which begins with ( or {{");
            return Err(Failure::new(Code::Data, fault).hint("TOML is checked and installed as it stands"));
        }
        let scope = self.scope.or_else(|| named_scope(&text)).unwrap_or(ScopeKind::Account);
        let import = crate::rules::Import::from_array(&name, &text, scope);
        let import = import.map_err(|faults| text::refused(&faults))?;
        let toml = text::toml(&import.rules, &self.file, scope)?;
        self.target.write(&toml, out)?;
        let taken = import.rules.rules().count();
        let counts = Counts { taken, refused: import.refused.len() };
        report(&name, &counts, &import.notes, &import.refused, out);
        let shown = self.target.file().is_none().then_some(&toml);
        out.json(json!({
            "file": name, "scope": scope.name(), "taken": taken, "refused": import.refused,
            "notes": import.notes, "output": self.target.file(), "text": shown,
        }))?;
        match counts.refused == 0 || self.partial {
            true => Ok(()),
            false => Err(counts.failure(&name)),
        }
    }
}

struct Counts {
    taken: usize,
    refused: usize,
}

impl Counts {
    fn all(&self) -> String {
        words::counted(self.taken + self.refused, "rule")
    }

    fn failure(&self, name: &str) -> Failure {
        let text = format!("{} of {} cannot be taken", self.refused, self.all());
        let check =
            format!("sealpost rules check {name} shows each fault in its place and what is allowed there");
        Failure::new(Code::No, text)
            .hint(format!("{check}\n--partial if the rest is all that is wanted: then this is no failure"))
    }
}

/// What a person should know: the counts, the remarks, and each rule that cannot be taken with every reason.
fn report(name: &str, counts: &Counts, notes: &[Warning], refused: &[RefusedRule], out: &Output) {
    let (all, taken, not) = (counts.all(), counts.taken, counts.refused);
    out.note(&format!("{name}: {all} read: {taken} taken, {not} not"));
    for note in notes {
        let rule = if note.rule.is_empty() { String::new() } else { format!("rule \"{}\": ", note.rule) };
        out.note(&format!("{name}:{}: note: {rule}{}", note.line, note.text));
    }
    for rule in refused {
        out.note(&format!("{name}:{}: {} is not taken", rule.line, described(&rule.name)));
        for fault in &rule.faults {
            let near = fault.nearest.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            out.note(&format!("{name}:{}:{}: {}{near}", fault.line, fault.column, fault.text));
        }
    }
}

fn described(name: &str) -> String {
    if name.is_empty() { "a rule without a name".to_owned() } else { format!("rule {name:?}") }
}

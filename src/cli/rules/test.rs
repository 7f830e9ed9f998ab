//! `sealpost rules test`: a site's own cases.

use super::text::{self, RuleFile};
use super::{named_scope, read_text};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::input;
use crate::cli::output::Output;
use crate::cli::words;
use crate::directory::SqliteDirectory;
use crate::engine::Directory;
use crate::mail::printable;
use crate::rules::{CaseError, CaseInput, CaseRules, Difference, Expected, RuleSet, ScopeKind};
use crate::store;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Try rules with messages, and compare what they do with what is expected
///
/// Each folder in DIR is a case: message.eml; envelope.toml with the envelope and what rules look up (sender, recipients,
/// source, client, now, routes, mailboxes, preferences, datasets, owner_key_id, answers of filters); expect.toml with the
/// rules that match, their actions and the ending. The rules are those of --rules, those that run for the recipient
/// (--installed), or else DIR/rules.toml; a file rule.toml in a case takes their place. As in a delivery the rules of the
/// server run first, then those of the account. A file is for the scope that a line `# scope: …` in it names, else for
/// accounts.
///
/// Exits with 1 if a case is not as expected. Nothing is stored, and nothing but --bless writes.
#[derive(Args)]
#[command(after_help = "Examples:
  sealpost rules test cases
  sealpost rules test cases --rules archive.toml lists.toml
  sealpost rules test cases --installed --json
  sealpost rules test cases --bless")]
pub(super) struct Test {
    /// The folder of the cases
    dir: PathBuf,
    /// Try these rule files
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "installed")]
    rules: Vec<PathBuf>,
    /// Try the rules that run for the recipients
    #[arg(long)]
    installed: bool,
    /// Write expect.toml for cases that have none
    #[arg(long)]
    bless: bool,
    /// With --bless: write it anew for cases that are not as expected too
    #[arg(long, requires = "bless")]
    overwrite: bool,
}

/// The files of a case; the last may be missing.
const FILES: [&str; 4] = ["message.eml", "envelope.toml", "expect.toml", "rule.toml"];
const RULES: &str = "rules.toml";

/// Where the rules of cases without their own come from.
enum Source {
    Files(CaseRules),
    Installed(Box<SqliteDirectory>),
    Nowhere,
}

/// What became of a case.
enum Outcome {
    AsExpected,
    Written,
    /// No `expect.toml` says what is expected.
    Unknown,
    Differs(Vec<Difference>),
    /// A file of it is not right: which, and why.
    Broken(String),
}

impl Test {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let cases = cases(&self.dir)?;
        let source = self.source(context)?;
        let (mut rows, mut failed) = (Vec::new(), 0);
        for case in &cases {
            let outcome = self.try_case(&case.path, &source)?;
            failed += usize::from(outcome.is_failure());
            show(&case.name, &outcome, out)?;
            rows.push(layout(&case.name, &outcome));
        }
        out.json(json!({"cases": rows, "failed": failed}))?;
        let all = words::counted(cases.len(), "case");
        match failed {
            0 => out.line(format!("{all}, all as expected")),
            _ => Err(Failure::new(Code::No, format!("{failed} of {all} not as expected"))),
        }
    }

    fn source(&self, context: &Context) -> Result<Source, Failure> {
        let common = self.dir.join(RULES);
        if self.installed {
            return context.directory_for_reading().map(|directory| Source::Installed(Box::new(directory)));
        }
        match self.rules.as_slice() {
            [] if common.exists() => compiled(&[common]).map(Source::Files),
            [] => Ok(Source::Nowhere),
            files => compiled(files).map(Source::Files),
        }
    }

    fn try_case(&self, case: &Path, source: &Source) -> Result<Outcome, Failure> {
        refuse_others(case)?;
        let envelope = case.join("envelope.toml");
        let input = match CaseInput::parse(&read_text(&envelope)?) {
            Ok(input) => input,
            Err(error) => return Ok(broken("envelope.toml", &error)),
        };
        let message = input::file(&case.join("message.eml"))?;
        let found = rules_of(case, source, &input)?.run(message.expose(), &input);
        let file = case.join("expect.toml");
        if !file.exists() {
            return match self.bless {
                true => write(&file, &found),
                false => Ok(Outcome::Unknown),
            };
        }
        let expected = match Expected::parse(&read_text(&file)?) {
            Ok(expected) => expected,
            Err(error) => return Ok(broken("expect.toml", &error)),
        };
        match expected.differences(&found) {
            none if none.is_empty() => Ok(Outcome::AsExpected),
            _ if self.overwrite => write(&file, &Expected { covers: expected.covers, ..found }),
            differences => Ok(Outcome::Differs(differences)),
        }
    }
}

struct Case {
    name: String,
    path: PathBuf,
}

/// The cases by name. What is neither a case nor known is refused: it may be a case that is spelled wrongly.
fn cases(dir: &Path) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (name, path) in entries(dir)? {
        if path.is_dir() {
            cases.push(Case { name, path });
        } else if name != RULES && !name.starts_with("README") {
            let text = format!("{} is no case: a case is a folder", path.display());
            return Err(Failure::new(Code::Data, text)
                .hint(format!("beside the cases lie {RULES} and a README, and nothing else")));
        }
    }
    if cases.is_empty() {
        let text = format!("there is no case in {}", dir.display());
        return Err(Failure::new(Code::NotFound, text).hint("see: sealpost rules test --help"));
    }
    Ok(cases)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let failed = |error| Failure::io("look into", folder.display(), &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn refuse_others(case: &Path) -> Result<(), Failure> {
    match entries(case)?.into_iter().find(|(name, _)| !FILES.contains(&name.as_str())) {
        None => Ok(()),
        Some((_, path)) => Err(Failure::new(Code::Data, format!("{} is no file of a case", path.display()))
            .hint(format!("the files of a case are {}", FILES.join(", ")))),
    }
}

fn broken(file: &str, error: &CaseError) -> Outcome {
    Outcome::Broken(format!("{file}:{}: {}", error.line, error.text))
}

fn compiled(files: &[PathBuf]) -> Result<CaseRules, Failure> {
    let sets = files.iter().map(|file| {
        let text = read_text(file)?;
        let scope = named_scope(&text).unwrap_or(ScopeKind::Account);
        RuleFile::of(file, text, scope).map(|file| (scope, file.rules))
    });
    Ok(CaseRules::new(sets.collect::<Result<_, Failure>>()?))
}

fn rules_of(case: &Path, source: &Source, input: &CaseInput) -> Result<CaseRules, Failure> {
    let own = case.join("rule.toml");
    match source {
        _ if own.exists() => compiled(&[own]),
        Source::Files(rules) => Ok(rules.clone()),
        Source::Installed(directory) => installed(directory, input),
        Source::Nowhere => {
            Err(Failure::new(Code::Usage, format!("there are no rules to try {} with", case.display()))
                .hint(format!("--rules FILE, --installed, or a file {RULES} beside the cases")))
        }
    }
}

/// What runs for the account that all recipients of a case lead to.
fn installed(directory: &SqliteDirectory, input: &CaseInput) -> Result<CaseRules, Failure> {
    let mut accounts = Vec::new();
    for recipient in input.recipients() {
        let address = words::address(recipient).map_err(|fault| Failure::new(Code::Data, fault))?;
        accounts.push(directory.account(&address)?.address);
    }
    accounts.dedup();
    if accounts.len() > 1 {
        let text = format!("one case is for one account, not for {}", words::texts(&accounts).join(" and "));
        return Err(Failure::new(Code::Data, text));
    }
    let sets = directory.rules(&accounts).map_err(crate::directory::AdminError::from)?;
    let sets = sets.iter().map(|set| {
        let rules =
            RuleSet::from_toml(&set.file, &set.text, set.scope).map_err(|faults| text::refused(&faults))?;
        Ok((set.scope, rules))
    });
    Ok(CaseRules::new(sets.collect::<Result<_, Failure>>()?))
}

fn write(file: &Path, found: &Expected) -> Result<Outcome, Failure> {
    let text = found.to_toml().map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    store::replace_file(file, text.as_bytes())?;
    Ok(Outcome::Written)
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Outcome::AsExpected => "ok",
            Outcome::Written => "wrote",
            Outcome::Unknown | Outcome::Differs(_) | Outcome::Broken(_) => "FAIL",
        }
    }

    fn is_failure(&self) -> bool {
        !matches!(self, Outcome::AsExpected | Outcome::Written)
    }
}

fn show(name: &str, outcome: &Outcome, out: &mut Output) -> Result<(), Failure> {
    out.line(format!("{:<5}  {name}", outcome.word()))?;
    match outcome {
        Outcome::AsExpected | Outcome::Written => Ok(()),
        Outcome::Unknown => out.line("       there is no expect.toml: --bless writes it"),
        Outcome::Broken(why) => out.line(format!("       {why}")),
        Outcome::Differs(differences) => differences.iter().try_for_each(|one| {
            out.line(format!("       {:<8}  expected  {}", one.key, values(&one.expected)))?;
            out.line(format!("       {:<8}  found     {}", "", values(&one.found)))
        }),
    }
}

/// `"a", "b"`
fn values(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{}\"", printable(value))).collect();
    if quoted.is_empty() { "nothing".to_owned() } else { quoted.join(", ") }
}

fn layout(name: &str, outcome: &Outcome) -> serde_json::Value {
    let differences = match outcome {
        Outcome::Differs(differences) => differences.as_slice(),
        _ => &[],
    };
    let fault = match outcome {
        Outcome::Broken(why) => Some(why),
        _ => None,
    };
    let written = matches!(outcome, Outcome::Written);
    json!({"case": name, "ok": !outcome.is_failure(), "written": written, "differences": differences, "fault": fault})
}

//! `sealpost dataset`

use super::context::Context;
use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use super::words::{self, counted, day};
use crate::mail::Address;
use crate::rules::dataset_name_fault;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show and change the datasets of accounts: sets of texts that rules ask about (#Name) and remember authors in
///
/// A dataset is there as long as it has a member. Members are whole values and no pictures: a * in one is a star. They are
/// compared without regard to case.
#[derive(clap::Args)]
pub(super) struct DatasetCommand {
    #[command(subcommand)]
    verb: DatasetVerb,
}

#[derive(clap::Subcommand)]
enum DatasetVerb {
    /// List the datasets of an account
    #[command(after_help = "Example:
  sealpost dataset list --account anna@north.example")]
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Show the members of a dataset
    #[command(after_help = "Examples:
  sealpost dataset show --account anna@north.example Friends
  sealpost dataset show --account anna@north.example Friends --values > friends.txt")]
    Show {
        #[command(flatten)]
        of: Of,
        /// The dataset
        #[arg(value_parser = name)]
        name: String,
        /// The members alone, one a line, as add --file reads them
        #[arg(long)]
        values: bool,
    },
    /// Add members; the dataset is made with its first one
    #[command(after_help = "Examples:
  sealpost dataset add --account anna@north.example Friends bo@south.example cy@west.example
  sealpost dataset add --account anna@north.example Friends --file friends.txt")]
    Add {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        members: Members,
    },
    /// Take members out, or remove the whole dataset
    #[command(after_help = "Examples:
  sealpost dataset remove --account anna@north.example Friends bo@south.example
  sealpost dataset remove --account anna@north.example Friends --all")]
    Remove {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        members: Members,
        /// All members: the dataset is gone then
        #[arg(long, conflicts_with_all = ["value", "file"])]
        all: bool,
    },
}

#[derive(clap::Args)]
struct Of {
    /// Whose datasets
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
}

#[derive(clap::Args)]
struct Members {
    /// The dataset
    #[arg(value_parser = name)]
    name: String,
    /// A member; repeat it for several
    #[arg(value_parser = value)]
    value: Vec<String>,
    /// A file with one member a line; - is standard input. Empty lines and lines that begin with # are left out
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Octets of a member: longer than any address. Ours.
const LONGEST: usize = 1000;

fn name(text: &str) -> Result<String, String> {
    match dataset_name_fault(text) {
        None => Ok(text.to_owned()),
        Some(reason) => Err(reason.to_owned()),
    }
}

fn value(text: &str) -> Result<String, String> {
    let text = text.trim();
    match () {
        () if text.is_empty() => Err("a member is not empty".into()),
        () if text.contains(char::is_control) => {
            Err("a member is one line without control characters".into())
        }
        () if text.len() > LONGEST => Err(format!("a member has at most {LONGEST} bytes")),
        () => Ok(text.to_owned()),
    }
}

impl Members {
    /// Those of the command line and of the file; `else_what` there is to say where none is named.
    fn values(&self, else_what: &str) -> Result<Vec<String>, Failure> {
        let mut values = self.value.clone();
        if let Some(file) = &self.file {
            values.extend(of_file(file)?);
        }
        match values.is_empty() && self.file.is_none() {
            true => Err(Failure::new(Code::Usage, format!("no member is named: give them, {else_what}"))),
            false => Ok(values),
        }
    }
}

fn of_file(file: &Path) -> Result<Vec<String>, Failure> {
    let bytes = input::file(file)?;
    let wrong = |text: String| Failure::new(Code::Data, format!("{}{text}", input::name(file)));
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| wrong(" is not UTF-8 text".into()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_member = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let lines = text.lines().enumerate().filter(|(_, line)| is_member(line));
    lines.map(|(at, line)| value(line).map_err(|reason| wrong(format!(":{}: {reason}", at + 1)))).collect()
}

impl DatasetCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            DatasetVerb::List { of } => list(context, out, &of.account),
            DatasetVerb::Show { of, name, values } => match values {
                true => show_values(context, out, &of.account, &name),
                false => show(context, out, &of.account, &name),
            },
            DatasetVerb::Add { of, members } => add(context, out, &of.account, &members),
            DatasetVerb::Remove { of, members, all: true } => {
                remove_all(context, out, &of.account, &members.name)
            }
            DatasetVerb::Remove { of, members, all: false } => remove(context, out, &of.account, &members),
        }
    }
}

fn list(context: &Context, out: &mut Output, account: &Address) -> Result<(), Failure> {
    let datasets = context.directory_for_reading()?.datasets(account)?;
    let mut table = Table::new(&["dataset", "members", "changed"], format!("{account} has no dataset"));
    for dataset in &datasets {
        table.row([dataset.name.clone(), dataset.members.to_string(), day(dataset.changed)]);
    }
    out.table(&table)?;
    let rows = datasets.iter().map(|dataset| {
        json!({"dataset": dataset.name, "members": dataset.members, "changed": day(dataset.changed)})
    });
    out.json(json!({"account": account.to_string(), "datasets": rows.collect::<Vec<_>>()}))
}

fn show(context: &Context, out: &mut Output, account: &Address, name: &str) -> Result<(), Failure> {
    let members = context.directory_for_reading()?.members(account, name)?;
    if members.is_empty() {
        return Err(none(account, name));
    }
    let mut table = Table::new(&["member", "added"], "");
    for member in &members {
        table.row([member.value.clone(), day(member.added)]);
    }
    out.table(&table)?;
    let rows = members.iter().map(|member| json!({"member": member.value, "added": day(member.added)}));
    out.json(json!({"account": account.to_string(), "dataset": name, "members": rows.collect::<Vec<_>>()}))
}

fn show_values(context: &Context, out: &mut Output, account: &Address, name: &str) -> Result<(), Failure> {
    let members = context.directory_for_reading()?.members(account, name)?;
    members.iter().try_for_each(|member| out.line(&member.value))?;
    let values: Vec<&str> = members.iter().map(|member| member.value.as_str()).collect();
    out.json(json!({"account": account.to_string(), "dataset": name, "values": values}))
}

fn none(account: &Address, name: &str) -> Failure {
    Failure::new(Code::NotFound, format!("{account} has no dataset {name}"))
        .hint(format!("see: sealpost dataset list --account {account}"))
}

fn add(context: &Context, out: &mut Output, account: &Address, members: &Members) -> Result<(), Failure> {
    let (name, values) = (&members.name, members.values("or --file FILE")?);
    let added = context.directory()?.add_members(account, name, &values)?;
    out.line(match values.len() - added {
        0 => format!("{} added to {name} of {account}", counted(added, "member")),
        known => format!("{} added to {name} of {account}, {known} known before", counted(added, "member")),
    })?;
    out.json(json!({"account": account.to_string(), "dataset": name, "added": added}))
}

fn remove(context: &Context, out: &mut Output, account: &Address, members: &Members) -> Result<(), Failure> {
    let (name, values) = (&members.name, members.values("--file FILE, or --all for the whole dataset")?);
    let removed = context.directory()?.remove_members(account, name, &values)?;
    if removed == 0 {
        return Err(Failure::new(Code::NotFound, format!("none of them is in {name} of {account}"))
            .hint(format!("see: sealpost dataset show --account {account} '{name}'")));
    }
    told(out, account, name, removed)
}

fn remove_all(context: &Context, out: &mut Output, account: &Address, name: &str) -> Result<(), Failure> {
    match context.directory()?.remove_dataset(account, name)? {
        0 => Err(none(account, name)),
        removed => told(out, account, name, removed),
    }
}

fn told(out: &mut Output, account: &Address, name: &str, removed: usize) -> Result<(), Failure> {
    out.line(format!("{} removed from {name} of {account}", counted(removed, "member")))?;
    out.json(json!({"account": account.to_string(), "dataset": name, "removed": removed}))
}

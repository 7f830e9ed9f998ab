//! What the site's settings say of the programs that rules call.

use super::context::Context;
use crate::engine::HelperSettings;
use crate::helper::check_program;
use crate::rules::{Called, RuleSet, Warning};
use std::path::Path;

/// A program that rules run or ask about, and what keeps it from that.
pub(super) struct Unfit {
    /// Its place in the settings.
    pub(super) setting: String,
    /// What is wrong, and what mends it.
    pub(super) text: String,
}

/// Warnings for each rule that calls what the site does not list, in the order of the file.
pub(super) fn unlisted(rules: &RuleSet, settings: &HelperSettings) -> Vec<Warning> {
    let calls = rules.calls().filter_map(|call| {
        let text = match call.called {
            Called::Command(command) if settings.lists(command.program()) => return None,
            Called::Filter(name) if settings.filter(name).is_some() => return None,
            Called::Command(command) => {
                let program = command.program();
                format!("mail waits, because the site does not list {program}: add \"{program}\" to `execute` in sealpost.toml")
            }
            Called::Filter(name) => {
                format!("mail waits, because the site lists no filter \"{name}\": add \"{name}=/path/to/program\" to `filters` in sealpost.toml")
            }
        };
        Some(Warning { line: call.line, rule: call.rule.to_owned(), text })
    });
    calls.collect()
}

/// The same for who installs rules. Settings that cannot be read are the doctor's.
pub(super) fn advice(context: &Context, rules: &RuleSet) -> Vec<Warning> {
    context.config().map(|config| unlisted(rules, &config.programs)).unwrap_or_default()
}

/// Programs that are listed and cannot be run.
pub(super) fn unfit(settings: &HelperSettings) -> Vec<Unfit> {
    let commands =
        settings.execute.iter().map(|path| (format!("execute {}", path.display()), path.as_path()));
    let filters =
        settings.filters.iter().map(|filter| (format!("filter {}", filter.name), filter.program.as_path()));
    let fault = |(setting, path): (String, &Path)| {
        let fault = check_program(path).err()?;
        Some(Unfit { setting, text: fault.to_string() })
    };
    commands.chain(filters).filter_map(fault).collect()
}

//! `sealpost config`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use crate::config::{Config, FILE, Origin};
use serde_json::json;

/// Check or show the settings of the store
#[derive(clap::Args)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(clap::Subcommand)]
enum ConfigVerb {
    /// Check sealpost.toml: all that is wrong is shown at once, with its line and what is allowed
    #[command(after_help = "Example:
  sealpost config check")]
    Check,
    /// Show every setting and who said so: the default, or a line of sealpost.toml
    #[command(after_help = "Examples:
  sealpost config show
  sealpost --root /srv/sealpost config show --json")]
    Show,
}

impl ConfigCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        match self.verb {
            ConfigVerb::Check => {
                if let Some(text) = config.bundle_fault() {
                    return Err(Failure::new(Code::Config, text));
                }
                out.line("the configuration is right")?;
                out.json(json!({"ok": true}))
            }
            ConfigVerb::Show => show(&config, out),
        }
    }
}

fn show(config: &Config, out: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&["setting", "value", "from"], "");
    for entry in config.entries() {
        let from = match entry.origin {
            Origin::Default => "default".to_owned(),
            Origin::Line(line) => format!("{FILE}:{line}"),
        };
        table.row([entry.key.to_owned(), entry.value.clone(), from]);
    }
    out.table(&table)?;
    let rows = config.entries().iter().map(|entry| {
        let line = match entry.origin {
            Origin::Default => None,
            Origin::Line(line) => Some(line),
        };
        json!({"key": entry.key, "value": entry.value, "line": line})
    });
    out.json(json!({"settings": rows.collect::<Vec<_>>()}))
}

//! `sealpost man`

use super::failure::Failure;
use super::output::Output;
use clap::Command;
use std::path::{Path, PathBuf};

/// Write the manual pages, one for each command, into a folder
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost man /usr/local/share/man/man1 && man sealpost-seal")]
pub(super) struct Man {
    /// The folder; it is made if it is missing
    dir: PathBuf,
}

impl Man {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.dir)
            .map_err(|error| Failure::io("make", self.dir.display(), &error))?;
        let mut tree = super::command_tree().disable_help_subcommand(true);
        tree.build();
        let count = write_pages(&self.dir, &tree)?;
        out.line(format!("{count} manual pages written to {}", self.dir.display()))?;
        out.json(serde_json::json!({"pages": count, "dir": self.dir}))
    }
}

fn write_pages(dir: &Path, command: &Command) -> Result<usize, Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = dir.join(format!("{name}.1"));
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut page);
    let written = rendered.and_then(|()| std::fs::write(&path, with_lines_kept(&page, command)));
    written.map_err(|error| Failure::io("write", path.display(), &error))?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.map(|below| write_pages(dir, below)).try_fold(1, |sum, count| Ok(sum + count?))
}

/// What stands after the options under a heading that says what it is, and its lines as they are: `.nf` holds up to
/// the next heading.
fn with_lines_kept(page: &[u8], command: &Command) -> String {
    let heading = if command.has_subcommands() { "EXIT STATUS" } else { "EXAMPLES" };
    String::from_utf8_lossy(page).replace(".SH EXTRA\n", &format!(".SH \"{heading}\"\n.nf\n"))
}

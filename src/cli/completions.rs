//! `sealpost completions`

use super::failure::Failure;
use super::output::Output;
use clap_complete::Shell;

/// Print the completion script of a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost completions bash > /etc/bash_completion.d/sealpost
  sealpost completions zsh > /usr/local/share/zsh/site-functions/_sealpost
  sealpost completions fish > /etc/fish/completions/sealpost.fish")]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command_tree(), "sealpost", &mut script);
        out.bytes(&script)
    }
}

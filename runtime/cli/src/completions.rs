//! `envelope completions`: what a shell needs to complete these commands.

use clap::{Args, ValueEnum};
use clap_complete::{Shell, generate};

use crate::exit::Exit;
use crate::page;

/// Print what a shell needs to complete these commands
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope completions bash > ~/.local/share/bash-completion/completions/envelope
  envelope completions zsh > ~/.zfunc/_envelope
  envelope completions fish > ~/.config/fish/completions/envelope.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Known,
}

/// The shells whose completions are tested.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub(crate) fn run(&self) -> Exit {
        let shell = match self.shell {
            Known::Bash => Shell::Bash,
            Known::Zsh => Shell::Zsh,
            Known::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        generate(shell, &mut crate::all(), "envelope", &mut script);
        page::text(&String::from_utf8_lossy(&script));
        Exit::Done
    }
}

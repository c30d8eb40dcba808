//! The binary `envelope`: one file per command, no logic of its own.

mod answer;
mod chain;
mod disk;
mod exit;
mod keys;
mod page;
mod paper;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Run AI agents that you need not trust, and check what others ran.
#[derive(Parser)]
#[command(name = "envelope", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(subcommand)]
    Paper(paper::Paper),
    #[command(subcommand)]
    Chain(chain::Chain),
    Verify(verify::Verify),
}

fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Paper(paper) => paper.run(),
        Command::Chain(chain) => chain.run(),
        Command::Verify(verify) => verify.run(),
    };
    exit.into()
}

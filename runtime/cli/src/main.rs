//! The binary `envelope`: one file per command, no logic of its own.

mod disk;
mod exit;
mod page;
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
    Verify(verify::Verify),
}

fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Verify(verify) => verify.run(),
    };
    exit.into()
}

//! The binary `envelope`: one file per command, no logic of its own.

mod build;
mod disk;
mod exit;
mod fresh;
mod guest;
mod inspect;
mod keys;
mod page;
mod replay;
mod run;
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
    Build(build::Build),
    Inspect(inspect::Inspect),
    Run(run::Run),
    Replay(replay::Replay),
    Verify(verify::Verify),
}

fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Build(build) => build.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Run(run) => run.run(),
        Command::Replay(replay) => replay.run(),
        Command::Verify(verify) => verify.run(),
    };
    exit.into()
}

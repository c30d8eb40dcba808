//! The binary `envelope`: one file per command, no logic of its own.

mod answer;
mod approvals;
mod backup;
mod blobs;
mod breaker;
mod build;
mod callees;
mod chain;
mod completions;
mod db;
mod demo;
mod desk;
mod disk;
mod exit;
mod explain;
mod fresh;
mod guest;
mod home;
mod init;
mod inspect;
mod keys;
mod log;
mod models;
mod net;
mod new;
mod node;
mod page;
mod paper;
mod place;
mod prices;
mod replay;
mod resume;
mod run;
mod runs;
mod serve;
mod signers;
mod stop;
mod store;
mod vault;
mod verify;
mod wake;

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
    New(new::New),
    Build(build::Build),
    Demo(demo::Demo),
    Inspect(inspect::Inspect),
    Run(Box<run::Run>),
    Replay(replay::Replay),
    Resume(resume::Resume),
    #[command(subcommand)]
    Approvals(approvals::Approvals),
    #[command(subcommand)]
    Stop(stop::Stop),
    #[command(subcommand)]
    Paper(paper::Paper),
    #[command(subcommand)]
    Chain(chain::Chain),
    Verify(verify::Verify),
    #[command(subcommand)]
    Prices(prices::Prices),
    #[command(subcommand)]
    Db(db::Db),
    #[command(subcommand)]
    Log(log::Log),
    #[command(subcommand)]
    Keys(signers::Keys),
    #[command(subcommand)]
    Vault(vault::Vault),
    Backup(backup::Backup),
    Restore(backup::Restore),
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    Node(Box<node::Node>),
    Init(init::Init),
    Serve(Box<serve::Serve>),
    Explain(explain::Explain),
    #[command(subcommand)]
    Runs(runs::Runs),
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Demo(demo) => demo.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Run(run) => run.run(),
        Command::Replay(replay) => replay.run(),
        Command::Resume(resume) => resume.run(),
        Command::Approvals(approvals) => approvals.run(),
        Command::Stop(stop) => stop.run(),
        Command::Paper(paper) => paper.run(),
        Command::Chain(chain) => chain.run(),
        Command::Verify(verify) => verify.run(),
        Command::Prices(prices) => prices.run(),
        Command::Db(db) => db.run(),
        Command::Log(log) => log.run(),
        Command::Keys(keys) => keys.run(),
        Command::Vault(vault) => vault.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Breaker(breaker) => breaker.run(),
        Command::Node(node) => node.run(),
        Command::Init(init) => init.run(),
        Command::Serve(serve) => serve.run(),
        Command::Explain(explain) => explain.run(),
        Command::Runs(runs) => runs.run(),
        Command::Completions(completions) => completions.run(),
    };
    exit.into()
}

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
mod config;
mod db;
mod demo;
mod desk;
mod disk;
mod doctor;
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
mod settings;
mod signers;
mod stop;
mod store;
mod vault;
mod verify;
mod wake;
mod walls;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    #[command(subcommand)]
    Config(config::Config),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    #[command(subcommand)]
    Runs(runs::Runs),
    Completions(completions::Completions),
}

/// The command line of the whole program.
fn all() -> clap::Command {
    config::with_flags(Cli::command())
}

fn main() -> ExitCode {
    let line: Vec<_> = std::env::args_os().collect();
    let matches = all().get_matches_from(&line);
    let completed = match settings::completed(&all(), &matches, line) {
        Ok(line) => all().get_matches_from(line),
        Err(trouble) => return trouble.tell(wants_json(&matches)).into(),
    };
    let cli = Cli::from_arg_matches(&completed).unwrap_or_else(|wrong| wrong.exit());
    carry_out(cli, &completed).into()
}

/// Whether the answer is to be in JSON, where the command has such a flag.
fn wants_json(matches: &ArgMatches) -> bool {
    let inner = matches.subcommand().map(|(_, inner)| inner);
    inner.and_then(|inner| inner.try_get_one::<bool>("json").ok()?).copied().unwrap_or_default()
}

fn carry_out(cli: Cli, matches: &ArgMatches) -> exit::Exit {
    match cli.command {
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
        Command::Config(config) => config.run(matches),
        Command::Doctor(doctor) => doctor.run(),
        Command::Explain(explain) => explain.run(),
        Command::Runs(runs) => runs.run(),
        Command::Completions(completions) => completions.run(),
    }
}

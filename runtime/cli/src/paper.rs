//! `envelope paper`: from a source that people write to a Paper that both parties signed.

mod check;
mod compile;
mod diff;
mod export;
mod folder;
mod letter;
mod load;
mod new;
mod open;
mod schema;
mod show;
mod sign;

use clap::{Args, Subcommand};

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;

/// Write, check, compile, compare and sign contracts.
///
/// A contract is written as one file: data in TOML between two lines `+++`, then prose in Markdown
/// whose slots stand for the data. It is compiled to a Paper, which both parties sign.
#[derive(Subcommand)]
#[command(after_help = "\
From nothing to a signed Paper:
  envelope paper new work.paper.md
  envelope paper check work.paper.md
  envelope paper sign --new-key --key buyer.key
  envelope paper compile work.paper.md --into deal/ --msa policies/msa.template.md \\
      --buyer buyer.key.pub.pem --developer developer.key.pub.pem
  envelope paper sign deal/ --key buyer.key
  envelope paper sign deal/ --key developer.key
  envelope chain verify deal/ --keys buyer.key.pub.pem --keys developer.key.pub.pem

A side letter, which only its readers read and both parties sign:
  envelope paper open --new-key --key buyer.reader
  envelope paper new quiet.letter.md --kind side-letter
  envelope paper compile quiet.letter.md --letter deal/ --reader buyer.reader.pub.pem
  envelope paper open deal/ --key buyer.reader

Exit codes:
  0  done
  1  understood and turned down: flaws in a source, a key that signs for neither party or reads
     no side letter
  2  the input cannot be used: a missing file, a file that is there already, a wrong option")]
pub(crate) enum Paper {
    New(Json<new::New>),
    Check(Json<check::Check>),
    Compile(Box<Json<compile::Compile>>),
    Show(Json<show::Show>),
    Diff(Json<diff::Diff>),
    Sign(Json<sign::Sign>),
    Open(Json<open::Open>),
    Export(Json<export::Export>),
    Schema(Json<schema::Schema>),
}

// A command with its choice of how to answer. Its help is the command's, so this is no doc comment.
#[derive(Args)]
pub(crate) struct Json<C: Args> {
    #[command(flatten)]
    command: C,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

impl Paper {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::New(it) => it.run(new::New::run),
            Self::Check(it) => it.run(check::Check::run),
            Self::Compile(it) => it.run(compile::Compile::run),
            Self::Show(it) => it.run(show::Show::run),
            Self::Diff(it) => it.run(diff::Diff::run),
            Self::Sign(it) => it.run(sign::Sign::run),
            Self::Open(it) => it.run(open::Open::run),
            Self::Export(it) => it.run(export::Export::run),
            Self::Schema(it) => it.run(schema::Schema::run),
        }
    }
}

impl<C: Args> Json<C> {
    pub(crate) fn run(&self, run: impl Fn(&C) -> Result<Answer, Trouble>) -> Exit {
        give(run(&self.command), self.json)
    }
}

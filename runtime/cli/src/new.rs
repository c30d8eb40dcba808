//! `envelope new`: an agent to begin with.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::disk::{self, Existing};
use crate::exit::Exit;

/// Where the SDK is when this program was built in its workspace.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust");

/// Letters of a name: more fit on no line of a list.
const NAME_MAX: usize = 40;

/// Names that a package cannot have: they mean something to Cargo or to the language.
const TAKEN: [&str; 24] = [
    "alloc",
    "as",
    "async",
    "await",
    "build",
    "core",
    "crate",
    "deps",
    "dyn",
    "enum",
    "examples",
    "extern",
    "fn",
    "impl",
    "incremental",
    "match",
    "mod",
    "self",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "use",
];

const CARGO: &str = include_str!("new/Cargo.toml.txt");
const LIB: &str = include_str!("new/lib.rs.txt");
const README: &str = include_str!("new/README.md.txt");

/// Begin an agent: a folder with three files
///
/// What it makes can be built, tested and run at once. Nothing that is there is written over.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  made        2  the name is none, or is taken

Example:
  envelope new greeter && envelope run greeter greet --args '{\"name\":\"Ada\"}'")]
pub(crate) struct New {
    /// Its name, and that of its folder: lower-case letters, digits, single hyphens
    name: String,
    /// The folder of the SDK; that of this program's workspace, or the published one by default
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl New {
    pub(crate) fn run(&self) -> Exit {
        give(self.carry_out(), self.json)
    }

    fn carry_out(&self) -> Result<Answer, Trouble> {
        let name = &self.name;
        if !is_name(name) {
            let what = format!("`{name}` is no name for an agent");
            let hint = "lower-case letters, digits and single hyphens, a letter first: `my-agent`";
            return Err(Trouble::usage(what, hint));
        }
        let sdk = self.sdk()?;
        let filled = |text: &str| text.replace("NAME", name).replace("SDK", &sdk);
        let folder = Path::new(name);
        if disk::is_there(folder) {
            return Err(Trouble::usage(format!("`{name}` is there already"), "take another name"));
        }
        let files = [("Cargo.toml", CARGO), ("src/lib.rs", LIB), ("README.md", README)];
        for (file, text) in files {
            let written = disk::write(&folder.join(file), filled(text).as_bytes(), Existing::Keep);
            written.map_err(|why| Trouble::failed(why, "take another name or folder"))?;
        }
        let next = format!("envelope run {name} greet --args '{{\"name\":\"Ada\"}}'");
        let note = format!("made `{name}`: Cargo.toml, src/lib.rs, README.md\nnext  {next}\n");
        let files = files.map(|(file, _)| folder.join(file));
        Ok(Answer::note("new", note, json!({"folder": folder, "files": files, "next": next})))
    }

    /// How the manifest names the SDK.
    fn sdk(&self) -> Result<String, Trouble> {
        let given = self.sdk.is_some();
        let path = self.sdk.clone().unwrap_or_else(|| PathBuf::from(SDK));
        if !disk::is_folder(&path) && !given {
            return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION")));
        }
        let real = disk::real(&path).map_err(|why| Trouble::usage(why, "give the SDK's folder"))?;
        // A JSON string of plain text is a TOML string too.
        Ok(format!("path = {}", json!(real)))
    }
}

fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
    };
    name.len() <= NAME_MAX
        && name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.split('-').all(word)
        && !TAKEN.contains(&name)
}

//! `envelope config`: what is set, where, whether it can be, and what there is to set.

use clap::{ArgMatches, Args, Command, Subcommand};
use serde_json::{Value, json};

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::page::{BAD, FAINT, GOOD, plain, styled};
use crate::settings::schema::schema;
use crate::settings::{
    ConfigFlag, KEYS, Key, Said, Settings, Source, is_flag, shown, shown_in_json,
};

/// Show, check and describe the settings of `serve`, `node`, `init` and `doctor`
///
/// A file of settings is TOML, and its keys are the names of flags: `address = "0.0.0.0:8080"`,
/// `runs = 64`, `provider = ["stub"]`. A variable is the same name with `ENVELOPE_` before it, and
/// holds one entry of a list on each line. A flag goes before its variable, and that before the
/// file. What a command has no flag for it leaves alone.
#[derive(Subcommand)]
pub(crate) enum Config {
    Show(Show),
    Check(Check),
    Schema(Schema),
}

/// Show every setting, its value, and where that stands
///
/// It takes the flags of `serve` and `node` too, and shows what they would change. Passwords in
/// addresses are left out.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  shown
  2  the settings cannot be used

Examples:
  envelope config show
  envelope config show --config house.toml --runs 8 --json")]
pub(crate) struct Show {
    #[command(flatten)]
    from: ConfigFlag,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Check the settings: say what is wrong, where it stands, and what to do
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  they can be used
  2  they cannot: each flaw is told

Examples:
  envelope config check --config house.toml")]
pub(crate) struct Check {
    #[command(flatten)]
    from: ConfigFlag,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Print the JSON Schema of a file of settings
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  printed

Examples:
  envelope config schema > envelope.schema.json")]
pub(crate) struct Schema {}

impl Config {
    pub(crate) fn run(&self, matches: &ArgMatches) -> Exit {
        match self {
            Self::Show(show) => give(show.show(matches), show.json),
            Self::Check(check) => give(check.check(), check.json),
            Self::Schema(schema) => schema.print(),
        }
    }
}

/// `all` with the flags of every setting on `config show`, and the flag that names the file on each
/// command that takes settings and never sees where from.
pub(crate) fn with_flags(all: Command) -> Command {
    let commands = takers(&all);
    let flags = KEYS.iter().filter_map(|key| commands.iter().find_map(|it| key.of(it)));
    let flags: Vec<_> = flags.cloned().collect();
    let all = ["serve", "node", "init"]
        .into_iter()
        .fold(all, |all, name| all.mut_subcommand(name, ConfigFlag::augment_args));
    all.mut_subcommand("config", |config| config.mut_subcommand("show", |show| show.args(flags)))
}

/// The commands that together have the flags of all settings.
fn takers(all: &Command) -> Vec<&Command> {
    ["serve", "node"].into_iter().filter_map(|name| all.find_subcommand(name)).collect()
}

/// The settings with all that is wrong with them.
pub(crate) fn checked(from: &ConfigFlag, all: &Command) -> Result<Settings, Trouble> {
    let mut settings = Settings::read(from.config.as_deref())?;
    settings.check(&takers(all));
    Ok(settings)
}

impl Show {
    fn show(&self, matches: &ArgMatches) -> Result<Answer, Trouble> {
        let all = crate::all();
        let settings = checked(&self.from, &all)?;
        if let Some(flaw) = settings.flaws.first() {
            return Err(flaw.trouble());
        }
        let lost = || Trouble::failed("the command line was lost", "tell us");
        let inner = matches.subcommand_matches("config").ok_or_else(lost)?;
        let inner = inner.subcommand_matches("show").ok_or_else(lost)?;
        let show = all.find_subcommand("config").and_then(|it| it.find_subcommand("show"));
        let show = show.ok_or_else(lost)?;
        let rows: Vec<_> =
            KEYS.iter().map(|key| (key, said(key, &settings, (show, inner)))).collect();
        let page = rows.iter().map(|(key, said)| row(key, said)).collect::<String>();
        let data: Vec<_> = rows.iter().map(|(key, said)| in_json(key, said)).collect();
        let file = settings.file.as_ref().map(|file| file.display().to_string());
        Ok(Answer::page("settings", page, json!({ "file": file, "settings": data })))
    }
}

/// What holds: the flag, the variable, the file, or what the flag says by default.
fn said(key: &Key, settings: &Settings, (show, matches): (&Command, &ArgMatches)) -> Said {
    let Some(arg) = key.of(show) else {
        return Said { words: Vec::new(), source: Source::Default };
    };
    if is_flag(key, show, matches) {
        let words = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
        let words = words.map(|word| word.to_string_lossy().into_owned()).collect();
        return Said { words, source: Source::Flag };
    }
    if let Some(said) = settings.said(key) {
        return said.clone();
    }
    let words = arg.get_default_values().iter();
    let words = words.map(|word| word.to_string_lossy().into_owned()).collect();
    Said { words, source: Source::Default }
}

fn row(key: &Key, said: &Said) -> String {
    let value = match said.words.as_slice() {
        [] => styled(FAINT, key.absent),
        [_, ..] => plain(shown(key, &said.words)),
    };
    let source = styled(FAINT, plain(&said.source));
    format!("{:<14} {value}  {source}\n", key.name)
}

fn in_json(key: &Key, said: &Said) -> Value {
    let from = match &said.source {
        Source::Default => json!({ "kind": "default" }),
        Source::File { path, line } => json!({ "kind": "file", "path": path, "line": line }),
        Source::Variable(name) => json!({ "kind": "variable", "name": name }),
        Source::Flag => json!({ "kind": "flag" }),
    };
    json!({ "key": key.name, "value": shown_in_json(key, &said.words), "from": from })
}

impl Check {
    fn check(&self) -> Result<Answer, Trouble> {
        let settings = checked(&self.from, &crate::all())?;
        let file = settings.file.as_ref().map(|file| file.display().to_string());
        let mut page = String::new();
        for flaw in &settings.flaws {
            let (source, what) = (plain(&flaw.source), plain(&flaw.what));
            page += &format!("{} {source}: {what}\n  {}\n", styled(BAD, "✗"), flaw.hint);
        }
        if settings.flaws.is_empty() {
            let which = file.as_deref().unwrap_or("no file, and what the environment says");
            page = format!("{} {}\n", styled(GOOD, "usable"), plain(which));
        }
        let flaws: Vec<_> = settings
            .flaws
            .iter()
            .map(|it| {
                let line = match &it.source {
                    Source::File { line, .. } => Some(line),
                    Source::Default | Source::Variable(_) | Source::Flag => None,
                };
                json!({ "where": it.source.to_string(), "line": line, "what": it.what,
                    "hint": it.hint })
            })
            .collect();
        let exit = if settings.flaws.is_empty() { Exit::Done } else { Exit::Usage };
        let data = json!({ "file": file, "flaws": flaws });
        Ok(Answer { exit, ..Answer::page("settings-check", page, data) })
    }
}

impl Schema {
    fn print(&self) -> Exit {
        let Self {} = self;
        let schema = schema(&takers(&crate::all()));
        crate::page::line(format!("{schema:#}"));
        Exit::Done
    }
}

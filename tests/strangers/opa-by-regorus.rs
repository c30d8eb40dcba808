//! Answers `opa eval` with the Rego engine of the crate `regorus`, for programs that start OPA.
//!
//! It stands in where OPA itself is not to be had: it shows what those programs do with an answer,
//! and nothing about OPA's own parser.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use regorus::{Engine, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut engine = Engine::new();
    let mut query = None;
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() != Some("eval") {
        return Err("only `eval` is known".into());
    }
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--format" => drop(arguments.next().filter(|format| format == "json")),
            "--stdin-input" => {
                let mut input = String::new();
                io::stdin().read_to_string(&mut input)?;
                engine.set_input(Value::from_json_str(&input)?);
            }
            "--bundle" => {
                let folder = arguments.next().ok_or("`--bundle` names a folder")?;
                for module in modules(Path::new(&folder))? {
                    engine.add_policy_from_file(module)?;
                }
            }
            option if option.starts_with('-') => return Err(format!("`{option}`?").into()),
            _ => query = Some(argument),
        }
    }
    let results = engine.eval_query(query.ok_or("no query")?, false)?;
    println!("{}", serde_json::to_string(&results)?);
    Ok(())
}

fn modules(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let files = files.collect::<io::Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "rego")).collect())
}

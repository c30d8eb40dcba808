//! From what a person names to a component that can run.

use std::path::{Path, PathBuf};

use envelope_engine::config::Machine;
use envelope_engine::prepared::Prepared;

use crate::answer::Trouble;
use crate::{build, disk, page};

/// The component at `path`, and what to call it: a file as it is, a folder built first.
pub(crate) fn component(path: &Path) -> Result<(Vec<u8>, String), Trouble> {
    let file = if disk::is_folder(path) { build::build(path)? } else { path.to_owned() };
    let bytes = disk::read(&file);
    let bytes = bytes.map_err(|why| Trouble::usage(why, "give a component or its folder"))?;
    Ok((bytes, name(&file)))
}

/// Compiles `bytes` and asks the agent what it is.
pub(crate) async fn prepare(
    machine: &Machine,
    bytes: &[u8],
    name: &str,
) -> Result<Prepared, Trouble> {
    if bytes.len() > 1 << 20 {
        page::aside("compiling; a large component takes a while");
    }
    let prepared = Prepared::compile(machine, bytes, name).await;
    prepared.map_err(|why| Trouble::usage(&why, why.advice()))
}

fn name(file: &Path) -> String {
    let stem: PathBuf = file.file_stem().map(PathBuf::from).unwrap_or_default();
    stem.display().to_string()
}

//! From what a person names to a component that can run.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use envelope_engine::component::{Components, Step};
use envelope_engine::config::Machine;
use envelope_engine::prepared::Prepared;
use envelope_gate::link;

use crate::answer::Trouble;
use crate::{build, disk, home, page};

/// The component at `path`, and what to call it: a file as it is, a folder built first.
pub(crate) fn component(path: &Path) -> Result<(Bytes, String), Trouble> {
    let file = if disk::is_folder(path) { build::build(path)? } else { path.to_owned() };
    let bytes = disk::read(&file);
    let bytes = bytes.map_err(|why| Trouble::usage(why, "give a component or its folder"))?;
    Ok((bytes.into(), name(&file)))
}

/// Compiles `bytes`, unless that was done before, and asks the agent what it is.
pub(crate) async fn prepare(
    machine: &Machine,
    bytes: &Bytes,
    name: &str,
) -> Result<Prepared, Trouble> {
    let prepared = Prepared::load(&components(machine), bytes, name, tell).await;
    prepared.map_err(|why| Trouble::usage(&why, why.advice()))
}

/// What compiles for `machine`. Where nothing can be kept it compiles every time.
pub(crate) fn components(machine: &Machine) -> Components {
    let new = || Components::new(machine.clone(), link::SERVED);
    let kept = home::compiled()
        .map_err(|why| why.to_string())
        .and_then(|(folder, key)| new().kept_in(folder, key).map_err(|why| why.to_string()));
    kept.unwrap_or_else(|why| {
        page::aside(format!("what is compiled now will be compiled again next time: {why}"));
        new()
    })
}

fn tell(step: Step) {
    match step {
        Step::Waiting => page::aside("waiting for the same component to be compiled"),
        Step::Damaged => page::aside("what was kept of this component was changed by somebody"),
        Step::Compiling { bytes } => {
            page::aside(format!("compiling {} KiB, this once", bytes.div_ceil(1024)));
        }
    }
}

fn name(file: &Path) -> String {
    let stem: PathBuf = file.file_stem().map(PathBuf::from).unwrap_or_default();
    stem.display().to_string()
}

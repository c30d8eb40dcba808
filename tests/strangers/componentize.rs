//! Agents in Python, made components by software nobody here wrote.

use std::sync::LazyLock;
use std::{env, fs, process};

use super::stranger::{COMPONENTIZE, succeed};
use crate::cargo::root;

/// The example that draws words. `None` where there is no Python.
pub fn draw() -> Option<&'static [u8]> {
    static BUILT: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| built("draw"));
    BUILT.as_deref()
}

/// The example that sends requests. `None` where there is no Python.
pub fn fetch() -> Option<&'static [u8]> {
    static BUILT: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| built("fetch"));
    BUILT.as_deref()
}

/// An example in Python, built by the command of its own README.
fn built(name: &str) -> Option<Vec<u8>> {
    let folder = root().join("guest-examples/python");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let file = format!("{name}.wasm");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("$ componentize-py "));
    let command = commands.map(|line| line.split(' ').collect::<Vec<_>>());
    let mut command = command.filter(|words| words.ends_with(&["-o", &file]));
    let words = command.next().expect("the README says how");
    let component = env::temp_dir().join(format!("envelope-{name}-{}.wasm", process::id()));
    let mut command = COMPONENTIZE.command("componentize-py")?;
    // Its own surroundings are not to decide what goes into the component.
    command.env_remove("VIRTUAL_ENV").current_dir(&folder).args(&words[..words.len() - 1]);
    succeed(command.arg(&component)).unwrap_or_else(|why| panic!("{why}"));
    let bytes = fs::read(&component).unwrap();
    fs::remove_file(component).unwrap();
    Some(bytes)
}

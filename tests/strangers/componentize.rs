//! An agent in Python, made a component by software nobody here wrote.

use std::sync::LazyLock;
use std::{env, fs, process};

use super::stranger::{COMPONENTIZE, succeed};
use crate::cargo::root;

/// The example in Python, built by the command of its own README. `None` where there is no Python.
pub fn draw() -> Option<&'static [u8]> {
    static BUILT: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| {
        let folder = root().join("guest-examples/python");
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let command = readme.lines().find_map(|line| line.strip_prefix("$ componentize-py "));
        let words: Vec<_> = command.expect("the README says how").split(' ').collect();
        let [words @ .., "-o", "draw.wasm"] = &words[..] else { panic!("{words:?}") };
        let component = env::temp_dir().join(format!("envelope-draw-{}.wasm", process::id()));
        let mut command = COMPONENTIZE.command("componentize-py")?;
        // Its own surroundings are not to decide what goes into the component.
        command.env_remove("VIRTUAL_ENV").current_dir(&folder).args(words);
        succeed(command.arg("-o").arg(&component)).unwrap_or_else(|why| panic!("{why}"));
        let bytes = fs::read(&component).unwrap();
        fs::remove_file(component).unwrap();
        Some(bytes)
    });
    BUILT.as_deref()
}

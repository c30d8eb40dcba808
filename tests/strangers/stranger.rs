//! How to ask a stranger: a script beside this file reads JSON and prints JSON.
//!
//! Its packages are installed once, below the target directory, and again when they change. Where a
//! stranger's language is missing the test says `skipped`; with `CI` set it fails instead.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::{io, thread};

use envelope_evidence::Digest;
use serde_json::Value;

use crate::cargo::{root, target_directory};
use crate::not_shown;

/// A language with the packages its scripts import.
pub struct Stranger {
    program: &'static str,
    advice: &'static str,
    /// What decides which packages there are.
    listed_in: &'static [&'static str],
    install: fn(home: &Path) -> io::Result<()>,
    command: fn(home: &Path, script: &str) -> Command,
    home: OnceLock<io::Result<PathBuf>>,
}

const PYTHON_ADVICE: &str =
    "install Python 3.10 or newer with its `venv` module (Debian: python3-venv)";

pub static PYTHON: Stranger = Stranger {
    program: "python3",
    advice: PYTHON_ADVICE,
    listed_in: &["requirements.txt"],
    install: |home| install_python(home, "requirements.txt"),
    command: PYTHON_COMMAND,
    home: OnceLock::new(),
};

/// Programs that come as Python packages.
pub static COMPONENTIZE: Stranger = Stranger {
    program: "python3",
    advice: PYTHON_ADVICE,
    listed_in: &["requirements-componentize.txt"],
    install: |home| install_python(home, "requirements-componentize.txt"),
    command: |home, program| Command::new(home.join("bin").join(program)),
    home: OnceLock::new(),
};

/// What asks an API for all that its document says, and what reads security.txt.
pub static API: Stranger = Stranger {
    program: "python3",
    advice: PYTHON_ADVICE,
    listed_in: &["requirements-api.txt"],
    install: |home| install_python(home, "requirements-api.txt"),
    command: PYTHON_COMMAND,
    home: OnceLock::new(),
};

/// A gateway that speaks to every vendor: 700 MB.
pub static LITELLM: Stranger = Stranger {
    program: "python3",
    advice: PYTHON_ADVICE,
    listed_in: &["requirements-litellm.txt"],
    install: |home| install_python(home, "requirements-litellm.txt"),
    command: PYTHON_COMMAND,
    home: OnceLock::new(),
};

const PYTHON_COMMAND: fn(&Path, &str) -> Command = |home, script| {
    let mut command = Command::new(home.join("bin").join("python"));
    command.arg("-B").arg(folder().join(script));
    command
};

const NODE_ADVICE: &str = "install Node 20 or newer with npm";

pub static NODE: Stranger = Stranger {
    program: "node",
    advice: NODE_ADVICE,
    listed_in: &["package.json", "package-lock.json", ".npmrc"],
    install: |home| install_node(home, &NODE),
    command: node,
    home: OnceLock::new(),
};

/// Go and one module of it; its scripts are compiled once.
pub static GO: Stranger = Stranger {
    program: "python3",
    advice: PYTHON_ADVICE,
    listed_in: &["go.txt", "tlog.go", "witness.go"],
    install: install_go,
    command: |home, script| Command::new(home.join(script.trim_end_matches(".go"))),
    home: OnceLock::new(),
};

/// The vendors' clients of models, and what makes components of JavaScript: half a gigabyte.
pub static SDKS: Stranger = Stranger {
    program: "node",
    advice: NODE_ADVICE,
    listed_in: &["sdks/package.json", "sdks/package-lock.json", ".npmrc"],
    install: |home| install_node(home, &SDKS),
    command: node,
    home: OnceLock::new(),
};

fn node(home: &Path, script: &str) -> Command {
    let source = fs::read_to_string(folder().join(script)).unwrap();
    let mut command = Command::new("node");
    // Given as text, a script finds its packages in the working directory.
    command.args(["--input-type=module", "--eval", &source]).current_dir(home);
    command
}

/// A stranger at work. It is ended with what holds it.
pub struct Running(Child);

impl Running {
    /// Tells it something.
    pub fn tell(&mut self, lines: &str) {
        let input = self.0.stdin.as_mut().expect("it listens");
        input.write_all(lines.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    /// What it says.
    pub fn out(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("taken once")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stranger {
    /// What `script` prints when given `input`, or `None` where the stranger is not to be had.
    pub fn ask(&self, script: &str, input: &Value) -> Option<Value> {
        let output = converse(&mut self.command(script)?, &input.to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}\n{said}", output.status);
        Some(serde_json::from_slice(&output.stdout).expect(script))
    }

    /// The command that starts `script`, or `None` where the stranger is not to be had.
    pub fn command(&self, script: &str) -> Option<Command> {
        Some((self.command)(self.home(script)?, script))
    }

    fn home(&self, script: &str) -> Option<&Path> {
        match self.home.get_or_init(|| self.prepare()) {
            Ok(home) => Some(home),
            Err(reason) => {
                not_shown::or_fail(script, &format!("{} ({reason})", self.advice));
                None
            }
        }
    }

    /// Starts `script`, which runs until its input ends, or `None` where the stranger is not to be
    /// had.
    pub fn start(&self, script: &str) -> Option<Running> {
        self.start_with(script, &[])
    }

    /// The same, told `args`.
    pub fn start_with(&self, script: &str, args: &[&str]) -> Option<Running> {
        let mut command = self.command(script)?;
        let child =
            command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Some(Running(child))
    }

    /// The folder with the installed packages. Two test runs at once wait for each other.
    fn prepare(&self) -> io::Result<PathBuf> {
        let version = succeed(Command::new(self.program).arg("--version"))?;
        let mut listed = vec![version];
        listed.extend(self.listed_in.iter().map(|name| fs::read(folder().join(name)).unwrap()));
        let key = Digest::of(&listed.join(&0)).hex();
        let shelf = target_directory().join("strangers");
        let home = shelf.join(format!("{}-{key}", self.program));
        self.install_once(&home)?;
        Ok(home)
    }

    fn install_once(&self, home: &Path) -> io::Result<()> {
        fs::create_dir_all(home)?;
        let installed = home.with_extension("installed");
        let mut installed = File::options().create(true).append(true).read(true).open(installed)?;
        installed.lock()?;
        let mut state = String::new();
        installed.read_to_string(&mut state)?;
        if state.is_empty() {
            (self.install)(home)?;
            installed.write_all(b"yes\n")?;
        }
        Ok(())
    }
}

fn install_python(home: &Path, requirements: &str) -> io::Result<()> {
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let mut command = Command::new(home.join("bin").join("python"));
    succeed(command.args(pip).arg("--requirement").arg(folder().join(requirements)))?;
    Ok(())
}

/// The module is not fetched: Go's own tools are built from it, and their sources are at hand.
fn install_go(home: &Path) -> io::Result<()> {
    install_python(home, "go.txt")?;
    let go = home.join("bin").join("go");
    let sources = succeed(Command::new(&go).args(["env", "GOROOT"]))?;
    let sources = PathBuf::from(String::from_utf8_lossy(&sources).trim());
    let module = sources.join("src/cmd/vendor/golang.org/x/mod");
    succeed(Command::new("cp").arg("-R").arg(module).arg(home.join("mod")))?;
    fs::write(home.join("mod/go.mod"), "module golang.org/x/mod\ngo 1.25\n")?;
    let needs = "module tlog\ngo 1.25\nrequire golang.org/x/mod v0.0.0\n\
        replace golang.org/x/mod => ./mod\n";
    fs::write(home.join("go.mod"), needs)?;
    for program in ["tlog", "witness"] {
        let source = format!("{program}.go");
        fs::copy(folder().join(&source), home.join(&source))?;
        let mut build = Command::new(&go);
        build.args(["build", "-o", program, &source]).current_dir(home);
        build.env("GOCACHE", home.join("cache")).env("GOPROXY", "off").env("GOFLAGS", "-mod=mod");
        build.env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        succeed(&mut build)?;
    }
    fs::remove_dir_all(home.join("cache"))
}

fn install_node(home: &Path, stranger: &Stranger) -> io::Result<()> {
    for name in stranger.listed_in {
        let name = folder().join(name);
        fs::copy(&name, home.join(name.file_name().unwrap()))?;
    }
    succeed(Command::new("npm").args(["ci", "--silent"]).current_dir(home))?;
    Ok(())
}

pub fn folder() -> PathBuf {
    root().join("tests/strangers")
}

pub fn succeed(command: &mut Command) -> io::Result<Vec<u8>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(io::Error::other(format!("{command:?}: {}\n{said}", output.status)))
}

fn converse(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // A stranger that dies without reading is reported by its status, not by the broken pipe.
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    })
}

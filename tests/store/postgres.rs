//! A real PostgreSQL, started once for all tests in a temporary folder and reached by a socket.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;
use std::{env, fs, process, thread};

/// The folder of the server's socket, or why there is no server.
pub static SERVER: LazyLock<Result<PathBuf, String>> = LazyLock::new(start);

/// The server's superuser: whoever attacks as the owner of everything.
pub const SUPERUSER: &str = "founder";

/// How often a starting server is asked whether it is there.
const ASKED: usize = 600;

fn start() -> Result<PathBuf, String> {
    sweep();
    let folder = env::temp_dir().join(format!("envelope-postgres-{}", process::id()));
    serve(folder, |_| Ok(()), &["-c", "listen_addresses="])
}

/// A server of its own in `folder`, prepared before it starts.
pub fn serve(
    folder: PathBuf,
    prepare: impl FnOnce(&Path) -> Result<(), String>,
    arguments: &[&str],
) -> Result<PathBuf, String> {
    let programs = programs().ok_or("no `initdb` in PATH or /usr/lib/postgresql")?;
    fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
    own(&folder)?;
    let data = folder.join("data");
    let mut initdb = unprivileged(&programs.join("initdb"));
    initdb.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C", "--username"]);
    run(initdb.arg(SUPERUSER).arg("--pgdata").arg(&data))?;
    prepare(&data)?;
    let mut server = unprivileged(&programs.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&folder);
    server.args(["-c", "max_connections=400"]).args(arguments);
    let log = fs::File::create(folder.join("log")).map_err(|why| why.to_string())?;
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // The server dies with the thread that started it, which lives as long as the tests do.
    let (tell, told) = mpsc::channel();
    thread::spawn(move || match server.spawn() {
        Ok(mut child) => drop(child.wait()),
        Err(why) => drop(tell.send(why.to_string())),
    });
    for _ in 0..ASKED {
        let mut ready = Command::new(programs.join("pg_isready"));
        let port = arguments.iter().find_map(|it| it.strip_prefix("port="));
        let ready = ready.arg("-qh").arg(&folder).args(["-p", port.unwrap_or("5432")]).status();
        if ready.is_ok_and(|status| status.success()) {
            return Ok(folder);
        }
        if let Ok(why) = told.try_recv() {
            return Err(why);
        }
        thread::sleep(Duration::from_millis(100));
    }
    let log = fs::read_to_string(folder.join("log"));
    Err(format!("the server did not start: {}", log.unwrap_or_default()))
}

/// The folder that holds the programs of PostgreSQL; Debian keeps them out of PATH.
fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let kept = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let kept = kept.map(|version| version.path().join("bin"));
    let mut folders = env::split_paths(&path).chain(kept);
    folders
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|p| folder.join(p).exists()))
}

/// Gives a file or folder to the user that the server runs as.
pub fn own(path: &Path) -> Result<(), String> {
    if is_root() { run(Command::new("chown").arg("postgres").arg(path)) } else { Ok(()) }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// The server refuses to run as root, so root runs it as the user that the package made.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT").current_dir(env::temp_dir());
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Removes the folders of tests that have ended: their servers died with them.
fn sweep() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = ["envelope-postgres-", "envelope-store-"];
        let Some(rest) = ours.iter().find_map(|ours| name.strip_prefix(ours)) else { continue };
        let id = rest.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(id).exists() {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

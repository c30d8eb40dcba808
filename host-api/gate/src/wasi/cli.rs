//! `wasi:cli`: an empty environment, captured output, no terminal.

use envelope_rules::guard::Capability;
use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::airlock::{Airlock, insist};
use crate::bindings::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use crate::cost;
use crate::gate::Answer;
use crate::request::Request;
use crate::stop::Stop;
use crate::wasi::streams::Stream;

/// The terminal that no run has: there is no value of this type.
#[derive(Debug)]
pub enum NoTerminal {}

impl environment::Host for Airlock {
    async fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.environment("get-environment").await?;
        Ok(Vec::new())
    }

    async fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.environment("get-arguments").await?;
        self.gate.charge(self.arguments.iter().map(|it| weight(it)).fold(0, u64::saturating_add));
        Ok(self.arguments.clone())
    }

    async fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.environment("initial-cwd").await?;
        Ok(Some("/".to_owned()))
    }
}

/// What it costs to copy an argument.
fn weight(argument: &str) -> u64 {
    let bytes = u64::try_from(argument.len()).unwrap_or(u64::MAX);
    bytes.saturating_mul(cost::BYTE).saturating_add(cost::ITEM)
}

impl Airlock {
    async fn environment(&mut self, operation: &'static str) -> wasmtime::Result<()> {
        let request = Request::plain(Capability::Environment, operation, "", &());
        insist(self.gate.inner(request, |_, _| ((), Answer::computed(b""))).await)
    }

    fn no_terminal(&mut self) {
        self.gate.charge(cost::PASSAGE);
    }
}

impl exit::Host for Airlock {
    async fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        Err(Stop::Exit(u8::from(status.is_err())).into())
    }

    async fn exit_with_code(&mut self, status: u8) -> wasmtime::Result<()> {
        Err(Stop::Exit(status).into())
    }
}

impl stdin::Host for Airlock {
    async fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        self.input(Stream::Stdin { at: 0 })
    }
}

impl stdout::Host for Airlock {
    async fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output(Stream::Stdout)
    }
}

impl stderr::Host for Airlock {
    async fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output(Stream::Stderr)
    }
}

impl terminal_stdin::Host for Airlock {
    async fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<NoTerminal>>> {
        self.no_terminal();
        Ok(None)
    }
}

impl terminal_stdout::Host for Airlock {
    async fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<NoTerminal>>> {
        self.no_terminal();
        Ok(None)
    }
}

impl terminal_stderr::Host for Airlock {
    async fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<NoTerminal>>> {
        self.no_terminal();
        Ok(None)
    }
}

impl terminal_input::Host for Airlock {}
impl terminal_output::Host for Airlock {}

impl terminal_input::HostTerminalInput for Airlock {
    async fn drop(&mut self, terminal: Resource<NoTerminal>) -> wasmtime::Result<()> {
        Ok(self.table.delete(terminal).map(drop)?)
    }
}

impl terminal_output::HostTerminalOutput for Airlock {
    async fn drop(&mut self, terminal: Resource<NoTerminal>) -> wasmtime::Result<()> {
        Ok(self.table.delete(terminal).map(drop)?)
    }
}

//! Every import a guest may have, and what stands behind it.

use wasmtime::component::{Component, Linker};

use crate::airlock::{Airlock, InAirlock};
use crate::bindings::{envelope, wasi};
use crate::wasi::sockets;

/// What may be imported: interfaces by name and release line. Anything else is refused when a
/// component is registered.
pub const SERVED: &[&str] = &[
    "envelope:host/types@0.1.0",
    "envelope:host/run@0.1.0",
    "envelope:host/trace@0.1.0",
    "envelope:host/artifacts@0.1.0",
    "envelope:host/model@0.1.0",
    "envelope:host/agents@0.1.0",
    "envelope:host/approvals@0.1.0",
    "wasi:cli/environment@0.2.12",
    "wasi:cli/exit@0.2.12",
    "wasi:cli/stdin@0.2.12",
    "wasi:cli/stdout@0.2.12",
    "wasi:cli/stderr@0.2.12",
    "wasi:cli/terminal-input@0.2.12",
    "wasi:cli/terminal-output@0.2.12",
    "wasi:cli/terminal-stdin@0.2.12",
    "wasi:cli/terminal-stdout@0.2.12",
    "wasi:cli/terminal-stderr@0.2.12",
    "wasi:clocks/monotonic-clock@0.2.12",
    "wasi:clocks/wall-clock@0.2.12",
    "wasi:filesystem/types@0.2.12",
    "wasi:filesystem/preopens@0.2.12",
    "wasi:http/types@0.2.12",
    "wasi:http/outgoing-handler@0.2.12",
    "wasi:io/error@0.2.12",
    "wasi:io/poll@0.2.12",
    "wasi:io/streams@0.2.12",
    "wasi:random/random@0.2.12",
    "wasi:random/insecure@0.2.12",
    "wasi:random/insecure-seed@0.2.12",
    "wasi:sockets/network@0.2.12",
    "wasi:sockets/instance-network@0.2.12",
    "wasi:sockets/ip-name-lookup@0.2.12",
    "wasi:sockets/tcp@0.2.12",
    "wasi:sockets/tcp-create-socket@0.2.12",
    "wasi:sockets/udp@0.2.12",
    "wasi:sockets/udp-create-socket@0.2.12",
];

/// Links all of it for `component`. `airlock` finds the airlock in the store's data.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    link_envelope(linker, airlock)?;
    link_wasi(linker, airlock)?;
    sockets::link(linker, component, airlock)
}

fn link_envelope<T: Send + 'static>(
    l: &mut Linker<T>,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    use envelope::host::{agents, approvals, artifacts, model, run, trace, types};
    types::add_to_linker::<T, InAirlock>(l, airlock)?;
    run::add_to_linker::<T, InAirlock>(l, airlock)?;
    trace::add_to_linker::<T, InAirlock>(l, airlock)?;
    artifacts::add_to_linker::<T, InAirlock>(l, airlock)?;
    model::add_to_linker::<T, InAirlock>(l, airlock)?;
    agents::add_to_linker::<T, InAirlock>(l, airlock)?;
    approvals::add_to_linker::<T, InAirlock>(l, airlock)
}

fn link_wasi<T: Send + 'static>(
    l: &mut Linker<T>,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    use wasi::{cli, clocks, filesystem, http, io, random};
    cli::environment::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::exit::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::stdin::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::stdout::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::stderr::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::terminal_input::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::terminal_output::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::terminal_stdin::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::terminal_stdout::add_to_linker::<T, InAirlock>(l, airlock)?;
    cli::terminal_stderr::add_to_linker::<T, InAirlock>(l, airlock)?;
    clocks::monotonic_clock::add_to_linker::<T, InAirlock>(l, airlock)?;
    clocks::wall_clock::add_to_linker::<T, InAirlock>(l, airlock)?;
    filesystem::types::add_to_linker::<T, InAirlock>(l, airlock)?;
    filesystem::preopens::add_to_linker::<T, InAirlock>(l, airlock)?;
    // What WASI calls unstable is not served.
    http::types::add_to_linker::<T, InAirlock>(l, &http::types::LinkOptions::default(), airlock)?;
    http::outgoing_handler::add_to_linker::<T, InAirlock>(l, airlock)?;
    io::error::add_to_linker::<T, InAirlock>(l, airlock)?;
    io::poll::add_to_linker::<T, InAirlock>(l, airlock)?;
    io::streams::add_to_linker::<T, InAirlock>(l, airlock)?;
    random::random::add_to_linker::<T, InAirlock>(l, airlock)?;
    random::insecure::add_to_linker::<T, InAirlock>(l, airlock)?;
    random::insecure_seed::add_to_linker::<T, InAirlock>(l, airlock)
}

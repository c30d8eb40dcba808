//! `wasi:sockets`: some guests import it for their C library's sake. Nothing in it works.
//!
//! Only a few functions can be reached without a socket in hand. Each passes the gate as what it
//! is, a wish for the network past `wasi:http`, and is refused there; all others take a handle that
//! nobody ever gets.

use envelope_rules::guard::Capability;
use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{
    Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Type, Val,
};

use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, Error};

use crate::airlock::Airlock;
use crate::gate::Answer;
use crate::request::Request;
use crate::stop::Stop;

/// The package whose imports are answered here.
pub const PACKAGE: &str = "wasi:sockets/";

/// Stands for every resource of the package.
#[derive(Debug)]
pub struct NoSocket;

/// Links what `component` imports of the package.
pub(crate) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    let ty = component.component_type();
    for (name, import) in ty.imports(&engine) {
        if let (true, ComponentItem::ComponentInstance(interface)) =
            (name.starts_with(PACKAGE), &import.ty)
        {
            link_interface(&mut linker.instance(name)?, interface, &engine, airlock)?;
        }
    }
    Ok(())
}

fn link_interface<T: Send + 'static>(
    linker: &mut LinkerInstance<'_, T>,
    interface: &ComponentInstance,
    engine: &wasmtime::Engine,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    for (name, item) in interface.exports(engine) {
        match &item.ty {
            ComponentItem::Resource(_) => {
                // What an interface merely uses of another one is that one's resource.
                let ty = match name {
                    "pollable" => ResourceType::host::<DynPollable>(),
                    "input-stream" => ResourceType::host::<DynInputStream>(),
                    "output-stream" => ResourceType::host::<DynOutputStream>(),
                    "error" => ResourceType::host::<Error>(),
                    _ => ResourceType::host::<NoSocket>(),
                };
                linker.resource(name, ty, move |mut store, rep| {
                    airlock(store.data_mut()).table.delete(Resource::<NoSocket>::new_own(rep))?;
                    Ok(())
                })?;
            }
            ComponentItem::ComponentFunc(_) => {
                let operation: &'static str = operation(name);
                linker.func_new_async(name, move |store, ty, params, results| {
                    let fallible = ty.results().all(|ty| matches!(ty, Type::Result(_)));
                    let answer = results.first_mut().map(|answer| (answer, fallible));
                    Box::new(refuse(store, operation, params, answer, airlock))
                })?;
            }
            // Types need no definition.
            ComponentItem::CoreFunc(_)
            | ComponentItem::Module(_)
            | ComponentItem::Component(_)
            | ComponentItem::ComponentInstance(_)
            | ComponentItem::Type(_) => {}
        }
    }
    Ok(())
}

/// The name in the journal.
fn operation(name: &str) -> &'static str {
    match name {
        "instance-network" => "sockets.instance-network",
        "create-tcp-socket" => "sockets.create-tcp-socket",
        "create-udp-socket" => "sockets.create-udp-socket",
        "resolve-addresses" => "sockets.resolve-addresses",
        _ => "sockets.other",
    }
}

async fn refuse<T: Send + 'static>(
    mut store: StoreContextMut<'_, T>,
    operation: &'static str,
    params: &[Val],
    answer: Option<(&mut Val, bool)>,
    airlock: fn(&mut T) -> &mut Airlock,
) -> wasmtime::Result<()> {
    let request = Request::plain(Capability::Http, operation, "a raw socket", &());
    let gate = &mut airlock(store.data_mut()).gate;
    if gate.inner(request, |_, _| ((), Answer::computed(b""))).await?.is_ok() {
        return Err(Stop::Misuse("a raw socket was allowed").into());
    }
    for param in params {
        // What was lent has to be given back.
        if let Val::Resource(lent) = param {
            lent.resource_drop_async(&mut store).await?;
        }
    }
    match answer {
        Some((answer, true)) => *answer = Val::Result(Err(Some(denied()))),
        // The network is handed out: a handle with which nothing can be done.
        Some((answer, false)) if operation == "sockets.instance-network" => {
            let network = airlock(store.data_mut()).table.push(NoSocket)?;
            *answer = Val::Resource(ResourceAny::try_from_resource(network, &mut store)?);
        }
        Some(_) | None => return Err(Stop::Misuse("there are no sockets here").into()),
    }
    Ok(())
}

fn denied() -> Box<Val> {
    Box::new(Val::Enum("access-denied".to_owned()))
}

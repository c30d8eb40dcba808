//! The table of operations. The router, the OpenAPI document and the tests come from it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use envelope_market::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::ask::Ask;
use crate::call::{Call, enter};
use crate::rate::Rate;
use crate::{App, Problem, api};

/// Bytes of a JSON body: a contract with its files.
pub const JSON_BYTES_MAX: usize = 16 << 20;

/// Bytes of a component: Python and its libraries have thirty million.
pub const WASM_BYTES_MAX: usize = 128 << 20;

/// Under what all operations stand.
pub const BASE: &str = "/api/v1";

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Everybody, signed in or not.
    Nobody,
    /// Whoever is signed in.
    Anybody,
    /// Whoever has a role that covers this one.
    Role(Role),
}

/// What comes in the body.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// JSON of this schema.
    Json(Make),
    /// A component.
    Wasm,
}

/// What is answered.
#[derive(Clone, Copy)]
pub enum Gives {
    /// JSON of this schema.
    Json(Make),
    /// A page of such.
    Page(Make),
    /// A page of such, or, for `Accept: text/event-stream`, one after the other as they come.
    Stream(Make),
    /// All of such: there are so few that they make one page.
    All(Make),
    /// Something of another kind.
    Other(&'static str),
}

/// Makes a schema.
pub type Make = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type.
pub fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// An operation.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static Method,
    /// The path below [`BASE`].
    pub path: &'static str,
    /// Its name.
    pub operation: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may.
    pub needs: Needs,
    /// How often.
    pub rate: Rate,
    /// Whether it takes an `Idempotency-Key`, and needs it.
    pub once: bool,
    /// What a request may say beside that.
    pub asks: &'static [Ask],
    /// What comes in the body.
    pub takes: Takes,
    /// The status of success.
    pub status: u16,
    /// What is answered.
    pub gives: Gives,
    /// Does it.
    pub handle: fn(Call) -> Answering,
}

impl Route {
    /// An operation that reads.
    pub const fn get(
        (path, operation): (&'static str, &'static str),
        summary: &'static str,
        gives: Gives,
        handle: fn(Call) -> Answering,
    ) -> Self {
        Self {
            method: &Method::GET,
            path,
            operation,
            summary,
            needs: Needs::Anybody,
            rate: Rate::Read,
            once: false,
            asks: &[],
            takes: Takes::Nothing,
            status: 200,
            gives,
            handle,
        }
    }

    /// An operation that changes something.
    pub const fn change(
        method: &'static Method,
        (path, operation): (&'static str, &'static str),
        summary: &'static str,
        (role, takes, gives): (Role, Takes, Gives),
        handle: fn(Call) -> Answering,
    ) -> Self {
        let needs = Needs::Role(role);
        let status = 200;
        let rate = Rate::Write;
        let (once, asks): (bool, &[Ask]) = (false, &[]);
        Self {
            method,
            path,
            operation,
            summary,
            needs,
            rate,
            once,
            asks,
            takes,
            status,
            gives,
            handle,
        }
    }

    /// The same for a POST.
    pub const fn post(
        names: (&'static str, &'static str),
        summary: &'static str,
        what: (Role, Takes, Gives),
        handle: fn(Call) -> Answering,
    ) -> Self {
        Self::change(&Method::POST, names, summary, what, handle)
    }

    /// The same operation, which makes something new.
    #[must_use]
    pub const fn makes(self) -> Self {
        Self { status: 201, ..self }
    }

    /// The same operation, which happens once for each `Idempotency-Key`.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// The same operation, which may be told more.
    #[must_use]
    pub const fn asks(self, asks: &'static [Ask]) -> Self {
        Self { asks, ..self }
    }

    /// The same operation, for others.
    #[must_use]
    pub const fn for_whom(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The same operation, which costs more.
    #[must_use]
    pub const fn heavy(self) -> Self {
        Self { rate: Rate::Heavy, ..self }
    }

    /// The same operation, which looks at a password.
    #[must_use]
    pub const fn signs_in(self) -> Self {
        Self { rate: Rate::SignIn, ..self }
    }
}

/// Every operation.
pub fn all() -> impl Iterator<Item = &'static Route> {
    api::v1::ALL.iter().copied().flatten()
}

/// The router of the table.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut paths: BTreeMap<&str, Vec<&'static Route>> = BTreeMap::new();
    for route in all() {
        paths.entry(route.path).or_default().push(route);
    }
    let mut router = Router::new();
    for (path, routes) in paths {
        let mut methods: MethodRouter<Arc<App>> = MethodRouter::new();
        for route in routes {
            let Ok(filter) = MethodFilter::try_from(route.method.clone()) else { continue };
            let handle =
                move |State(app), path: Result<Path<_>, PathRejection>, request: Request| {
                    enter(app, route, path.map(|Path(parts)| parts), request)
                };
            methods = methods.merge(on(filter, handle));
        }
        router = router.route(&format!("{BASE}{path}"), methods);
    }
    router.with_state(Arc::clone(app))
}

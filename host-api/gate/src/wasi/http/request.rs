//! A request as the guest writes it down: its own data, until it is handed over.

use std::time::Duration;

use envelope_rules::egress::target::URL_BYTES_MAX;
use http::uri::{Authority, PathAndQuery};
use wasmtime::component::Resource;

use super::body::{OutgoingBody, SharedBody};
use super::fields::Fields;
use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, Method, Scheme};

/// Bytes of a method, a host or a path that are taken down: more than any of them may have, so that
/// it is the rules that say no.
const TEXT_BYTES_MAX: usize = 2 * URL_BYTES_MAX;

/// A request that is being written.
#[derive(Debug)]
pub struct OutgoingRequest {
    pub(super) method: Method,
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<String>,
    pub(super) path: Option<String>,
    pub(super) headers: Fields,
    pub(super) body: Option<SharedBody>,
}

/// How long the guest is willing to wait. The host's limits hold beside it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestOptions {
    pub(super) connect: Option<u64>,
    pub(super) first_byte: Option<u64>,
    pub(super) between_bytes: Option<u64>,
}

impl RequestOptions {
    /// The host's `limits` with what the guest wants beside them.
    pub(super) fn within(&self, limits: crate::net::Limits) -> crate::net::Limits {
        let least = |ours: Duration, wish: Option<u64>| {
            wish.map_or(ours, |nanos| ours.min(Duration::from_nanos(nanos)))
        };
        crate::net::Limits {
            connect: least(limits.connect, self.connect),
            first_byte: least(limits.first_byte, self.first_byte),
            between_bytes: least(limits.between_bytes, self.between_bytes),
            ..limits
        }
    }
}

impl Airlock {
    /// Whether a setter takes a text down: nothing endless, and nothing that `is` not what it
    /// should be. Whether it may be asked for is for the rules to say.
    fn fits(&mut self, text: Option<&str>, is: fn(&str) -> bool) -> Result<(), ()> {
        let Some(text) = text else { return Ok(()) };
        self.charge_bytes(text.len().min(TEXT_BYTES_MAX));
        if text.len() <= TEXT_BYTES_MAX && is(text) { Ok(()) } else { Err(()) }
    }
}

fn is_method(text: &str) -> bool {
    http::Method::from_bytes(text.as_bytes()).is_ok()
}

/// An empty path is one: that of the root.
fn is_path(text: &str) -> bool {
    text.is_empty() || PathAndQuery::try_from(text).is_ok()
}

fn is_authority(text: &str) -> bool {
    Authority::try_from(text).is_ok()
}

fn is_scheme(text: &str) -> bool {
    let more = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(more)
}

impl types::HostOutgoingRequest for Airlock {
    async fn new(
        &mut self,
        headers: Resource<Fields>,
    ) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let headers = self.table.delete(headers)?;
        let (method, scheme, authority, path, body) = (Method::Get, None, None, None, None);
        let request = OutgoingRequest { method, scheme, authority, path, headers, body };
        Ok(self.table.push(request)?)
    }

    async fn body(
        &mut self,
        it: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let request = self.table.get(&it)?;
        if request.body.is_some() {
            return Ok(Err(()));
        }
        let (body, handle) = self.new_body(request.headers.promised())?;
        self.table.get_mut(&it)?.body = Some(body);
        Ok(Ok(handle))
    }

    async fn method(&mut self, it: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        Ok(self.table.get(&it)?.method.clone())
    }

    async fn set_method(
        &mut self,
        it: Resource<OutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Result<(), ()>> {
        let fits = self.fits(Some(method_name(&method)), is_method);
        if fits.is_ok() {
            self.table.get_mut(&it)?.method = method;
        }
        Ok(fits)
    }

    async fn path_with_query(
        &mut self,
        it: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&it)?.path.clone())
    }

    async fn set_path_with_query(
        &mut self,
        it: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let fits = self.fits(path.as_deref(), is_path);
        if fits.is_ok() {
            self.table.get_mut(&it)?.path = path;
        }
        Ok(fits)
    }

    async fn scheme(&mut self, it: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&it)?.scheme.clone())
    }

    async fn set_scheme(
        &mut self,
        it: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let fits = self.fits(scheme.as_ref().map(scheme_name), is_scheme);
        if fits.is_ok() {
            self.table.get_mut(&it)?.scheme = scheme;
        }
        Ok(fits)
    }

    async fn authority(
        &mut self,
        it: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&it)?.authority.clone())
    }

    async fn set_authority(
        &mut self,
        it: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let fits = self.fits(authority.as_deref(), is_authority);
        if fits.is_ok() {
            self.table.get_mut(&it)?.authority = authority;
        }
        Ok(fits)
    }

    async fn headers(
        &mut self,
        it: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&it)?.headers.to_fixed();
        self.show(headers, &it)
    }

    async fn drop(&mut self, it: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}

impl types::HostRequestOptions for Airlock {
    async fn new(&mut self) -> wasmtime::Result<Resource<RequestOptions>> {
        Ok(self.table.push(RequestOptions::default())?)
    }

    async fn connect_timeout(
        &mut self,
        it: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&it)?.connect)
    }

    async fn set_connect_timeout(
        &mut self,
        it: Resource<RequestOptions>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&it)?.connect = nanos;
        Ok(Ok(()))
    }

    async fn first_byte_timeout(
        &mut self,
        it: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&it)?.first_byte)
    }

    async fn set_first_byte_timeout(
        &mut self,
        it: Resource<RequestOptions>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&it)?.first_byte = nanos;
        Ok(Ok(()))
    }

    async fn between_bytes_timeout(
        &mut self,
        it: Resource<RequestOptions>,
    ) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&it)?.between_bytes)
    }

    async fn set_between_bytes_timeout(
        &mut self,
        it: Resource<RequestOptions>,
        nanos: Option<u64>,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.table.get_mut(&it)?.between_bytes = nanos;
        Ok(Ok(()))
    }

    async fn drop(&mut self, it: Resource<RequestOptions>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}

/// The method as the guest wrote it.
pub(super) fn method_name(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}

/// The scheme as the guest wrote it.
pub(super) fn scheme_name(scheme: &Scheme) -> &str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
        Scheme::Other(name) => name,
    }
}

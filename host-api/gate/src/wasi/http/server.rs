//! The other half of `wasi:http`: what only a guest that answers requests would hold. No run is
//! asked anything, so nobody gets a request; an answer can be written down, and goes nowhere.

use wasmtime::component::Resource;

use super::body::{OutgoingBody, SharedBody};
use super::fields::Fields;
use super::response::IncomingBody;
use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, ErrorCode, Method, Scheme};

/// Stands for the requests that no guest gets: there is no value of this type.
#[derive(Debug)]
pub enum NoRequest {}

/// Stands for the place where an answer would go: there is no value of this type.
#[derive(Debug)]
pub enum NoOutparam {}

/// An answer that a guest writes down.
#[derive(Debug)]
pub struct OutgoingResponse {
    status: u16,
    headers: Fields,
    body: Option<SharedBody>,
}

impl types::HostIncomingRequest for Airlock {
    async fn method(&mut self, it: Resource<NoRequest>) -> wasmtime::Result<Method> {
        match *self.table.get(&it)? {}
    }

    async fn path_with_query(
        &mut self,
        it: Resource<NoRequest>,
    ) -> wasmtime::Result<Option<String>> {
        match *self.table.get(&it)? {}
    }

    async fn scheme(&mut self, it: Resource<NoRequest>) -> wasmtime::Result<Option<Scheme>> {
        match *self.table.get(&it)? {}
    }

    async fn authority(&mut self, it: Resource<NoRequest>) -> wasmtime::Result<Option<String>> {
        match *self.table.get(&it)? {}
    }

    async fn headers(&mut self, it: Resource<NoRequest>) -> wasmtime::Result<Resource<Fields>> {
        match *self.table.get(&it)? {}
    }

    async fn consume(
        &mut self,
        it: Resource<NoRequest>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        match *self.table.get(&it)? {}
    }

    async fn drop(&mut self, it: Resource<NoRequest>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}

impl types::HostResponseOutparam for Airlock {
    async fn send_informational(
        &mut self,
        param: Resource<NoOutparam>,
        _status: u16,
        _headers: Resource<Fields>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        match *self.table.get(&param)? {}
    }

    async fn set(
        &mut self,
        param: Resource<NoOutparam>,
        _response: Result<Resource<OutgoingResponse>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        match self.table.delete(param)? {}
    }

    async fn drop(&mut self, param: Resource<NoOutparam>) -> wasmtime::Result<()> {
        Ok(self.table.delete(param).map(drop)?)
    }
}

impl types::HostOutgoingResponse for Airlock {
    async fn new(
        &mut self,
        headers: Resource<Fields>,
    ) -> wasmtime::Result<Resource<OutgoingResponse>> {
        let headers = self.table.delete(headers)?;
        Ok(self.table.push(OutgoingResponse { status: 200, headers, body: None })?)
    }

    async fn status_code(&mut self, it: Resource<OutgoingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&it)?.status)
    }

    async fn set_status_code(
        &mut self,
        it: Resource<OutgoingResponse>,
        status: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        if !(100..1000).contains(&status) {
            return Ok(Err(()));
        }
        self.table.get_mut(&it)?.status = status;
        Ok(Ok(()))
    }

    async fn headers(
        &mut self,
        it: Resource<OutgoingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&it)?.headers.to_fixed();
        self.show(headers, &it)
    }

    async fn body(
        &mut self,
        it: Resource<OutgoingResponse>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let response = self.table.get(&it)?;
        if response.body.is_some() {
            return Ok(Err(()));
        }
        let (body, handle) = self.new_body(response.headers.promised())?;
        self.table.get_mut(&it)?.body = Some(body);
        Ok(Ok(handle))
    }

    async fn drop(&mut self, it: Resource<OutgoingResponse>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}

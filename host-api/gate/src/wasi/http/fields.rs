//! Headers, as the guest's own data: nothing in here leaves by itself.

use envelope_rules::egress::target::overrides_target;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue};
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, HeaderError};
use crate::cost;
use crate::stop::Stop;

/// Headers of one list: as many as common servers read.
pub const FIELDS_MAX: usize = 128;

/// Bytes of one list of headers, names included: what common servers read, fourfold.
pub const FIELD_BYTES_MAX: usize = 64 << 10;

/// Headers that speak of the connection, or of whom a request is for: the host's own.
const OURS: [&str; 12] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A list of headers.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    entries: Vec<(HeaderName, HeaderValue)>,
    fixed: bool,
}

impl Fields {
    /// Headers that the guest may look at and not change.
    pub(super) const fn fixed(entries: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { entries, fixed: true }
    }

    /// The same, fixed.
    pub(super) fn to_fixed(&self) -> Self {
        Self::fixed(self.entries.clone())
    }

    pub(super) fn entries(&self) -> &[(HeaderName, HeaderValue)] {
        &self.entries
    }

    /// Bytes of names and values.
    pub(super) fn bytes(&self) -> usize {
        let sizes = self.entries.iter().map(|(name, value)| name.as_str().len() + value.len());
        sizes.sum()
    }

    /// The length of the body that they promise, if they promise one that can be.
    pub(super) fn promised(&self) -> Option<u64> {
        let length = self.of(&CONTENT_LENGTH).next()?;
        length.to_str().ok()?.parse().ok()
    }

    fn of<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.entries.iter().filter(move |(it, _)| it == name).map(|(_, value)| value)
    }

    /// Adds a header, or says that there is no room.
    fn push(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), Stop> {
        self.entries.push((name, value));
        if self.entries.len() > FIELDS_MAX || self.bytes() > FIELD_BYTES_MAX {
            return Err(Stop::Exhausted("headers"));
        }
        Ok(())
    }
}

/// Whether the header is the host's own: no guest may name it.
pub(super) fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(&name.as_str()) || overrides_target(name.as_str())
}

type Checked<T> = wasmtime::Result<Result<T, HeaderError>>;

fn name_of(text: &str) -> Result<HeaderName, HeaderError> {
    let name = HeaderName::try_from(text).map_err(|_| HeaderError::InvalidSyntax)?;
    if is_ours(&name) { Err(HeaderError::Forbidden) } else { Ok(name) }
}

fn value_of(bytes: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(bytes).map_err(|_| HeaderError::InvalidSyntax)
}

fn pair(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderError> {
    Ok((name_of(name)?, value_of(value)?))
}

impl Airlock {
    /// The work of looking at so many bytes of headers.
    pub(super) fn charge_bytes(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.gate.charge(bytes.saturating_mul(cost::BYTE));
    }

    /// Lets the guest look at the headers of `parent`, which has to outlive them.
    pub(super) fn show<T: 'static>(
        &mut self,
        headers: Fields,
        parent: &Resource<T>,
    ) -> wasmtime::Result<Resource<Fields>> {
        self.charge_bytes(headers.bytes());
        Ok(self.table.push_child(headers, parent)?)
    }

    /// Headers that may be changed, at the price of looking at them.
    fn changeable(&mut self, fields: &Resource<Fields>) -> Checked<&mut Fields> {
        let bytes = self.table.get(fields)?.bytes();
        self.charge_bytes(bytes);
        let fields = self.table.get_mut(fields)?;
        Ok(if fields.fixed { Err(HeaderError::Immutable) } else { Ok(fields) })
    }
}

impl types::HostFields for Airlock {
    async fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        Ok(self.table.push(Fields::default())?)
    }

    async fn from_list(&mut self, list: Vec<(String, Vec<u8>)>) -> Checked<Resource<Fields>> {
        let mut fields = Fields::default();
        for (name, value) in list {
            self.charge_bytes(name.len().saturating_add(value.len()));
            match pair(&name, &value) {
                Ok((name, value)) => fields.push(name, value)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(self.table.push(fields)?))
    }

    async fn get(&mut self, it: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        let bytes = self.table.get(&it)?.bytes();
        self.charge_bytes(bytes);
        let Ok(name) = HeaderName::try_from(name) else { return Ok(Vec::new()) };
        let fields = self.table.get(&it)?;
        Ok(fields.of(&name).map(|value| value.as_bytes().to_vec()).collect())
    }

    async fn has(&mut self, it: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        let bytes = self.table.get(&it)?.bytes();
        self.charge_bytes(bytes);
        let Ok(name) = HeaderName::try_from(name) else { return Ok(false) };
        Ok(self.table.get(&it)?.of(&name).next().is_some())
    }

    async fn set(
        &mut self,
        it: Resource<Fields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> Checked<()> {
        self.charge_bytes(values.iter().map(Vec::len).sum());
        let fields = match self.changeable(&it)? {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        let values = values.iter().map(|value| value_of(value)).collect::<Result<Vec<_>, _>>();
        let (name, values) = match (name_of(&name), values) {
            (Ok(name), Ok(values)) => (name, values),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        fields.entries.retain(|(of, _)| *of != name);
        for value in values {
            fields.push(name.clone(), value)?;
        }
        Ok(Ok(()))
    }

    async fn delete(&mut self, it: Resource<Fields>, name: String) -> Checked<()> {
        let fields = match self.changeable(&it)? {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        match name_of(&name) {
            Ok(name) => {
                fields.entries.retain(|(of, _)| *of != name);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn append(&mut self, it: Resource<Fields>, name: String, value: Vec<u8>) -> Checked<()> {
        self.charge_bytes(value.len());
        let fields = match self.changeable(&it)? {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        match pair(&name, &value) {
            Ok((name, value)) => Ok(Ok(fields.push(name, value)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn entries(&mut self, it: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        let bytes = self.table.get(&it)?.bytes();
        self.charge_bytes(bytes);
        let entries = self.table.get(&it)?.entries.iter();
        let entries =
            entries.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        Ok(entries.collect())
    }

    async fn clone(&mut self, it: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let mut copy = self.table.get(&it)?.clone();
        copy.fixed = false;
        self.charge_bytes(copy.bytes());
        Ok(self.table.push(copy)?)
    }

    async fn drop(&mut self, it: Resource<Fields>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}

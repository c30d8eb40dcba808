//! Names and their addresses.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use envelope_rules::egress::host::HostName;

use super::Failure;

/// A question to the name system.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Failure>> + Send + 'a>>;

/// Whoever knows the addresses of names.
pub trait Names: Send + Sync {
    /// Every address of `name`.
    fn resolve<'a>(&'a self, name: &'a HostName) -> Resolving<'a>;
}

/// The system's own name service.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn resolve<'a>(&'a self, name: &'a HostName) -> Resolving<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Failure::NameUnknown)?;
            let mut addresses = Vec::new();
            for address in found.map(|found| found.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Ok(addresses)
        })
    }
}

//! Which hosts may have addresses that are not public: an operator's exceptions, host by host.

use std::str::FromStr;

use envelope_rules::egress::cidr::{BadCidr, Cidr};
use envelope_rules::egress::host::Host;
use envelope_rules::egress::rule::{BadHostPattern, HostPattern, RuleDocument};

/// One exception: the hosts and the addresses they may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    hosts: HostPattern,
    addresses: Vec<Cidr>,
}

/// A text that is no exception.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReach {
    /// No host and addresses.
    #[error("an exception is written `HOST=ADDRESSES`: `db.example.org=10.1.0.0/16`")]
    Shape,
    /// Not a host.
    #[error(transparent)]
    Host(#[from] BadHostPattern),
    /// Not a block of addresses.
    #[error(transparent)]
    Addresses(#[from] BadCidr),
}

impl Reach {
    /// `hosts` may have `addresses`.
    pub const fn new(hosts: HostPattern, addresses: Vec<Cidr>) -> Self {
        Self { hosts, addresses }
    }

    /// What an operator means who writes an address, or `localhost`, into a rule of his own: that
    /// host and no other may have that address. A name says nothing about addresses.
    pub fn named_by(rule: &RuleDocument) -> Option<Self> {
        let hosts = HostPattern::parse(&rule.host).ok()?;
        let blocks: &[&str] = match &hosts {
            HostPattern::Exact(Host::V4(address)) => &[&format!("{address}/32")],
            HostPattern::Exact(Host::V6(address)) => &[&format!("{address}/128")],
            HostPattern::Exact(Host::Name(name)) if name.as_str() == "localhost" => {
                &["127.0.0.0/8", "::1/128"]
            }
            HostPattern::Exact(Host::Name(_)) | HostPattern::Below(_) => return None,
        };
        let addresses = blocks.iter().filter_map(|block| block.parse().ok()).collect();
        Some(Self { hosts, addresses })
    }

    /// Whether it is about `host`.
    pub fn is_of(&self, host: &Host) -> bool {
        self.hosts.matches(host)
    }
}

impl FromStr for Reach {
    type Err = BadReach;

    fn from_str(text: &str) -> Result<Self, BadReach> {
        let (host, block) = text.split_once('=').ok_or(BadReach::Shape)?;
        Ok(Self::new(HostPattern::parse(host)?, vec![block.parse()?]))
    }
}

/// The exceptions of `host`, and of no other.
pub(super) fn exceptions(reach: &[Reach], host: &Host) -> Vec<Cidr> {
    let of_host = reach.iter().filter(|it| it.is_of(host));
    of_host.flat_map(|it| it.addresses.iter().copied()).collect()
}

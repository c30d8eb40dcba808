//! Blocks of addresses, `10.0.0.0/8`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A block of addresses. One spelling per block: what follows the prefix is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    first: IpAddr,
    len: u8,
}

impl Cidr {
    /// Whether the block holds `address`. A mapped address is in no IPv4 block.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let rest = u32::BITS.saturating_sub(u32::from(self.len));
                (first.to_bits() ^ address.to_bits()).checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let rest = u128::BITS.saturating_sub(u32::from(self.len));
                (first.to_bits() ^ address.to_bits()).checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// The block's first address.
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// How many leading bits the block's addresses share.
    pub const fn prefix_len(&self) -> u8 {
        self.len
    }

    pub(super) const fn v4(first: Ipv4Addr, len: u8) -> Self {
        Self { first: IpAddr::V4(first), len }
    }

    pub(super) const fn v6(first: Ipv6Addr, len: u8) -> Self {
        Self { first: IpAddr::V6(first), len }
    }

    fn is_normal(&self) -> bool {
        match self.first {
            IpAddr::V4(first) => {
                self.len <= 32 && first.to_bits().checked_shl(self.len.into()).unwrap_or(0) == 0
            }
            IpAddr::V6(first) => {
                self.len <= 128 && first.to_bits().checked_shl(self.len.into()).unwrap_or(0) == 0
            }
        }
    }
}

/// A text that is not a block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block is spelled as its first address, `/` and the prefix length: `10.0.0.0/8`")]
pub struct BadCidr;

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let (first, len) = text.split_once('/').ok_or(BadCidr)?;
        let first = first.parse().map_err(|_| BadCidr)?;
        let block = Self { first, len: len.parse().map_err(|_| BadCidr)? };
        if block.is_normal() && block.to_string() == text { Ok(block) } else { Err(BadCidr) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.len)
    }
}

impl TryFrom<String> for Cidr {
    type Error = BadCidr;

    fn try_from(text: String) -> Result<Self, BadCidr> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(block: Cidr) -> Self {
        block.to_string()
    }
}

//! Which addresses may be dialled: a pure function over a resolved address.
//!
//! [`BLOCKS`] is the IANA special-purpose registries of IPv4 and IPv6 with the multicast space, the
//! deprecated blocks and the metadata services of the large clouds. It is a constant, not a data
//! file: it changes with standards, not with operators, and nobody can misplace it. `std`'s own
//! predicates are not used, for they are partly unstable and know fewer forms.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use self::Class::*;
use super::cidr::Cidr;
use crate::denial::{Code, Denial};

/// What an address is for. Only [`Class::Public`] is reached without a declared exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The public internet.
    Public,
    /// A cloud's metadata or platform service, which hands out credentials.
    Metadata,
    /// The machine itself.
    Loopback,
    /// A private network.
    Private,
    /// One link, without a router.
    LinkLocal,
    /// Between a carrier and its customers.
    Cgnat,
    /// A private network of IPv6.
    UniqueLocal,
    /// Many receivers.
    Multicast,
    /// Every host of a network.
    Broadcast,
    /// No address.
    Unspecified,
    /// For examples in texts.
    Documentation,
    /// For measurements in a laboratory.
    Benchmark,
    /// Set aside, deprecated or not assigned.
    Reserved,
    /// IPv4 as an IPv6 socket shows it.
    Mapped,
    /// IPv4 in the oldest IPv6 form.
    Compatible,
    /// IPv4 through a stateless translator.
    Translated,
    /// IPv4 through a NAT64 with the well-known prefix.
    Nat64,
    /// IPv4 through a NAT64 with a local prefix, where the place of the IPv4 address is unknown.
    Nat64Local,
    /// IPv4 through a 6to4 relay.
    SixToFour,
    /// IPv4 through a Teredo relay.
    Teredo,
    /// IPv4 through an ISATAP router.
    Isatap,
}

impl Class {
    /// Whether an operator's exception can open addresses of this class. Never the metadata and the
    /// link, and no tunnel: only NAT64, through which some networks reach all of IPv4.
    pub const fn may_be_excepted(self) -> bool {
        match self {
            Loopback | Private | Cgnat | UniqueLocal | Documentation | Benchmark | Nat64 => true,
            Public | Metadata | LinkLocal | Multicast | Broadcast | Unspecified | Reserved
            | Mapped | Compatible | Translated | Nat64Local | SixToFour | Teredo | Isatap => false,
        }
    }

    /// The IPv4 address that an address of this class leads to.
    fn embedded(self, address: IpAddr) -> Option<Ipv4Addr> {
        let IpAddr::V6(address) = address else { return None };
        let [_, _, a, b, c, d, .., w, x, y, z] = address.octets();
        match self {
            Mapped | Compatible | Translated | Nat64 | Isatap => Some(Ipv4Addr::new(w, x, y, z)),
            Teredo => Some(Ipv4Addr::new(!w, !x, !y, !z)),
            SixToFour => Some(Ipv4Addr::new(a, b, c, d)),
            Public | Metadata | Loopback | Private | LinkLocal | Cgnat | UniqueLocal
            | Multicast | Broadcast | Unspecified | Documentation | Benchmark | Reserved
            | Nat64Local => None,
        }
    }
}

/// An address that may be dialled. Only [`check`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckedAddr(IpAddr);

impl CheckedAddr {
    /// The address.
    pub const fn get(self) -> IpAddr {
        self.0
    }
}

/// Lets an address be dialled if it is public or if one of the operator's `exceptions` opens it.
/// An address that leads to an IPv4 address passes only if that one passes too.
///
/// Give the exceptions of the host that is dialled, not of every host: whoever owns an allowed name
/// can point it at an address that was excepted for another.
pub fn check(address: IpAddr, exceptions: &[Cidr]) -> Result<CheckedAddr, Denial> {
    let finding = classify(address);
    if passes(address, &finding, exceptions) {
        return Ok(CheckedAddr(address));
    }
    Err(Denial::new(Code::EgressAddress, format_args!("`{address}`: {finding}")))
}

/// What [`classify`] found out about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What the address is for.
    pub class: Class,
    /// The document or the service that says so.
    pub why: &'static str,
    /// The IPv4 address inside, and what that one is for.
    pub embedded: Option<(Ipv4Addr, Class)>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)?;
        match self.embedded {
            Some((inner, class)) => write!(f, ", leading to `{inner}` ({class:?})"),
            None => Ok(()),
        }
    }
}

/// Says what an address is for.
pub fn classify(address: IpAddr) -> Finding {
    let (class, why) = look_up(address);
    let embedded = class.embedded(address).map(|inner| (inner, look_up(inner.into()).0));
    Finding { class, why, embedded }
}

/// A block of addresses with one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The addresses.
    pub range: Cidr,
    /// What they are for.
    pub class: Class,
    /// The document or the service that says so.
    pub why: &'static str,
}

/// Every block that is not the public internet. Where blocks overlap, the first one speaks.
#[rustfmt::skip]
pub const BLOCKS: &[Block] = &[
    v4([169, 254, 169, 254], 32, Metadata,      "metadata service of most clouds"),
    v4([169, 254, 170, 2],   32, Metadata,      "container credentials of AWS"),
    v4([169, 254, 170, 23],  32, Metadata,      "pod credentials of AWS"),
    v4([100, 100, 100, 200], 32, Metadata,      "metadata service of Alibaba Cloud"),
    v4([168, 63, 129, 16],   32, Metadata,      "platform service of Azure"),
    v4([192, 0, 0, 192],     32, Metadata,      "metadata service of Oracle Cloud"),
    v4([0, 0, 0, 0],         32, Unspecified,   "unspecified, RFC 1122"),
    v4([0, 0, 0, 0],          8, Reserved,      "this network, RFC 791"),
    v4([10, 0, 0, 0],         8, Private,       "private, RFC 1918"),
    v4([100, 64, 0, 0],      10, Cgnat,         "carrier-grade NAT, RFC 6598"),
    v4([127, 0, 0, 0],        8, Loopback,      "loopback, RFC 1122"),
    v4([169, 254, 0, 0],     16, LinkLocal,     "link-local, RFC 3927"),
    v4([172, 16, 0, 0],      12, Private,       "private, RFC 1918"),
    v4([192, 0, 0, 0],       24, Reserved,      "IETF protocols, RFC 6890"),
    v4([192, 0, 2, 0],       24, Documentation, "documentation, RFC 5737"),
    v4([192, 31, 196, 0],    24, Reserved,      "AS112, RFC 7535"),
    v4([192, 52, 193, 0],    24, Reserved,      "AMT, RFC 7450"),
    v4([192, 88, 99, 0],     24, Reserved,      "6to4 relay, RFC 7526"),
    v4([192, 168, 0, 0],     16, Private,       "private, RFC 1918"),
    v4([192, 175, 48, 0],    24, Reserved,      "AS112, RFC 7534"),
    v4([198, 18, 0, 0],      15, Benchmark,     "benchmarks, RFC 2544"),
    v4([198, 51, 100, 0],    24, Documentation, "documentation, RFC 5737"),
    v4([203, 0, 113, 0],     24, Documentation, "documentation, RFC 5737"),
    v4([224, 0, 0, 0],        4, Multicast,     "multicast, RFC 5771"),
    v4([255, 255, 255, 255], 32, Broadcast,     "broadcast, RFC 919"),
    v4([240, 0, 0, 0],        4, Reserved,      "reserved, RFC 1112"),

    v6([0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0],      64, Metadata,      "local services of AWS"),
    v6([0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254], 128, Metadata,      "metadata service of GCP"),
    v6([0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x42],  128, Metadata,      "metadata service of Scaleway"),
    v6([0, 0, 0, 0, 0, 0, 0, 0],               128, Unspecified,   "unspecified, RFC 4291"),
    v6([0, 0, 0, 0, 0, 0, 0, 1],               128, Loopback,      "loopback, RFC 4291"),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0],           96, Mapped,        "IPv4-mapped, RFC 4291"),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0],           96, Translated,    "IPv4-translated, RFC 2765"),
    v6([0, 0, 0, 0, 0, 0, 0, 0],                96, Compatible,    "IPv4-compatible, RFC 4291"),
    v6([0x0064, 0xff9b, 0, 0, 0, 0, 0, 0],      96, Nat64,         "NAT64, RFC 6052"),
    v6([0x0064, 0xff9b, 1, 0, 0, 0, 0, 0],      48, Nat64Local,    "local NAT64, RFC 8215"),
    v6([0x0100, 0, 0, 0, 0, 0, 0, 0],           64, Reserved,      "discard, RFC 6666"),
    v6([0x0100, 0, 0, 1, 0, 0, 0, 0],           64, Reserved,      "dummy prefix, RFC 9780"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0],           32, Teredo,        "Teredo, RFC 4380"),
    v6([0x2001, 0x0002, 0, 0, 0, 0, 0, 0],      48, Benchmark,     "benchmarks, RFC 5180"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0],           23, Reserved,      "IETF protocols, RFC 2928"),
    v6([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0],      32, Documentation, "documentation, RFC 3849"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0],           16, SixToFour,     "6to4, RFC 3056"),
    v6([0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0], 48, Reserved,      "AS112, RFC 7534"),
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0],           16, Reserved,      "6bone, RFC 3701"),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0],           20, Documentation, "documentation, RFC 9637"),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0],           16, Reserved,      "segment routing, RFC 9602"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0],            7, UniqueLocal,   "unique local, RFC 4193"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0],           10, LinkLocal,     "link-local, RFC 4291"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0],           10, Reserved,      "site-local, RFC 3879"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0],            8, Multicast,     "multicast, RFC 4291"),
];

/// The only part of IPv6 from which public addresses are assigned.
const GLOBAL_UNICAST: Cidr = Cidr::v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const fn v4(address: [u8; 4], len: u8, class: Class, why: &'static str) -> Block {
    Block { range: Cidr::v4(Ipv4Addr::from_octets(address), len), class, why }
}

const fn v6(address: [u16; 8], len: u8, class: Class, why: &'static str) -> Block {
    Block { range: Cidr::v6(Ipv6Addr::from_segments(address), len), class, why }
}

fn passes(address: IpAddr, finding: &Finding, exceptions: &[Cidr]) -> bool {
    let excepted = |address, class: Class| {
        class.may_be_excepted() && exceptions.iter().any(|range| range.contains(address))
    };
    let open = |address, class| class == Public || excepted(address, class);
    let inner = finding.embedded.is_none_or(|(inner, class)| open(inner.into(), class));
    inner && open(address, finding.class)
}

fn look_up(address: IpAddr) -> (Class, &'static str) {
    let block = BLOCKS.iter().find(|block| block.range.contains(address));
    let (class, why) = match block {
        Some(block) => (block.class, block.why),
        None if address.is_ipv4() || GLOBAL_UNICAST.contains(address) => (Public, "public"),
        None => (Reserved, "not assigned, RFC 4291"),
    };
    if is_isatap(address) { (Isatap, "ISATAP, RFC 5214") } else { (class, why) }
}

/// ISATAP hides in the interface identifier of any prefix: `[0200:]5efe` before the IPv4 address.
fn is_isatap(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else { return false };
    matches!(address.segments(), [_, _, _, _, 0 | 0x0200, 0x5efe, _, _])
}

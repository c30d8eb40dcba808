//! Only public addresses are dialled, whatever form they take.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use envelope_rules::Code;
use envelope_rules::egress::address::{BLOCKS, Class, check, classify};
use envelope_rules::egress::cidr::Cidr;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn cidrs(list: &[&str]) -> Vec<Cidr> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

/// Every address there is: what a careless operator might declare.
fn everything() -> Vec<Cidr> {
    cidrs(&["0.0.0.0/0", "::/0"])
}

#[test]
fn special_addresses_are_refused() {
    use Class::*;
    let rows = [
        (Loopback, "127.0.0.1 127.255.255.254 ::1"),
        (Metadata, "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192"),
        (Metadata, "fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42"),
        (Private, "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1"),
        (Cgnat, "100.64.0.1 100.127.255.255"),
        (Benchmark, "198.18.0.1 198.19.255.255 2001:2::1"),
        (Documentation, "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff:fff::1"),
        (Reserved, "0.1.2.3 240.0.0.1 255.255.255.254 192.0.0.9 192.88.99.1 100::1 fec0::1"),
        (Reserved, "2001:1::1 2001:20::1 5f00::1 4000::1 8000::1 e000::1 2::1 100:0:0:1::1"),
        (Unspecified, "0.0.0.0 ::"),
        (Broadcast, "255.255.255.255"),
        (Multicast, "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"),
        (LinkLocal, "169.254.0.1 169.254.255.255 fe80::1 febf::1"),
        (UniqueLocal, "fc00::1 fd12:3456::1"),
        (Mapped, "::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:8.8.8.8"),
        (Compatible, "::127.0.0.1 ::8.8.8.8 ::2"),
        (Translated, "::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8"),
        (Nat64, "64:ff9b::a9fe:a9fe 64:ff9b::808:808"),
        (Nat64Local, "64:ff9b:1::1 64:ff9b:1:ffff::1"),
        (SixToFour, "2002:7f00:1:: 2002:808:808::1"),
        (Teredo, "2001:0:4136:e378:8000:63bf:3fff:fdd2 2001::1"),
        (Isatap, "fe80::5efe:10.0.0.1 2606:4700::200:5efe:808:808 2606:4700::5efe:8.8.8.8"),
    ];
    for (class, addresses) in rows {
        for address in addresses.split(' ').map(ip) {
            assert_eq!(classify(address).class, class, "{address}");
            assert_eq!(check(address, &[]).unwrap_err().code(), Code::EgressAddress, "{address}");
        }
    }
    let public = "8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 100.63.255.255 \
        100.128.0.0 192.169.0.0 223.255.255.255 169.253.255.255 126.255.255.255 128.0.0.1 \
        198.17.255.255 198.20.0.0 168.63.129.17 2606:4700::1111 2a00:1450:4001::1 2001:200::1 \
        2001:4860:4860::8888 2003::1 2620:4f:8001::1";
    for address in public.split_whitespace().map(ip) {
        assert_eq!(classify(address).class, Public, "{address}");
        assert_eq!(check(address, &[]).map(|checked| checked.get()), Ok(address));
    }
}

#[test]
fn embedded_addresses_are_named() {
    let rows = [
        ("::ffff:169.254.169.254", "169.254.169.254", Class::Metadata),
        ("::127.0.0.1", "127.0.0.1", Class::Loopback),
        ("::ffff:0:10.0.0.1", "10.0.0.1", Class::Private),
        ("64:ff9b::a9fe:a9fe", "169.254.169.254", Class::Metadata),
        ("2002:7f00:1::", "127.0.0.1", Class::Loopback),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45", Class::Documentation),
        ("fe80::5efe:10.0.0.1", "10.0.0.1", Class::Private),
    ];
    for (address, inner, class) in rows {
        let inner: Ipv4Addr = inner.parse().unwrap();
        assert_eq!(classify(ip(address)).embedded, Some((inner, class)), "{address}");
    }
    let denial = check(ip("::ffff:169.254.169.254"), &[]).unwrap_err();
    assert_eq!(
        denial.detail(),
        "`::ffff:169.254.169.254`: IPv4-mapped, RFC 4291, leading to `169.254.169.254` (Metadata)"
    );
}

#[test]
fn exceptions_open_private_networks_and_nothing_else() {
    for (address, exception) in [
        ("127.0.0.1", "127.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("100.64.0.1", "100.64.0.0/10"),
        ("fd12::1", "fd12::/16"),
        ("::1", "::1/128"),
        ("198.18.0.1", "198.18.0.0/15"),
        ("64:ff9b::808:808", "64:ff9b::/96"),
    ] {
        assert!(check(ip(address), &cidrs(&[exception])).is_ok(), "{address}");
        assert!(check(ip(address), &[]).is_err(), "{address}");
        assert!(check(ip(address), &cidrs(&["10.99.0.0/16", "fd99::/16"])).is_err(), "{address}");
    }
    let never = "169.254.169.254 169.254.1.1 100.100.100.200 168.63.129.16 192.0.0.192 \
        fd00:ec2::254 fd20:ce::254 fe80::1 ::ffff:10.0.0.1 ::10.0.0.1 ::ffff:0:8.8.8.8 \
        64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:808:808::1 2001::1 fe80::5efe:10.0.0.1 \
        fd00::5efe:10.0.0.1 224.0.0.1 255.255.255.255 0.0.0.0 :: 240.0.0.1 ff02::1";
    for address in never.split_whitespace().map(ip) {
        let denial = check(address, &everything()).unwrap_err();
        assert_eq!(denial.code(), Code::EgressAddress, "{address}");
    }
}

#[test]
fn nat64_passes_only_where_the_inside_passes() {
    let inside = ip("64:ff9b::a00:1");
    assert!(check(inside, &cidrs(&["64:ff9b::/96"])).is_err());
    assert!(check(inside, &cidrs(&["64:ff9b::/96", "10.0.0.0/8"])).is_ok());
}

#[test]
fn blocks_have_one_spelling() {
    for text in ["10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "::/0", "::1/128", "fd00::/8"] {
        assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        let json = format!("\"{text}\"");
        assert_eq!(
            serde_json::to_string(&serde_json::from_str::<Cidr>(&json).unwrap()).unwrap(),
            json
        );
    }
    for text in [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0",
        "10/8",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "::1/64",
        "::/129",
        "FD00::/8",
        "",
        "/",
        "10.0.0.0/8 ",
        "fe80::%lo/10",
    ] {
        assert!(text.parse::<Cidr>().is_err(), "{text}");
    }
    for block in BLOCKS {
        assert_eq!(block.range.to_string().parse(), Ok(block.range), "a block of the table");
    }
}

#[test]
fn every_block_speaks_from_its_first_to_its_last_address() {
    for block in BLOCKS {
        let (first, last) = ends(&block.range);
        for address in [first, last] {
            assert!(block.range.contains(address), "{address}");
            assert_ne!(classify(address).class, Class::Public, "{address}");
        }
    }
    let classes: std::collections::HashSet<_> = BLOCKS.iter().map(|block| block.class).collect();
    assert_eq!(classes.len(), 19, "every class but Public and Isatap has a block");
}

fn ends(range: &Cidr) -> (IpAddr, IpAddr) {
    let len = u32::from(range.prefix_len());
    match range.first() {
        IpAddr::V4(first) => {
            let rest = u32::MAX.checked_shr(len).unwrap_or(0);
            (first.into(), Ipv4Addr::from_bits(first.to_bits() | rest).into())
        }
        IpAddr::V6(first) => {
            let rest = u128::MAX.checked_shr(len).unwrap_or(0);
            (first.into(), Ipv6Addr::from_bits(first.to_bits() | rest).into())
        }
    }
}

/// What `std` knows and has stabilised.
fn special_to_std(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            a.is_loopback()
                || a.is_private()
                || a.is_link_local()
                || a.is_multicast()
                || a.is_broadcast()
                || a.is_documentation()
                || a.is_unspecified()
        }
        IpAddr::V6(a) => {
            a.is_loopback()
                || a.is_multicast()
                || a.is_unspecified()
                || a.is_unique_local()
                || a.is_unicast_link_local()
                || a.to_ipv4().is_some()
        }
    }
}

/// Random addresses, most of them near a block of the table.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let near = (0..BLOCKS.len(), any::<u128>()).prop_map(|(at, bits)| {
        let range = BLOCKS[at].range;
        let len = u32::from(range.prefix_len());
        match range.first() {
            IpAddr::V4(first) => {
                let rest = (bits as u32).checked_shr(len).unwrap_or(0);
                IpAddr::from(Ipv4Addr::from_bits(first.to_bits() | rest))
            }
            IpAddr::V6(first) => {
                let rest = bits.checked_shr(len).unwrap_or(0);
                IpAddr::from(Ipv6Addr::from_bits(first.to_bits() | rest))
            }
        }
    });
    prop_oneof![2 => near, 1 => any::<IpAddr>(), 1 => any::<Ipv4Addr>().prop_map(IpAddr::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_is_special_to_std_or_the_table_is_never_public(address in addresses()) {
        let class = classify(address).class;
        if special_to_std(address) || BLOCKS.iter().any(|block| block.range.contains(address)) {
            prop_assert_ne!(class, Class::Public);
        }
        prop_assert_eq!(check(address, &[]).is_ok(), class == Class::Public);
    }

    #[test]
    fn no_exception_opens_metadata_or_the_link(address in addresses()) {
        let finding = classify(address);
        let opened = check(address, &everything()).is_ok();
        prop_assert!(!opened || finding.class == Class::Public || finding.class.may_be_excepted());
        let inner = finding.embedded.map(|(_, class)| class);
        let shut = [Class::Metadata, Class::LinkLocal];
        prop_assert!(!opened || !shut.contains(&finding.class));
        prop_assert!(!opened || inner.is_none_or(|class| !shut.contains(&class)));
    }

    #[test]
    fn every_form_of_an_ipv4_address_is_refused(
        inner in any::<Ipv4Addr>(),
        prefix in any::<u64>(),
    ) {
        let [a, b, c, d] = inner.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let global = 0x2600_0000_0000_0000 | (prefix >> 8);
        for form in [
            [0, 0, 0, 0, 0, 0xffff, high, low],
            [0, 0, 0, 0, 0xffff, 0, high, low],
            [0, 0, 0, 0, 0, 0, high, low],
            [0x64, 0xff9b, 0, 0, 0, 0, high, low],
            [0x64, 0xff9b, 1, high, low, 0, 0, 0],
            [0x2002, high, low, 0, 0, 0, 0, 1],
            [0x2001, 0, 0, 0, 0, 0, !high, !low],
            [(global >> 48) as u16, (global >> 32) as u16, 0, 0, 0x0200, 0x5efe, high, low],
        ] {
            prop_assert!(check(Ipv6Addr::from(form).into(), &[]).is_err(), "{:?}", form);
        }
    }
}

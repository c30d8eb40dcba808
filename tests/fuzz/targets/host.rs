//! A target is refused or has one spelling, whose host no parser takes for another. Every address
//! has a class, and only a public one may be dialled.
#![no_main]

use std::net::IpAddr;

use envelope_rules::egress::address::{self, Class, classify};
use envelope_rules::egress::host::Host;
use envelope_rules::egress::target::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
        dial(IpAddr::from(octets));
    }
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        dial(IpAddr::from(octets));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (method, url) = text.split_once(' ').unwrap_or(("GET", text));
    let Ok(target) = Target::parse(method, url) else { return };
    spelled_once(method, &target);
    if let Host::V4(_) | Host::V6(_) = target.host() {
        let literal = target.host().to_string();
        dial(literal.trim_matches(['[', ']']).parse().unwrap());
    }
});

fn spelled_once(method: &str, target: &Target) {
    let url = target.url();
    assert_eq!(Target::parse(method, &url).as_ref(), Ok(target));
    let (scheme, authority) = (target.scheme().name(), target.authority());
    let parts = Target::from_parts(method, scheme, &authority, target.origin_form());
    assert_eq!(parts.as_ref(), Ok(target));
    assert_eq!(Host::parse(&target.host().to_string()).as_ref(), Ok(target.host()));
    // What RFC 3986 allows nowhere, a query may hold where every sender leaves it alone.
    let sent = |byte: u8| byte.is_ascii_graphic() && !b"#\\<>\"".contains(&byte);
    assert!(url.bytes().all(sent) && !authority.contains('@'), "{url:?}");
    assert!(target.path().starts_with('/') && !target.path().contains(['^', '`', '{', '|', '}']));
    assert!(!target.path().split('/').any(|segment| segment == "." || segment == ".."), "{url:?}");
}

fn dial(address: IpAddr) {
    let finding = classify(address);
    let public = finding.class == Class::Public;
    let inner = finding.embedded.is_none_or(|(_, class)| class == Class::Public);
    let passes = address::check(address, &[]).is_ok();
    assert!(!passes || public && inner, "{address}: {finding}");
    assert!(passes || !public, "{address}: {finding}");
}

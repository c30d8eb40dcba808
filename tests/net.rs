//! The network, through the real path: a guest's request, the gate, a socket, a peer that counts.

mod abreast;
mod attacks;
mod content;
pub mod credentials;
mod exchange;
mod isolated;
mod lost;
mod ordinary;
pub mod peer;
mod peers;
pub mod scripted;
mod tls;
mod uploads;

use std::net::{IpAddr, Ipv4Addr};

use envelope_gate::net::{Limits, Network, Reach, Settings};

use crate::engine::world::{Setup, setup};
use peer::Peer;
use scripted::Scripted;

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A run whose acts are `acts`, that may do at `peer` what `rules` say. In both, `PEER` is the
/// peer's own address.
pub fn online(peer: &Peer, rules: &[&str], acts: &[&str]) -> Setup {
    online_with(peer, rules, acts, settings(peer))
}

fn online_with(peer: &Peer, rules: &[&str], acts: &[&str], settings: Settings) -> Setup {
    let at = peer.authority();
    let place = |text: &&str| text.replace("PEER", &at);
    let rules: Vec<_> = rules.iter().map(place).collect();
    let acts: Vec<_> = acts.iter().map(place).collect();
    let mut setup = setup("").online(&rules, Network::new(settings).unwrap());
    setup.args = serde_json::to_vec(&acts).unwrap().into();
    setup
}

/// A network on which the peer's address may be dialled, because the operator says so.
pub fn settings(peer: &Peer) -> Settings {
    let host = peer.address.to_string();
    let block = if peer.address.is_ipv4() { 32 } else { 128 };
    let reach: Reach = match peer.address {
        IpAddr::V4(_) => format!("{host}={host}/{block}").parse().unwrap(),
        IpAddr::V6(_) => format!("[{host}]={host}/{block}").parse().unwrap(),
    };
    Settings {
        names: Box::new(Scripted::default()),
        reach: vec![reach],
        limits: Limits { total: std::time::Duration::from_secs(20), ..Limits::default() },
        ..Settings::default()
    }
}

//! The addresses that no agent may reach, bound for real in a network of their own: behind each
//! stands somebody who counts what he hears.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use envelope_gate::net::Settings;

use super::peer::Peer;
use super::scripted::Scripted;
use super::{online_with, settings};
use crate::engine::world::run;
use crate::not_shown;

/// Addresses that can be given to an interface: metadata services, private networks, and the forms
/// in which IPv6 carries them. Reached by a name and as they stand.
const FORBIDDEN: [&str; 16] = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "fd00:ec2::254",
    "fc00::1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
];

/// A public address, as a control: the same guest, the same rules, the same way.
const PUBLIC: &str = "45.33.32.10";

const PORT: u16 = 8080;

/// Set in the process that runs in a network of its own.
const INSIDE: &str = "ENVELOPE_TESTS_ISOLATED";

#[test]
fn canaries_behind_forbidden_addresses_hear_nothing() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let Some(way) = way() else { return };
    let mut command = Command::new("unshare");
    command.arg(way).arg(std::env::current_exe().unwrap()).env(INSIDE, "1");
    let test = "net::isolated::canaries_behind_forbidden_addresses_hear_nothing";
    let output = command.args([test, "--exact", "--nocapture"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("canaries heard nothing"), "{said}");
}

/// How `unshare` gives a network of one's own: to anybody, or to root where others may not. `None`
/// where this machine gives none; with `CI` set only a kernel that forbids it excuses that.
fn way() -> Option<&'static str> {
    let tried = ["-rn", "-n"].map(|way| (way, inside_of(way)));
    if let Some((way, _)) = tried.iter().find(|(_, failed)| failed.is_none()) {
        return Some(way);
    }
    let why: Vec<_> = tried.into_iter().filter_map(|(_, failed)| failed).collect();
    // The table in `attacks.jsonl` holds the same, without anybody behind the addresses.
    let what = "canaries behind forbidden addresses";
    not_shown::or_forbidden(what, &why, "install util-linux and iproute2");
    None
}

/// Why a network of one's own cannot be set up in this way, if it cannot.
fn inside_of(way: &str) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args([way, "ip", "link", "set", "lo", "up"]).env("LC_ALL", "C");
    match command.output() {
        Ok(it) if it.status.success() => None,
        Ok(it) => Some(format!("`{way}`: {}", String::from_utf8_lossy(&it.stderr).trim())),
        Err(why) => Some(format!("`unshare`: {why}")),
    }
}

fn inside() {
    ip(&["link", "set", "lo", "up"]);
    let canaries: Vec<_> = FORBIDDEN.iter().map(|address| bound(address)).collect();
    let public = bound(PUBLIC);
    let mut names = Scripted::default().with("public.ok.test", &[PUBLIC]);
    let (mut acts, mut rules) = (Vec::new(), vec![format!("GET http://*.ok.test:{PORT}/v1/**")]);
    for (place, address) in FORBIDDEN.iter().enumerate() {
        let name = format!("n{place}.ok.test");
        names = names.with(&name, &[address]);
        let literal =
            if address.contains(':') { format!("[{address}]") } else { (*address).to_owned() };
        rules.push(format!("GET http://{literal}:{PORT}/v1/**"));
        acts.push(format!("send GET|http|{name}:{PORT}|/v1/x"));
        acts.push(format!("send GET|http|{literal}:{PORT}|/v1/x"));
    }
    let denials = acts.len();
    acts.push(format!("send GET|http|public.ok.test:{PORT}|/v1/x"));
    acts.push(format!("send GET|http|{PUBLIC}:{PORT}|/v1/x"));
    rules.push(format!("GET http://{PUBLIC}:{PORT}/v1/**"));
    let settings = Settings { names: Box::new(names), reach: Vec::new(), ..settings(&public) };
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    let acts: Vec<_> = acts.iter().map(String::as_str).collect();
    let ran = run(&online_with(&public, &rules, &acts, settings));
    let expected = ["send: 403 egress.address"].repeat(denials).join("; ");
    assert_eq!(ran.said(), format!("{expected}; send: ok 200 hello; send: ok 200 hello"));
    assert_eq!(public.connections(), 2);
    for canary in &canaries {
        assert_eq!(canary.connections(), 0, "{}", canary.address);
        // He is there: whoever dials him is heard.
        let place = SocketAddr::new(canary.address, canary.port);
        TcpStream::connect(place).unwrap_or_else(|why| panic!("{place}: {why}"));
    }
    ran.replays_same();
    eprintln!("{} canaries heard nothing", canaries.len());
}

/// Somebody behind an address of this network.
fn bound(address: &str) -> Peer {
    let block = if address.contains(':') { 128 } else { 32 };
    let mut words = vec!["addr", "add"];
    let block = format!("{address}/{block}");
    words.extend([block.as_str(), "dev", "lo"]);
    if address.contains(':') {
        // Nobody else is there who could have it already.
        words.push("nodad");
    }
    ip(&words);
    let address: IpAddr = address.parse().unwrap();
    Peer::wrapped(SocketAddr::new(address, PORT), Arc::new(|stream| Box::new(stream)))
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

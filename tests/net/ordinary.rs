//! A program that was written for no host in particular, with an HTTP client from the registry.

use super::peer::Peer;
use super::{LOOPBACK, online};
use crate::engine::world::{fetch, run};

#[test]
fn an_ordinary_client_works_unchanged() {
    let peer = Peer::start(LOOPBACK);
    let urls = [
        "http://PEER/v1/x",
        "+http://PEER/v1/x",
        "http://PEER/v1/bytes/200000",
        "http://PEER/admin",
        "http://evil.test/",
        "http://PEER/v1/redirect",
    ];
    let mut setup = online(&peer, &["GET,POST http://PEER/v1/**"], &urls);
    setup.operator_egress = Some(vec![
        format!("GET,POST http://{}/**", peer.authority()),
        "GET http://evil.test/**".to_owned(),
    ]);
    setup.component = fetch();
    let ran = run(&setup);
    let lines: Vec<_> = ran.said().split("; ").map(str::to_owned).collect();
    assert_eq!(lines[..3], ["200 5 bytes", "200 5 bytes", "200 200000 bytes"]);
    // A refusal is an answer to it, not a broken connection.
    assert!(lines[3].starts_with("403 egress.path "), "{}", lines[3]);
    assert!(lines[4].starts_with("403 egress.host "), "{}", lines[4]);
    assert_eq!(lines[5], "302 4 bytes");
    assert_eq!(ran.denied(), ["egress.path", "egress.host"]);
    assert_eq!(peer.connections(), 4);
    assert!(peer.heard()[1].ends_with(&format!("http://{}/v1/x", peer.authority())));
    drop(peer);
    ran.replays_same();
}

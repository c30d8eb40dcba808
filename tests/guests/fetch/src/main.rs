//! Fetches the URLs that are its arguments, one after the other; one that begins with `+` is sent
//! its own words first.

use std::time::Duration;

use waki::Client;

fn main() {
    for url in std::env::args().skip(1) {
        let sent = match url.strip_prefix('+') {
            Some(url) => Client::new().post(url).body(url.as_bytes()).send(),
            None => Client::new().get(&url).connect_timeout(Duration::from_secs(5)).send(),
        };
        match sent {
            Ok(response) => {
                let status = response.status_code();
                let code = response.header("envelope-denied").cloned();
                let body = response.body().unwrap_or_default();
                match code {
                    None => println!("{status} {} bytes", body.len()),
                    Some(code) => {
                        let (code, why) = (code.to_str().unwrap_or_default(), body.as_slice());
                        println!("{status} {code} {}", String::from_utf8_lossy(why));
                    }
                }
            }
            Err(why) => println!("failed: {why}"),
        }
    }
}

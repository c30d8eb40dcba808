//! The database goes away while runs are under way, and comes back; the disk fills up, and is
//! freed. Each is told, and nobody has to do anything afterwards.

use std::fs;
use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use envelope_store::Store;
use envelope_store::journal::read;

use super::house::{Plan, Town};
use crate::cargo::envelope;
use crate::engine::world::file;
use crate::net::LOOPBACK;
use crate::net::peer::Peer;
use crate::not_shown;
use crate::store::postgres::{SERVER, SUPERUSER};
use crate::store::world::{World, both, folder, postgres};

/// A way to the server that can be cut.
struct Wire {
    port: u16,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, open) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (gone, all) = (Arc::clone(&cut), Arc::clone(&open));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if gone.load(Ordering::SeqCst) {
                    continue;
                }
                let far = UnixStream::connect(&socket).unwrap();
                all.lock().unwrap().push(near.try_clone().unwrap());
                let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                pass(move || drop(copy(&mut from, &mut to).and(to.shutdown(Shutdown::Both))));
                let (mut from, mut to) = (far, near);
                pass(move || drop(copy(&mut from, &mut to).and(to.shutdown(Shutdown::Both))));
            }
        });
        Self { port, cut, open }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

fn pass(way: impl FnOnce() + Send + 'static) {
    thread::spawn(way);
}

#[test]
fn runs_go_on_when_the_database_comes_back() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(url) = postgres().await else { return };
        let wire = Wire::to(SERVER.as_ref().unwrap().join(".s.PGSQL.5432"));
        let name = url.split(['/', '?']).nth(3).unwrap().to_owned();
        let store = Store::migrated(&url).await.unwrap();
        let world = World::at(store, url);
        let mut town = Town::found(&world).await;
        town.url = format!("postgres://{SUPERUSER}@127.0.0.1:{}/{name}", wire.port);
        for run in ["run_1", "run_2"] {
            let acts = ["now; write out/a x; sleep 100"; 30].join("; ");
            town.launch(Plan::of(run, &acts)).await;
        }
        let node = town.process("a");
        let chunks = async || {
            let (lines, _) = read(&world.store, &town.org, "run_1").await.unwrap();
            lines.len()
        };
        let mut before = chunks().await;
        for _ in 0..3 {
            town.wait(async || chunks().await > before).await;
            wire.cut();
            before = chunks().await;
            tokio::time::sleep(Duration::from_millis(900)).await;
            wire.mend();
        }
        for run in ["run_1", "run_2"] {
            town.until(run, "ended").await;
            let finished = town.finished(&town.org, run).await;
            assert_eq!(finished.ended().unwrap().outcome, Outcome::Ok);
        }
        let said = town.heard();
        assert!(said.contains("rests") && said.contains("`begin`"), "{said}");
        assert!(node.leave(), "{}", town.heard());
    });
}

#[test]
fn a_run_goes_on_when_a_full_disk_has_room_again() {
    if !not_shown::has_mounts("a full disk") {
        return;
    }
    let script = "
        set -e
        mkdir disk
        mount -t tmpfs -o size=3m tmpfs disk
        export ENVELOPE_HOME=$PWD/home ENVELOPE_DB=sqlite:$PWD/disk/store.db
        $1 db migrate
        $1 node --lease 500 2> said & node=$!
        run=$($1 run $2 run --args '[\"insist 9000 now\"]' --detach)
        until grep -q full said; do sleep 0.1; done
        cp said full
        mount -o remount,size=64m disk
        until $1 runs list --state ended | grep -q $run; do sleep 0.1; done
        $1 runs export $run whole
        $1 db check
        $1 replay whole
        kill $node
        wait $node
        echo done";
    let place = folder();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(envelope()).arg(file("guests"));
    let output = command.current_dir(&place).output().unwrap();
    let (said, errors) = (output.stdout, output.stderr);
    let (said, errors) = (String::from_utf8_lossy(&said), String::from_utf8_lossy(&errors));
    let node = fs::read_to_string(place.join("said")).unwrap_or_default();
    assert!(said.contains("the same run: 90") && said.ends_with("done\n"), "{said}{errors}{node}");
    assert!(node.contains("rests") && node.contains("full"), "{node}");
    fs::remove_dir_all(place).unwrap();
}

/// What a run leaves cannot be kept for a moment: it goes on from what it has heard.
#[test]
fn what_was_heard_is_kept_where_the_end_fails() {
    both(async |world| {
        let town = Town::found(world).await;
        let peer = Peer::start(LOOPBACK);
        let at = peer.authority();
        let acts = format!("write out/a x; send POST|http|{at}|/ok|content-type: text/plain||x");
        let net = vec![format!("POST http://{at}/**")];
        town.launch(Plan { net, ..Plan::of("run_1", &acts) }).await;
        let (org, digest) = (town.org.as_str(), Digest::of(b"x"));
        let going = format!("INSERT INTO blobs VALUES ('{org}', '{digest}', 1, 'doomed', 0)");
        world.own(&going).await.unwrap();
        let node = town.process("alone");
        town.wait(async || town.heard().contains("is being removed")).await;
        assert_eq!(peer.connections(), 1);
        world.own(&format!("DELETE FROM blobs WHERE digest = '{digest}'")).await.unwrap();
        town.until("run_1", "ended").await;
        assert!(node.leave(), "{}", town.heard());
        let finished = town.finished(&town.org, "run_1").await;
        assert_eq!(finished.ended().unwrap().outcome, Outcome::Ok, "{}", town.heard());
        assert_eq!(peer.connections(), 1, "nothing was sent twice");
    });
}

//! A power cut under a run that is kept in a file: after each of its commits, and in the middle of
//! each. Whoever goes on with what the disk holds then comes to the same end, and does nothing
//! twice.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use envelope_evidence::journal::{Event, Journal, Outcome, Settled};
use envelope_store::journal::read;
use envelope_store::{Engine, Store};

use super::house::{Plan, Town};
use crate::chance::Chance;
use crate::engine::approvals::waiting::timeless;
use crate::net::peer::Peer;
use crate::store::cuts::{Disk, torn};
use crate::store::world::{World, both, run};

/// Cuts in the middle of one commit.
const CUTS: usize = 2;

/// Where the log of a database is whole: behind its head, and behind each frame that commits.
fn commits(wal: &[u8]) -> Vec<usize> {
    const HEAD: usize = 32;
    const FRAME: usize = 24;
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().unwrap());
    let page = usize::try_from(number(8)).unwrap();
    let starts = (HEAD..wal.len()).step_by(FRAME + page);
    // A frame that ends a commit tells how large the file is then.
    let ends = starts.filter(|start| number(start + 4) > 0).map(|start| start + FRAME + page);
    [0].into_iter().chain(ends.filter(|end| *end <= wal.len())).collect()
}

/// The paths that were posted to, in order.
fn posts(peer: &Peer) -> Vec<String> {
    let heard = peer.heard();
    let posts = heard.iter().filter_map(|request| request.strip_prefix("POST "));
    posts.map(|rest| rest.split(' ').next().unwrap().to_owned()).collect()
}

async fn journal(town: &Town) -> Journal {
    let (lines, _) = read(&town.house.store, &town.org, "run_1").await.unwrap();
    Journal::parse(&lines).unwrap()
}

/// The paths whose posts are recorded, and whether it is known how the last one came out.
fn recorded(journal: &Journal) -> (Vec<String>, bool) {
    let mut paths = Vec::new();
    let mut known = true;
    for state in journal.calls() {
        let (call, once) = match &journal.entries()[state.entry].event {
            Event::Begun(begun) => (&begun.call, true),
            Event::Answered(answered) => (&answered.call, false),
            _ => continue,
        };
        if let Some((_, path)) = call.target.as_str().split_once("/post") {
            paths.push(format!("/post{path}"));
            known = !once && state.settled == Settled::Answered;
        }
    }
    (paths, known)
}

#[test]
fn a_run_that_a_power_cut_interrupts_comes_to_the_same_end() {
    both(async |world| {
        if world.engine == Engine::Postgres {
            return;
        }
        let mut town = Town::found(world).await;
        let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let at = peer.authority();
        let post = |n| format!("send POST|http|{at}|/post-{n}/ok|content-type: text/plain||x");
        let acts = format!(
            "sleep 5; write out/a x; {}; send GET|http|{at}|/again/ok; sleep 5; {}; write out/b y",
            post(0),
            post(1)
        );
        let net = ["GET", "POST"].map(|method| format!("{method} http://{at}/**"));
        let path = PathBuf::from(world.url.strip_prefix("sqlite:").unwrap());
        town.launch(Plan { net: net.into(), ..Plan::of("run_1", &acts) }).await;
        run(&world.url, "PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        let before = Disk::of(&path);
        let node = town.process("whole");
        town.until("run_1", "ended").await;
        node.kill();
        let whole = timeless(&journal(&town).await);
        let wal = Disk::of(&path).wal;
        assert_eq!(posts(&peer).len(), 2);
        let commits = commits(&wal);
        assert!(before.wal.is_empty() && commits.len() > 6, "{commits:?}");
        let (mut chance, mut interrupted, mut same) = (Chance(0xc07), 0, 0);
        for (number, end) in commits.iter().enumerate() {
            let mut cuts = vec![wal[..*end].to_vec()];
            if let Some(next) = commits.get(number + 1) {
                let torn = |_| torn(&wal[..*end], &wal[..*next], &mut chance);
                cuts.extend((0..CUTS).map(torn));
            }
            for wal in cuts {
                let disk = Disk { wal, ..before.clone() }.put();
                town.url = format!("sqlite:{}", disk.display());
                let store = Store::open(&town.url).await.unwrap();
                let here = World::at(store.clone(), town.url.clone());
                town.house.store = store;
                let (done, known) = recorded(&journal(&town).await);
                let heard = posts(&peer).len();
                let node = town.process("after");
                town.until("run_1", "ended").await;
                node.kill();
                // What the record tells of may have happened: nobody does it again. The rest did
                // not happen before the cut.
                let again = posts(&peer).split_off(heard);
                assert!(again.iter().all(|path| !done.contains(path)), "{done:?} {again:?}");
                let ended = journal(&town).await;
                if known {
                    assert_eq!(done.len() + again.len(), 2, "{done:?} {again:?}");
                    assert_eq!(ended.ended().unwrap().outcome, Outcome::Ok);
                    assert_eq!(timeless(&ended), whole, "the same but for when");
                    same += 1;
                } else {
                    assert_ne!(ended.ended().unwrap().outcome, Outcome::Ok);
                    interrupted += 1;
                }
                let receipts = here.own("SELECT id FROM receipts").await.unwrap();
                assert_eq!(receipts.len(), 1);
                here.store.close().await;
            }
        }
        assert!(interrupted > 1 && same > 10, "{interrupted} {same}");
    });
}

//! A witness in Go follows the log that we publish, signs what continues it and nothing else.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Command;

use envelope_evidence::Digest;
use envelope_evidence::tlog::{Checkpoint, Witness};
use envelope_gate::net::Network;
use envelope_store::audit::{NotWitnessed, cosign};
use serde_json::Value;

use super::stranger::{GO, Running};
use crate::cargo::envelope;
use crate::store::log::{key, log, publish, publisher};
use crate::store::world::{World, both, folder};

/// A witness at work.
struct There {
    _running: Running,
    key: Witness,
    url: String,
    network: Network,
}

impl There {
    fn start(wrong: &str) -> Option<Self> {
        Self::of(&log().vkey(), wrong)
    }

    fn of(log: &str, wrong: &str) -> Option<Self> {
        let mut running = GO.start("witness.go")?;
        running.tell(&format!("{log}\n{wrong}\n"));
        let mut said = String::new();
        BufReader::new(running.out()).read_line(&mut said).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        let url = format!("http://{}/w/", said["address"].as_str().unwrap());
        let key = Witness::of_vkey(said["vkey"].as_str().unwrap()).unwrap();
        let network = Network::to(&url).unwrap();
        Some(Self { _running: running, key, url, network })
    }

    async fn ask(&self, world: &World, note: &str) -> Result<String, NotWitnessed> {
        let way = (&self.key, self.url.as_str());
        let said = cosign(&world.store, (&log(), note), way, &self.network).await?;
        assert!(said.at > 1_700_000_000, "{}", said.at);
        Ok(said.line)
    }
}

#[test]
fn a_witness_signs_what_continues_and_its_word_stays_under_the_checkpoint() {
    both(async |world| {
        let Some(witness) = There::start("") else { return };
        let path = folder();
        let mut publisher = publisher(&path);
        let mut notes = Vec::new();
        for (org, agents) in [("acme", 3), ("other", 300), ("third", 0)] {
            world.found(org, agents).await;
            let note = publish(world, &mut publisher).await;
            let line = witness.ask(world, &note).await.unwrap();
            publisher.show_witnessed(&format!("{note}{line}")).await.unwrap();
            notes.push(note);
        }
        let shown = || fs::read_to_string(path.join("checkpoint")).unwrap();
        let before = shown();
        assert_eq!(before.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2);
        // The same again is signed again; publishing nothing new takes nobody's word away.
        witness.ask(world, &notes[2]).await.unwrap();
        publish(world, &mut publisher).await;
        assert_eq!(shown(), before);
        // What it has passed it signs no more.
        let past = witness.ask(world, &notes[0]).await.unwrap_err();
        assert!(matches!(past, NotWitnessed::Refused { status: 400 | 409, .. }), "{past}");
        // Another history under the log's own key.
        let size = log().open(&notes[2]).unwrap().size;
        let fork = Checkpoint { size, root: Digest::of(b"another history") };
        let fork = log().sign(fork, |text| key().sign(text)).unwrap();
        let refused = witness.ask(world, &fork).await.unwrap_err();
        assert!(matches!(refused, NotWitnessed::Refused { status: 422, .. }), "{refused}");
    });
}

#[test]
fn a_witness_that_errs_is_not_believed() {
    both(async |world| {
        world.found("acme", 3).await;
        let note = publish(world, &mut publisher(&folder())).await;
        for (wrong, told) in
            [("forge", "does not hold"), ("refuse", "not welcome"), ("stuck", "409")]
        {
            let Some(witness) = There::start(wrong) else { return };
            let why = witness.ask(world, &note).await.unwrap_err().to_string();
            assert!(why.contains(told), "{wrong}: {why}");
        }
        let Some(witness) = There::start("") else { return };
        let other = Witness::of_vkey(&other_key()).unwrap();
        let way = (&other, witness.url.as_str());
        let why = cosign(&world.store, (&log(), &note), way, &witness.network).await.unwrap_err();
        assert!(matches!(why, NotWitnessed::Untrusted(_)), "{why}");
    });
}

#[test]
fn the_command_has_witnesses_sign_and_says_who_did_not() {
    let home = folder();
    let url = format!("sqlite:{}", home.join("store.db").display());
    let envelope = |words: &[&str]| {
        let mut command = Command::new(envelope());
        command.args(words).args(["--db", &url]).env("ENVELOPE_HOME", home.join("home"));
        command.output().unwrap()
    };
    assert!(envelope(&["db", "migrate"]).status.success());
    let public = home.join("public");
    let export = |more: &[&str]| {
        let name = ["log", "export", public.to_str().unwrap(), "--name", "envelope.example/log"];
        envelope(&[&name, more].concat())
    };
    let vkey = String::from_utf8(export(&[]).stdout).unwrap();
    let Some(honest) = There::of(vkey.trim(), "") else { return };
    let liar = There::of(vkey.trim(), "forge").unwrap();
    let (honest, liar) = ((honest.key.vkey(), honest), (liar.key.vkey(), liar));
    let one = ["--witness", &honest.0, &honest.1.url];
    assert_eq!(export(&one).status.code(), Some(0));
    let both = export(&[&one[..], &["--witness", &liar.0, &liar.1.url]].concat());
    let said = String::from_utf8(both.stderr).unwrap();
    assert_eq!(both.status.code(), Some(1), "{said}");
    assert!(said.contains("witnessed by 1 of 2") && said.contains("does not hold"), "{said}");
    let shown = fs::read_to_string(public.join("checkpoint")).unwrap();
    assert_eq!(shown.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2);
    assert_eq!(export(&["--witness", "nobody", &honest.1.url]).status.code(), Some(2));
}

/// A witness of the same name with another key.
fn other_key() -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = [&[4], key().public().as_bytes().as_slice()].concat();
    let name = "witness.example/w1";
    let id = Digest::of_parts(&[name.as_bytes(), b"\n", &key]).hex();
    format!("{name}+{}+{}", &id[..8], STANDARD.encode(key))
}

//! The same seed, files and clock: the same journal and receipt to the byte, however often.

use std::collections::BTreeSet;

use envelope_evidence::Digest;
use envelope_evidence::receipt::fold;

use super::world::{Setup, run, setup};

const STRESS: &str = "stress; stress; now; random 1000; grow 10; sleep 7; age; seed; list in; \
                      write out/a x; stat out/a; hash out/a; left; stress";

#[test]
fn a_hundred_runs_are_one() {
    let setup = setup(STRESS);
    let runs = (0..100).map(|_| {
        let ran = run(&setup);
        (Digest::of(&ran.journal).to_string(), fold(&ran.finished().journal).receipt)
    });
    assert_eq!(runs.collect::<BTreeSet<_>>().len(), 1);
}

#[test]
fn another_seed_is_another_run() {
    let other = Setup { seed: "other", ..setup(STRESS) };
    assert_ne!(run(&setup(STRESS)).said(), run(&other).said());
}

#[test]
fn runs_at_once_do_not_see_each_other() {
    let setup = setup(STRESS);
    let alone = run(&setup).journal;
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let setup = setup.clone();
            std::thread::spawn(move || run(&setup).journal)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), alone);
    }
}

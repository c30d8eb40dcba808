//! A receipt proves by itself that it was logged: its folder carries the proof, and whoever
//! verifies it needs no database.

use envelope_evidence::dsse::Envelope;
use envelope_evidence::receipt::{PROOF_FILE, RECEIPT_FILE};
use envelope_evidence::tlog::{Log, Proof};
use envelope_evidence::verify::{Finding, verify};
use envelope_store::audit::{self, AuditError, Publisher, prove_receipt, sequence};
use envelope_store::noun::{Change, Noun};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::world::{active, both, folder};
use crate::evidence::sample;

#[test]
fn a_receipt_carries_the_proof_that_it_is_logged() {
    both(async |world| {
        let org = world.found("acme", 2).await;
        let mut receipt = sample::folder();
        let envelope = Envelope::parse(&receipt.files[RECEIPT_FILE]).unwrap();
        let payload = String::from_utf8(envelope.payload().to_vec()).unwrap();
        let mut tx = world.store.write().await.unwrap();
        let mut rows = tx.of(&org);
        let run = Change { state: "ended", ..active("run-1") };
        rows.add(Noun::Run, None, run).await.unwrap();
        for (id, body) in [("run-1", payload.as_str()), ("other", "{\"other\":1}")] {
            let signed = Change { id, state: "signed", body, ..run };
            rows.add(Noun::Receipt, Some("run-1"), signed).await.unwrap();
        }
        tx.commit().await.unwrap();
        let log = Log::new("envelope.example/log", sample::log_key().public()).unwrap();
        let early = prove_receipt(&world.store, &log, &org, "run-1").await;
        assert!(matches!(early, Err(AuditError::Unknown)), "no checkpoint covers it yet");
        while sequence(&world.store).await.unwrap() > 0 {}
        let public = Dir::open_ambient_dir(folder(), ambient_authority()).unwrap();
        let mut publisher = Publisher::new(log.clone(), public);
        publisher.publish(&world.store, &sample::log_key()).await.unwrap();
        let proof = prove_receipt(&world.store, &log, &org, "run-1").await.unwrap();
        assert!(log.verify(&proof, payload.as_bytes()).is_ok());

        let mut inclusion = |proof: &Proof| {
            receipt.files.insert(PROOF_FILE.to_owned(), proof.to_string().into_bytes());
            let report = verify(&receipt, &sample::ring());
            let check = report.checks.iter().find(|check| check.name == "log.inclusion").unwrap();
            (report.verified(), matches!(check.result, Finding::Holds(_)))
        };
        assert_eq!(inclusion(&proof), (true, true));
        let other = prove_receipt(&world.store, &log, &org, "other").await.unwrap();
        assert_eq!(inclusion(&other), (false, false), "the proof of another receipt");
        let absent = prove_receipt(&world.store, &log, &org, "none").await;
        assert!(matches!(absent, Err(AuditError::Unknown)));
        assert_eq!(audit::verify(&world.store, &log, &[]).await.unwrap(), []);
    });
}

//! The badge: five pillars, each for its time, and a partner that is one only while three things
//! hold.

use std::collections::BTreeSet;

use envelope_evidence::key::{ForAttestations, ForReceipts, SigningKey};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::{Digest, Timestamp};
use envelope_terms::badge::{
    BadOath, Badge, Claim, LiveMsa, NotPartner, Oath, Pillar, PluginSignature, Standing, Sworn,
    verified_partner,
};
use envelope_terms::contract::{Did, Line};
use proptest::prelude::*;

use super::deal::day;
use crate::evidence::sample as run;

fn key() -> SigningKey<ForAttestations> {
    SigningKey::from_secret(&[7; 32].into())
}

fn ring() -> KeyRing {
    KeyRing::new([KeyRecord::of(&key(), run::year())]).unwrap()
}

fn did(text: &str) -> Did {
    Did::new(text).unwrap()
}

fn lantern() -> Did {
    did("did:web:lantern.example")
}

fn oath(pillar: Pillar, issued: u64, expires: u64) -> Oath {
    Oath {
        iss: did("did:web:envelope.example"),
        sub: lantern(),
        claim: Claim::Pillar { pillar },
        evidence: Digest::of(pillar.name().as_bytes()),
        issued: day(issued),
        expires: day(expires),
        kid: Line::new(key().id()).unwrap(),
    }
}

fn sworn(oath: &Oath) -> Sworn {
    Sworn::open(&oath.swear(&key()).unwrap().to_bytes().unwrap(), &ring()).unwrap()
}

fn all(expires: u64) -> Vec<Sworn> {
    Pillar::ALL.map(|pillar| sworn(&oath(pillar, 1, expires))).into()
}

fn none() -> BTreeSet<Digest> {
    BTreeSet::new()
}

#[test]
fn the_badge_is_held_while_five_pillars_hold() {
    let held = |sworn: &[Sworn], at| Badge::of(&lantern(), sworn, &none(), at).held();
    let five = all(100);
    assert!(!held(&five, day(0)) && held(&five, day(1)) && held(&five, day(99)));
    assert!(!held(&five, day(100)), "expired at the very instant");
    for at in 0..5 {
        let mut four = five.clone();
        four.remove(at);
        assert!(!held(&four, day(5)));
        let revoked = BTreeSet::from([five[at].id()]);
        assert!(!Badge::of(&lantern(), &five, &revoked, day(5)).held());
        // A renewal stands in for what was taken back or ended.
        let renewed = sworn(&oath(Pillar::ALL[at], 50, 200));
        let both = [&five[..], &[renewed]].concat();
        let badge = Badge::of(&lantern(), &both, &revoked, day(60));
        assert!(badge.held() && badge.until() == Some(day(100)));
    }
    assert!(!Badge::of(&did("did:web:other.example"), &five, &none(), day(5)).held());
}

proptest! {
    #[test]
    fn the_badge_agrees_with_brute_force(
        oaths in prop::collection::vec((0_usize..5, 0_u64..20, 1_u64..20, any::<bool>()), 0..12),
        at in 0_u64..45,
    ) {
        let made = |(pillar, issued, lasts, _): &(usize, u64, u64, bool)| {
            sworn(&oath(Pillar::ALL[*pillar], *issued, issued + lasts))
        };
        let list: Vec<_> = oaths.iter().map(made).collect();
        let taken = list.iter().zip(&oaths).filter(|(_, (.., taken))| *taken);
        let revoked: BTreeSet<_> = taken.map(|(one, _)| one.id()).collect();
        let badge = Badge::of(&lantern(), &list, &revoked, day(at));
        let live = |pillar: Pillar| {
            list.iter().any(|one| {
                let oath = one.oath();
                oath.claim == Claim::Pillar { pillar }
                    && !revoked.contains(&one.id())
                    && (oath.issued..oath.expires).contains(&day(at))
            })
        };
        for (pillar, standing) in badge.pillars() {
            prop_assert_eq!(matches!(standing, Standing::Holds(_)), live(*pillar));
        }
        prop_assert_eq!(badge.held(), Pillar::ALL.into_iter().all(live));
    }
}

#[test]
fn an_oath_is_opened_only_whole_and_by_its_key() {
    let good = oath(Pillar::Legal, 1, 9);
    let bytes = good.swear(&key()).unwrap().to_bytes().unwrap();
    assert_eq!(Sworn::open(&bytes, &ring()).unwrap().oath(), &good);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Sworn::open(&changed, &ring()).is_err(), "byte {at}");
    }
    let other = Oath { kid: Line::new("somebody").unwrap(), ..good.clone() };
    assert!(matches!(other.swear(&key()), Err(BadOath::Kid(_))));
    let never = Oath { expires: good.issued, ..good.clone() };
    assert!(matches!(never.swear(&key()), Err(BadOath::Window)));
    let receipts: SigningKey<ForReceipts> = SigningKey::from_secret(&[7; 32].into());
    let wrong = KeyRing::new([KeyRecord::of(&receipts, run::year())]).unwrap();
    assert!(matches!(Sworn::open(&bytes, &wrong), Err(BadOath::Signature(_))));
    let late = Oath { issued: day(400), expires: day(500), ..good };
    let late = late.swear(&key()).unwrap().to_bytes().unwrap();
    assert!(matches!(Sworn::open(&late, &ring()), Err(BadOath::Signature(_))));
}

#[test]
fn a_partner_is_one_while_signature_agreement_and_identity_hold() {
    let message = b"manifest";
    let (key, other) = (run::receipt_key(), run::log_key());
    let signature = key.sign(message);
    let identity = [sworn(&oath(Pillar::Identity, 1, 50))];
    let msa = LiveMsa { digest: Digest::of(b"msa"), signed: day(2), ends: Some(day(40)) };
    let ask = |key, msa, revoked: &BTreeSet<Digest>, at: Timestamp| {
        let plugin = PluginSignature { key, message, signature: &signature };
        verified_partner(&lantern(), plugin, msa, (&identity, revoked), at)
    };
    let (ours, theirs) = (key.public(), other.public());
    assert_eq!(ask(&ours, Some(msa), &none(), day(10)), Ok(()));
    assert_eq!(ask(&theirs, Some(msa), &none(), day(10)), Err(NotPartner::Signature));
    assert_eq!(ask(&ours, None, &none(), day(10)), Err(NotPartner::Msa));
    assert_eq!(ask(&ours, Some(msa), &none(), day(1)), Err(NotPartner::Msa));
    assert_eq!(ask(&ours, Some(msa), &none(), day(40)), Err(NotPartner::Msa));
    let revoked = BTreeSet::from([identity[0].id()]);
    assert_eq!(ask(&ours, Some(msa), &revoked, day(10)), Err(NotPartner::Identity));
    let endless = LiveMsa { ends: None, ..msa };
    assert_eq!(ask(&ours, Some(endless), &none(), day(49)), Ok(()));
    assert_eq!(ask(&ours, Some(endless), &none(), day(50)), Err(NotPartner::Identity));
}

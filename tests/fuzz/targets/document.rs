//! Documents that decide what may happen: a warrant, a price book or a key file is refused, or it
//! writes what it read, and what it decides stays a value.
#![no_main]

use std::num::NonZeroU32;

use envelope_evidence::canonical;
use envelope_evidence::keyring::KeyRing;
use envelope_rules::budget::{Billed, ModelCall, PriceBook};
use envelope_rules::egress::policy::Policy;
use envelope_rules::egress::target::Target;
use envelope_rules::guard::Warrant;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(warrant) = Warrant::parse(bytes) {
        assert_eq!(canonical::of(warrant.document()).as_deref(), Ok(bytes));
    }
    if let Ok(ring) = KeyRing::from_json(bytes) {
        assert_eq!(KeyRing::from_json(&ring.to_json().unwrap()), Ok(ring));
    }
    if let Ok(policy) = serde_json::from_slice::<Policy>(bytes) {
        admit(&policy);
    }
    if let Ok(book) = serde_json::from_slice::<PriceBook>(bytes) {
        price(&book);
    }
});

fn admit(policy: &Policy) {
    let again = canonical::of(policy).unwrap();
    assert_eq!(serde_json::from_slice::<Policy>(&again).as_ref().ok(), Some(policy));
    let target = Target::parse("GET", "https://api.example.com/v1/items?page=2").unwrap();
    let _ = policy.admit(&target);
}

/// What a call costs is never more than what it may cost at worst.
fn price(book: &PriceBook) {
    let again = canonical::of(book).unwrap();
    assert_eq!(serde_json::from_slice::<PriceBook>(&again).as_ref().ok(), Some(book));
    let Ok(price) = book.price("m") else { return };
    for (input, max_output) in [(0, 0), (1, 1), (200_001, 4096), (u64::MAX, u64::MAX)] {
        for writes_cache in [false, true] {
            let choices = NonZeroU32::MIN;
            let call = ModelCall { input, max_output, choices, writes_cache };
            let billed = Billed { input, output: max_output, ..Billed::default() };
            if let Ok(worst) = price.worst(&call) {
                assert!(price.actual(&billed).unwrap() <= worst);
            }
        }
    }
}

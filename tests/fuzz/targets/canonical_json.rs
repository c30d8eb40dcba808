//! A document is refused, or its canonical bytes are a fixed point and say to another parser what
//! the document says.
#![no_main]

use envelope_evidence::canonical::{canonical, is_canonical, read};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    match canonical(bytes) {
        Ok(ours) => {
            assert!(ours.len() <= bytes.len());
            assert_eq!(canonical(&ours).as_ref(), Ok(&ours));
            let theirs: Value = serde_json::from_slice(bytes).unwrap();
            assert_eq!(read::<Value>(&ours), Ok(theirs));
            assert_eq!(is_canonical(bytes), ours == bytes);
        }
        Err(refused) => {
            assert!(refused.byte <= bytes.len());
            assert!(read::<Value>(bytes).is_err());
            let _ = refused.to_string();
        }
    }
});

//! A text either is a digest in its one spelling or is refused: nothing reads and prints otherwise.
#![no_main]

use envelope_evidence::Digest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::from_hex(&digest.hex()), Ok(digest));
    }
});

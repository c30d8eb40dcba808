//! Empty: Cargo wants a target beside the test binary, which is `suite.rs`.

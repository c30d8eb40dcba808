//! Waiting for what others do: with a limit, so that what never comes fails a test and does not
//! hold up all of them.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until something holds; `what` is said if it never does.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: it does not come");
        sleep(LOOK);
    }
}

/// The same for what is asked of a database.
pub async fn until_async(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "{what}: it does not come");
        tokio::time::sleep(LOOK).await;
    }
}

//! A node's sign of life, for every run that it holds.

use std::time::Duration;

use envelope_store::StoreError;
use envelope_store::work::hasten;
use tokio::task::JoinHandle;

use crate::house::now;
use crate::node::Node;
use crate::seat::Seat;

/// Beats in the time of a lease: two may be lost.
const BEATS: u32 = 3;

/// Beats until it is dropped.
pub(crate) struct Beats(JoinHandle<()>);

impl Beats {
    pub(crate) fn of(node: &Node, lease: Duration) -> Self {
        Self(tokio::spawn(beats(node.clone(), lease)))
    }
}

impl Drop for Beats {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Says for every run that the node lives, then puts right what clocks that went back left behind.
async fn beats(node: Node, lease: Duration) {
    loop {
        tokio::time::sleep(lease / BEATS).await;
        let seats: Vec<_> = node.seats().values().cloned().collect();
        for seat in seats {
            beat(&node, &seat, lease).await;
        }
        // A database that is away is told of by whoever needs it.
        let _ = hasten(&node.house().store, now()).await;
    }
}

/// Says for one run that the node lives. One that another node has is stopped here at once; when
/// the database is away, it finds out by itself.
pub(crate) async fn beat(node: &Node, seat: &Seat, lease: Duration) {
    let beaten = async {
        let mut tx = node.house().store.write().await?;
        tx.of(&seat.lease.org).beat(&seat.lease, now(), lease).await?;
        tx.commit().await
    };
    match beaten.await {
        Ok(()) => seat.beat(),
        // One that has ended meanwhile is stopped too, and does not hear it.
        Err(StoreError::Fenced { .. }) => seat.lose(),
        Err(_) => {}
    }
}

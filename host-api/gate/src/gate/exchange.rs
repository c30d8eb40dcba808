//! Calls that keep something of the world in hand: a request, and the answer that comes after it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_evidence::journal::{Content, Recovery};
use envelope_rules::denial::Denial;

use super::{Answer, BYTES, Gate, Passed, Way};
use crate::request::Request;
use crate::stop::{Fault, Stop};
use crate::workspace::{self, Blobs};
use crate::world::World;

/// How often it is asked, while the world is waited for, whether the run has to stop.
const HEARTBEAT: Duration = Duration::from_millis(200);

/// An effect in two steps: what may still forbid it is found out before anything begins.
pub(crate) trait Effect: Send {
    /// What is known once nothing forbids it.
    type Ready: Send;
    /// What stays in hand. A replay has none.
    type Kept: Send;

    /// Finds out whether something forbids it. Nothing is done yet, but a name may be asked for:
    /// its addresses are among what can forbid a request.
    fn prepare(
        &mut self,
        world: &dyn World,
    ) -> impl Future<Output = Result<Result<Self::Ready, Denial>, Fault>> + Send;

    /// Does it. What goes wrong outside is an answer too.
    fn perform(
        self,
        world: &dyn World,
        ready: Self::Ready,
    ) -> impl Future<Output = Effected<Self::Kept>> + Send;
}

/// What an effect gave.
pub(crate) struct Effected<K> {
    /// What is recorded.
    pub(crate) answer: Vec<u8>,
    /// Bytes it moved.
    pub(crate) moved: u64,
    /// What stays in hand.
    pub(crate) kept: Option<K>,
}

impl Gate {
    /// Passes a call whose effect stays in hand.
    pub(crate) async fn reach<E: Effect>(
        &mut self,
        request: Request<'_>,
        mut effect: E,
    ) -> Passed<(Vec<u8>, Option<E::Kept>)> {
        self.charge(request.fuel);
        let permit = match self.way(&request).await? {
            Way::Recorded(recorded) => {
                let answer = fetch(self.parts.inside.blobs.clone(), &recorded).await?;
                self.caught_up()?;
                return Ok(Ok((answer, None)));
            }
            Way::Refused(denial) => return Ok(Err(denial)),
            Way::Open(permit) => permit,
        };
        let world = Arc::clone(&self.parts.world);
        let ready = match attended(&*world, effect.prepare(&*world)).await?? {
            Ok(ready) => ready,
            Err(denial) => {
                let _ = self.parts.meter.void(permit.spend());
                return self.deny(&request, denial).await.map(Err);
            }
        };
        if permit.recovery() != Recovery::Again && self.is_new() {
            let key = self.key();
            self.begin(&request, &permit, &key).await?;
        }
        let hold = permit.spend();
        let performed = attended(&*world, effect.perform(&*world, ready)).await?;
        let Effected { answer, moved, kept } = performed;
        self.now = self.time();
        let moved = moved.min(hold.worst().get(BYTES));
        let content = keep(self.parts.inside.blobs.clone(), &answer).await?;
        self.settle(&request, hold, Answer::of(content).moved(moved)).await?;
        Ok(Ok((answer, kept)))
    }

    /// Waits for what is no call of its own.
    pub(crate) async fn attend<T>(&mut self, effect: impl Future<Output = T>) -> Result<T, Stop> {
        let world = Arc::clone(&self.parts.world);
        attended(&*world, effect).await
    }

    /// What to say of a recorded answer that this build cannot read.
    pub(crate) fn unreadable(&self, request: &str) -> Stop {
        self.diverges("an answer of another shape".to_owned(), request.to_owned())
    }
}

/// Puts an answer that is too large for the journal where contents lie, before the journal names
/// it.
pub(super) async fn keep(blobs: Blobs, answer: &[u8]) -> Result<Content, Fault> {
    let content = Content::of(answer);
    if content.inline().is_none() {
        let digest = content.digest();
        let put = blobs.put(Bytes::copy_from_slice(answer)).await;
        put.map_err(|why| lost(digest, &why))?;
    }
    Ok(content)
}

/// A recorded answer, from the journal or from where contents lie.
pub(super) async fn fetch(blobs: Blobs, recorded: &Content) -> Result<Vec<u8>, Fault> {
    if let Some(bytes) = recorded.inline() {
        return Ok(bytes.to_vec());
    }
    let digest = recorded.digest();
    let found = blobs.get(&digest).await.map_err(|why| lost(digest, &why))?;
    Ok(found.to_vec())
}

/// Waits for an effect. A run that has to stop does not wait for it to end: what it did is then
/// known to nobody, and its record says so.
pub(super) async fn attended<T>(
    world: &dyn World,
    effect: impl Future<Output = T>,
) -> Result<T, Stop> {
    let mut effect = pin!(effect);
    loop {
        match tokio::time::timeout(HEARTBEAT, &mut effect).await {
            Ok(performed) => return Ok(performed),
            Err(_) => world.cut().map_or(Ok(()), Err)?,
        }
    }
}

fn lost(digest: Digest, why: &workspace::Fault) -> Fault {
    Fault::Blob { digest, why: why.to_string() }
}

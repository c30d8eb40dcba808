//! The node itself: it claims, beats, and leaves.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use envelope_engine::component::Components;
use envelope_evidence::Timestamp;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_gate::inside::Watcher;
use envelope_rules::grant::GrantKeys;
use envelope_store::journal::{self, Queue};
use envelope_store::stops::{Board, Watching};
use envelope_store::work::{LEASE, Lease};
use envelope_store::{Org, StoreError};
use tokio::sync::OnceCell;
use tokio::task::{JoinError, JoinSet};

use crate::agents::Agents;
use crate::beats::{Beats, beat};
use crate::house::now;
use crate::known::Known;
use crate::load::Ready;
use crate::run::{Came, go};
use crate::seat::{Held, Seat, Seated};
use crate::sheet::Sheet;
use crate::{House, NodeError, Outside, load};

/// Runs at once, unless it is said otherwise: each may take some hundred megabytes.
pub const RUNS: usize = 16;

/// How often a node that found nothing to do looks again.
const LOOK: Duration = Duration::from_millis(200);

/// How long a run that could not go on rests before it is tried again, the first time. It doubles
/// each time on this node, up to [`REST_MAX`]: what is broken stays in the queue, and waits.
const REST: Duration = Duration::from_secs(2);

/// The longest rest: somebody who mends something does not want to wait for longer.
const REST_MAX: Duration = Duration::from_mins(10);

/// How long a node that leaves lets its runs hear what they asked outside. What takes longer is
/// cut: a supervisor would kill the node soon after.
const LEAVING: Duration = Duration::from_secs(20);

/// How long what was cut may take to notice. What does not is dropped where it stands: the next
/// claim fences whatever it still writes.
const CUT: Duration = Duration::from_secs(5);

/// What a node is called, and how much it does.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name, for people who look into the database.
    pub name: String,
    /// Runs at once.
    pub runs: usize,
    /// How long it may be silent before another node takes its runs.
    pub lease: Duration,
    /// Who watches what its runs say, if anybody does.
    pub watch: Option<fn() -> Watcher>,
}

impl Settings {
    /// A node called `name` that does what is usual.
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), runs: RUNS, lease: LEASE, watch: None }
    }
}

/// What signs. All nodes of a house have the same.
#[derive(Clone)]
pub struct Keys {
    /// What verifies grants, and makes them again.
    pub grants: Arc<GrantKeys>,
    /// What signs receipts.
    pub receipts: Arc<SigningKey<ForReceipts>>,
}

/// What a node tells.
#[derive(Clone, Copy)]
pub enum Told<'a> {
    /// What became of a run here.
    Run(&'a str, &'a Result<Came, NodeError>),
    /// What is wrong with the node itself, or with a run that broke before it could say its name.
    Trouble(&'a NodeError),
}

/// Hears what a node tells.
pub type Tell = Arc<dyn Fn(Told<'_>) + Send + Sync>;

/// A node. Clones are the same one.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    house: House,
    keys: Keys,
    outside: Box<dyn Outside>,
    agents: Agents,
    settings: Settings,
    queue: Queue,
    tell: Tell,
    leaving: AtomicBool,
    seats: Mutex<BTreeMap<Held, Arc<Seat>>>,
    rests: Known<u32>,
    switches: OnceCell<(Arc<Board>, Watching)>,
}

/// A node that has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Runs that it gave back.
    pub runs: usize,
}

impl Node {
    /// A node of `house`. It needs a runtime, which writes its journals as long as it lives.
    pub fn new(
        house: House,
        keys: Keys,
        outside: Box<dyn Outside>,
        components: Components,
        settings: Settings,
        tell: Tell,
    ) -> Self {
        let (queue, scribe) = journal::queue(house.store.clone());
        tokio::spawn(scribe.serve());
        Self(Arc::new(Inner {
            house,
            keys,
            outside,
            agents: Agents::new(components),
            settings,
            queue,
            tell,
            leaving: AtomicBool::new(false),
            seats: Mutex::default(),
            rests: Known::default(),
            switches: OnceCell::new(),
        }))
    }

    /// The kill switches of its database, which it watches from its first run on.
    pub(crate) async fn switches(&self) -> Result<Arc<Board>, StoreError> {
        let open = async || {
            let board = Board::open(self.0.house.store.clone()).await?;
            let watching = board.watch();
            Ok((board, watching))
        };
        Ok(Arc::clone(&self.0.switches.get_or_try_init(open).await?.0))
    }

    /// Claims and runs what falls due until `over`, then leaves: it claims nothing more, puts its
    /// runs aside, and gives them back.
    pub async fn serve(&self, over: impl Future<Output = ()> + Send) -> Drained {
        let _beats = Beats::of(self, self.0.settings.lease);
        let (mut over, mut runs) = (std::pin::pin!(over), JoinSet::new());
        loop {
            while let Some(ended) = runs.try_join_next() {
                self.told(ended);
            }
            // However much is due: one who is told to leave begins nothing more.
            tokio::select! {
                biased;
                () = &mut over => break,
                () = std::future::ready(()) => {}
            }
            let full = runs.len() >= self.0.settings.runs;
            let claimed = if full { Ok(None) } else { self.claim().await };
            let rest = match claimed {
                Ok(Some(seated)) => {
                    let node = self.clone();
                    runs.spawn(async move { node.hold(seated).await.as_ref().is_ok_and(is_back) });
                    continue;
                }
                Ok(None) => LOOK,
                // A database that is away is asked again after a while.
                Err(why) => {
                    self.trouble(&NodeError::Store(why));
                    REST
                }
            };
            tokio::select! {
                () = &mut over => break,
                Some(ended) = runs.join_next(), if full => drop(self.told(ended)),
                () = tokio::time::sleep(rest) => {}
            }
        }
        Drained { runs: self.leave(&mut runs).await }
    }

    /// Has the run `id` go on here, if it is due and nobody else has it.
    pub async fn one(&self, org: &Org, id: &str) -> Result<Option<Came>, NodeError> {
        let Settings { name, lease, .. } = &self.0.settings;
        let mut tx = self.0.house.store.write().await?;
        let taken = tx.of(org).take(id, name, now(), *lease).await?;
        tx.commit().await?;
        let Some(taken) = taken else { return Ok(None) };
        let seated = Seated::at(self, taken);
        let _beats = Beats::of(self, self.0.settings.lease);
        self.hold(seated).await.map(Some)
    }

    /// Puts aside what runs here, as when the node leaves.
    pub fn put_aside(&self) {
        self.0.leaving.store(true, Ordering::Release);
        for seat in self.seats().values() {
            seat.put_aside();
        }
    }

    /// Where its runs are kept.
    pub fn house(&self) -> &House {
        &self.0.house
    }

    pub(crate) fn outside(&self) -> &dyn Outside {
        &*self.0.outside
    }

    pub(crate) fn receipts(&self) -> &SigningKey<ForReceipts> {
        &self.0.keys.receipts
    }

    pub(crate) fn queue(&self) -> Queue {
        self.0.queue.clone()
    }

    pub(crate) fn watcher(&self) -> Option<Watcher> {
        self.0.settings.watch.map(|watch| watch())
    }

    pub(crate) async fn ready(
        &self,
        org: &Org,
        run: &str,
        sheet: &Sheet,
    ) -> Result<Ready, NodeError> {
        let Inner { house, agents, keys, .. } = &*self.0;
        load::ready(house, org, run, sheet, agents, &keys.grants).await
    }

    /// What is due the longest. Whoever was kept from saying that it lives, and comes back before
    /// anybody else, still has its runs: claimed again, they would be cut off from what they asked.
    async fn claim(&self) -> Result<Option<Seated>, StoreError> {
        let Settings { name, lease, .. } = &self.0.settings;
        let silent = |seat: &Arc<Seat>| seat.silence() > *lease / 2;
        let seats: Vec<_> = self.seats().values().filter(|seat| silent(seat)).cloned().collect();
        for seat in seats {
            beat(self, &seat, *lease).await;
        }
        let mut tx = self.0.house.store.write().await?;
        if self.seats().values().any(silent) {
            return Ok(None);
        }
        // Now that it may write, however long it waited for its turn.
        let claimed = tx.claim(name, now(), *lease).await?;
        tx.commit().await?;
        Ok(claimed.map(|lease| Seated::at(self, lease)))
    }

    /// Holds a run as far as it goes, and tells.
    async fn hold(&self, seated: Seated) -> Result<Came, NodeError> {
        let seat = Arc::clone(&seated.seat);
        if self.0.leaving.load(Ordering::Acquire) {
            seat.put_aside();
        }
        let came = match go(self, &seat).await {
            Err(why) if why.is_fenced() || seat.is_lost() => Ok(Came::Lost),
            Err(why) => match self.rest(&seat.lease).await {
                Err(StoreError::Fenced { .. }) => Ok(Came::Lost),
                // Where the store is away, the lease runs out.
                Ok(()) | Err(_) => Err(why),
            },
            Ok(came) => {
                self.0.rests.forget(&seat.lease);
                Ok(came)
            }
        };
        drop(seated);
        (self.0.tell)(Told::Run(&seat.lease.id, &came));
        came
    }

    /// Gives back what could not go on, to be tried again after a rest.
    async fn rest(&self, lease: &Lease) -> Result<(), StoreError> {
        let rest = self.rest_of(lease);
        let millis = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        let due = Timestamp::from_millis(now().millis().saturating_add(millis));
        let mut tx = self.0.house.store.write().await?;
        tx.of(&lease.org).give_back(lease, due.unwrap_or(Timestamp::MAX)).await?;
        tx.commit().await
    }

    fn rest_of(&self, lease: &Lease) -> Duration {
        let times = self.0.rests.get(lease).unwrap_or_default();
        self.0.rests.set(lease, times.saturating_add(1));
        REST.saturating_mul(2_u32.saturating_pow(times)).min(REST_MAX)
    }

    async fn leave(&self, runs: &mut JoinSet<bool>) -> usize {
        self.put_aside();
        let mut back = 0;
        let left = tokio::time::timeout(LEAVING, self.drain(runs, &mut back)).await;
        if left.is_err() {
            for seat in self.seats().values() {
                seat.stop();
            }
            if tokio::time::timeout(CUT, self.drain(runs, &mut back)).await.is_err() {
                runs.abort_all();
            }
        }
        back
    }

    /// Waits for `runs`, and counts in `back` those that are given back.
    async fn drain(&self, runs: &mut JoinSet<bool>, back: &mut usize) {
        while let Some(ended) = runs.join_next().await {
            *back = back.saturating_add(usize::from(self.told(ended)));
        }
    }

    /// Whether a run was given back. One that broke its task told nobody itself.
    fn told(&self, ended: Result<bool, JoinError>) -> bool {
        ended.unwrap_or_else(|why| {
            self.trouble(&NodeError::Broken(why));
            false
        })
    }

    fn trouble(&self, why: &NodeError) {
        (self.0.tell)(Told::Trouble(why));
    }

    pub(crate) fn seats(&self) -> MutexGuard<'_, BTreeMap<Held, Arc<Seat>>> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_back(came: &Came) -> bool {
    matches!(came, Came::GivenBack)
}

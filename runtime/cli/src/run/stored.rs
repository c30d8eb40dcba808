//! A run that is kept in a database: launched into its queue, and worked on here if nobody was
//! faster.

use std::sync::Arc;
use std::time::Duration;

use envelope_engine::config::Machine;
use envelope_engine::local::Job;
use envelope_engine::run::Finished;
use envelope_evidence::Label;
use envelope_gate::inside::Watcher;
use envelope_node::launch::{Launch, launch};
use envelope_node::{Came, House, Node, NodeError, export, finished, now, state};
use envelope_store::Org;

use super::{Ran, Run, give_out, runtime, watcher};
use serde_json::json;

use crate::answer::{Answer, Trouble};
use crate::fresh::fresh;
use crate::guest;
use crate::home::LocalKeys;
use crate::node::{Operator, node_of};
use crate::store::kept;

/// How often the row of a run is looked at that another node works on.
const LOOK: Duration = Duration::from_millis(200);

/// A run in the queue, and all that is needed to work on it here.
struct Queued {
    house: House,
    org: Org,
    run: Label,
    keys: LocalKeys,
    machine: Machine,
}

impl Run {
    /// Launches the run into the database, and follows it to its end.
    pub(super) fn carry_out_stored(&self) -> Result<Ran, Trouble> {
        runtime()?.block_on(async {
            let queued = self.queue().await?;
            let Queued { house, org, run, keys, machine } = &queued;
            let outside = Operator::of(&self.net.edge, self.models.providers());
            let watch: fn() -> Watcher = watcher;
            let node = node_of(house, keys, outside, machine, (!self.json).then_some(watch))?;
            let finished = follow(&node, org, run, &self.house.words()).await?;
            let blobs = house.blobs(org).of_nobody(now);
            give_out(&finished, self.dir.as_deref(), &blobs).await?;
            let folder = match &self.out {
                Some(out) => Some(export(house, org, run, out).await.map_err(kept)?),
                None => None,
            };
            Ok(Ran { finished, folder, flags: self.house.words() })
        })
    }

    /// Launches the run, and leaves it to others.
    pub(super) fn put_into_queue(&self) -> Result<Answer, Trouble> {
        if self.out.is_some() {
            let what = "`--out` waits for the end of the run, and `--detach` does not";
            return Err(Trouble::usage(what, "export it later: `envelope runs export`"));
        }
        runtime()?.block_on(async {
            let Queued { run, .. } = self.queue().await?;
            Ok(Answer::page("launch", format!("{run}\n"), json!({ "run": run })))
        })
    }

    async fn queue(&self) -> Result<Queued, Trouble> {
        self.check_stored()?;
        let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        let (args, rules) = (self.read_args()?, self.desk.rules()?);
        let wishes = self.wishes(&[], rules.is_some())?;
        let (bytes, name) = guest::component(&self.agent)?;
        let fresh = fresh(self.seed).map_err(|why| Trouble::failed(why, "try again"))?;
        let house = self.house.open().await?;
        let org = self.house.found(&house).await?;
        let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
        let prepared = Arc::new(guest::prepare(&machine, &bytes, &name).await?);
        let manifest = self.take_in(&house.blobs(&org).of_nobody(now)).await?;
        let job = Job::new(prepared, &self.skill, args, manifest, &wishes, &fresh, &keys.grants);
        let job = job.map_err(|why| Trouble::usage(why, "see `envelope inspect`"))?;
        let (component, rules) = (&bytes, rules.as_ref());
        let (purchase, shared, days) = (None, &[][..], None);
        let new = Launch { job: &job, component, name: &name, rules, purchase, shared, days };
        let run = launch(&house, &org, new).await.map_err(kept)?;
        Ok(Queued { house, org, run, keys, machine })
    }

    /// What a run of a database cannot have.
    fn check_stored(&self) -> Result<(), Trouble> {
        if !self.callees.is_empty() {
            let what = "a run that is kept in a database calls no other agents yet";
            return Err(Trouble::usage(what, "leave `--db` out, or `--callee`"));
        }
        if self.desk.answers_here() {
            let what = "a run that is kept in a database asks nobody at a terminal";
            return Err(Trouble::usage(what, "say `--approvals wait`, or `never`"));
        }
        Ok(())
    }
}

/// Works on the run, or waits for whoever does.
async fn follow(node: &Node, org: &Org, run: &str, flags: &str) -> Result<Finished, Trouble> {
    loop {
        match node.one(org, run).await.map_err(resting)? {
            Some(Came::Ended(_, finished)) => return Ok(*finished),
            Some(Came::Waits) => return Err(Trouble::waiting_in_store(run, flags)),
            Some(Came::GivenBack | Came::Lost) | None => {}
        }
        match state(node.house(), org, run).await.map_err(kept)?.as_str() {
            "ended" => return finished(node, org, run).await.map_err(kept),
            "suspended" => return Err(Trouble::waiting_in_store(run, flags)),
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

fn resting(why: NodeError) -> Trouble {
    Trouble::failed(why, "the run stays in the queue: `envelope node` goes on with it")
}

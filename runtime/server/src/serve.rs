//! A house that is open: it answers, works off the queue, and hears of what happens.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use envelope_market::purchases::follow::hear;
use envelope_market::{Role, Who};
use envelope_node::{Drained, Node, now};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{App, Problem, outside, route};

/// How often somebody looks whether there is a message, when there was none.
const LOOK: Duration = Duration::from_millis(200);

/// Addresses outside that are told something at once.
const COURIERS: usize = 8;

/// How long whoever is answered may take to listen, once the house leaves.
const LEAVING: Duration = Duration::from_secs(10);

/// A place at which the house is reached.
pub struct Door(TcpListener);

impl Door {
    /// Opens a door at an address; port 0 is any that is free.
    pub async fn open(at: SocketAddr) -> std::io::Result<Self> {
        TcpListener::bind(at).await.map(Self)
    }

    /// Where it is.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Answers at `door`, and works with `node`, until `over`. Then it takes nothing new, puts its runs
/// aside, and ends what it answers.
pub async fn serve(
    app: Arc<App>,
    door: Door,
    node: Option<Node>,
    over: impl Future<Output = ()> + Send + 'static,
) -> Drained {
    let (end, ended) = watch::channel(false);
    let router = route::router(&app).merge(outside::router(&app));
    let router = router
        .fallback(async || Problem::new("NOT_FOUND", "nothing is here").response(""))
        .method_not_allowed_fallback(async || {
            Problem::new("METHOD", "this path takes other methods").response("")
        });
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let answering = axum::serve(door.0, router).with_graceful_shutdown(wait(ended.clone()));
    let answering = tokio::spawn(async move { answering.await });
    let hearing = tokio::spawn(follow(Arc::clone(&app), ended.clone()));
    let telling = tokio::spawn(tell(Arc::clone(&app), ended.clone()));
    let working = node.map(|node| {
        let ended = ended.clone();
        tokio::spawn(async move { node.serve(wait(ended)).await })
    });
    over.await;
    app.leave();
    end.send_replace(true);
    let drained = match working {
        Some(working) => working.await.unwrap_or(Drained { runs: 0 }),
        None => Drained { runs: 0 },
    };
    let _ = tokio::time::timeout(LEAVING, answering).await;
    let _ = hearing.await;
    // What was not told by then falls due again.
    let _ = tokio::time::timeout(LEAVING, telling).await;
    drained
}

async fn wait(mut ended: watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
}

/// Hears what happened, one after the other, and has the market do what follows.
async fn follow(app: Arc<App>, ended: watch::Receiver<bool>) {
    let house = Who {
        user: "house".to_owned(),
        roles: BTreeSet::from([Role::Operator]),
        ..Who::house(app.operator.clone())
    };
    while !*ended.borrow() {
        match hear(&app.market, &house, now()).await {
            Ok(true) => {}
            Ok(false) => rest(&ended).await,
            // What could not be done is told again, later.
            Err(why) => {
                app.trouble(&format!("a message waits: {why}"));
                rest(&ended).await;
            }
        }
    }
}

/// Tells those outside who want to be told, several at once: an address may be slow.
async fn tell(app: Arc<App>, ended: watch::Receiver<bool>) {
    while !*ended.borrow() {
        if errand(&app).await {
            let couriers = (0..COURIERS).map(|_| {
                let (app, ended) = (Arc::clone(&app), ended.clone());
                async move { while !*ended.borrow() && errand(&app).await {} }
            });
            couriers.collect::<JoinSet<()>>().join_all().await;
        } else {
            rest(&ended).await;
        }
    }
}

/// Does an errand, if one is due.
async fn errand(app: &App) -> bool {
    let done = app.market.courier.run(&app.market, now()).await;
    done.unwrap_or_else(|why| {
        app.trouble(&format!("an errand waits: {why}"));
        false
    })
}

async fn rest(ended: &watch::Receiver<bool>) {
    let _ = tokio::time::timeout(LOOK, wait(ended.clone())).await;
}

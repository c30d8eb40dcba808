//! The way out: the one HTTP client of this host, for guests and for the host's own calls.
//!
//! ```text
//! resolve   the name, once → every address is judged → a Route
//! send      connect to an address of the Route → TLS → credentials → the request, whole
//! next      the answer's body, piece by piece, under limits, without what is secret
//! ```
//!
//! It knows nothing of grants: who calls it holds a permit for the very [`Target`] it sends. It
//! follows no redirect, reads no proxy from the environment, decodes no body, and keeps no
//! connection for a second request. It speaks HTTP/1.1, in clear or over verified TLS.

mod credential;
mod dial;
mod exchange;
mod failure;
mod flow;
mod limits;
mod names;
mod reach;
mod scrub;
mod trust;

pub use credential::{BadCredential, Credential};
pub use exchange::{Incoming, Reply};
pub use failure::Failure;
pub use flow::{Flow, Way, flow};
pub use limits::{HEAD_BYTES_MAX, Limits};
pub use names::{Names, Resolving, SystemNames};
pub use reach::{BadReach, Reach};
pub use trust::{BadRoot, Roots};

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::preview::Secrets;
use envelope_rules::denial::Denial;
use envelope_rules::egress::address::{self, CheckedAddr};
use envelope_rules::egress::host::Host;
use envelope_rules::egress::rule::{QueryRule, RuleDocument};
use envelope_rules::egress::target::Target;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{Either, Full};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

/// Addresses of one name that are looked at. A name with more is not dialled: nobody could say that
/// all of them were checked.
pub const ADDRESSES_MAX: usize = 32;

/// What an operator says about the network.
pub struct Settings {
    /// Who is asked for the addresses of names.
    pub names: Box<dyn Names>,
    /// Addresses beside the public ones that single hosts may have.
    pub reach: Vec<Reach>,
    /// What is added to requests at the edge.
    pub credentials: Vec<Credential>,
    /// Whose certificates count.
    pub roots: Roots,
    /// How long and how large an exchange may be.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: Box::new(SystemNames),
            reach: Vec::new(),
            credentials: Vec::new(),
            roots: Roots::Public,
            limits: Limits::default(),
        }
    }
}

/// The network as the operator lets it be used.
pub struct Network {
    names: Box<dyn Names>,
    reach: Vec<Reach>,
    credentials: Vec<Credential>,
    secrets: Arc<Secrets>,
    tls: TlsConnector,
    limits: Limits,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reach, credentials, limits, .. } = self;
        let mut shown = f.debug_struct("Network");
        shown.field("reach", reach).field("credentials", credentials).field("limits", limits);
        shown.finish_non_exhaustive()
    }
}

/// What goes with a request, apart from what the operator adds.
#[derive(Debug)]
pub struct Outgoing {
    /// Headers. `Host`, `Content-Length` and what concerns the connection are the host's own.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What this exchange may take. The operator's limits hold beside it.
    pub limits: Limits,
}

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// What is written while it goes out.
    Flows(Flow),
}

impl Body {
    /// How many bytes it has, as far as that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => u64::try_from(bytes.len()).ok(),
            Self::Flows(flow) => flow.length(),
        }
    }
}

/// A target, and where it may be reached: addresses that were all checked. Only
/// [`Network::resolve`] makes one, and nothing else is dialled or asked for.
#[derive(Debug)]
pub struct Route {
    target: Target,
    addresses: Vec<CheckedAddr>,
}

/// Why there is no way to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// An address of it is one that nobody may reach.
    Denied(Denial),
    /// The name has no address, or nobody could say.
    Failed(Failure),
}

impl Network {
    /// The network for one address that the operator names: whoever names an address of a machine
    /// of his own means that machine.
    pub fn to(url: &str) -> Result<Self, String> {
        let target = Target::parse("POST", url).map_err(|denial| denial.to_string())?;
        let named = RuleDocument {
            host: target.host().to_string(),
            schemes: vec![target.scheme()],
            ports: vec![target.port()],
            methods: vec!["POST".to_owned()],
            paths: vec!["/**".to_owned()],
            query: QueryRule::default(),
        };
        let reach = Reach::named_by(&named).into_iter().collect();
        Self::new(Settings { reach, ..Settings::default() }).map_err(|why| why.to_string())
    }

    /// The network under `settings`.
    pub fn new(settings: Settings) -> Result<Self, BadRoot> {
        let Settings { names, reach, credentials, roots, limits } = settings;
        let mut secrets = Secrets::none();
        for credential in &credentials {
            credential.tell(&mut secrets);
        }
        let tls = trust::connector(roots)?;
        let secrets = Arc::new(secrets);
        Ok(Self { names, reach, credentials, secrets, tls, limits })
    }

    /// The limits of every exchange.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The secrets that this network adds to requests.
    pub(crate) const fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    /// Asks for the addresses of the target's host, once, and judges every one of them. One that
    /// nobody may reach spoils the name: its owner could lead there. It waits no longer than
    /// `within`, and than the operator lets it.
    pub async fn resolve(&self, target: &Target, within: Duration) -> Result<Route, NoRoute> {
        let failed = NoRoute::Failed;
        let within = within.min(self.limits.connect);
        let found = match target.host() {
            Host::V4(address) => vec![IpAddr::V4(*address)],
            Host::V6(address) => vec![IpAddr::V6(*address)],
            Host::Name(name) => {
                let asked = tokio::time::timeout(within, self.names.resolve(name));
                asked.await.map_err(|_| failed(Failure::NameTimeout))?.map_err(failed)?
            }
        };
        if found.is_empty() || found.len() > ADDRESSES_MAX {
            return Err(failed(Failure::NameUnknown));
        }
        let exceptions = reach::exceptions(&self.reach, target.host());
        let checked = found.into_iter().map(|address| address::check(address, &exceptions));
        let addresses = checked.collect::<Result<_, _>>().map_err(NoRoute::Denied)?;
        Ok(Route { target: target.clone(), addresses })
    }

    /// Sends `request` on `route` and waits for the head of the answer.
    pub async fn send(&self, route: Route, request: Outgoing) -> Result<Incoming, Failure> {
        let limits = self.limits.tightest(&request.limits);
        let Outgoing { mut headers, body, .. } = request;
        if body.length().is_some_and(|length| length > limits.request_bytes) {
            return Err(Failure::RequestSize);
        }
        if limits.total.is_zero() {
            return Err(Failure::Deadline);
        }
        let deadline = Instant::now() + limits.total;
        let Route { target, addresses } = route;
        self.add_credentials(&target, &mut headers);
        let wire =
            dial::open(&addresses, &target, &self.tls, limits.connect.min(limits.total)).await?;
        let (body, cut, whole) = match body {
            Body::Whole(bytes) => (Either::Left(Full::new(bytes)), None, None),
            Body::Flows(mut flow) => {
                let (cut, whole) = (Arc::clone(&flow.cut), flow.whole());
                (Either::Right(flow), Some(cut), Some(whole))
            }
        };
        let request = exchange::request(&target, headers, body)?;
        let secrets = Arc::clone(&self.secrets);
        let came = exchange::exchange(wire, request, whole, limits, deadline, secrets).await;
        // Whoever cut the body knows better why there is no answer.
        came.map_err(|failure| cut.and_then(|cut| cut.get().copied()).unwrap_or(failure))
    }

    /// Puts in what the operator bound to this target, in place of whatever stood there.
    fn add_credentials(&self, target: &Target, headers: &mut HeaderMap) {
        for credential in self.credentials.iter().filter(|it| it.is_for(target)) {
            let (name, value): (&HeaderName, HeaderValue) = credential.header();
            headers.insert(name, value);
        }
    }
}

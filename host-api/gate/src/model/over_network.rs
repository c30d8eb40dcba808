//! The way to a provider over the host's own client: names are resolved once, addresses are
//! checked, TLS is verified, and the key is added last.

use envelope_evidence::preview::Secrets;
use envelope_rules::denial::Denial;
use envelope_rules::egress::rule::{QueryRule, RuleDocument};
use envelope_rules::egress::target::Target;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::credit::LIMIT_BYTES_MAX;
use super::transport::{Body, Letter, Lost, Posted, Posting, Reading, Transport};
use crate::net::{
    BadCredential, BadRoot, Credential, Failure, Incoming, Limits, Names, Network, NoRoute,
    Outgoing, Reach, Reply, Roots, Settings, SystemNames,
};

/// Bytes of a body that are taken at once.
const PIECE_BYTES: usize = 64 << 10;

/// Paths below a provider's address that are ever asked for.
const PATHS: [&str; 3] = ["/chat/completions", "/embeddings", "/messages"];

/// The way to one provider.
pub struct OverNetwork {
    network: Network,
    /// Its address, without a slash at the end.
    base: String,
}

/// The key of a provider, and how it wants to be shown it.
pub struct Key<'a> {
    /// `authorization`, as a bearer's, or `x-api-key`.
    pub header: &'static str,
    /// The key.
    pub secret: &'a str,
}

/// Who vouches for names and hosts on the way to a provider.
pub struct Surroundings {
    /// Who is asked for the addresses of names.
    pub names: Box<dyn Names>,
    /// Whose certificates count.
    pub roots: Roots,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { names: Box::new(SystemNames), roots: Roots::Public }
    }
}

/// An address to which there is no way.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// Not an address.
    #[error("`{url}` is not the address of a provider: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// Its key cannot be shown.
    #[error("the key of the provider cannot be used: {0}")]
    Key(#[from] BadCredential),
    /// TLS cannot be set up.
    #[error(transparent)]
    Root(#[from] BadRoot),
}

impl OverNetwork {
    /// The way to the provider at `url`, such as `https://api.example.com/v1`. Whoever names an
    /// address of a machine of his own means that machine.
    pub fn new(
        url: &str,
        key: Option<&Key<'_>>,
        surroundings: Surroundings,
    ) -> Result<Self, BadAddress> {
        let base = url.trim_end_matches('/').to_owned();
        let bad = |why: String| BadAddress::Url { url: base.clone(), why };
        let denied = |denial: Denial| bad(denial.to_string());
        let target = Target::parse("POST", &format!("{base}{}", PATHS[0])).map_err(denied)?;
        let rule = rule(&target);
        let credentials = match key {
            Some(Key { header, secret }) => vec![Credential::bind(header, secret, rule.clone())?],
            None => Vec::new(),
        };
        let Surroundings { names, roots } = surroundings;
        let patient = std::time::Duration::from_secs(3600);
        let limits = Limits {
            // Who waits for an answer has a deadline of his own.
            first_byte: patient,
            between_bytes: patient,
            total: patient,
            floor: 0,
            response_bytes: LIMIT_BYTES_MAX,
            request_bytes: 256 << 20,
            ..Limits::default()
        };
        let reach = Reach::named_by(&rule).into_iter().collect();
        let settings = Settings { names, reach, credentials, roots, limits };
        let network = Network::new(settings)?;
        Ok(Self { network, base })
    }

    async fn send(&self, letter: Letter) -> Result<Posted, Lost> {
        let not_sent = |why: String| Lost::NotSent(why);
        let url = format!("{}{}", self.base, letter.path);
        let target = Target::parse("POST", &url).map_err(|why| not_sent(why.to_string()))?;
        let headers = headers(letter.headers).map_err(not_sent)?;
        let limits = Limits { response_bytes: letter.response_bytes, ..*self.network.limits() };
        let route =
            self.network.resolve(&target, limits.connect).await.map_err(|why| match why {
                NoRoute::Denied(denial) => not_sent(denial.to_string()),
                NoRoute::Failed(failure) => not_sent(failure.to_string()),
            })?;
        let outgoing = Outgoing { headers, body: crate::net::Body::Whole(letter.body), limits };
        let incoming = self.network.send(route, outgoing).await.map_err(lost)?;
        let Incoming { status, headers, reply } = incoming;
        let after = headers.iter().find(|(name, _)| name == "retry-after");
        let after = after.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
        Ok(Posted { status, retry_after: after, body: Box::new(Coming(reply)) })
    }
}

/// Adds the key to what no record may show.
pub fn tell(key: &Key<'_>, secrets: &mut Secrets) -> bool {
    secrets.add(key.secret)
}

impl Transport for OverNetwork {
    fn post(&self, letter: Letter) -> Posting<'_> {
        Box::pin(self.send(letter))
    }
}

struct Coming(Reply);

impl Body for Coming {
    fn next(&mut self) -> Reading<'_> {
        Box::pin(async {
            let next = self.0.next(PIECE_BYTES).await;
            next.map_err(|failure| failure.to_string())
        })
    }
}

/// What the key goes with: these requests and no others.
fn rule(target: &Target) -> RuleDocument {
    let base = target.path().strip_suffix(PATHS[0]).unwrap_or_default();
    RuleDocument {
        host: target.host().to_string(),
        schemes: vec![target.scheme()],
        ports: vec![target.port()],
        methods: vec!["POST".to_owned()],
        paths: PATHS.iter().map(|path| format!("{base}{path}")).collect(),
        query: QueryRule::default(),
    }
}

fn headers(wanted: Vec<(&'static str, String)>) -> Result<HeaderMap, String> {
    let json = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, json);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    for (name, value) in wanted {
        let value = HeaderValue::try_from(value).map_err(|why| format!("`{name}`: {why}"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// Whether anything was sent before it went wrong.
fn lost(failure: Failure) -> Lost {
    match failure {
        Failure::NameTimeout
        | Failure::NameUnknown
        | Failure::Refused
        | Failure::Unreachable
        | Failure::ConnectTimeout
        | Failure::Certificate
        | Failure::Tls
        | Failure::RequestSize => Lost::NotSent(failure.to_string()),
        Failure::FirstByteTimeout
        | Failure::Slow
        | Failure::SlowUpload
        | Failure::Deadline
        | Failure::HeadSize
        | Failure::BodySize
        | Failure::Incomplete
        | Failure::Lost
        | Failure::Protocol
        | Failure::Upgrade => Lost::Unknown(failure.to_string()),
    }
}

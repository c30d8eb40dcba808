//! Asking witnesses to sign a checkpoint: they see that it continues what they saw before.

use envelope_evidence::tlog::{Cosigned, Log, Untrusted, Witness, submission};
use envelope_gate::net::{Limits, Network, NoRoute, Outgoing};
use envelope_rules::denial::Denial;
use envelope_rules::egress::target::Target;
use http::HeaderMap;

use super::{AuditError, prove_consistency};
use crate::Store;

/// How often one witness is asked: it says how far it is, and may get further meanwhile.
const ASKED_MAX: u32 = 3;

/// Bytes of an answer: some signature lines.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Bytes taken at once.
const PIECE_BYTES: usize = 8 << 10;

/// Why a witness did not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotWitnessed {
    /// The log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// No address of a witness.
    #[error("there is no way to `{url}`: {why}")]
    Way {
        /// The address.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// It refuses.
    #[error("it answers {status}: {why}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        why: String,
    },
    /// What it said is no cosignature of its own on this checkpoint.
    #[error("what it says does not hold: {0}")]
    Untrusted(#[from] Untrusted),
}

/// Has `witness`, which answers below `url`, sign the checkpoint in `note`.
pub async fn cosign(
    store: &Store,
    (log, note): (&Log, &str),
    (witness, url): (&Witness, &str),
    network: &Network,
) -> Result<Cosigned, NotWitnessed> {
    let checkpoint = log.open(note)?;
    let mut old = 0;
    for _ in 0..ASKED_MAX {
        let proof = match old {
            0 => Vec::new(),
            old => prove_consistency(store, old, checkpoint.size).await?,
        };
        let (status, said) = post(network, url, submission(old, &proof, note)).await?;
        match status {
            200 => return Ok(witness.judge(log, checkpoint, &said)?),
            409 => match said.trim_end().parse() {
                Ok(size) if size <= checkpoint.size && size != old => old = size,
                Ok(_) | Err(_) => return Err(NotWitnessed::Refused { status, why: cut(&said) }),
            },
            status => return Err(NotWitnessed::Refused { status, why: cut(&said) }),
        }
    }
    let why = "it gets further while it is asked".to_owned();
    Err(NotWitnessed::Refused { status: 409, why })
}

/// What a stranger says, as far as anybody wants to read it.
fn cut(said: &str) -> String {
    said.trim_end().chars().take(200).collect()
}

async fn post(network: &Network, base: &str, body: String) -> Result<(u16, String), NotWitnessed> {
    let url = format!("{}/add-checkpoint", base.trim_end_matches('/'));
    let way = |why: String| NotWitnessed::Way { url: base.to_owned(), why };
    let denied = |denial: Denial| way(denial.to_string());
    let target = Target::parse("POST", &url).map_err(denied)?;
    let limits = Limits { response_bytes: ANSWER_BYTES_MAX, ..*network.limits() };
    let route = network.resolve(&target, limits.connect).await.map_err(|why| match why {
        NoRoute::Denied(denial) => denied(denial),
        NoRoute::Failed(failure) => way(failure.to_string()),
    })?;
    let outgoing = Outgoing {
        headers: HeaderMap::new(),
        body: envelope_gate::net::Body::Whole(body.into()),
        limits,
    };
    let failed = |failure: envelope_gate::net::Failure| way(failure.to_string());
    let mut incoming = network.send(route, outgoing).await.map_err(failed)?;
    let mut said = Vec::new();
    while let Some(piece) = incoming.reply.next(PIECE_BYTES).await.map_err(failed)? {
        said.extend_from_slice(&piece);
    }
    Ok((incoming.status, String::from_utf8_lossy(&said).into_owned()))
}

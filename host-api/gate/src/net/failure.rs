//! What can go wrong on the way out, each under a stable name: that is what a journal keeps.

use serde::{Deserialize, Serialize};

/// Why an exchange gave nothing, or no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Nobody said in time which addresses the name has.
    #[error("the name system does not answer")]
    NameTimeout,
    /// The name has no address.
    #[error("the name has no address")]
    NameUnknown,
    /// Nobody listens there.
    #[error("the connection was refused")]
    Refused,
    /// There is no way there.
    #[error("the destination cannot be reached")]
    Unreachable,
    /// Nobody answered there in time.
    #[error("the connection could not be made in time")]
    ConnectTimeout,
    /// The peer's certificate does not stand for the host.
    #[error("the certificate is not valid for this host")]
    Certificate,
    /// The peer does not speak TLS as it should.
    #[error("the peer does not speak TLS")]
    Tls,
    /// The head of the answer did not come in time.
    #[error("no answer came in time")]
    FirstByteTimeout,
    /// The answer stopped coming, or came too slowly.
    #[error("the answer came too slowly")]
    Slow,
    /// The peer took the request too slowly, or stopped taking it.
    #[error("the request was taken too slowly")]
    SlowUpload,
    /// The whole exchange took too long.
    #[error("the exchange took too long")]
    Deadline,
    /// The head of the answer is too large.
    #[error("the head of the answer is too large")]
    HeadSize,
    /// The body of the request is too large.
    #[error("the body of the request is too large")]
    RequestSize,
    /// The body of the answer is too large.
    #[error("the body of the answer is too large")]
    BodySize,
    /// The answer ended before it was whole.
    #[error("the answer ended before it was whole")]
    Incomplete,
    /// The connection is gone.
    #[error("the connection was lost")]
    Lost,
    /// The peer does not speak HTTP as it should.
    #[error("the peer does not speak HTTP")]
    Protocol,
    /// The peer wants to speak something else than HTTP.
    #[error("the peer switches to another protocol")]
    Upgrade,
}

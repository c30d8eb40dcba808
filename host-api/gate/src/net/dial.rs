//! Connections: the one file in which this workspace opens sockets.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use envelope_rules::egress::address::CheckedAddr;
use envelope_rules::egress::host::Host;
use envelope_rules::egress::target::{Scheme, Target};
use rustls::pki_types::{IpAddr, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;

/// A connection over which one request goes.
pub(super) enum Wire {
    /// In clear.
    Clear(TcpStream),
    /// Over TLS.
    Secret(Box<TlsStream<TcpStream>>),
}

/// Connects to the first of `addresses` that answers, and speaks TLS if the target's scheme says
/// so. All of it together has `within`.
pub(super) async fn open(
    addresses: &[CheckedAddr],
    target: &Target,
    tls: &TlsConnector,
    within: Duration,
) -> Result<Wire, Failure> {
    let opened = tokio::time::timeout(within, connect(addresses, target, tls)).await;
    opened.map_err(|_| Failure::ConnectTimeout)?
}

async fn connect(
    addresses: &[CheckedAddr],
    target: &Target,
    tls: &TlsConnector,
) -> Result<Wire, Failure> {
    let stream = first(addresses, target.port()).await?;
    // Small requests should not wait for more to come.
    stream.set_nodelay(true).map_err(|_| Failure::Lost)?;
    match target.scheme() {
        Scheme::Http => Ok(Wire::Clear(stream)),
        Scheme::Https => {
            let name = server_name(target.host())?;
            let secret = tls.connect(name, stream).await.map_err(|why| of_tls(&why))?;
            Ok(Wire::Secret(Box::new(secret)))
        }
    }
}

async fn first(addresses: &[CheckedAddr], port: u16) -> Result<TcpStream, Failure> {
    let mut failure = Failure::Unreachable;
    for address in addresses {
        match TcpStream::connect((address.get(), port)).await {
            Ok(stream) => return Ok(stream),
            Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => {
                failure = Failure::Refused;
            }
            Err(_) => failure = Failure::Unreachable,
        }
    }
    Err(failure)
}

/// The name that the certificate has to stand for: the very host that was judged.
fn server_name(host: &Host) -> Result<ServerName<'static>, Failure> {
    match host {
        Host::Name(name) => {
            ServerName::try_from(name.as_str().to_owned()).map_err(|_| Failure::Certificate)
        }
        Host::V4(address) => Ok(ServerName::IpAddress(IpAddr::V4((*address).into()))),
        Host::V6(address) => Ok(ServerName::IpAddress(IpAddr::V6((*address).into()))),
    }
}

fn of_tls(why: &io::Error) -> Failure {
    let tls = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate,
        Some(_) => Failure::Tls,
        None => Failure::Lost,
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secret(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secret(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Secret(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secret(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

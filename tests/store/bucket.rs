//! A bucket of a server that speaks S3.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use envelope_store::blobs::{S3, s3};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use object_store::ObjectStore;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;

use super::world::folder;

/// The server, which lives as long as the test does.
pub async fn server() -> SocketAddr {
    let root = folder();
    std::fs::create_dir(root.join("bucket")).unwrap();
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single("name", "secret"));
    let service = service.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

pub fn bucket(address: SocketAddr, secret: &str) -> Arc<dyn ObjectStore> {
    s3(S3 {
        endpoint: Some(format!("http://{address}")),
        region: "us-east-1".to_owned(),
        bucket: "bucket".to_owned(),
        prefix: "some/where".to_owned(),
        access_key: "name".to_owned(),
        secret_key: secret.to_owned(),
        token: None,
    })
    .unwrap()
}

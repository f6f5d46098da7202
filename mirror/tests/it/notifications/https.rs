//! Receivers that speak TLS.

use favor_mirror::{MirrorError, NotificationState};
use serde_json::json;

use super::pay;
use crate::harness::{FAVOR, USER, World, builder, stock_body};
use crate::receiver::newest;

/// A receiver behind TLS that answers 204 to every request; returns its address and how many came.
async fn tls_receiver(
    certificate: &rcgen::CertifiedKey<rcgen::KeyPair>,
) -> (std::net::SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::rustls::{ServerConfig, crypto, pki_types};
    let provider = std::sync::Arc::new(crypto::aws_lc_rs::default_provider());
    let key = pki_types::PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count: std::sync::Arc<std::sync::atomic::AtomicUsize> = std::sync::Arc::default();
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 64 * 1024];
            let mut length = 0;
            // The body ends in a brace, the head never does.
            while length == 0 || request[length - 1] != b'}' {
                length += stream.read(&mut request[length..]).await.unwrap();
            }
            assert!(request.starts_with(b"POST /notify HTTP/1.1\r\n"));
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
            stream.shutdown().await.ok();
        }
    });
    (address, count)
}

#[tokio::test]
async fn https_receivers_must_be_trusted() {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (address, count) = tls_receiver(&certificate).await;
    let url = format!("https://localhost:{}/notify", address.port());
    for (builder, state, arrived) in [
        (builder(), NotificationState::Pending, 0),
        (builder().callback_root(certificate.cert.pem()), NotificationState::Delivered, 1),
    ] {
        let world = World::with(builder).await;
        let body = json!({"mchid": "1900000109", "notify_url": url});
        world.call("POST", &format!("{FAVOR}/callbacks"), &body).await.ok();
        let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
        pay(&world, &stock, USER, "s1").await;
        let entry = newest(&world).await;
        assert_eq!(entry.state, state, "{entry:?}");
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), arrived);
    }
    let unreadable = builder().callback_root("no certificate").start().await;
    assert!(matches!(unreadable, Err(MirrorError::Key { .. })));
}

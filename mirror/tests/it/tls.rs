//! TLS on the mirror's one port.

use std::time::Duration;

use favor_mirror::{Mirror, Verdict};
use reqwest::Version;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::harness::{World, builder, damage};
use crate::reach::{
    PLATFORM_HOSTS, PRODUCTION, address, client_hello, closes, get_at, logged, secured, trusting,
};

#[tokio::test]
async fn one_port_answers_with_and_without_tls() {
    let world = World::new().await;
    let tls_url = world.mirror.tls_url();
    assert!(tls_url.starts_with("https://localhost:"), "{tls_url}");
    let by_address = world.mirror.base_url().replace("http:", "https:");
    for http in [trusting(&world.mirror), trusting(&world.mirror).http1_only()] {
        let http = http.build().unwrap();
        for url in [&tls_url, &by_address, world.mirror.base_url()] {
            let reply = get_at(&world, &http, url, "/v3/certificates").await;
            assert_eq!(reply.status, 200, "{url}");
            assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
        }
    }
}

#[tokio::test]
async fn http2_is_offered() {
    let world = World::new().await;
    for (http, version) in
        [(trusting(&world.mirror), Version::HTTP_2), (trusting(&world.mirror).http1_only(), Version::HTTP_11)]
    {
        let url = format!("{}/_mirror/healthz", world.mirror.tls_url());
        let answer = http.build().unwrap().get(url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }
}

#[tokio::test]
async fn a_hosts_entry_leads_here() {
    let world = World::new().await;
    let mut http = trusting(&world.mirror);
    for host in PLATFORM_HOSTS {
        http = http.resolve(host, address(&world.mirror));
    }
    let http = http.build().unwrap();
    for host in PLATFORM_HOSTS {
        let reply = get_at(&world, &http, &format!("https://{host}"), "/v3/certificates").await;
        assert_eq!(reply.status, 200, "{host}");
    }
    // The mirror's own calls are not WeChat's.
    let reply = get_at(&world, &http, PRODUCTION, "/_mirror/healthz").await;
    assert_eq!(reply.status, 404);
    assert!(reply.json()["message"].as_str().unwrap().contains(world.mirror.base_url()));
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_explained() {
    let world = World::new().await;
    let stranger = Mirror::builder().start().await.unwrap();
    let http = trusting(&stranger).build().unwrap();
    http.get(format!("{}/_mirror", world.mirror.tls_url())).send().await.unwrap_err();
    let logged = logged(&world.mirror).await;
    assert_eq!((logged.method.as_str(), logged.verdict), ("CONNECT", Verdict::Abandoned));
    assert!(logged.notes[0].contains("UnknownCA"), "{:?}", logged.notes);
    assert!(logged.notes[0].contains("ca_file"), "{:?}", logged.notes);
}

#[tokio::test]
async fn the_authority_stays_with_the_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let world = World::with(builder().data(&file)).await;
    let (first, http) = (world.mirror.ca_pem().to_owned(), trusting(&world.mirror).build().unwrap());
    let ready = world.mirror.write_files(folder.path().join("keys")).unwrap();
    assert_eq!(std::fs::read_to_string(&ready.ca_file).unwrap(), first);
    assert_eq!(ready.proxy_url, world.mirror.base_url());
    world.mirror.shutdown().await;

    let world = World::with(builder().data(&file)).await;
    assert_eq!(world.mirror.ca_pem(), first);
    // Who trusted it before trusts it now.
    assert_eq!(get_at(&world, &http, &world.mirror.tls_url(), "/v3/certificates").await.status, 200);
    world.control("POST", "/_mirror/reset", &Value::Null).await.ok();
    assert_eq!(get_at(&world, &http, &world.mirror.tls_url(), "/v3/certificates").await.status, 200);

    let other = World::new().await;
    assert_ne!(other.mirror.ca_pem(), first);
}

#[tokio::test]
async fn a_damaged_authority_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    Mirror::builder().data(&file).start().await.unwrap().shutdown().await;
    damage(&file, "UPDATE authority SET private_key_pem = 'nothing'");
    let error = Mirror::builder().data(&file).start().await.unwrap_err();
    assert!(error.to_string().contains("certificate authority"), "{error}");
    assert!(!error.to_string().contains("nothing"), "{error}");
}

#[tokio::test]
async fn a_broken_handshake_harms_nobody() {
    let world = World::with(builder().handshake_timeout(Duration::from_secs(1))).await;
    let hello = client_hello();
    let spoiled = [&hello[..20], &[0xff; 200]].concat();
    let plain_after = [&hello[..], b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    let endless = [&[0x16, 0x03, 0x01, 0xff, 0xff][..], &[0; 3_000]].concat();
    let cases: [(&str, &[u8], bool); 6] = [
        ("one byte and no more", &hello[..1], false),
        ("half a hello and no more", &hello[..hello.len() / 2], false),
        ("half a hello and gone", &hello[..hello.len() / 2], true),
        ("garbage", &spoiled, false),
        ("plain HTTP after the hello", &plain_after, false),
        ("a record larger than there are", &endless, false),
    ];
    for (what, bytes, leaves) in cases {
        let mut stream = TcpStream::connect(address(&world.mirror)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        if leaves {
            stream.shutdown().await.unwrap();
        }
        assert!(closes(&mut stream).await, "{what}");
    }
    let http = trusting(&world.mirror).build().unwrap();
    assert_eq!(get_at(&world, &http, &world.mirror.tls_url(), "/v3/certificates").await.status, 200);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_half_a_request_too() {
    let quick = Duration::from_millis(500);
    let world = World::with(builder().keep_alive_timeout(quick).request_timeout(quick)).await;
    let mut half = TcpStream::connect(address(&world.mirror)).await.unwrap();
    half.write_all(b"GET /v3/certificates HT").await.unwrap();
    assert!(closes(&mut half).await);

    let mut secure = secure_stream(&world.mirror).await;
    secure.write_all(b"GET /_mirror/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    secure.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn shutdown_ends_tls_connections_and_handshakes() {
    for gracefully in [true, false] {
        let mirror = Mirror::builder().start().await.unwrap();
        let mut secure = secure_stream(&mirror).await;
        let mut shaking = TcpStream::connect(address(&mirror)).await.unwrap();
        shaking.write_all(&client_hello()[..10]).await.unwrap();
        if gracefully {
            mirror.shutdown().await;
        } else {
            drop(mirror);
        }
        assert_eq!(secure.read(&mut [0; 1]).await.unwrap_or(0), 0);
        assert_eq!(shaking.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}

async fn secure_stream(mirror: &Mirror) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address(mirror)).await.unwrap();
    secured(mirror, "localhost", stream).await
}

#[tokio::test]
async fn an_authority_of_an_earlier_version_goes_on_with_the_hosts_it_knew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    Mirror::builder().data(&file).start().await.unwrap().shutdown().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    // Named as the mirror names it, by its key.
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.public_key_raw());
    let digits: String = hash.as_ref()[..4].iter().map(|byte| format!("{byte:02X}")).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "favor mirror");
    let name = format!("favor mirror CA {digits} for tests only");
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let known = PLATFORM_HOSTS[..6].iter().chain(&["localhost"]);
    let known = known.map(|host| rcgen::GeneralSubtree::DnsName((*host).to_owned()));
    let here = rcgen::CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8);
    let here_too = rcgen::CidrSubnet::from_v6_prefix(std::net::Ipv6Addr::LOCALHOST.octets(), 128);
    let here = [here, here_too].map(rcgen::GeneralSubtree::IpAddress);
    params.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: known.chain(here).collect(),
        excluded_subtrees: Vec::new(),
    });
    let pem = params.self_signed(&key).unwrap().pem();
    let secret = key.serialize_pem();
    damage(&file, &format!("UPDATE authority SET private_key_pem = '{secret}', certificate_pem = '{pem}'"));

    let world = World::with(builder().data(&file)).await;
    assert_eq!(world.mirror.ca_pem(), pem);
    let notes = world.mirror.seed_notes();
    assert_eq!(notes.len(), 1);
    for part in [PLATFORM_HOSTS[6], PLATFORM_HOSTS[10], "snapshot", "ca_file"] {
        assert!(notes[0].contains(part), "{}", notes[0]);
    }
    assert!(!notes[0].contains("api.mch.weixin.qq.com"), "{}", notes[0]);
    let mut http = trusting(&world.mirror);
    for host in PLATFORM_HOSTS {
        http = http.resolve(host, address(&world.mirror));
    }
    let http = http.build().unwrap();
    assert_eq!(get_at(&world, &http, &world.mirror.tls_url(), "/v3/certificates").await.status, 200);
    for host in &PLATFORM_HOSTS[..6] {
        assert_eq!(get_at(&world, &http, &format!("https://{host}"), "/v3/certificates").await.status, 200);
    }
    http.get(format!("https://{}/v3/certificates", PLATFORM_HOSTS[6])).send().await.unwrap_err();
}

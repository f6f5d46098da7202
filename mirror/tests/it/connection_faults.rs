//! Faults of the connection itself, and faults that are there from the start.

use std::io::ErrorKind;
use std::time::Duration;

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Mirror, MirrorError, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{World, builder};

const TARGET: &str = "/v3/certificates";
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(4);

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.mirror.base_url().trim_start_matches("http://")).await.unwrap()
}

async fn ask(world: &World, stream: &mut TcpStream) {
    let header = world.credentials().authorization("GET", TARGET, world.mirror.now().timestamp(), "");
    let request =
        format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nAuthorization: {header}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads one whole answer and leaves the connection open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return text;
        }
    }
}

/// What the client reads next: an orderly end, or a reset.
async fn end(stream: &mut TcpStream) -> Result<usize, ErrorKind> {
    timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap().map_err(|error| error.kind())
}

fn plan(world: &World, kind: FaultKind, place: FaultPlace) {
    world.mirror.plan(FaultRule::new(kind).operation("certificates.list").place(place)).unwrap();
}

#[tokio::test]
async fn a_cut_is_an_end_and_a_reset_is_a_reset() {
    let world = World::new().await;
    for place in [FaultPlace::BeforeVerify, FaultPlace::BeforeCommit, FaultPlace::AfterCommit] {
        for (kind, expected) in [(FaultKind::Cut, Ok(0)), (FaultKind::Reset, Err(ErrorKind::ConnectionReset))]
        {
            plan(&world, kind, place);
            let mut stream = connect(&world).await;
            ask(&world, &mut stream).await;
            assert_eq!(end(&mut stream).await, expected, "{place:?}");
        }
    }
}

#[tokio::test]
async fn after_an_answer_the_next_request_fails_and_is_not_looked_at() {
    let world = World::new().await;
    for (kind, expected) in [(FaultKind::Cut, Ok(0)), (FaultKind::Reset, Err(ErrorKind::ConnectionReset))] {
        plan(&world, kind.clone(), FaultPlace::AfterAnswer);
        let mut stream = connect(&world).await;
        ask(&world, &mut stream).await;
        let first = answer(&mut stream).await;
        assert!(first.starts_with("HTTP/1.1 200") && first.contains("Wechatpay-Signature: "), "{first}");
        let logged = &world.mirror.requests(1, 0)[0];
        assert_eq!(logged.faults, [format!("{}@after_answer", kind.name())]);
        assert_eq!((logged.verdict, logged.status), (Verdict::Accepted, Some(200)));
        let seen = logged.id;
        ask(&world, &mut stream).await;
        assert_eq!(end(&mut stream).await, expected, "{kind:?}");
        assert_eq!(world.mirror.requests(1, 0)[0].id, seen, "the second request never arrived");
        assert_eq!(world.get(TARGET).await.status, 200, "other connections go on");
    }
}

/// A connection of HTTP/2 carries many requests; it is the connection that ends, and once.
#[tokio::test]
async fn connections_of_http2_end_too() {
    let world = World::new().await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let world = World { http, ..world };
    let credentials = world.credentials();
    let call = async || world.send_as(&credentials, "GET", TARGET, "").await.map(|reply| reply.status);
    for kind in [FaultKind::Cut, FaultKind::Reset] {
        for place in FaultPlace::ALL {
            assert_eq!(call().await.unwrap(), 200);
            plan(&world, kind.clone(), place);
            if place == FaultPlace::AfterAnswer {
                assert_eq!(call().await.unwrap(), 200);
            }
            assert!(call().await.is_err(), "{kind:?} at {place:?}");
            // The client may meet the old connection once more before it hears of its end.
            let mut again = call().await;
            if again.is_err() {
                again = call().await;
            }
            assert_eq!(again.unwrap(), 200, "{kind:?} at {place:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_hangs_ends_with_the_client_or_with_the_mirror() {
    for place in FaultPlace::ALL {
        let world = World::new().await;
        plan(&world, FaultKind::Hang, place);
        let mut first = connect(&world).await;
        ask(&world, &mut first).await;
        if place == FaultPlace::AfterAnswer {
            answer(&mut first).await;
            ask(&world, &mut first).await;
        }
        // The mirror is not held up.
        while world.mirror.faults()[0].struck == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.get(TARGET).await.status, 200);
        // Shorter than the mirror's grace for open requests, so this fails when it waits for them.
        let stopped = async |world: World| timeout(GRACE, world.mirror.shutdown()).await.unwrap();
        if place == FaultPlace::BeforeCommit {
            // The client gives up.
            drop(first);
            stopped(world).await;
        } else {
            // The mirror stops.
            let (ended, ()) = tokio::join!(end(&mut first), stopped(world));
            assert!(matches!(ended, Ok(0) | Err(_)), "{place:?}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn probes_come_by_rate_and_the_same_ones_in_each_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let rule = FaultRule::new(FaultKind::Probe).probability_ppm(300_000);
        let world = World::with(builder().faults([rule])).await;
        let mut probes = Vec::new();
        for _ in 0..40 {
            let reply = world.get(TARGET).await;
            probes.push(reply.header("wechatpay-signature").unwrap().starts_with("WECHATPAY/SIGNTEST/"));
        }
        let struck = probes.iter().filter(|probe| **probe).count();
        assert!((4..=20).contains(&struck), "{struck} of 40");
        let listed = world.control("GET", "/_mirror/faults", &serde_json::Value::Null).await.ok();
        assert_eq!(listed["faults"][0]["probability"], 0.3);
        assert_eq!(listed["faults"][0]["struck"], struck);
        runs.push(probes);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn faults_of_a_file_are_in_force_from_the_start_and_again_after_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("faults.toml");
    let json = folder.path().join("faults.JSON");
    std::fs::write(&toml, "[[fault]]\nkind = \"html_error\"\noperation = \"certificates.*\"\n").unwrap();
    std::fs::write(&json, r#"[{"kind": "rate_limited", "retry_after": 3}]"#).unwrap();
    let world = World::with(builder().faults_file(&toml).faults_file(&json)).await;
    for _ in 0..2 {
        let statuses = [world.get(TARGET).await.status, world.get(TARGET).await.status];
        assert_eq!((statuses, world.get(TARGET).await.status), ([502, 429], 200));
        world.mirror.plan(FaultRule::new(FaultKind::Cut)).unwrap();
        world.mirror.reset().await.unwrap();
    }
}

#[tokio::test]
async fn a_fault_file_that_is_not_usable_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.toml");
    let error = Mirror::builder().faults_file(&file).start().await.unwrap_err();
    assert!(matches!(&error, MirrorError::Unreadable { path, .. } if *path == file), "{error}");
    std::fs::write(&file, "[[fault]]\nkind = \"cut\"\n\n[[fault]]\nkind = \"cat\"\n").unwrap();
    let error = Mirror::builder().faults_file(&file).start().await.unwrap_err();
    let expected = format!("{}, line 4: no fault is named cat; there are ", file.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
    let never = FaultRule::new(FaultKind::Cut).operation("coupon.sent");
    let error = Mirror::builder().faults([never]).start().await.unwrap_err();
    assert!(matches!(error, MirrorError::Fault { .. }), "{error}");
}

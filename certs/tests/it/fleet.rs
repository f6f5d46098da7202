//! Many merchants through changes of keys, while readers call and are notified.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use favor_core::{
    Call, Client, Clock as _, DirectoryKeys, Lookup, MerchantSigner, Operation, PlatformKeys, PrivateKey,
    RetryPolicy, Serial, Verb,
};
use favor_mirror::{KeyRotation, PublicKeyPhase};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::world::{World, id, until};

const MERCHANTS: u32 = 60;
const READERS: u32 = 12;
const HOUR: Duration = Duration::from_secs(3600);

static ASK: Operation = Operation::new("ask", Verb::Get, "/v3/certificates");

/// A payment process of one merchant: a client whose keys come from the directory.
fn client(world: &World, number: u32) -> Client {
    let merchant = &world.merchants[usize::try_from(number).unwrap()];
    let key = PrivateKey::from_pem(&merchant.private_key_pem).unwrap();
    let signer = MerchantSigner::new(id(number), &merchant.serial_no, key).unwrap();
    let keys = DirectoryKeys::builder(world.root(), id(number)).clock(world.clock.clone()).open().unwrap();
    Client::builder(signer, PlatformKeys::store(keys))
        .base_url(world.mirror.base_url())
        .clock(world.clock.clone())
        .retry(RetryPolicy::NONE)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_keys_reaches_every_reader_in_time_and_no_verification_fails() {
    let world = World::with(MERCHANTS).await;
    let public = world.mirror.public_key();
    let line = format!("public_key_id = \"{}\"\npublic_key_file = \"public.pem\"", public.id);
    world.configure("", &line, "");
    let daemon = world.start().await;
    for number in 0..MERCHANTS {
        world.checked(number, world.clock.now()).await;
    }
    let all = format!("fetch_total{{result=\"ok\"}} {MERCHANTS}");
    until("the end of every check", || daemon.handle.metrics().contains(&all)).await;
    assert_eq!(world.fetches(), usize::try_from(MERCHANTS).unwrap(), "one for each at the start");

    let clients: Vec<_> = (0..READERS).map(|number| client(&world, number)).collect();
    // The two clocks move one after the other, so nobody calls meanwhile: in life there is one time.
    let moving = Arc::new(RwLock::new(()));
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut callers = JoinSet::new();
    for client in clients.clone() {
        let (moving, done, calls) = (moving.clone(), done.clone(), calls.clone());
        callers.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let _still = moving.read().await;
                let call = Call::to(&ASK).finish().unwrap();
                // Without a repeat: an answer that cannot be verified is an error at once.
                client.execute(&call).await.unwrap();
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // Nor is a check under way: it ends before the clocks move, and those that are due then end before anybody looks.
    let advance = async |time: Duration| {
        let _moving = moving.write().await;
        checks_are_made(&world).await;
        world.advance(time).await;
        checks_are_made(&world).await;
    };
    let more_calls = async || {
        let now = calls.load(Ordering::Relaxed);
        until("calls", || calls.load(Ordering::Relaxed) >= now + 3 * u64::from(READERS)).await;
    };

    for _ in 0..3 {
        // Listed now, signing in three hours; the one before leaves the list an hour later.
        let rotation = KeyRotation::default().lead(3 * HOUR).overlap(HOUR);
        let new = world.mirror.rotate_keys_with(rotation).await.unwrap().last().unwrap().clone();
        advance(HOUR + HOUR / 9).await;
        for number in 0..MERCHANTS {
            assert!(world.ids(number).contains(&new), "merchant {number}: {:?}", world.status(number));
        }
        more_calls().await;
        // A poll is every three seconds. Whoever looked just before the release, or is slow to fall asleep again,
        // needs a second one; how fast this machine is must not matter, so the clock goes on until all have it.
        let serial = Serial::new(new.as_str());
        let has =
            |client: &Client| matches!(client.keys().find(&serial, world.clock.now()), Lookup::Found(_));
        let mut seconds = 0;
        while !clients.iter().all(has) {
            advance(Duration::from_secs(1)).await;
            more_calls().await;
            seconds += 1;
            assert!(seconds < 300, "every reader follows");
        }
        for _ in 0..4 {
            advance(HOUR).await;
            more_calls().await;
        }
    }
    for phase in [PublicKeyPhase::Grey, PublicKeyPhase::On] {
        world.mirror.set_public_key_phase(phase).await.unwrap();
        more_calls().await;
        advance(HOUR).await;
        more_calls().await;
    }
    done.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended.expect("no call failed");
    }
    let results = daemon.handle.metrics();
    let failed =
        |line: &&str| line.starts_with("favor_certs_fetch_total{") && !line.contains("result=\"ok\"");
    assert_eq!(results.lines().find(failed), None, "no check failed");
    for client in &clients {
        assert!(client.key_store().keys().public_key_id().is_some());
    }
    daemon.stop().await;
}

/// Waits until every check that is due has been made.
async fn checks_are_made(world: &World) {
    let now = world.clock.now();
    for number in 0..MERCHANTS {
        let made =
            || world.status(number).is_some_and(|status| status.next_check.is_some_and(|next| next > now));
        until("a check", made).await;
    }
}

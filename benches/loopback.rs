//! Group `loopback`: whole sends over HTTP on this machine, signed and verified, by wall time.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/client.rs"]
mod client;
#[path = "support/coupons.rs"]
mod coupons;
#[path = "support/keys.rs"]
mod keys;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/server.rs"]
mod server;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use favor_core::Backend;
use favor_coupon::Coupons;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::client::client;
use crate::coupons::Campaign;

const AT_ONCE: u64 = 16;

fn loopback(criterion: &mut Criterion) {
    let server = serve();
    let runtime = runtime();
    let campaign = Campaign::new();
    let next = AtomicU64::new(0);
    let mut group = criterion.benchmark_group("loopback");
    for backend in Backend::ALL {
        let coupons = Coupons::new(&client(server, *backend));
        let send = async || {
            let (openid, request) = campaign.send(next.fetch_add(1, Ordering::Relaxed));
            coupons.send(&openid, &request).await.expect("the server gives out coupons")
        };
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{backend:?}, one after another"), |bencher| {
            bencher.iter(|| runtime.block_on(send()));
        });
        group.throughput(Throughput::Elements(AT_ONCE));
        group.bench_function(format!("{backend:?}, {AT_ONCE} at once"), |bencher| {
            bencher.iter(|| runtime.block_on(join_all((0..AT_ONCE).map(|_| send()))));
        });
    }
    group.finish();
}

/// A server on a thread of its own, until the process ends.
fn serve() -> SocketAddr {
    let listener = server::listen().expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    std::thread::spawn(|| runtime().block_on(server::serve(listener)));
    address
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

criterion_group!(network, loopback);
criterion_main!(network);

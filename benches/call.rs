//! Group `call`: what the library does for one send between the caller and the crypto, by CPU time of the thread.

#[path = "support/call.rs"]
mod call;
#[path = "support/coupons.rs"]
mod coupons;
#[path = "support/thread_time.rs"]
mod thread_time;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use favor_core::Serial;
use favor_core::sign::{SCHEME, authorization};

use crate::call::{call, stamp};
use crate::coupons::{Campaign, merchant};
use crate::thread_time::ThreadTime;

fn send_coupon(criterion: &mut Criterion<ThreadTime>) {
    let campaign = Campaign::new();
    let (openid, request) = campaign.send(1);
    let (built, stamp) = (call(&openid, &request), stamp());
    let (merchant, serial) = (merchant(), Serial::new("0C4A5F7700000000000000000000000000000001"));
    let signature = [0xa5; 256];
    let header = || authorization(SCHEME, &merchant, &serial, &stamp, black_box(&signature));

    let mut group = criterion.benchmark_group("call");
    let mut number = 0;
    group.bench_function("derive the number", |bencher| {
        bencher.iter(|| {
            number += 1;
            campaign.send(number)
        });
    });
    group.bench_function("build", |bencher| {
        bencher.iter(|| call(black_box(&openid), black_box(&request)));
    });
    group.bench_function("message", |bencher| {
        bencher.iter(|| black_box(&built).message(&stamp));
    });
    group.bench_function("authorization", |bencher| bencher.iter(header));
    group.bench_function("all but crypto", |bencher| {
        bencher.iter(|| {
            let call = call(black_box(&openid), black_box(&request));
            (call.message(&stamp), header())
        });
    });
    group.finish();
}

criterion_group! {
    name = calls;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = send_coupon
}
criterion_main!(calls);

//! What is compared: whole sends by the library, and a bare signature and verification.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use favor_core::{Backend, Error};
use favor_coupon::Coupons;
use tokio::task::JoinSet;

use crate::answers::{Answer, Platform};
use crate::call::{call, stamp};
use crate::client::client;
use crate::coupons::Campaign;
use crate::keys::{MERCHANT, PLATFORM_PUBLIC, der};
use crate::raw;

/// A user's program: one client, one campaign, so many sends in flight.
pub(crate) struct Sends {
    program: Arc<Program>,
    in_flight: usize,
}

struct Program {
    coupons: Coupons,
    campaign: Campaign,
    next: AtomicU64,
}

impl Sends {
    pub(crate) fn new(server: SocketAddr, in_flight: usize) -> Self {
        let program = Program {
            coupons: Coupons::new(&client(server, Backend::default())),
            campaign: Campaign::new(),
            next: AtomicU64::new(0),
        };
        Self { program: Arc::new(program), in_flight }
    }

    /// Sends for this long and says how many coupons were sent. A call that fails ends it.
    pub(crate) async fn run(&self, time: Duration) -> Result<u32, Error> {
        let end = Instant::now() + time;
        self.run_while(move |_| Instant::now() < end).await
    }

    /// Sends this many coupons.
    pub(crate) async fn run_times(&self, times: u64) -> Result<u32, Error> {
        self.run_while(move |number| number < times).await
    }

    async fn run_while(&self, go_on: impl Fn(u64) -> bool + Copy + Send + 'static) -> Result<u32, Error> {
        let mut tasks = JoinSet::new();
        for _ in 0..self.in_flight {
            tasks.spawn(self.program.clone().work(go_on));
        }
        let mut sent = 0;
        while let Some(done) = tasks.join_next().await {
            sent += done.expect("no task panics")?;
        }
        Ok(sent)
    }
}

impl Program {
    async fn work(self: Arc<Self>, go_on: impl Fn(u64) -> bool) -> Result<u32, Error> {
        let mut sent = 0;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if !go_on(number) {
                return Ok(sent);
            }
            let (openid, request) = self.campaign.send(number);
            self.coupons.send(&openid, &request).await?;
            sent += 1;
        }
    }
}

/// aws-lc-rs alone, with parsed keys and messages of the same sizes.
pub(crate) struct Raw {
    signing: raw::Signing,
    verifying: ParsedPublicKey,
    requests: Vec<Vec<u8>>,
    answers: Vec<(String, Answer)>,
}

const MESSAGES: usize = 64;

impl Raw {
    pub(crate) fn new() -> Self {
        let (campaign, platform) = (Campaign::new(), Platform::new());
        let request = |number| {
            let (openid, request) = campaign.send(number);
            call(&openid, &request).message(&stamp())
        };
        let answer = |number| {
            let answer = platform.answer(number);
            (answer.message(), answer)
        };
        Self {
            signing: raw::Signing::new(MERCHANT),
            verifying: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der(PLATFORM_PUBLIC))
                .expect("a test key"),
            requests: (0..).map(request).take(MESSAGES).collect(),
            answers: (0..MESSAGES).map(answer).collect(),
        }
    }

    /// Signs and verifies for this long and says how many pairs were done.
    pub(crate) fn run(&self, time: Duration) -> u32 {
        let end = Instant::now() + time;
        let mut done = 0;
        for (request, (message, answer)) in self.requests.iter().zip(&self.answers).cycle() {
            if Instant::now() >= end {
                break;
            }
            std::hint::black_box(self.signing.sign(request));
            self.verifying.verify_sig(message.as_bytes(), &answer.signature).expect("the signature holds");
            done += 1;
        }
        done
    }
}

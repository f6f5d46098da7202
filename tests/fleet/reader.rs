//! A payment process: it calls for some merchants, and is notified.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::TimeDelta;
use favor::callback::Reply;
use favor::core::{Clock as _, HttpTransport, ManualClock, RetryPolicy};
use favor::prelude::*;
use tokio::sync::mpsc;

use crate::follower::Follower;
use crate::world::Files;
use crate::{child, world};

/// One reader in so many follows over HTTP, the others in the directory.
const HTTP_EVERY: usize = 4;

struct Reader {
    clock: Arc<ManualClock>,
    followers: Vec<Follower>,
    clients: Vec<Client>,
    shop: Shop,
    calls: usize,
    notifications: usize,
    ticks: usize,
}

/// Runs until its input ends.
pub fn run(number: usize, readers: usize) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut reader = Reader::open(number, readers).await;
        println!("ready");
        let mut told = child::told();
        while let Some(line) = told.recv().await {
            tokio::select! {
                answer = reader.answer(&line) => println!("{answer}"),
                // The next line comes after the answer, so this is the end: nobody is left to answer.
                _ = told.recv() => break,
            }
        }
    });
    // Stores that wait for news at the daemon have nothing left to say.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

impl Reader {
    async fn open(number: usize, readers: usize) -> Self {
        let folder = child::folder();
        let clock = Arc::new(ManualClock::new(world::start()));
        let transport = HttpTransport::new().unwrap();
        let (mut followers, mut clients) = (Vec::new(), Vec::new());
        let files = world::files(&folder, number, readers);
        let over_http = number % HTTP_EVERY == HTTP_EVERY - 1;
        for merchant in &files {
            let follower = Follower::open(&folder, &merchant.merchant, over_http, &clock, &transport).await;
            let client = Client::builder(merchant.signer(), PlatformKeys::store(follower.keys.clone()))
                .base_url(world::base_url(&folder))
                .transport(transport.clone())
                .clock(clock.clone())
                // An answer that cannot be verified is an error at once.
                .retry(RetryPolicy::NONE)
                .build()
                .unwrap();
            followers.push(follower);
            clients.push(client);
        }
        let (shop, url) = Shop::open(&clients[0], &files[0]).await;
        for client in &clients {
            CallbackAddress::new(client).set(&url).await.unwrap();
        }
        Self { clock, followers, clients, shop, calls: 0, notifications: 0, ticks: 0 }
    }

    async fn answer(&mut self, line: &str) -> String {
        match line.split_once(' ') {
            Some(("tick", seconds)) => self.tick(seconds.parse().unwrap()).await,
            Some(("holds", serial)) => self.holds(serial),
            _ => self.record(),
        }
    }

    /// Moves the clock, polls, calls and is notified.
    async fn tick(&mut self, seconds: u64) -> String {
        let mut polls = Vec::new();
        for follower in &mut self.followers {
            follower.look().await;
            polls.push(follower.before_the_clock_moves());
        }
        self.clock.advance(Duration::from_secs(seconds) - self.clock.elapsed());
        // Calls and notifications come while the stores look.
        self.shop.sell(self.ticks).await;
        let other = &self.clients[self.ticks % self.clients.len()];
        CallbackAddress::new(other).get().await.expect("a call is answered and verified");
        self.calls += 2;
        self.notifications += 1;
        self.ticks += 1;
        for (follower, polls) in self.followers.iter_mut().zip(polls) {
            follower.polled_since(polls).await;
            follower.judge();
        }
        "ticked".to_owned()
    }

    /// How many merchants' keys include this one.
    fn holds(&self, serial: &str) -> String {
        self.followers.iter().filter(|follower| follower.holds(serial)).count().to_string()
    }

    /// Calls, notifications, releases followed, and the most polls one took.
    fn record(&self) -> String {
        let records = self.followers.iter().map(Follower::record);
        let (followed, slowest) =
            records.fold((0, 0), |(all, most), (followed, slowest)| (all + followed, most.max(slowest)));
        format!("{} {} {followed} {slowest}", self.calls, self.notifications)
    }
}

/// A merchant that gives coupons, and is notified of each.
struct Shop {
    coupons: Coupons,
    stock_id: StockId,
    appid: AppId,
    creator: MerchantId,
    notified: mpsc::UnboundedReceiver<Result<Notification, Rejection>>,
}

#[derive(Clone)]
struct Door {
    receiver: Receiver,
    notified: mpsc::UnboundedSender<Result<Notification, Rejection>>,
}

impl Shop {
    /// The shop, and where it is notified.
    async fn open(client: &Client, files: &Files) -> (Self, NotifyUrl) {
        let (sender, notified) = mpsc::unbounded_channel();
        let receiver = Receiver::for_client(client, files.api_v3_key.clone());
        let door = Door { receiver, notified: sender };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = NotifyUrl::new(format!("http://{}/coupons", listener.local_addr().unwrap())).unwrap();
        let router = axum::Router::new().route("/coupons", axum::routing::post(receive)).with_state(door);
        tokio::spawn(async move { axum::serve(listener, router).await });

        let (stocks, creator) = (Stocks::new(client), client.merchant_id().clone());
        let (begin, face) = (client.now(), Fen::new(500).unwrap());
        let request = CreateStock::no_cash(
            "Tea 5 off 30",
            creator.clone(),
            begin..begin + TimeDelta::days(30),
            StockRule::new(1_000, face.checked_mul(1_000).unwrap(), 1),
            CouponRule::normal(FixedNormalCoupon::new(face, Fen::new(3000).unwrap()), [creator.clone()]),
            "fleet-stock".parse().unwrap(),
        );
        let stock_id = stocks.create(&request).await.unwrap().stock_id.clone();
        stocks.start(&stock_id).await.unwrap();
        let (coupons, appid) = (Coupons::new(client), files.appid.clone());
        (Self { coupons, stock_id, appid, creator, notified }, url)
    }

    /// Gives a coupon, and waits for its notification.
    async fn sell(&mut self, number: usize) {
        let openid: OpenId = format!("o{}User{number}", self.creator).parse().unwrap();
        let request = SendCoupon::new(
            self.stock_id.clone(),
            format!("fleet{number}").parse().unwrap(),
            self.appid.clone(),
            self.creator.clone(),
        );
        let sent = self.coupons.send(&openid, &request).await.expect("a call is answered and verified");
        let notified = self.notified.recv().await.expect("the receiver goes on");
        let notification = notified.expect("a notification is verified");
        assert_eq!(notification.payload.coupon().unwrap().coupon_id, sent.coupon_id);
    }
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Reply {
    let received = door.receiver.receive(&headers, &body).await;
    let reply = match &received {
        Ok(_) => Reply::accepted(),
        Err(rejection) => Reply::rejected(rejection),
    };
    let _ = door.notified.send(received);
    reply
}

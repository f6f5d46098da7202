//! The mirror's notifications and the receiver, which were written apart from each other, over real sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::routing::post;
use favor::callback::{
    CallbackAddress, EventType, Notification, NotifyUrl, Payload, Receiver, Reply, Verified,
};
use favor::prelude::*;
use favor_mirror::{FaultKind, FaultRule, NotificationRecord, PublicKeyPhase, Redeem};

use crate::harness::{World, api_v3_key, client_of, openid, signer};

#[derive(Clone)]
struct App {
    receiver: Receiver,
    taken: Arc<Mutex<Vec<Notification>>>,
}

impl FromRef<App> for Receiver {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

async fn take(State(app): State<App>, Verified(notification): Verified) -> Reply {
    app.taken.lock().unwrap().push(notification);
    Reply::accepted()
}

/// A shop with a running stock and a receiver that the mirror calls.
struct Shop {
    world: World,
    stock_id: StockId,
    taken: Arc<Mutex<Vec<Notification>>>,
    sent: usize,
}

impl Shop {
    async fn with(client: impl FnOnce(&World) -> Client) -> Self {
        let world = World::new().await;
        let receiver = Receiver::for_client(&client(&world), api_v3_key(&world.mirror));
        let taken = Arc::default();
        let app = App { receiver, taken: Arc::clone(&taken) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wechatpay/coupons", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/wechatpay/coupons", post(take)).with_state(app);
        tokio::spawn(async move { axum::serve(listener, router).await });
        CallbackAddress::new(&world.client).set(&NotifyUrl::new(url).unwrap()).await.unwrap();
        let stock_id = world.running(&world.stock_request(100, 1, "notified")).await;
        Self { world, stock_id, taken, sent: 0 }
    }

    /// Gives a coupon to somebody new.
    async fn give(&mut self) -> CouponId {
        self.sent += 1;
        let request = self.world.send_request(&self.stock_id, &format!("s{}", self.sent));
        let user = openid(&format!("oUser{}", self.sent));
        self.world.coupons.send(&user, &request).await.unwrap().coupon_id.clone()
    }

    /// Pays with a coupon; what became of its notification.
    async fn pay(&self, coupon: &CouponId) -> NotificationRecord {
        self.world.mirror.redeem(coupon.as_str(), Redeem::default()).await.unwrap();
        self.newest().await
    }

    async fn use_one(&mut self) -> NotificationRecord {
        let coupon = self.give().await;
        self.pay(&coupon).await
    }

    async fn newest(&self) -> NotificationRecord {
        self.world.mirror.notifications(1, 0).await.unwrap().remove(0)
    }

    fn taken(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The statuses that the deliveries of a notification were answered with.
    fn statuses(record: &NotificationRecord) -> Vec<u16> {
        record.deliveries.iter().map(|delivery| delivery.status.unwrap()).collect()
    }
}

fn own_client(world: &World) -> Client {
    client_of(&world.mirror).build().unwrap()
}

#[tokio::test]
async fn a_used_coupon_arrives_with_all_that_is_known_of_it() {
    let mut shop = Shop::with(own_client).await;
    let record = shop.use_one().await;
    assert_eq!(Shop::statuses(&record), [200]);
    let taken = shop.taken.lock().unwrap().remove(0);
    assert_eq!(taken.event_type, EventType::CouponUse);
    assert_eq!(taken.dedup_id().as_str(), record.notification_id);
    let Payload::CouponUsed(coupon) = &taken.payload else { panic!("{taken:?}") };
    assert_eq!(coupon.stock_id, shop.stock_id);
    assert_eq!(coupon.coupon_id.as_str(), record.coupon_id);
    assert_eq!(coupon.stock_creator_mchid.as_str(), shop.world.client.merchant_id().as_str());
    assert_eq!(coupon.coupon_name, "Tea 5 off 30");
    assert_eq!(coupon.normal_coupon_information.as_ref().unwrap().coupon_amount, Fen::new(500).unwrap());
    let (of_coupon, payment) = taken.dedup_use().unwrap();
    assert_eq!(of_coupon.as_str(), record.coupon_id);
    assert_eq!(Some(payment.as_str()), record.transaction_id.as_deref());
    // The query of the same coupon says the same.
    let queried =
        shop.world.coupons.get(&openid("oUser1"), &coupon.coupon_id, &shop.world.appid).await.unwrap();
    assert_eq!(queried.consume_information, coupon.consume_information);
}

#[tokio::test]
async fn what_cannot_be_trusted_is_refused_and_the_true_one_follows() {
    let mut shop = Shop::with(own_client).await;
    for (kind, status) in [
        (FaultKind::Probe, 401),
        (FaultKind::CorruptSignature, 401),
        (FaultKind::CorruptBody, 401),
        (FaultKind::MissingSignature { header: None }, 401),
        (FaultKind::WrongSerial, 401),
    ] {
        shop.world.mirror.plan(FaultRule::new(kind.clone()).operation("callback.notify")).unwrap();
        let before = shop.taken();
        let refused = shop.use_one().await;
        assert_eq!(Shop::statuses(&refused), [status], "{kind:?}");
        assert_eq!(shop.taken(), before, "{kind:?}");
        shop.world.mirror.advance(Duration::from_secs(15)).await.unwrap();
        assert_eq!(Shop::statuses(&shop.newest().await), [status, 200], "{kind:?}");
        assert_eq!(shop.taken(), before + 1, "{kind:?}");
    }
}

#[tokio::test]
async fn copies_and_replays_carry_one_id() {
    let mut shop = Shop::with(own_client).await;
    let copies = FaultRule::new(FaultKind::Duplicate { copies: 3 }).operation("callback.notify");
    shop.world.mirror.plan(copies).unwrap();
    let record = shop.use_one().await;
    shop.world.mirror.replay(&record.notification_id).await.unwrap();
    let taken = shop.taken.lock().unwrap();
    assert_eq!(taken.len(), 4);
    assert!(taken.iter().all(|one| one.dedup_id() == taken[0].dedup_id()));
    assert!(taken.iter().all(|one| one.dedup_use() == taken[0].dedup_use()));
}

#[tokio::test]
async fn a_rotation_and_the_move_to_the_public_key_lose_nothing() {
    let mut shop = Shop::with(|world| {
        let public = world.mirror.public_key();
        let key = PublicKey::from_pem(&public.pem).unwrap();
        let keys = PlatformKeys::download_and_public_key(api_v3_key(&world.mirror), &public.id, key).unwrap();
        Client::builder(signer(&world.mirror), keys).base_url(world.mirror.base_url()).build().unwrap()
    })
    .await;
    // Given beforehand: the shop's own client knows no public key.
    let (first, second, third) = (shop.give().await, shop.give().await, shop.give().await);
    assert_eq!(Shop::statuses(&shop.pay(&first).await), [200]);
    let served = shop.world.mirror.rotate_keys().await;
    let rotated = shop.pay(&second).await;
    assert_eq!(Shop::statuses(&rotated), [200], "the new certificate is fetched, once");
    assert_eq!(Some(&rotated.deliveries[0].serial), served.last());
    shop.world.mirror.set_public_key_phase(PublicKeyPhase::On).await.unwrap();
    let moved = shop.pay(&third).await;
    assert_eq!(Shop::statuses(&moved), [200]);
    assert!(moved.deliveries[0].serial.starts_with("PUB_KEY_ID_"));
    assert_eq!(shop.taken(), 3);
}

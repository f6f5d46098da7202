//! A card of an Official Account from its making to the figures of its day: review, QR code, claim, the event of it,
//! look, redeem. Runs against an embedded mirror. (`favor_card` is `favor::card` with the feature `card`.)

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::routing::get;
use favor::core::ManualClock;
use favor_card::event::{Answer, EncodingAesKey, Event, Message, Pushed, Receiver, Token, UrlCheck};
use favor_card::*;
use favor_mirror::{CardAccountChange, ClaimCard, Mirror, PushMode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const USER: &str = "oTESTopenid00000000000000001";
/// What the account's owner types into the console beside the server's address.
const TOKEN: &str = "merchantToken01";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

type Failure = Box<dyn std::error::Error>;

/// The shop's server. A real one stores each message before it answers.
#[derive(Clone)]
struct Shop {
    receiver: Receiver,
    store: UnboundedSender<Message>,
}

impl FromRef<Shop> for Receiver {
    fn from_ref(shop: &Shop) -> Self {
        shop.receiver.clone()
    }
}

/// WeChat checks an address before it takes it.
async fn check(UrlCheck(answer): UrlCheck) -> Answer {
    answer
}

/// Only what was verified and decrypted comes here, and each message once.
async fn store(State(shop): State<Shop>, Pushed(received): Pushed) -> Answer {
    match shop.store.send((*received).clone()) {
        Ok(()) => received.done(),
        Err(_) => Answer::try_later(),
    }
}

/// Starts the server and gives the account its address; what it stores comes out of the channel.
async fn open_shop(mirror: &Mirror, receiver: Receiver) -> Result<UnboundedReceiver<Message>, Failure> {
    let (sender, stored) = unbounded_channel();
    let shop = Shop { receiver, store: sender };
    let router = axum::Router::new().route("/wechat", get(check).post(store)).with_state(shop);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let change = CardAccountChange {
        url: Some(format!("http://{}/wechat", listener.local_addr()?)),
        token: Some(TOKEN.to_owned()),
        encoding_aes_key: Some(KEY.to_owned()),
        mode: Some(PushMode::Secure),
        ..CardAccountChange::default()
    };
    tokio::spawn(async move { axum::serve(listener, router).await });
    mirror.cards().set_account(change).await?;
    Ok(stored)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // The mirror's clock and the client's stand, and are moved together.
    let mirror = Mirror::builder().start().await?;
    mirror.freeze_clock().await?;
    let clock = Arc::new(ManualClock::new(mirror.now().to_utc()));
    let secret = AppSecret::new(&mirror.merchant().app_secret)?;
    let client = Client::builder(AppId::new(&mirror.merchant().appid)?, secret)
        .base_url(mirror.base_url())
        .clock(clock.clone())
        .build()?;
    let receiver = Receiver::new(Token::new(TOKEN)?, client.app_id().clone());
    let receiver = receiver.key(EncodingAesKey::new(KEY)?).clock(clock.clone());
    let mut stored = open_shop(&mirror, receiver).await?;

    // Create. What breaks a limit is not sent, and the error names each field.
    let picture = "http://mmbiz.qpic.cn/mmbiz_png/INVENTED/0";
    let base_info = BaseInfo::new(CodeType::QrCode, Color::Color010, Sku::new(500), DateInfo::days(30, 0))
        .logo_url(picture)
        .brand_name("Tea Nook")
        .title("15 off 100")
        .notice("Show this at the bar")
        .description("One per table.");
    let card = Cash::new(base_info, Fen::new(10_000)?, Fen::new(1_500)?);
    let cards = Cards::new(&client);
    let card_id = cards.create(&card.into()).await?.card_id.clone();

    // Review: it takes a minute here.
    clock.advance(Duration::from_secs(60));
    mirror.advance(Duration::from_secs(60)).await?;
    let message = stored.recv().await.ok_or("the shop has closed")?;
    assert!(matches!(&message.event, Event::CardPassed(passed) if passed.card_id == card_id));

    // A QR code for the poster at the door.
    let poster = QrCard::new(card_id.clone()).outer_str("poster-7");
    let qr = Distribution::new(&client).create_qr_code(&CreateQrCode::one(poster)).await?;
    println!("{}", QrImage::of(qr.content().ok_or("the QR code says nothing")?)?.terminal());

    // A user scans it and takes the card; the shop hears of it.
    mirror.cards().claim(ClaimCard::ticket(USER, &qr.ticket)).await?;
    let message = stored.recv().await.ok_or("the shop has closed")?;
    let Event::CardClaimed(claimed) = &message.event else { return Err("another event".into()) };
    assert_eq!((message.from_user_name.as_str(), claimed.outer_str.as_deref()), (USER, Some("poster-7")));
    let code = claimed.code.clone().ok_or("a claim without a code")?;

    // At the till: look, then redeem. A second time is refused.
    let codes = Codes::new(&client);
    let state = codes.get(&GetCode::new(code.clone(), true)).await?;
    let end = state.card.end_time.ok_or("a code without an end")?;
    println!("{} may be used until {end}", state.card.card_id);
    assert!(state.can_consume && state.user_card_status == Some(CodeStatus::Normal));
    assert_eq!(codes.consume(&CodeRef::new(code.clone())).await?.openid.as_str(), USER);
    let error = codes.consume(&CodeRef::new(code.clone())).await.expect_err("it is used");
    println!("a second time it is {}: {}", error.outcome(), error.api().ok_or("no words of the platform")?);
    assert_eq!(error.outcome(), Outcome::Refused);
    let message = stored.recv().await.ok_or("the shop has closed")?;
    assert!(matches!(&message.event, Event::CardConsumed(used) if used.code.as_ref() == Some(&code)));

    // The figures of the day, once it is over. The token has ended by then, and the client fetches another.
    let day = mirror.now().date_naive();
    clock.advance(Duration::from_secs(86_400));
    mirror.advance(Duration::from_secs(86_400)).await?;
    let figures = Statistics::new(&client).cards(&CardDays::new(day, day, CardSource::Api)).await?;
    let figures = &figures.list[0];
    println!("{}: {} claimed, {} redeemed", figures.ref_date, figures.receive_cnt, figures.verify_cnt);
    assert_eq!((figures.receive_cnt, figures.verify_cnt), (1, 1));
    mirror.shutdown().await;
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}

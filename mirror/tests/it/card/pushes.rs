//! Pushed events that are spoiled, doubled, held back or sent again.

use std::time::Duration;

use favor_mirror::{CardEventState, ClaimCard, FaultKind, FaultRule};
use serde_json::{Value, json};

use super::events::{is_genuine, settle, told};
use super::{ANNA, base, coupon};

fn fault(kind: FaultKind) -> FaultRule {
    FaultRule::new(kind).operation("card.event")
}

#[tokio::test]
async fn a_spoiled_event_is_followed_by_a_good_one() {
    for mode in ["plain", "secure", "compatible"] {
        let (cards, receiver) = told(mode).await;
        let desk = cards.world.mirror.cards();
        let kinds = [
            FaultKind::CorruptSignature,
            FaultKind::MissingSignature { header: None },
            FaultKind::CorruptBody,
        ];
        for kind in kinds {
            let name = kind.name();
            cards.world.mirror.plan(fault(kind)).unwrap();
            receiver.script(["no"]);
            cards.card(&coupon(base())).await;
            cards.world.mirror.advance(Duration::from_secs(10)).await.unwrap();
            let arrived = receiver.take();
            let genuine: Vec<_> = arrived.iter().map(is_genuine).collect();
            assert_eq!(genuine, [false, true], "{mode} {name}");
            let event = desk.events(1).await.unwrap().remove(0);
            assert_eq!((event.state, event.attempts, event.faults.len()), (CardEventState::Delivered, 2, 0));
        }
    }
}

#[tokio::test]
async fn a_spoiled_event_says_so() {
    let (cards, receiver) = told("plain").await;
    cards.world.mirror.plan(fault(FaultKind::CorruptSignature)).unwrap();
    receiver.script(["no"]);
    cards.card(&coupon(base())).await;
    settle(&cards).await;
    let event = cards.world.mirror.cards().events(1).await.unwrap().remove(0);
    assert_eq!((event.state, event.faults), (CardEventState::Pending, vec!["corrupt_signature".to_owned()]));
    assert!(event.next_attempt.is_some());
}

#[tokio::test]
async fn copies_arrive_at_once_and_held_ones_are_overtaken() {
    let (cards, receiver) = told("plain").await;
    let id = cards.card(&coupon(base())).await;
    settle(&cards).await;
    receiver.take();
    let plan = json!([
        {"kind": "duplicate", "operation": "card.event", "copies": 3, "openid": "oTwin"},
        {"kind": "hold", "operation": "card.event", "seconds": 90, "openid": "oLate"}
    ]);
    cards.world.control("POST", "/_mirror/faults", &plan).await.ok();
    let desk = cards.world.mirror.cards();
    desk.claim(ClaimCard::card("oLate", &id)).await.unwrap();
    settle(&cards).await;
    assert!(receiver.take().is_empty());
    desk.claim(ClaimCard::card(ANNA, &id)).await.unwrap();
    settle(&cards).await;
    assert_eq!(receiver.take().len(), 1);
    desk.claim(ClaimCard::card("oTwin", &id)).await.unwrap();
    settle(&cards).await;
    let copies = receiver.take();
    assert_eq!(copies.len(), 3);
    assert!(copies.iter().all(|copy| copy.element("FromUserName") == "oTwin"));
    cards.world.mirror.advance(Duration::from_secs(90)).await.unwrap();
    let late = receiver.take();
    assert_eq!((late.len(), late[0].element("FromUserName")), (1, "oLate"));
    let events = desk.events(3).await.unwrap();
    assert_eq!(events[2].faults, ["hold"]);
    assert_eq!(events[0].faults, ["duplicate"]);
    assert!(events.iter().all(|event| event.attempts == 1 && event.state == CardEventState::Delivered));
}

#[tokio::test]
async fn an_event_is_sent_again_when_asked() {
    let (cards, receiver) = told("plain").await;
    cards.card(&coupon(base())).await;
    settle(&cards).await;
    let first = receiver.take();
    let desk = cards.world.mirror.cards();
    let event = desk.events(1).await.unwrap().remove(0);
    let again = desk.replay(event.id).await.unwrap();
    assert_eq!((again.state, again.attempts), (CardEventState::Delivered, 2));
    assert_eq!(receiver.take()[0].body, first[0].body);
    // One that fails leaves what was reached.
    receiver.script(["no"]);
    let target = format!("/_mirror/card/events/{}/replay", event.id);
    let told = cards.world.control("POST", &target, &Value::Null).await.ok();
    assert_eq!(
        (&told["state"], &told["attempts"], &told["status"]),
        (&json!("delivered"), &json!(3), &json!(200))
    );
    assert!(told["error"].is_string());
    assert_eq!(cards.world.control("POST", "/_mirror/card/events/99/replay", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn an_event_that_was_given_up_can_still_arrive() {
    let (cards, receiver) = told("secure").await;
    receiver.script(["no", "no", "no"]);
    cards.card(&coupon(base())).await;
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    let desk = cards.world.mirror.cards();
    let event = desk.events(1).await.unwrap().remove(0);
    assert_eq!((event.state, event.attempts), (CardEventState::GivenUp, 3));
    assert_eq!(desk.replay(event.id).await.unwrap().state, CardEventState::Delivered);
    assert_eq!(receiver.take().len(), 4);
}

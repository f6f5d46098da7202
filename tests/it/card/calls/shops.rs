//! Sub-merchants, stores, and the figures of a day.

use std::time::Duration;

use favor_card::*;
use serde_json::json;

use crate::card::desk::{ANNA, Desk, PICTURE, PNG, base, coupon, member_card};

/// A shop for which the account makes cards, from its papers to its card.
pub async fn sub_merchants_and_stores(desk: &Desk) {
    let shops = SubMerchants::new(&desk.client);
    let categories = shops.categories().await.unwrap();
    let food = &categories.category[0];
    let kind = (food.primary_category_id, food.secondary_category[0].secondary_category_id);
    let paper = Picture::new("paper.png", PNG).unwrap();
    let paper = Media::new(&desk.client).upload_media(&paper).await.unwrap().media_id.clone();
    let info = SubMerchantSubmission::new("茶角", PICTURE, paper.clone(), desk.in_days(100), kind.0, kind.1);
    let info = info.agreement_media_id(paper);
    let sent = shops.create(&info).await.unwrap();
    assert_eq!(sent.info.status, Some(SubMerchantStatus::Checking));
    let id = sent.info.merchant_id;
    let mut info = info.merchant_id(id);
    info.brand_name = "茶角二店".to_owned();
    shops.update(&info).await.unwrap();
    desk.act(&format!("sub-merchants/{id}/review"), json!({})).await;
    let shown = shops.get(id).await.unwrap();
    assert_eq!(
        (shown.info.status.clone(), shown.info.brand_name.as_deref()),
        (Some(SubMerchantStatus::Approved), Some("茶角二店"))
    );
    let list = ListSubMerchants::new(0, 50).status(SubMerchantStatus::Approved);
    let list = shops.list(&list).await.unwrap();
    assert_eq!((list.info_list.len(), list.next_begin_id), (1, Some(id)));
    let card_id = desk.card(Groupon::new(base().sub_merchant_info(SubMerchantInfo::new(id)), "两壶茶")).await;

    let stores = StoreCards::new(&desk.client);
    assert_eq!(stores.get(300_001).await.unwrap().card_id, None);
    stores.set(300_001, &card_id).await.unwrap();
    assert_eq!(stores.get(300_001).await.unwrap().card_id, Some(card_id));
}

/// What a day counts, once it is over.
pub async fn statistics(desk: &Desk) {
    let (card_id, members) = (desk.card(coupon()).await, desk.card(member_card()).await);
    let code = desk.claim(&card_id).await;
    desk.act("view", json!({ "code": code })).await;
    Codes::new(&desk.client).consume(&CodeRef::new(code)).await.unwrap();
    let member = desk.claim(&members).await;
    desk.act("submit-form", json!({ "code": member })).await;
    let day = desk.in_days(0).date_naive();
    desk.advance(Duration::from_secs(86_400)).await;

    let figures = Statistics::new(&desk.client);
    let all = figures.account(&Days::new(day, day, CardSource::Api)).await.unwrap();
    assert_eq!((all.list.len(), all.list[0].ref_date), (1, day));
    assert!(all.list[0].receive_cnt >= 2 && all.list[0].verify_cnt >= 1, "{:?}", all.list);
    let one = CardDays::new(day, day, CardSource::Api).card_id(card_id.clone());
    let one = figures.cards(&one).await.unwrap();
    let one = one.list.iter().find(|day| day.card_id == card_id).unwrap();
    assert_eq!((one.view_cnt, one.receive_cnt, one.verify_cnt), (1, 1, 1));
    assert_eq!(one.kind(), Some(CardType::Groupon));
    let told = figures.member_cards(&Days::new(day, day, CardSource::Api)).await.unwrap();
    assert!(told.list[0].active_user >= 1, "{:?}", told.list);
    let detail = figures.member_card(&MemberCardDays::new(day, day, members)).await.unwrap();
    assert_eq!((detail.list[0].receive_cnt, detail.list[0].active_cnt), (1, 1));
    // A token lives two hours: another was fetched on the way.
    assert!(desk.asked("card.stable_token") >= 2);
    desk.act("claim", json!({"card_id": card_id, "openid": ANNA})).await;
}

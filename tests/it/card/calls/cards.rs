//! Cards, their pictures and cells, and the ways by which they come to people.

use favor_card::*;
use futures_util::TryStreamExt as _;
use serde_json::json;

use crate::card::desk::{ANNA, BELA, Desk, PICTURE, PNG, base, code_of, coupon, person};

/// A card from its picture to its deletion.
pub async fn life(desk: &Desk) {
    let cards = Cards::new(&desk.client);
    let picture = Picture::new("logo.png", PNG).unwrap();
    let logo = Media::new(&desk.client).upload_image(&picture).await.unwrap().url.clone();
    assert_eq!(cards.colors().await.unwrap().colors.len(), 14);

    let cash = Cash::new(base().logo_url(logo.clone()), Fen::new(10_000).unwrap(), Fen::new(1_500).unwrap());
    let card_id = cards.create(&cash.into()).await.unwrap().card_id.clone();
    let get = async || {
        let Card::Cash(card) = cards.get(&card_id).await.unwrap().into_value().card else {
            panic!("it is a cash voucher")
        };
        card
    };
    let card = get().await;
    assert_eq!((card.base_info.logo_url.as_str(), card.reduce_cost.get()), (logo.as_str(), 1_500));
    assert_eq!(card.base_info.status, Some(CardStatus::NotVerified));
    let waiting = ListCards::new(0, 50).status_list([CardStatus::NotVerified]);
    assert_eq!(cards.list(&waiting).await.unwrap().card_id_list, std::slice::from_ref(&card_id));

    desk.act(&format!("cards/{card_id}/review"), json!({})).await;
    let unreviewed = CashChanges::new().base_info(BaseInfoChanges::new().service_phone("021-55550000"));
    assert!(!cards.update(&card_id, &unreviewed.into()).await.unwrap().send_check);
    assert_eq!(get().await.base_info.status, Some(CardStatus::Verified));
    let reviewed = CashChanges::new().base_info(BaseInfoChanges::new().notice("出示二维码"));
    assert!(cards.update(&card_id, &reviewed.into()).await.unwrap().send_check);
    assert_eq!(get().await.base_info.notice, "出示二维码");

    cards.increase_stock(&card_id, 7).await.unwrap();
    cards.reduce_stock(&card_id, 2).await.unwrap();
    assert_eq!(get().await.base_info.sku, Sku::new(10).total_quantity(10));
    cards.delete(&card_id).await.unwrap();
    assert_eq!(get().await.base_info.status.unwrap().today(), CardStatus::Deleted);
    let again = cards.delete(&card_id).await.unwrap_err();
    assert_eq!((again.code(), again.outcome()), (Some(ErrCode::from(40_078)), Outcome::Refused));
    let all: Vec<CardId> = cards.list_all(None).try_collect().await.unwrap();
    assert!(all.contains(&card_id));
}

/// Cells, QR codes, shelves, articles, testers, and a page that the mirror believes.
pub async fn cells_and_ways_to_people(desk: &Desk) {
    let (cards, ways) = (Cards::new(&desk.client), Distribution::new(&desk.client));
    let card_id = desk.card(coupon()).await;
    cards.set_pay_cell(&card_id, true).await.unwrap();
    cards.set_pay_cell(&card_id, false).await.unwrap();
    let cell = SelfConsumeCell::new(card_id.clone(), true).need_verify_code(true);
    cards.set_self_consume_cell(&cell).await.unwrap();

    let qr = CreateQrCode::one(QrCard::new(card_id.clone()).outer_str("poster-7")).expire_seconds(1_800);
    let qr = ways.create_qr_code(&qr).await.unwrap();
    assert_eq!(qr.expire_seconds, Some(1_800));
    assert!(QrImage::of(qr.content().unwrap()).unwrap().width() > 0);
    let jpeg = ways.qr_picture(&qr.ticket).await.unwrap();
    assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]), "a whole JPEG");
    assert_eq!(ways.qr_picture("gQH_unknown").await.unwrap_err().status(), Some(404));
    let taken = desk.act("claim", json!({"ticket": qr.ticket, "openid": ANNA})).await;
    assert_eq!((&taken["outer_str"], &taken["card_id"]), (&json!("poster-7"), &json!(card_id)));
    let several = CreateQrCode::several(vec![QrCard::new(card_id.clone()); 5]);
    assert_eq!(ways.create_qr_code(&several).await.unwrap().expire_seconds, None);

    let items = vec![LandingPageCard::new(card_id.clone(), PICTURE)];
    let shelf = CreateLandingPage::new(PICTURE, "茶", true, Scene::NearBy, items);
    assert!(ways.create_landing_page(&shelf).await.unwrap().page_id.is_some());
    assert!(ways.article_html(&card_id).await.unwrap().content.contains(card_id.as_str()));

    let new = cards.create(&coupon().into()).await.unwrap().card_id.clone();
    let testers = TestWhitelist::new().openid([person(BELA)]).username([Personal::new("tester_li")]);
    ways.set_test_whitelist(&testers).await.unwrap();
    desk.act("claim", json!({"card_id": new, "openid": BELA})).await;

    let ext = CardExt::new(card_id.clone()).outer_str("page-1");
    let signed = desk.client.sign_cards(&[ext]).await.unwrap().remove(0);
    let claim = json!({"card_id": card_id, "openid": BELA, "card_ext": signed.card_ext()});
    let taken = desk.act("claim", claim).await;
    assert_eq!(taken["outer_str"], "page-1");
    assert_eq!(code_of(&taken).as_str().len(), 12);
    desk.client.sign_choice(&ChooseCard::new().card_id(card_id)).await.unwrap();
    desk.client.sign_page("https://shop.example/cards?x=1#top").await.unwrap();
}

//! Gift cards: the page that sells them, an order and its refund, and what an invoice needs.

use favor_card::*;
use serde_json::json;

use crate::card::desk::{ANNA, BELA, Desk, PICTURE, gift_card};

/// A page with a card, and its id.
pub async fn page(desk: &Desk) -> (CardId, String) {
    let card_id = desk.card(gift_card()).await;
    let theme = GiftTheme::new(
        PICTURE,
        "生日",
        "#FB966E",
        vec![GiftItem::new(card_id.clone()).title("茶卡100")],
        vec![GiftFace::new(PICTURE).default_gifting_msg("生日快乐").outer_img_id("face-1")],
    );
    let page = GiftPage::new(PICTURE, vec![theme.category_index(0)])
        .page_title("礼品卡")
        .category_list([GiftCategory::new("送朋友")])
        .support_multi(true)
        .address("南京路1号")
        .service_phone("021-55550000")
        .biz_description("七天内可退");
    let added = GiftPages::new(&desk.client).add(&page).await.unwrap();
    (card_id, added.page_id.clone())
}

/// A page from its making to its closing, and what its payments need.
pub async fn pages(desk: &Desk) {
    let pages = GiftPages::new(&desk.client);
    let (card_id, page_id) = page(desk).await;
    let title = async || pages.get(&page_id).await.unwrap().into_value().page.page_title;
    assert_eq!(title().await.as_deref(), Some("礼品卡"));
    pages.update(&GiftPageChanges::new(page_id.clone()).page_title("送茶")).await.unwrap();
    assert_eq!(title().await.as_deref(), Some("送茶"));
    let item = pages.get(&page_id).await.unwrap().page.theme_list[0].item_list[0].clone();
    assert_eq!(item.card_id, card_id);
    assert_eq!(pages.list().await.unwrap().page_id_list, std::slice::from_ref(&page_id));
    let off = pages.maintain(&page_id, true).await.unwrap();
    let control = off.control_info.as_ref().unwrap();
    assert_eq!(control.list[0].page_control_type, Some(PageControl::Merchant));
    pages.maintain_all(true).await.unwrap();
    pages.maintain_all(false).await.unwrap();

    let merchant = MerchantId::new(&desk.mirror.merchant().mchid).unwrap();
    let program = AppId::new("wx1234567890abcdef").unwrap();
    assert!(pages.whitelist_merchant(&merchant).await.unwrap().url.starts_with("https://"));
    pages.bind_merchant(&merchant, &program).await.unwrap();
    pages.set_mini_program(&program, &page_id).await.unwrap();
}

/// An order that a friend takes and the merchant pays back, with what its invoice needs.
pub async fn orders_and_invoices(desk: &Desk) {
    let (card_id, page_id) = page(desk).await;
    let invoices = Invoices::new(&desk.client);
    let merchant = MerchantId::new(&desk.mirror.merchant().mchid).unwrap();
    let payee = PayMerchant::new(merchant, "wxINVENTED");
    let fields = UserFields::new().show_title(1).show_phone(1).custom_field([InvoiceField::new("桌号")]);
    let fields = AuthFields::new().user_field(fields);
    let contact = InvoiceContact::new("021-55550000", 12_345);
    assert_eq!(invoices.pay_merchant().await.unwrap().paymch_info, None);
    invoices.set_pay_merchant(&payee).await.unwrap();
    invoices.set_auth_fields(&fields).await.unwrap();
    invoices.set_contact(&contact).await.unwrap();
    assert_eq!(invoices.pay_merchant().await.unwrap().paymch_info, Some(payee));
    assert_eq!(invoices.auth_fields().await.unwrap().auth_field, Some(fields));
    assert_eq!(invoices.contact().await.unwrap().contact, Some(contact));

    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card_id], "outer_str": "web"});
    let bought = desk.act("gift-cards/buy", buy).await;
    let order_id = bought["order_id"].as_str().unwrap();
    let field =
        json!({"title": "李雷", "phone": "13800000000", "custom_field": [{"key": "桌号", "value": "7"}]});
    desk.act("gift-cards/invoice", json!({"order_id": order_id, "user_field": field})).await;
    let data = invoices.auth_data(order_id, "wxINVENTED").await.unwrap();
    let person = data.user_auth_info.as_ref().and_then(|info| info.user_field.as_ref()).unwrap();
    assert_eq!(person.title.as_ref().map(Personal::as_str), Some("李雷"));
    assert_eq!(data.auth_time, Some(desk.in_days(0)));

    let orders = GiftOrders::new(&desk.client);
    let order = orders.get(order_id).await.unwrap().into_value().order;
    assert_eq!(
        (order.total_price, order.buyer.as_ref().map(OpenId::as_str)),
        (Fen::new(8_000).ok(), Some(ANNA))
    );
    assert_eq!((order.receiver, order.is_chat_room), (None, Some(false)));
    desk.act("gift-cards/send", json!({ "order_id": order_id })).await;
    desk.act("gift-cards/accept", json!({"order_id": order_id, "openid": BELA})).await;
    let days = (desk.in_days(-1), desk.in_days(1));
    let list = ListGiftOrders::new(days.0, days.1, SortType::Descending, 0, 100);
    let list = orders.list(&list).await.unwrap();
    assert_eq!((list.total_count, &list.order_list[0].receiver.as_ref().unwrap().as_str()), (1, &BELA));
    let code = list.order_list[0].card_list[0].code.clone().unwrap();
    let state = Codes::new(&desk.client).get(&GetCode::new(code.clone(), false)).await.unwrap();
    assert_eq!((state.balance, state.order_id.as_deref()), (Fen::new(10_000).ok(), Some(order_id)));
    orders.refund(order_id).await.unwrap();
    let again = orders.refund(order_id).await.unwrap_err();
    assert_eq!((again.code(), again.outcome()), (Some(ErrCode::from(40_078)), Outcome::Refused));
    let state = Codes::new(&desk.client).get(&GetCode::new(code, false)).await.unwrap();
    assert_eq!(state.user_card_status, Some(CodeStatus::Unavailable));
}

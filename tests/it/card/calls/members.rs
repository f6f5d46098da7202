//! Cards in users' hands: members, general cards, tickets.

use favor_card::*;
use serde_json::json;

use crate::card::desk::{ANNA, Desk, base, member_card};

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

/// A member fills the form, is activated, and gains points.
pub async fn join_and_gain(desk: &Desk) {
    let members = MemberCards::new(&desk.client);
    let page = "https://shop.example/joined";
    let card = member_card().wx_activate_after_submit(true).wx_activate_after_submit_url(page);
    let card_id = desk.card(card).await;
    let form = Form::new().common_field_id_list([CommonField::Mobile, CommonField::EducationBackground]);
    let terms = FormLink::new("会员守则", "https://shop.example/terms");
    let form = SetMemberForm::new(card_id.clone()).required_form(form).service_statement(terms);
    members.set_form(&form).await.unwrap();
    let url = members.activation_url(&card_id, Some("poster-7")).await.unwrap();
    let found = url.parameters().unwrap();
    assert_eq!(found.outer_str, "poster-7");
    assert!(found.biz.ends_with("=="), "{found:?}");

    let code = desk.claim(&card_id).await;
    let fields = json!([
        {"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "13800000000"},
        {"name": "USER_FORM_INFO_FLAG_EDUCATION_BACKGROUND", "value": "本科"},
    ]);
    let submitted = desk.act("submit-form", json!({"code": code, "common_field_list": fields})).await;
    let form = members.submitted_form(submitted["activate_ticket"].as_str().unwrap()).await.unwrap();
    assert_eq!(form.info.common_field_list[0].name, "USER_FORM_INFO_FLAG_MOBILE");
    let activate = ActivateMember::new("VIP00000042", code.clone()).card_id(card_id.clone()).init_bonus(100);
    members.activate(&activate).await.unwrap();

    // Sent twice, it counts once.
    let update = UpdateMember::new(code.clone(), card_id.clone()).bonus(103).add_bonus(3).add_balance(500);
    let update = update.balance(fen(500)).record_bonus("消费30元");
    assert!(update.is_repeatable());
    for _ in 0..2 {
        let told = members.update(&update).await.unwrap();
        assert_eq!((told.result_bonus, told.result_balance), (Some(103), Some(fen(500))));
    }
    let member = members.get(&card_id, &code).await.unwrap();
    assert_eq!((member.openid.as_str(), member.has_active), (ANNA, Some(true)));
    assert_eq!(member.membership_number.as_deref(), Some("VIP00000042"));
    assert_eq!(
        (member.sex.clone(), member.user_card_status.clone()),
        (Some(Sex::NotSaid), Some(CodeStatus::Normal))
    );
}

/// Who pays a merchant is given a member card.
pub async fn rules_of_paying(desk: &Desk) {
    let rules = PayGifts::new(&desk.client);
    let card_id = desk.card(member_card()).await;
    let merchant = MerchantId::new(&desk.mirror.merchant().mchid).unwrap();
    let times = PayGiftBase::new(vec![merchant.clone()], desk.in_days(0), desk.in_days(30));
    let rule = PayGiftRule::member_card(times, PayGiftMember::new(card_id.clone(), fen(200), fen(2_000_000)));
    let added = rules.add(&rule).await.unwrap();
    assert_eq!((&added.succ_mchid_list[..], added.fail_mchid_list.len()), (&[merchant][..], 0));
    let second = rules.add(&rule).await.unwrap();
    let failed = &second.fail_mchid_list[0];
    assert_eq!((failed.occupy_rule_id, failed.errcode), (Some(added.rule_id), Some(72_004)));
    let shown = rules.get(added.rule_id).await.unwrap();
    assert_eq!(shown.rule_info.member_rule.as_ref().unwrap().card_id, card_id);
    assert_eq!(shown.rule_info.base_info.status, Some(PayGiftStatus::Ok));
    let list = ListPayGifts::new(PayGiftType::MemberCard, true, 0, 10);
    assert_eq!(rules.list(&list).await.unwrap().rule_list.len(), 2);
    rules.delete(added.rule_id).await.unwrap();
    assert_eq!(rules.get(added.rule_id).await.unwrap_err().code(), Some(ErrCode::from(72_034)));
}

/// What is printed on one user's copy.
pub async fn general_cards_and_tickets(desk: &Desk) {
    let general = GeneralCards::new(&desk.client);
    let base_info = base().giftcard_info(GiftCardInfo::new(fen(10_000)));
    let card =
        GeneralCard::new(base_info, SubCardType::GiftCard).supply_balance(true).init_balance(fen(10_000));
    let card_id = desk.card(card).await;
    let code = desk.claim(&card_id).await;
    let activate = ActivateGeneralCard::new(code.clone(), card_id.clone(), "G0000000001");
    general.activate(&activate).await.unwrap();
    let update =
        UpdateGeneralCard::new(code.clone(), card_id.clone()).balance(fen(6_500)).can_give_friend(false);
    assert_eq!(general.update(&update).await.unwrap().result_balance, Some(fen(6_500)));
    general.deactivate(&card_id, &code).await.unwrap();

    let tickets = SpecialTickets::new(&desk.client);
    let card_id = desk.card(MeetingTicket::new(base(), "二号厅")).await;
    let code = desk.claim(&card_id).await;
    let seat = UpdateMeetingTicket::new(code, "C区", "东北门", "2排15号").begin_time(desk.in_days(1));
    tickets.update_meeting_ticket(&seat.end_time(desk.in_days(2))).await.unwrap();

    let card_id = desk.card(MovieTicket::new(base()).detail("120分钟")).await;
    let code = desk.claim(&card_id).await;
    let seats = vec!["5排14号".to_owned(), "5排15号".to_owned()];
    let show = UpdateMovieTicket::new(code, "3D", desk.in_days(1), 120, seats).screening_room("5号厅");
    tickets.update_movie_ticket(&show).await.unwrap();

    let card_id = desk.card(BoardingPass::new(base(), "成都", "广州", "TN1234")).await;
    let code = desk.claim(&card_id).await;
    let boarding = desk.in_days(1).timestamp().to_string();
    let check_in = CheckIn::passenger(code.clone(), "李雷", "经济舱", "78412345678901").seat("32A").gate("7");
    tickets.check_in(&check_in.boarding_time(boarding)).await.unwrap();
    tickets.check_in(&CheckIn::cancel(code)).await.unwrap();

    let card_id = desk.card(LuckyMoney::new(base())).await;
    let code = desk.claim(&card_id).await;
    tickets.update_red_packet(&code, None, fen(500)).await.unwrap();
    let state = Codes::new(&desk.client).get(&GetCode::new(code, false)).await.unwrap();
    assert_eq!(state.balance, Some(fen(500)));
}

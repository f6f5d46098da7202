//! The coverage table: everything named in it compiles, and the page says the same.

use favor_card as card;

/// A function or a value: referred to, so that it must exist.
macro_rules! f {
    ($path:path) => {{
        let _ = $path;
        spelled(stringify!($path))
    }};
}

/// A type: named, so that it must exist.
macro_rules! t {
    ($type:ty) => {{
        let _ = std::any::type_name::<$type>();
        spelled(stringify!($type))
    }};
}

/// A row: a name and what it is here. Names that are code begin with a backtick on the page, topics with a letter.
macro_rules! rows {
    ($($name:literal => [$($item:expr),+ $(,)?]),+ $(,)?) => {
        vec![$(($name, vec![$($item),+])),+]
    };
}

/// `favor::` before the path, as on the page.
fn spelled(path: &str) -> String {
    let path = path.replace(' ', "");
    let bare = path.strip_prefix("dyn").filter(|rest| rest.starts_with("card")).unwrap_or(&path);
    format!("`favor::{bare}`")
}

type Rows = Vec<(&'static str, Vec<String>)>;

fn of_constants_of_the_go_package_mp_card() -> Rows {
    rows! {
        "`CardTypeGeneralCoupon`" => [f!(card::CardType::GeneralCoupon)],
        "`CardTypeGroupon`" => [f!(card::CardType::Groupon)],
        "`CardTypeGift`" => [f!(card::CardType::Gift)],
        "`CardTypeCash`" => [f!(card::CardType::Cash)],
        "`CardTypeDiscount`" => [f!(card::CardType::Discount)],
        "`CardTypeMemberCard`" => [f!(card::CardType::MemberCard)],
        "`CardTypeScenicTicket`" => [f!(card::CardType::ScenicTicket)],
        "`CardTypeMovieTicket`" => [f!(card::CardType::MovieTicket)],
        "`CardTypeBoardingPass`" => [f!(card::CardType::BoardingPass)],
        "`CardTypeLuckyMoney`" => [f!(card::CardType::LuckyMoney)],
        "`CardTypeMeetingTicket`" => [f!(card::CardType::MeetingTicket)],
        "`CodeTypeText`" => [f!(card::CodeType::Text)],
        "`CodeTypeBarCode`" => [f!(card::CodeType::Barcode)],
        "`CodeTypeQRCode`" => [f!(card::CodeType::QrCode)],
        "`CodeTypeOnlyBarCode`" => [f!(card::CodeType::OnlyBarcode)],
        "`CodeTypeOnlyQRCode`" => [f!(card::CodeType::OnlyQrCode)],
        "`CardStatusNotVerify`" => [f!(card::CardStatus::NotVerified)],
        "`CardStatusVerifyFail`" => [f!(card::CardStatus::VerifyFailedEarly)],
        "`CardStatusVerifyOk`" => [f!(card::CardStatus::Verified)],
        "`CardStatusUserDelete`" => [f!(card::CardStatus::DeletedByUser)],
        "`CardStatusUserDispatch`" => [f!(card::CardStatus::DispatchedByUser)],
        "`EventTypeCardPassCheck`" => [f!(card::event::Event::CardPassed)],
        "`EventTypeCardNotPassCheck`" => [f!(card::event::Event::CardNotPassed)],
        "`EventTypeUserGetCard`" => [f!(card::event::Event::CardClaimed)],
        "`EventTypeUserDelCard`" => [f!(card::event::Event::CardDeleted)],
        "`EventTypeUserViewCard`" => [f!(card::event::Event::CardViewed)],
        "`EventTypeUserConsumeCard`" => [f!(card::event::Event::CardConsumed)],
    }
}

fn of_functions_of_the_go_package_mp_card() -> Rows {
    rows! {
        "`QRCodePicURL`" => [f!(card::picture_url)],
        "`Sign`" => [f!(card::sign_values)],
        "`NewClient`" => [f!(card::Client::builder)],
        "`Client.BoardingPassCheckin`" => [f!(card::SpecialTickets::check_in)],
        "`Client.CardBatchGet`" => [f!(card::Cards::list)],
        "`Client.CardCodeConsume`" => [f!(card::Codes::consume)],
        "`Client.CardCodeDecrypt`" => [f!(card::Codes::decrypt)],
        "`Client.CardCodeGet`" => [f!(card::Codes::get)],
        "`Client.CardCodeUnavailable`" => [f!(card::Codes::disable)],
        "`Client.CardCodeUpdate`" => [f!(card::Codes::update)],
        "`Client.CardCreate`" => [f!(card::Cards::create)],
        "`Client.CardDelete`" => [f!(card::Cards::delete)],
        "`Client.CardGet`" => [f!(card::Cards::get)],
        "`Client.CardModifyStock`" => [f!(card::Cards::increase_stock), f!(card::Cards::reduce_stock)],
        "`Client.CardQRCodeCreate`" => [f!(card::Distribution::create_qr_code)],
        "`Client.CardUpdate`" => [f!(card::Cards::update)],
        "`Client.GetColors`" => [f!(card::Cards::colors)],
        "`Client.MeetingTicketUpdateUser`" => [f!(card::SpecialTickets::update_meeting_ticket)],
        "`Client.MemberCardActivate`" => [f!(card::MemberCards::activate)],
        "`Client.MemberCardUpdateUser`" => [f!(card::MemberCards::update)],
        "`Client.MovieTicketUpdateUser`" => [f!(card::SpecialTickets::update_movie_ticket)],
        "`Client.TestWhiteListSet`" => [f!(card::Distribution::set_test_whitelist)],
        "`NewDefaultTicketServer`" => [f!(card::Client::builder)],
        "`DefaultTicketServer.Ticket`" => [f!(card::Client::card_ticket), f!(card::Client::jsapi_ticket)],
        "`DefaultTicketServer.TicketRefresh`" => [f!(card::Client::refresh_card_ticket), f!(card::Client::refresh_jsapi_ticket)],
        "`GetCardPassCheckEvent`" => [f!(card::event::Receiver::receive)],
        "`GetCardNotPassCheckEvent`" => [f!(card::event::Receiver::receive)],
        "`GetUserGetCardEvent`" => [f!(card::event::Receiver::receive)],
        "`GetUserDelCardEvent`" => [f!(card::event::Receiver::receive)],
        "`GetUserViewCardEvent`" => [f!(card::event::Receiver::receive)],
        "`GetUserConsumeCardEvent`" => [f!(card::event::Receiver::receive)],
    }
}

fn of_types_of_the_go_package_mp_card() -> Rows {
    rows! {
        "`BoardingPass`" => [t!(card::BoardingPass)],
        "`BoardingPassCheckinParameters`" => [t!(card::CheckIn)],
        "`Card`" => [t!(card::Card)],
        "`CardBaseInfo`" => [t!(card::BaseInfo)],
        "`CardCode`" => [t!(card::CodeState)],
        "`CardNotPassCheckEvent`" => [t!(card::event::CardNotPassed)],
        "`CardPassCheckEvent`" => [t!(card::event::CardPassed)],
        "`CardQRCodeInfo`" => [t!(card::QrCard)],
        "`Cash`" => [t!(card::Cash)],
        "`Client`" => [t!(card::Client)],
        "`Color`" => [t!(card::NamedColor)],
        "`DateInfo`" => [t!(card::DateInfo)],
        "`DefaultTicketServer`" => [t!(card::Client)],
        "`Discount`" => [t!(card::Discount)],
        "`GeneralCoupon`" => [t!(card::GeneralCoupon)],
        "`Gift`" => [t!(card::Gift)],
        "`Groupon`" => [t!(card::Groupon)],
        "`LuckyMoney`" => [t!(card::LuckyMoney)],
        "`MeetingTicket`" => [t!(card::MeetingTicket)],
        "`MeetingTicketUpdateUserParameters`" => [t!(card::UpdateMeetingTicket)],
        "`MemberCard`" => [t!(card::MemberCard)],
        "`MemberCardActivateParameters`" => [t!(card::ActivateMember)],
        "`MemberCardUpdateUserParameters`" => [t!(card::UpdateMember)],
        "`MemberCardUpdateUserResult`" => [t!(card::UpdatedMember)],
        "`MovieTicket`" => [t!(card::MovieTicket)],
        "`MovieTicketUpdateUserParameters`" => [t!(card::UpdateMovieTicket)],
        "`SKU`" => [t!(card::Sku)],
        "`ScenicTicket`" => [t!(card::ScenicTicket)],
        "`TestWhiteListSetParameters`" => [t!(card::TestWhitelist)],
        "`TicketServer`" => [t!(dyn card::TokenStore)],
        "`UserConsumeCardEvent`" => [t!(card::event::CardConsumed)],
        "`UserDelCardEvent`" => [t!(card::event::CardDeleted)],
        "`UserGetCardEvent`" => [t!(card::event::CardClaimed)],
        "`UserViewCardEvent`" => [t!(card::event::CardViewed)],
    }
}

fn of_functions_of_the_go_package_offiaccount_apis_card() -> Rows {
    rows! {
        "`BatchGet`" => [f!(card::Cards::list)],
        "`ConsumeCode`" => [f!(card::Codes::consume)],
        "`Create`" => [f!(card::Cards::create)],
        "`CreateLandingPage`" => [f!(card::Distribution::create_landing_page)],
        "`CreateQRCode`" => [f!(card::Distribution::create_qr_code)],
        "`DecryptCode`" => [f!(card::Codes::decrypt)],
        "`Delete`" => [f!(card::Cards::delete)],
        "`Get`" => [f!(card::Cards::get)],
        "`GetCardBizUinInfo`" => [f!(card::Statistics::account)],
        "`GetCardInfo`" => [f!(card::Statistics::cards)],
        "`GetCode`" => [f!(card::Codes::get)],
        "`GetMemberCardDetail`" => [f!(card::Statistics::member_card)],
        "`GetMemberCardInfo`" => [f!(card::Statistics::member_cards)],
        "`GetUserCardList`" => [f!(card::Codes::list_of_user)],
        "`ModifyStock`" => [f!(card::Cards::increase_stock), f!(card::Cards::reduce_stock)],
        "`MpnewsGetHtml`" => [f!(card::Distribution::article_html)],
        "`SetPayCell`" => [f!(card::Cards::set_pay_cell)],
        "`SetSelfConsumeCell`" => [f!(card::Cards::set_self_consume_cell)],
        "`SetTestWhitelist`" => [f!(card::Distribution::set_test_whitelist)],
        "`UnavailableCoed`" => [f!(card::Codes::disable)],
        "`Update`" => [f!(card::Cards::update)],
        "`UpdateCode`" => [f!(card::Codes::update)],
        "`giftcard.PageAdd`" => [f!(card::GiftPages::add)],
        "`giftcard.PageGet`" => [f!(card::GiftPages::get)],
        "`giftcard.PageUpdate`" => [f!(card::GiftPages::update)],
        "`giftcard.PageBatchGet`" => [f!(card::GiftPages::list)],
        "`giftcard.MaintainSet`" => [f!(card::GiftPages::maintain), f!(card::GiftPages::maintain_all)],
        "`giftcard.PayWhitelistAdd`" => [f!(card::GiftPages::whitelist_merchant)],
        "`giftcard.PaySubmchBind`" => [f!(card::GiftPages::bind_merchant)],
        "`giftcard.WxaSet`" => [f!(card::GiftPages::set_mini_program)],
        "`giftcard.OrderGet`" => [f!(card::GiftOrders::get)],
        "`giftcard.OrderBatchGet`" => [f!(card::GiftOrders::list)],
        "`giftcard.OrderRefund`" => [f!(card::GiftOrders::refund)],
        "`giftcard.GeneralCardUpdateUser`" => [f!(card::GeneralCards::update)],
        "`giftcard.InvoiceSetBizAttr`" => [f!(card::Invoices::set_pay_merchant), f!(card::Invoices::pay_merchant), f!(card::Invoices::set_auth_fields), f!(card::Invoices::auth_fields), f!(card::Invoices::set_contact), f!(card::Invoices::contact)],
        "`giftcard.InvoiceGetAuthData`" => [f!(card::Invoices::auth_data)],
        "`membercard.ActivateGetUrl`" => [f!(card::MemberCards::activation_url)],
        "`membercard.ActivateTempInfoGet`" => [f!(card::MemberCards::submitted_form)],
        "`membercard.Activate`" => [f!(card::MemberCards::activate)],
        "`membercard.ActivateUserFormSet`" => [f!(card::MemberCards::set_form)],
        "`membercard.UserinfoGet`" => [f!(card::MemberCards::get)],
        "`membercard.UpdateUser`" => [f!(card::MemberCards::update)],
        "`membercard.PayGiftcardAdd`" => [f!(card::PayGifts::add)],
        "`membercard.PayGiftcardDelete`" => [f!(card::PayGifts::delete)],
        "`membercard.PayGiftcardGetById`" => [f!(card::PayGifts::get)],
        "`membercard.PayGiftcardBatchGet`" => [f!(card::PayGifts::list)],
        "`submerchant.Submit`" => [f!(card::SubMerchants::create)],
        "`submerchant.GetApplyProtocol`" => [f!(card::SubMerchants::categories)],
        "`submerchant.Update`" => [f!(card::SubMerchants::update)],
        "`submerchant.Get`" => [f!(card::SubMerchants::get)],
        "`submerchant.BatchGet`" => [f!(card::SubMerchants::list)],
        "`ticket (special tickets)`" => [f!(card::SpecialTickets::update_meeting_ticket), f!(card::SpecialTickets::update_movie_ticket), f!(card::SpecialTickets::check_in)],
    }
}

fn of_methods_of_easywechat() -> Rows {
    rows! {
        "`colors`" => [f!(card::Cards::colors)],
        "`categories`" => [f!(card::SubMerchants::categories)],
        "`create`" => [f!(card::Cards::create)],
        "`get`" => [f!(card::Cards::get)],
        "`list`" => [f!(card::Cards::list)],
        "`update`" => [f!(card::Cards::update)],
        "`delete`" => [f!(card::Cards::delete)],
        "`createQrCode`" => [f!(card::Distribution::create_qr_code)],
        "`getQrCode`" => [f!(card::Distribution::qr_picture)],
        "`getQrCodeUrl`" => [f!(card::picture_url)],
        "`createLandingPage`" => [f!(card::Distribution::create_landing_page)],
        "`getHtml`" => [f!(card::Distribution::article_html)],
        "`setTestWhitelist`" => [f!(card::Distribution::set_test_whitelist)],
        "`setTestWhitelistByName`" => [f!(card::Distribution::set_test_whitelist)],
        "`getUserCards`" => [f!(card::Codes::list_of_user)],
        "`setPayCell`" => [f!(card::Cards::set_pay_cell)],
        "`increaseStock`" => [f!(card::Cards::increase_stock)],
        "`reductStock`" => [f!(card::Cards::reduce_stock)],
        "`code.deposit`" => [f!(card::Codes::deposit)],
        "`code.getDepositedCount`" => [f!(card::Codes::deposit_count)],
        "`code.check`" => [f!(card::Codes::check)],
        "`code.get`" => [f!(card::Codes::get)],
        "`code.consume`" => [f!(card::Codes::consume)],
        "`code.decrypt`" => [f!(card::Codes::decrypt)],
        "`code.update`" => [f!(card::Codes::update)],
        "`code.disable`" => [f!(card::Codes::disable)],
        "`general_card.activate`" => [f!(card::GeneralCards::activate)],
        "`general_card.deactivate`" => [f!(card::GeneralCards::deactivate)],
        "`general_card.updateUser`" => [f!(card::GeneralCards::update)],
        "`member_card.activate`" => [f!(card::MemberCards::activate)],
        "`member_card.setActivationForm`" => [f!(card::MemberCards::set_form)],
        "`member_card.getUser`" => [f!(card::MemberCards::get)],
        "`member_card.updateUser`" => [f!(card::MemberCards::update)],
        "`sub_merchant.create`" => [f!(card::SubMerchants::create)],
        "`sub_merchant.update`" => [f!(card::SubMerchants::update)],
        "`boarding_pass.checkin`" => [f!(card::SpecialTickets::check_in)],
        "`meeting_ticket.updateUser`" => [f!(card::SpecialTickets::update_meeting_ticket)],
        "`movie_ticket.updateUser`" => [f!(card::SpecialTickets::update_movie_ticket)],
        "`jssdk.assign`" => [f!(card::Client::sign_cards)],
        "`jssdk.getTicket`" => [f!(card::Client::card_ticket), f!(card::Client::refresh_card_ticket)],
    }
}

fn of_topics_of_the_chinese_tutorial() -> Rows {
    rows! {
        "server configuration, signature check, echostr" => [f!(card::event::Receiver::verify_url)],
        "plain, compatible and secure mode" => [f!(card::event::Receiver::receive), t!(card::event::EncodingAesKey)],
        "access token" => [f!(card::Client::access_token)],
        "upload of the logo" => [f!(card::Media::upload_image)],
        "table of colours" => [t!(card::Color)],
        "create a card, five types of coupons" => [f!(card::Cards::create), t!(card::Groupon), t!(card::Cash), t!(card::Discount), t!(card::Gift), t!(card::GeneralCoupon)],
        "member card, special tickets, friends' coupon" => [t!(card::MemberCard), t!(card::MeetingTicket), t!(card::ScenicTicket), t!(card::MovieTicket), t!(card::BoardingPass), f!(card::Codes::mark), t!(card::Coins)],
        "base_info, required and optional" => [t!(card::BaseInfo)],
        "advanced_info" => [t!(card::AdvancedInfo)],
        "time stamps before 2038, deposit with quantity 0, mini-program cells" => [f!(card::Cards::check)],
        "cell jump with encrypt_code" => [f!(card::Codes::decrypt), f!(card::verify_cell_link)],
        "QR code for one card and for several" => [f!(card::CreateQrCode::one), t!(card::CreateQrCode)],
        "JS-SDK: addCard, openCard, chooseCard, wx.config" => [f!(card::Client::sign_cards), f!(card::Client::sign_choice), f!(card::Client::sign_page)],
        "shelf (landing page)" => [f!(card::Distribution::create_landing_page)],
        "mass distribution" => [f!(card::Distribution::article_html), f!(card::Codes::deposit), f!(card::Messages::send), f!(card::Messages::send_to_tag), f!(card::Messages::send_to_all), f!(card::Messages::send_to_users), f!(card::Messages::preview)],
        "test whitelist" => [f!(card::Distribution::set_test_whitelist)],
        "query a code, states" => [f!(card::Codes::get), t!(card::CodeStatus)],
        "redeem a code" => [f!(card::Codes::consume)],
        "api_ticket" => [f!(card::Client::card_ticket)],
        "decrypt a code" => [f!(card::Codes::decrypt)],
        "a user's cards" => [f!(card::Codes::list_of_user)],
        "delete a card" => [f!(card::Cards::delete)],
        "pay cell" => [f!(card::Cards::set_pay_cell)],
        "self-redeem cell" => [f!(card::Cards::set_self_consume_cell)],
        "update a card" => [f!(card::Cards::update)],
        "stock" => [f!(card::Cards::increase_stock), f!(card::Cards::reduce_stock)],
        "update a code" => [f!(card::Codes::update)],
        "make a code unavailable" => [f!(card::Codes::disable)],
        "detail of a card, list of cards" => [f!(card::Cards::get), f!(card::Cards::list)],
        "mini program: add, decrypt, open; the claim event" => [f!(card::Client::sign_cards), f!(card::Codes::decrypt), t!(card::event::CardClaimed)],
        "cardSign" => [f!(card::ChooseCard::sign)],
        "cardExt: fields, signature, known vector" => [f!(card::CardExt::sign)],
    }
}

fn of_endpoints() -> Rows {
    rows! {
        "`P1 GET /cgi-bin/token`" => [f!(card::Client::access_token)],
        "`P2 POST /cgi-bin/stable_token`" => [f!(card::Client::access_token), f!(card::Client::replace_leaked_token)],
        "`P3 GET /cgi-bin/ticket/getticket`" => [f!(card::Client::card_ticket), f!(card::Client::jsapi_ticket)],
        "`P4 POST /cgi-bin/media/uploadimg`" => [f!(card::Media::upload_image)],
        "`P5 GET /cgi-bin/showqrcode`" => [f!(card::Distribution::qr_picture)],
        "`P6 POST /cgi-bin/media/upload`" => [f!(card::Media::upload_media)],
        "`E1 POST /card/create`" => [f!(card::Cards::create)],
        "`E2 POST /card/get`" => [f!(card::Cards::get)],
        "`E3 POST /card/batchget`" => [f!(card::Cards::list)],
        "`E4 POST /card/update`" => [f!(card::Cards::update)],
        "`E5 POST /card/modifystock`" => [f!(card::Cards::increase_stock), f!(card::Cards::reduce_stock)],
        "`E6 POST /card/delete`" => [f!(card::Cards::delete)],
        "`E7 POST /card/paycell/set`" => [f!(card::Cards::set_pay_cell)],
        "`E8 POST /card/selfconsumecell/set`" => [f!(card::Cards::set_self_consume_cell)],
        "`E9 GET /card/getcolors`" => [f!(card::Cards::colors)],
        "`E10 POST /card/qrcode/create`" => [f!(card::Distribution::create_qr_code)],
        "`E11 POST /card/landingpage/create`" => [f!(card::Distribution::create_landing_page)],
        "`E12 POST /card/mpnews/gethtml`" => [f!(card::Distribution::article_html)],
        "`E13 POST /card/testwhitelist/set`" => [f!(card::Distribution::set_test_whitelist)],
        "`E14 POST /card/code/deposit`" => [f!(card::Codes::deposit)],
        "`E15 POST /card/code/getdepositcount`" => [f!(card::Codes::deposit_count)],
        "`E16 POST /card/code/checkcode`" => [f!(card::Codes::check)],
        "`E17 POST /card/code/get`" => [f!(card::Codes::get)],
        "`E18 POST /card/code/consume`" => [f!(card::Codes::consume)],
        "`E19 POST /card/code/decrypt`" => [f!(card::Codes::decrypt)],
        "`E20 POST /card/code/update`" => [f!(card::Codes::update)],
        "`E21 POST /card/code/unavailable`" => [f!(card::Codes::disable)],
        "`E22 POST /card/code/mark`" => [f!(card::Codes::mark)],
        "`E23 POST /card/user/getcardlist`" => [f!(card::Codes::list_of_user)],
        "`E24 POST /card/membercard/activate`" => [f!(card::MemberCards::activate)],
        "`E25 POST /card/membercard/activate/geturl`" => [f!(card::MemberCards::activation_url)],
        "`E26 POST /card/membercard/activateuserform/set`" => [f!(card::MemberCards::set_form)],
        "`E27 POST /card/membercard/activatetempinfo/get`" => [f!(card::MemberCards::submitted_form)],
        "`E28 POST /card/membercard/userinfo/get`" => [f!(card::MemberCards::get)],
        "`E29 POST /card/membercard/updateuser`" => [f!(card::MemberCards::update)],
        "`E30 POST /card/paygiftcard/add`" => [f!(card::PayGifts::add)],
        "`E31 POST /card/paygiftcard/delete`" => [f!(card::PayGifts::delete)],
        "`E32 POST /card/paygiftcard/getbyid`" => [f!(card::PayGifts::get)],
        "`E33 POST /card/paygiftcard/batchget`" => [f!(card::PayGifts::list)],
        "`E34 POST /card/generalcard/activate`" => [f!(card::GeneralCards::activate)],
        "`E35 POST /card/generalcard/unactivate`" => [f!(card::GeneralCards::deactivate)],
        "`E36 POST /card/generalcard/updateuser`" => [f!(card::GeneralCards::update)],
        "`E37 POST /card/meetingticket/updateuser`" => [f!(card::SpecialTickets::update_meeting_ticket)],
        "`E38 POST /card/movieticket/updateuser`" => [f!(card::SpecialTickets::update_movie_ticket)],
        "`E39 POST /card/boardingpass/checkin`" => [f!(card::SpecialTickets::check_in)],
        "`E40 POST /card/luckymoney/updateuserbalance`" => [f!(card::SpecialTickets::update_red_packet)],
        "`E41 POST /card/giftcard/page/add`" => [f!(card::GiftPages::add)],
        "`E42 POST /card/giftcard/page/get`" => [f!(card::GiftPages::get)],
        "`E43 POST /card/giftcard/page/update`" => [f!(card::GiftPages::update)],
        "`E44 POST /card/giftcard/page/batchget`" => [f!(card::GiftPages::list)],
        "`E45 POST /card/giftcard/maintain/set`" => [f!(card::GiftPages::maintain), f!(card::GiftPages::maintain_all)],
        "`E46 POST /card/giftcard/pay/whitelist/add`" => [f!(card::GiftPages::whitelist_merchant)],
        "`E47 POST /card/giftcard/pay/submch/bind`" => [f!(card::GiftPages::bind_merchant)],
        "`E48 POST /card/giftcard/wxa/set`" => [f!(card::GiftPages::set_mini_program)],
        "`E49 POST /card/giftcard/order/get`" => [f!(card::GiftOrders::get)],
        "`E50 POST /card/giftcard/order/batchget`" => [f!(card::GiftOrders::list)],
        "`E51 POST /card/giftcard/order/refund`" => [f!(card::GiftOrders::refund)],
        "`E52 POST /card/invoice/setbizattr`" => [f!(card::Invoices::set_pay_merchant), f!(card::Invoices::pay_merchant), f!(card::Invoices::set_auth_fields), f!(card::Invoices::auth_fields), f!(card::Invoices::set_contact), f!(card::Invoices::contact)],
        "`E53 POST /card/invoice/getauthdata`" => [f!(card::Invoices::auth_data)],
        "`E54 POST /card/submerchant/submit`" => [f!(card::SubMerchants::create)],
        "`E55 POST /card/submerchant/update`" => [f!(card::SubMerchants::update)],
        "`E56 POST /card/submerchant/get`" => [f!(card::SubMerchants::get)],
        "`E57 POST /card/submerchant/batchget`" => [f!(card::SubMerchants::list)],
        "`E58 GET /card/getapplyprotocol`" => [f!(card::SubMerchants::categories)],
        "`E59 POST /card/storewxa/get`" => [f!(card::StoreCards::get)],
        "`E60 POST /card/storewxa/set`" => [f!(card::StoreCards::set)],
        "`E61 GET /card/pay/activate`" => [f!(card::Coins::activate)],
        "`E62 POST /card/pay/getpayprice`" => [f!(card::Coins::price)],
        "`E63 GET /card/pay/getcoinsinfo`" => [f!(card::Coins::balance)],
        "`E64 POST /card/pay/confirm`" => [f!(card::Coins::confirm)],
        "`E65 POST /card/pay/recharge`" => [f!(card::Coins::recharge)],
        "`E66 POST /card/pay/getorder`" => [f!(card::Coins::order)],
        "`E67 POST /card/pay/getorderlist`" => [f!(card::Coins::orders)],
        "`E68 POST /datacube/getcardbizuininfo`" => [f!(card::Statistics::account)],
        "`E69 POST /datacube/getcardcardinfo`" => [f!(card::Statistics::cards)],
        "`E70 POST /datacube/getcardmembercardinfo`" => [f!(card::Statistics::member_cards)],
        "`E71 POST /datacube/getcardmembercarddetail`" => [f!(card::Statistics::member_card)],
        "`M1 POST /cgi-bin/message/custom/send`" => [f!(card::Messages::send)],
        "`M2 POST /cgi-bin/message/mass/sendall`" => [f!(card::Messages::send_to_tag), f!(card::Messages::send_to_all)],
        "`M3 POST /cgi-bin/message/mass/send`" => [f!(card::Messages::send_to_users)],
        "`M4 POST /cgi-bin/message/mass/preview`" => [f!(card::Messages::preview)],
    }
}

fn of_signatures_and_events() -> Rows {
    rows! {
        "the page configuration (`wx.config`)" => [t!(card::PageConfig)],
        "`cardExt` of `wx.addCard`" => [t!(card::SignedCard)],
        "`cardSign` of `wx.chooseCard`" => [t!(card::SignedChoice)],
        "`card_pass_check`" => [t!(card::event::CardPassed)],
        "`card_not_pass_check`" => [t!(card::event::CardNotPassed)],
        "`user_get_card`" => [t!(card::event::CardClaimed)],
        "`user_gifting_card`" => [t!(card::event::CardGifting)],
        "`user_del_card`" => [t!(card::event::CardDeleted)],
        "`user_consume_card`" => [t!(card::event::CardConsumed)],
        "`user_pay_from_pay_cell`" => [t!(card::event::CardPaid)],
        "`user_view_card`" => [t!(card::event::CardViewed)],
        "`user_enter_session_from_card`" => [t!(card::event::SessionEntered)],
        "`update_member_card`" => [t!(card::event::MemberCardUpdated)],
        "`card_sku_remind`" => [t!(card::event::StockLow)],
        "`card_pay_order`" => [t!(card::event::CoinsMoved)],
        "`submit_membercard_user_info`" => [t!(card::event::MemberFormSubmitted)],
        "`giftcard_pay_done`" => [t!(card::event::GiftCardPaid)],
        "`giftcard_send_to_friend`" => [t!(card::event::GiftCardSent)],
        "`giftcard_user_accept`" => [t!(card::event::GiftCardAccepted)],
        "`card_merchant_check_result`" => [t!(card::event::SubMerchantReviewed)],
    }
}

#[test]
fn the_page_names_everything_and_everything_is_there() {
    let tables = [
        ("Constants of the Go package `mp/card`", of_constants_of_the_go_package_mp_card(), 27),
        ("Functions of the Go package `mp/card`", of_functions_of_the_go_package_mp_card(), 31),
        ("Types of the Go package `mp/card`", of_types_of_the_go_package_mp_card(), 34),
        (
            "Functions of the Go package `offiaccount/apis/card`",
            of_functions_of_the_go_package_offiaccount_apis_card(),
            52,
        ),
        ("Methods of EasyWeChat", of_methods_of_easywechat(), 40),
        ("Topics of the Chinese tutorial", of_topics_of_the_chinese_tutorial(), 32),
        ("Endpoints", of_endpoints(), 81),
        ("Signatures and events", of_signatures_and_events(), 20),
    ];
    let page = include_str!("../../../docs/card-coverage.md");
    let mut sections = page.split("\n## ").skip(1);
    for (title, rows, count) in tables {
        let section = sections.next().expect("the page has a section for each table");
        let (stated_title, table) = section.split_once('\n').unwrap();
        assert_eq!(stated_title, title);
        let stated: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let compiled: Vec<String> =
            rows.iter().map(|(name, items)| format!("| {name} | {} |", items.join(", "))).collect();
        assert_eq!(stated, compiled, "{title}");
        assert_eq!(rows.len(), count, "{title}: as many as the source has");
        let names: std::collections::HashSet<_> = rows.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), count, "{title}: nothing twice");
    }
    assert!(sections.next().is_none(), "the page has no section without a table");
}

#[test]
fn every_endpoint_and_every_event_is_in_the_table() {
    let stated: Vec<_> = of_endpoints().iter().map(|(name, _)| (*name).to_owned()).collect();
    let all: Vec<_> = card::ENDPOINTS
        .iter()
        .map(|endpoint| format!("`{} {} {}`", endpoint.number, endpoint.method, endpoint.path))
        .collect();
    assert_eq!(stated, all);
    let events: Vec<_> =
        of_signatures_and_events().into_iter().skip(3).map(|(name, _)| name.replace('`', "")).collect();
    assert_eq!(events, card::event::Event::KNOWN);
}

//! Statistics of days that are over.

use serde_json::{Value, json};

use super::{ANNA, BELA, Cards, base, coupon, member_card};

#[tokio::test]
async fn a_day_is_counted_once_it_is_over() {
    let cards = Cards::new().await;
    let (id, members) = (cards.card(&coupon(base())).await, cards.card(&member_card()).await);
    let code = cards.claim(&id, ANNA).await;
    cards.claim(&id, ANNA).await;
    let other = cards.claim(&id, BELA).await;
    cards.act("view", &json!({ "code": code })).await.ok();
    cards.ok("/card/code/consume", &json!({ "code": code })).await;
    cards.act("gift", &json!({ "code": other })).await.ok();
    let member = cards.claim(&members, BELA).await;
    cards.act("submit-form", &json!({ "code": member })).await.ok();
    let day = |begin: &str, end: &str| json!({"begin_date": begin, "end_date": end, "cond_source": 1});
    let today = day("2026-08-10", "2026-08-10");
    assert_eq!(cards.errcode("/datacube/getcardbizuininfo", &today).await, 61501);
    cards.world.clock("2026-08-11T00:00:00+08:00").await;
    let cards = Cards::around(cards.world).await;
    let list = async |path: &str, body: &Value| cards.ok(path, body).await["list"].clone();
    let all = list("/datacube/getcardbizuininfo", &day("2026-08-01", "2026-08-10")).await;
    assert_eq!(
        all,
        json!([{"ref_date": "2026-08-10", "view_cnt": 1, "view_user": 1, "receive_cnt": 4,
        "receive_user": 2, "verify_cnt": 1, "verify_user": 1, "given_cnt": 1, "given_user": 1, "expire_cnt": 0,
        "expire_user": 0}])
    );
    let one = list("/datacube/getcardcardinfo", &today).await;
    assert_eq!((&one[0]["card_id"], &one[0]["card_type"]), (&json!(id), &json!(4)));
    assert_eq!((&one[0]["receive_cnt"], one.as_array().unwrap().len()), (&json!(3), 1));
    let told = list("/datacube/getcardmembercardinfo", &today).await;
    assert_eq!((&told[0]["active_user"], &told[0]["total_user"]), (&json!(1), &json!(1)));
    let detail = json!({"begin_date": "2026-08-10", "end_date": "2026-08-10", "card_id": members});
    let told = list("/datacube/getcardmembercarddetail", &detail).await;
    assert_eq!((&told[0]["cardid"], &told[0]["new_user"]), (&json!(members), &json!(1)));
    let console = json!({"begin_date": "2026-08-10", "end_date": "2026-08-10", "cond_source": 0});
    assert_eq!(list("/datacube/getcardbizuininfo", &console).await, json!([]));
    for (body, errcode) in [
        (day("2026-8-10", "2026-08-10"), 61500),
        (day("2026-08-10", "2026-08-09"), 61501),
        (day("2026-06-09", "2026-08-10"), 61501),
        (day("2026-06-10", "2026-08-10"), 0),
    ] {
        assert_eq!(cards.errcode("/datacube/getcardbizuininfo", &body).await, errcode, "{body}");
    }
}

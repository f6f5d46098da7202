//! `GET` and `POST …/callbacks`: where notifications go.

use axum::Extension;
use axum::extract::State;
use serde_json::json;

use crate::answer::Answer;
use crate::exchange::Call;
use crate::fields::Fields;
use crate::ledger::callbacks;
use crate::parameters;
use crate::rules::Refusal;
use crate::rules::callback::{self, NONE, URL, URL_UNCLEAR};
use crate::rules::parameter::Field;
use crate::rules::readings::{BadCallback, UnsetCallback};
use crate::state::App;

const MCHID: Field = Field::new("mchid", "商户号").with_required("回调商户不能为空");
const NOTIFY_URL: Field = Field::new("notify_url", "通知地址").with_required("回调url不能为空");
const SWITCH: Field = Field::new("switch", "回调开关");

/// `GET …/callbacks`
pub(crate) async fn get(State(app): State<App>, Extension(call): Extension<Call>) -> Result<Answer, Answer> {
    let mchid = parameters::required_query(&call, MCHID, 20)?;
    callback::own((&*call.merchant).into(), &mchid)?;
    let found = app.ledger.read({
        let mchid = mchid.clone();
        move |db| callbacks::find(db, &mchid)
    });
    let notify_url = match (found.await?, app.readings().unset_callback) {
        (Some(notify_url), _) => notify_url,
        (None, UnsetCallback::NotFound) => return Err(Refusal::from(&NONE).into()),
        (None, UnsetCallback::Empty) => String::new(),
    };
    Ok(Answer::ok(&json!({ "notify_url": notify_url, "mchid": mchid })))
}

/// `POST …/callbacks`
pub(crate) async fn set(State(app): State<App>, Extension(call): Extension<Call>) -> Result<Answer, Answer> {
    let body = parameters::body(&call)?;
    let fields = Fields::body(&body);
    let mchid = fields.required_text(MCHID, 20)?.to_owned();
    let notify_url = fields.required_text(NOTIFY_URL, 256)?.to_owned();
    let pushes = fields.flag(SWITCH)?.unwrap_or(true);
    if !callback::is_address(&notify_url) {
        let rule = match app.readings().bad_callback {
            BadCallback::ParamError => &URL,
            BadCallback::SystemError => &URL_UNCLEAR,
        };
        return Err(Refusal::from(rule).into());
    }
    callback::own((&*call.merchant).into(), &mchid)?;
    let now = app.clocks.now();
    // The documented sample shows it without scheme.
    let shown = notify_url.split_once("://").map_or(notify_url.as_str(), |(_, rest)| rest).to_owned();
    app.ledger.write(move |db| callbacks::save(db, &mchid, &notify_url, pushes, now)).await?;
    Ok(Answer::ok(&json!({ "update_time": now.rfc3339(), "notify_url": shown })))
}

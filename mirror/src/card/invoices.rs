//! Invoices after payment: what the merchant asks for, and what a user gives for an order.

use serde_json::{Map, Value, json};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::Body;
use super::event::{self, Field};
use super::gift_cards::act::GiveInvoice;
use super::gift_cards::orders;
use super::gift_cards::page::TEXT;
use super::gift_cards::payment::is_merchant_id;
use super::gift_cards::record::InvoiceRecord;
use crate::ledger::card::things;
use crate::rules::card::{
    GIFT_REFUNDED, INVOICE_ACTION, INVOICE_DATA, INVOICE_FIELD, INVOICE_PAYEE, INVOICE_TIME, MERCHANT,
    REQUIRED,
};

/// Settings, by their keys.
const SETTINGS: &str = "invoice_setting";
/// What users gave, by orders.
const GIVEN: &str = "invoice_data";
/// Longest number of an order, and of the invoicing platform's.
const ID_BYTES: usize = 128;
/// How an order stands for which a user has given what is needed.
const AUTHORISED: &str = "auth success";

/// What a person fills in, and a firm.
const PERSON: (&str, &[&str]) = ("user_field", &["title", "phone", "email"]);
const FIRM: (&str, &[&str]) = ("biz_field", &["title", "tax_no", "addr", "phone", "bank_type", "bank_no"]);

/// What an object of the settings is held against.
type Check = fn(Body<'_>) -> Result<(), Failed>;

/// What can be set: how an action names it, its key, and its check.
const SETTABLE: [(&str, &str, Check); 3] = [
    ("pay_mch", "paymch_info", payee),
    ("auth_field", "auth_field", fields),
    ("contact", "contact", contact),
];

/// `POST /card/invoice/setbizattr?action=…`
pub(super) fn settings(ask: &Ask<'_>, action: Option<&str>) -> Told {
    let action = action.unwrap_or_default();
    let (sets, what) = match (action.strip_prefix("set_"), action.strip_prefix("get_")) {
        (Some(what), _) => (true, what),
        (None, Some(what)) => (false, what),
        (None, None) => return Err((&INVOICE_ACTION).into()),
    };
    let (_, key, check) = *SETTABLE.iter().find(|(name, ..)| *name == what).ok_or(&INVOICE_ACTION)?;
    if !sets {
        let kept = things::find(ask.db, ask.appid, SETTINGS, key)?;
        // Nothing was set, so there is nothing to show.
        return Ok(kept.map(|thing| Map::from_iter([(key.to_owned(), thing.body)])).unwrap_or_default());
    }
    let object = ask.body.object(key)?.ok_or(&REQUIRED)?;
    check(object)?;
    things::put(ask.db, ask.appid, (SETTINGS, key), &Value::Object(object.0.clone()), ask.now)?;
    Ok(told! {})
}

fn payee(object: Body<'_>) -> Result<(), Failed> {
    ensure(is_merchant_id(object.needed("mchid", usize::MAX, &REQUIRED)?), &MERCHANT)?;
    object.needed("s_pappid", ID_BYTES, &REQUIRED).map(drop)
}

fn contact(object: Body<'_>) -> Result<(), Failed> {
    object.needed("phone", TEXT, &REQUIRED)?;
    ensure(object.number("time_out")?.ok_or(&REQUIRED)? > 0, &INVOICE_TIME)
}

fn fields(object: Body<'_>) -> Result<(), Failed> {
    ensure(object.has(PERSON.0) || object.has(FIRM.0), &REQUIRED)?;
    for (group, known) in [PERSON, FIRM] {
        let Some(group) = object.object(group)? else { continue };
        for key in known {
            group.flag(&format!("show_{key}"))?;
        }
        for own in group.objects("custom_field")?.unwrap_or_default() {
            own.needed("key", TEXT, &REQUIRED)?;
        }
    }
    Ok(())
}

/// Only what the merchant asks for can be filled in; everything, where it has not said.
fn check_given(
    asked: Option<&Value>,
    (group, known): (&str, &[&str]),
    given: Body<'_>,
) -> Result<(), Failed> {
    let asked = match asked {
        Some(asked) => Some(Body(asked[group].as_object().ok_or(&INVOICE_FIELD)?)),
        None => None,
    };
    for key in given.0.keys().filter(|key| *key != "custom_field") {
        ensure(known.contains(&key.as_str()), &INVOICE_FIELD)?;
        given.text(key, TEXT)?;
        if let Some(asked) = asked {
            ensure(asked.flag(&format!("show_{key}"))?.unwrap_or(false), &INVOICE_FIELD)?;
        }
    }
    for own in given.objects("custom_field")?.unwrap_or_default() {
        let key = own.needed("key", TEXT, &INVOICE_FIELD)?;
        own.text("value", TEXT)?;
        if let Some(asked) = asked {
            let list = asked.objects("custom_field")?.unwrap_or_default();
            ensure(list.iter().any(|own| own.0.get("key").is_some_and(|own| own == key)), &INVOICE_FIELD)?;
        }
    }
    Ok(())
}

/// A user gives what the invoice of an order from a gift-card page needs.
pub(super) fn give(ask: &Ask<'_>, give: &GiveInvoice) -> Result<InvoiceRecord, Failed> {
    let order = orders::named(ask, &give.order_id)?;
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    let (group, given) = match (&give.user_field, &give.biz_field) {
        (Some(person), None) => (PERSON, person),
        (None, Some(firm)) => (FIRM, firm),
        _ => return Err((&INVOICE_FIELD).into()),
    };
    let asked = things::find(ask.db, ask.appid, SETTINGS, "auth_field")?;
    check_given(asked.as_ref().map(|thing| &thing.body), group, Body(given))?;
    let mut info = Map::new();
    info.insert(group.0.to_owned(), Value::Object(given.clone()));
    let kept = json!({ "auth_time": ask.now.seconds(), "user_auth_info": &info });
    things::put(ask.db, ask.appid, (GIVEN, &order.order_id), &kept, ask.now)?;
    let told = [
        ("SuccOrderId", Field::Text(&order.order_id)),
        ("FailOrderId", Field::Text("")),
        ("AppId", Field::Text(ask.appid)),
        ("Source", Field::Text("web")),
    ];
    event::raise(ask.db, ask.appid, &order.buyer, "user_authorize_invoice", &told, ask.now)?;
    Ok(InvoiceRecord {
        order_id: order.order_id,
        invoice_status: AUTHORISED.to_owned(),
        user_auth_info: info,
    })
}

/// `POST /card/invoice/getauthdata`
pub(super) fn data(ask: &Ask<'_>) -> Told {
    let order_id = ask.body.needed("order_id", ID_BYTES, &REQUIRED)?;
    // Old texts have another name for it.
    let payee = ask.body.text("s_pappid", ID_BYTES)?.or(ask.body.text("s_appid", ID_BYTES)?);
    let payee = payee.filter(|payee| !payee.is_empty()).ok_or(&REQUIRED)?;
    if let Some(set) = things::find(ask.db, ask.appid, SETTINGS, "paymch_info")? {
        ensure(set.body["s_pappid"] == payee, &INVOICE_PAYEE)?;
    }
    let given = things::find(ask.db, ask.appid, GIVEN, order_id)?.ok_or(&INVOICE_DATA)?.body;
    Ok(told! {
        "invoice_status": AUTHORISED,
        "auth_time": given["auth_time"],
        "user_auth_info": given["user_auth_info"],
    })
}

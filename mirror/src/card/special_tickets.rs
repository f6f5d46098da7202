//! Tickets of meetings, films and flights: what is printed on one user's copy.

use serde_json::Value;

use super::account::status;
use super::ask::{Ask, Failed, Told, ensure, told};
use crate::ledger::card::codes::{self, Code};
use crate::rules::card::{
    CARD_TYPE, LENGTH, NO_SCREENING_ROOM, NO_SEAT_NUMBER, NO_SHOW_TIME, NO_TICKET_CLASS, PARAMETER, REQUIRED,
    TIME, USER_CARD_STATUS,
};

/// Longest text where no source has a number.
const TEXT: usize = 3_072;

fn held(ask: &Ask<'_>, card_type: &str) -> Result<Code, Failed> {
    let (card, code) = ask.code()?;
    ensure(card.card_type == card_type, &CARD_TYPE)?;
    ensure(status(&code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    Ok(code)
}

/// Keeps these fields of the body.
fn print(ask: &Ask<'_>, mut code: Code, keys: &[&str]) -> Told {
    for key in keys {
        if let Some(value) = ask.body.0.get(*key) {
            code.face.insert((*key).to_owned(), value.clone());
        }
    }
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// `POST /card/meetingticket/updateuser`
pub(super) fn meeting(ask: &Ask<'_>) -> Told {
    let code = held(ask, "MEETING_TICKET")?;
    for key in ["zone", "entrance", "seat_number"] {
        ask.body.needed(key, TEXT, &REQUIRED)?;
    }
    let (begin, end) = (ask.body.number("begin_time")?, ask.body.number("end_time")?);
    ensure(begin.zip(end).is_none_or(|(begin, end)| begin <= end), &TIME)?;
    print(ask, code, &["zone", "entrance", "seat_number", "begin_time", "end_time"])
}

/// `POST /card/movieticket/updateuser`
pub(super) fn film(ask: &Ask<'_>) -> Told {
    let code = held(ask, "MOVIE_TICKET")?;
    ask.body.needed("ticket_class", TEXT, &NO_TICKET_CLASS)?;
    ensure(ask.body.number("show_time")?.is_some(), &NO_SHOW_TIME)?;
    ensure(ask.body.number("duration")?.ok_or(&REQUIRED)? > 0, &PARAMETER)?;
    ask.body.needed("screening_room", TEXT, &NO_SCREENING_ROOM)?;
    // Lists and single texts are both in use.
    let seats = match ask.body.0.get("seat_number") {
        Some(Value::String(seat)) => !seat.is_empty(),
        _ => !ask.body.texts("seat_number")?.unwrap_or_default().is_empty(),
    };
    ensure(seats, &NO_SEAT_NUMBER)?;
    print(ask, code, &["ticket_class", "show_time", "duration", "screening_room", "seat_number"])
}

/// What checking in needs, and their bytes.
const PASSENGER: [(&str, usize); 3] = [("passenger_name", 45), ("class", 15), ("etkt_bnr", 14)];

/// `POST /card/boardingpass/checkin`
pub(super) fn check_in(ask: &Ask<'_>) -> Told {
    let mut code = held(ask, "BOARDING_PASS")?;
    if ask.body.flag("is_cancel")?.unwrap_or(false) {
        for key in ["passenger_name", "class", "etkt_bnr", "seat", "gate", "boarding_time", "qrcode_data"] {
            code.face.remove(key);
        }
        codes::save(ask.db, &code)?;
        return Ok(told! {});
    }
    for (key, most) in PASSENGER {
        ask.body.needed(key, most, &REQUIRED)?;
    }
    let number = ask.body.text("etkt_bnr", 14)?.unwrap_or_default();
    ensure(number.bytes().all(|byte| byte.is_ascii_digit()), &PARAMETER)?;
    for key in ["seat", "gate", "qrcode_data"] {
        ensure(ask.body.text(key, TEXT)?.is_none_or(|text| !text.is_empty()), &LENGTH)?;
    }
    ask.body.number("boarding_time")?;
    let keys = ["passenger_name", "class", "etkt_bnr", "seat", "gate", "boarding_time", "qrcode_data"];
    print(ask, code, &keys)
}

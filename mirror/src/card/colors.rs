//! The palette.

use serde_json::{Value, json};

use super::ask::{Ask, Told, told};

const COLORS: [(&str, &str); 14] = [
    ("Color010", "#63b359"),
    ("Color020", "#2c9f67"),
    ("Color030", "#509fc9"),
    ("Color040", "#5885cf"),
    ("Color050", "#9062c0"),
    ("Color060", "#d09a45"),
    ("Color070", "#e4b138"),
    ("Color080", "#ee903c"),
    ("Color081", "#f08500"),
    ("Color082", "#a9d92d"),
    ("Color090", "#dd6549"),
    ("Color100", "#cc463d"),
    ("Color101", "#cf3e36"),
    ("Color102", "#5E6671"),
];

/// The RGB value of a name.
pub(super) fn value(name: &str) -> Option<&'static str> {
    COLORS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// `GET /card/getcolors`
pub(super) fn list(_: &Ask<'_>) -> Told {
    let colors: Vec<Value> =
        COLORS.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    Ok(told! {"colors": colors})
}

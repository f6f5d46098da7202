//! Which fields of an object its type does not know.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Objects are small; one that is not is looked at up to here.
const MOST: usize = 2_000;

/// The places of fields that `T` keeps without knowing them. Found from outside: a known field refuses what no field
/// can be, and an unknown one takes everything.
pub(crate) fn fields<T: DeserializeOwned>(whole: &Value) -> Vec<String> {
    let mut search = Search { whole: whole.clone(), left: MOST, found: Vec::new() };
    search.look::<T>(whole, "");
    search.found
}

struct Search {
    whole: Value,
    left: usize,
    found: Vec<String>,
}

impl Search {
    fn look<T: DeserializeOwned>(&mut self, value: &Value, at: &str) {
        match value {
            Value::Object(map) => {
                for (key, below) in map {
                    let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    if self.is_unknown::<T>(&at) {
                        self.found.push(at.trim_start_matches('/').replace('/', "."));
                    } else {
                        self.look::<T>(below, &at);
                    }
                }
            }
            Value::Array(list) => {
                for (place, below) in list.iter().enumerate() {
                    self.look::<T>(below, &format!("{at}/{place}"));
                }
            }
            _ => {}
        }
    }

    fn is_unknown<T: DeserializeOwned>(&mut self, at: &str) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let Some(place) = self.whole.pointer_mut(at) else { return false };
        let before = std::mem::replace(place, json!([[[]]]));
        let is_taken = T::deserialize(&self.whole).is_ok();
        if let Some(place) = self.whole.pointer_mut(at) {
            *place = before;
        }
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use favor_card::{
        Card, CardChanges, CreateLandingPage, GiftPage, PayGiftRule, SetMemberForm, TestWhitelist,
    };

    use super::*;

    #[test]
    fn what_is_known_is_not_named_and_what_is_not_is() {
        let mut card = json!({"card_type": "CASH", "cash": {
            "least_cost": 1, "reduce_cost": 1,
            "base_info": {
                "logo_url": "u", "brand_name": "b", "code_type": "CODE_TYPE_TEXT", "title": "t", "color": "Color010",
                "notice": "n", "description": "d", "sku": {"quantity": 5}, "get_limit": 1, "location_id_list": [1, 2],
                "use_all_locations": true, "date_info": {"type": "DATE_TYPE_FIX_TERM", "fixed_term": 5, "fixed_begin_term": 0},
            },
            "advanced_info": {
                "abstract": {"abstract": "a", "icon_url_list": ["u"]}, "business_service": ["BIZ_SERVICE_DELIVER"],
                "text_image_list": [{"image_url": "u", "text": "t"}], "use_condition": {"accept_category": "tea"},
                "time_limit": [{"type": "MONDAY", "begin_hour": 0, "end_hour": 10}],
            },
        }});
        assert_eq!(fields::<Card>(&card), [""; 0]);
        card["cash"]["base_info"]["get_limt"] = json!(5);
        card["cash"]["advanced_info"]["text_image_list"][0]["a/b"] = json!({"c": 1});
        card["notes"] = json!("x");
        let mut found = fields::<Card>(&card);
        found.sort();
        let wanted = ["cash.advanced_info.text_image_list.0.a~1b", "cash.base_info.get_limt", "notes"];
        assert_eq!(found, wanted);
        let changes = json!({"cash": {"base_info": {"title": "t", "sku": {"quantity": 1}}}});
        assert_eq!(fields::<CardChanges>(&changes), ["cash.base_info.sku"]);
    }

    #[test]
    fn other_objects_are_looked_at_too() {
        let none = |found: Vec<String>| assert_eq!(found, [""; 0]);
        none(fields::<TestWhitelist>(&json!({"openid": ["o"], "username": ["u"]})));
        assert_eq!(fields::<TestWhitelist>(&json!({"openids": ["o"]})), ["openids"]);
        none(fields::<CreateLandingPage>(&json!({"banner": "u", "page_title": "t", "can_share": true,
            "scene": "SCENE_MENU", "card_list": [{"card_id": "p", "thumb_url": "u"}]})));
        none(fields::<PayGiftRule>(&json!({"type": "RULE_TYPE_PAY_MEMBER_CARD",
            "base_info": {"mchid_list": ["1"], "begin_time": 1, "end_time": 2},
            "member_rule": {"card_id": "p", "least_cost": 1, "max_cost": 2}})));
        none(fields::<SetMemberForm>(&json!({"card_id": "p", "required_form": {"can_modify": false,
            "common_field_id_list": ["USER_FORM_INFO_FLAG_SEX"], "custom_field_list": ["a"],
            "rich_field_list": [{"type": "FORM_FIELD_RADIO", "name": "n", "values": ["1"]}]}})));
        none(fields::<GiftPage>(
            &json!({"banner_pic_url": "u", "theme_list": [{"theme_pic_url": "u", "title": "t",
            "title_color": "#000000", "item_list": [{"card_id": "p"}], "pic_item_list": [{"background_pic_url": "u"}]}],
            "category_list": [{"title": "t"}], "cell_1": {"title": "t", "url": "u"}}),
        ));
    }
}

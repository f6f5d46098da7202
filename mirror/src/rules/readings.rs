//! What is only assumed about production, as switches: all of them, in one place.
//!
//! Where the protocol reference marks something as unconfirmed and a client may depend on it, the mirror can act
//! by either reading. A switch's first value is its default: the best reading.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// One switch, with every way it can stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// Its name in [`Readings`], in the seed file and in control calls.
    pub name: &'static str,
    /// Section of the protocol reference that leaves it open.
    pub section: &'static str,
    /// What it decides.
    pub question: &'static str,
    /// The value in force.
    pub value: serde_json::Value,
    /// Each value there is and what it means; the default first.
    pub values: Vec<(&'static str, &'static str)>,
}

macro_rules! readings {
    ($(
        $(#[$doc:meta])*
        $field:ident: $kind:ident = $section:literal, $question:literal {
            $($(#[$value_doc:meta])* $value:ident = $wire:literal $meaning:literal;)+
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
            pub enum $kind {
                $($(#[$value_doc])* #[serde(rename = $wire)] $value,)+
            }

            impl $kind {
                const VALUES: &'static [(Self, &'static str, &'static str)] =
                    &[$((Self::$value, $wire, $meaning)),+];
            }

            impl Default for $kind {
                fn default() -> Self {
                    Self::VALUES[0].0
                }
            }
        )*

        /// How the mirror reads what is not documented. Each field is a switch; its type says what each value
        /// means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Readings {
            $($(#[$doc])* pub $field: $kind,)*
            /// Hours after which the number of a request is free again and makes something new; 0 is never.
            pub number_lifetime_hours: u32,
        }

        impl Readings {
            /// Every switch with its section, its values and how it stands.
            #[must_use]
            pub fn list(&self) -> Vec<Reading> {
                let mut list = vec![$(Reading {
                    name: stringify!($field),
                    section: $section,
                    question: $question,
                    value: wire($kind::VALUES, self.$field).into(),
                    values: $kind::VALUES.iter().map(|(_, wire, meaning)| (*wire, *meaning)).collect(),
                }),*];
                list.push(Reading {
                    name: "number_lifetime_hours",
                    section: "2.18, 9.2 U6",
                    question: "how long an out_request_no is remembered, by the test clock",
                    value: self.number_lifetime_hours.into(),
                    values: vec![
                        ("0", "for ever"),
                        ("1…4294967295", "hours after which the same number makes something new"),
                    ],
                });
                list
            }
        }
    };
}

impl Readings {
    /// Whether a number under which something was made at `made` can be used anew.
    pub(crate) fn number_is_free(self, made: Moment, now: Moment) -> bool {
        let life = i64::from(self.number_lifetime_hours) * 3_600_000;
        life > 0 && now >= made.plus_millis(life)
    }

    /// The time by which a stock's status is shown. A stock whose status stays never comes to its end.
    pub(crate) fn status_time(self, now: Moment) -> Moment {
        match self.ended_status {
            EndedStatus::Stopped => now,
            EndedStatus::Kept => Moment::from_millis(i64::MIN),
        }
    }
}

fn wire<T: Copy + PartialEq>(values: &[(T, &'static str, &'static str)], value: T) -> &'static str {
    values.iter().find(|(known, _, _)| *known == value).map_or("", |(_, wire, _)| *wire)
}

readings! {
    /// A start of a stock that runs already.
    repeated_start: RepeatedStart = "3.2, 4.1, 9.2 U13", "a start of a stock that runs already" {
        /// Success with the time of the first start.
        Unchanged = "unchanged" "success, with the time of the first start; nothing changes";
        /// `INVALID_REQUEST`.
        Refused = "refused" "400 INVALID_REQUEST 活动已结束或未激活";
    }
    /// A pause of a paused stock, a restart of a running one, a stop of a stopped one.
    repeated_change: RepeatedChange = "4.1, 9.2 U13", "a pause, restart or stop that has happened already" {
        /// Success with the time of the first one.
        Unchanged = "unchanged" "success, with the time of the first one; nothing changes";
        /// `INVALID_REQUEST`.
        Refused = "refused" "400 INVALID_REQUEST 活动已结束或未激活";
    }
    /// A number that is used again with another content.
    number_reused: NumberReused = "5.2, 5.3, 9.2 U6", "an out_request_no used again with another content" {
        /// `INVALID_REQUEST`.
        InvalidRequest = "invalid_request" "400 INVALID_REQUEST, as the payments side does";
        /// `DUPREQUEST`, as merchant coupons do.
        Duplicate = "duplicate" "400 DUPREQUEST, as merchant coupons do";
        /// The other content is not looked at.
        FirstResult = "first_result" "success with what the first request made; the new content is ignored";
    }
    /// Two sends to one user at the same moment.
    concurrent_sends: ConcurrentSends = "3.11", "a send while another send to the same user is under way" {
        /// Each is judged by the limits.
        Exact = "exact" "the limits decide, exactly";
        /// Refused as if the user had reached the limit.
        FalseLimit = "false_limit" "403 REQUEST_BLOCKED 用户已达最大领券次数, though the limit is not reached: seen in production";
    }
    /// The state shown once a stock's window is over.
    ended_status: EndedStatus = "4.1, 9.2 U7", "the status of a stock after its end" {
        /// `stoped`.
        Stopped = "stoped" "stoped, whatever it was before";
        /// The state it had.
        Kept = "kept" "the state it had, such as running; a client judges by available_end_time";
    }
    /// A send to a stock that does not give coupons now.
    send_not_running: SendNotRunning = "4.1, 9.2 U4", "a send to a stock that does not give coupons now" {
        /// By its state.
        ByState = "by_state" "never started or stopped: INVALID_REQUEST; paused or outside its window: REQUEST_BLOCKED";
        /// `INVALID_REQUEST` always.
        InvalidRequest = "invalid_request" "400 INVALID_REQUEST 活动已结束或未激活 in every case";
        /// `REQUEST_BLOCKED` always.
        RequestBlocked = "request_blocked" "403 REQUEST_BLOCKED 活动未开始或已结束 in every case";
    }
    /// A send beyond the daily budget.
    daily_budget: DailyBudget = "3.11, 9.2 U3", "the code of a send beyond the daily budget" {
        /// `NOT_ENOUGH`.
        NotEnough = "not_enough" "403 NOT_ENOUGH 发券超过单天限额";
        /// `RULE_LIMIT`.
        RuleLimit = "rule_limit" "403 RULE_LIMIT 发券超过单天限额";
    }
    /// The place in the budget of a coupon that is refunded.
    refunded_place: RefundedPlace = "5.3, 9.2 U14", "the place in the budget of a coupon whose order is refunded wholly" {
        /// It stays taken.
        Taken = "taken" "it stays taken: no other coupon is given for it";
        /// One more coupon may be given.
        Freed = "freed" "it is free again: the first whole refund of a coupon lets one more be given";
    }
    /// A send that names another merchant as the stock's creator.
    wrong_creator: WrongCreator = "3.11, 5.3", "a send whose stock_creator_mchid did not create the stock" {
        /// 404.
        NotFound = "not_found" "404 RESOURCE_NOT_EXISTS 批次不存在";
        /// 500, as seen.
        SystemError = "system_error" "500 SYSTEM_ERROR, as seen in production";
    }
    /// A start in a stock's first minute.
    too_soon: TooSoon = "3.2", "a start in a stock's first minute" {
        /// `INVALID_REQUEST`.
        InvalidRequest = "invalid_request" "400 INVALID_REQUEST 卡包信息尚未注册完成，请稍后重试";
        /// 500, as seen too.
        SystemError = "system_error" "500 SYSTEM_ERROR, as seen in production too";
    }
    /// An available merchant that does not exist.
    unknown_merchant: UnknownMerchant = "5.2", "a new stock with an available merchant that does not exist" {
        /// `MCH_NOT_EXISTS`.
        MchNotExists = "mch_not_exists" "400 MCH_NOT_EXISTS 商户号不合法";
        /// `INVALID_REQUEST`.
        InvalidRequest = "invalid_request" "400 INVALID_REQUEST 非法的商户号";
    }
    /// A list of stocks without any.
    empty_stock_list: EmptyStockList = "3.6", "a list of stocks that would be empty" {
        /// 404, as seen.
        NotFound = "not_found" "404 RESOURCE_NOT_EXISTS 批次不存在, as seen in production";
        /// An empty list.
        Empty = "empty" "200 with total_count 0 and without data";
    }
    /// A page that does not exist.
    page_past_end: PagePastEnd = "3.8, 3.9, 3.13", "a page past the end of a list of merchants, goods or coupons" {
        /// `MCH_NOT_EXISTS`, as seen.
        MchNotExists = "mch_not_exists" "400 MCH_NOT_EXISTS 商户号不合法, as seen in production";
        /// An empty page.
        Empty = "empty" "200 without data";
    }
    /// A callback address that cannot be one.
    bad_callback: BadCallback = "3.15, 5.4", "a notify_url that is not acceptable" {
        /// `PARAM_ERROR`.
        ParamError = "param_error" "400 PARAM_ERROR";
        /// 500, as seen.
        SystemError = "system_error" "500 SYSTEM_ERROR 系统繁忙, as seen in production";
    }
    /// A callback address that was never set.
    unset_callback: UnsetCallback = "3.14, 9.2 U16", "reading a callback address that was never set" {
        /// 404.
        NotFound = "not_found" "404 RESOURCE_NOT_EXISTS";
        /// An empty text.
        Empty = "empty" "200 with an empty notify_url";
    }
    /// A field in a body that the documentation does not name.
    extra_fields: ExtraFields = "5.1", "a field in a JSON body that the documentation does not name" {
        /// It is ignored.
        Ignored = "ignored" "ignored";
        /// `PARAM_ERROR`.
        Refused = "refused" "400 PARAM_ERROR 参数错误，请核对文档要求";
    }
    /// An upload whose signature does not fit.
    image_signature: ImageSignature = "3.18", "an upload whose signature is over anything but the text of meta" {
        /// 401, as for every other call.
        SignError = "sign_error" "401 SIGN_ERROR, as for every other call";
        /// 403, as the endpoint's own table says.
        RequestBlocked = "request_blocked" "403 REQUEST_BLOCKED 签名信息不匹配, as the endpoint's own table says";
    }
    /// A nonce that the same merchant used in the last ten minutes.
    reused_nonce: ReusedNonce = "2.5, 9.2 U18", "a nonce_str that the merchant has used within ten minutes" {
        /// It is taken.
        Accepted = "accepted" "taken like any other";
        /// `SIGN_ERROR`.
        Refused = "refused" "401 SIGN_ERROR";
    }
    /// A request without `User-Agent`.
    missing_user_agent: MissingUserAgent = "2.4, 5.1", "a request without User-Agent" {
        /// It is taken.
        Accepted = "accepted" "taken; the request log remarks on it";
        /// 403 without body.
        Refused = "refused" "403 without a JSON body, unsigned";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_switch_is_listed_with_its_default_first() {
        let list = Readings::default().list();
        let fields = serde_json::to_value(Readings::default()).unwrap();
        let fields = fields.as_object().unwrap();
        assert_eq!(list.len(), fields.len());
        for reading in list {
            assert_eq!(fields[reading.name], reading.value, "{}", reading.name);
            assert!(!reading.section.is_empty() && reading.values.len() >= 2, "{}", reading.name);
            if reading.value.is_string() {
                assert_eq!(reading.value, reading.values[0].0, "{}", reading.name);
            }
        }
    }

    #[test]
    fn each_listed_value_can_be_read_back() {
        for reading in Readings::default().list() {
            for (value, _) in reading.values.iter().filter(|_| reading.value.is_string()) {
                let readings: Readings = serde_json::from_value(json!({ reading.name: value })).unwrap();
                let now = readings.list().into_iter().find(|other| other.name == reading.name).unwrap();
                assert_eq!(now.value, *value, "{}", reading.name);
            }
        }
        assert!(serde_json::from_value::<Readings>(json!({ "no_such": 1 })).is_err());
        assert!(serde_json::from_value::<Readings>(json!({ "ended_status": "x" })).is_err());
    }
}

//! What happens between authentication and the endpoint.

use super::{NUMBER_UNKNOWN, rules};

rules! {
    NO_SUCH_PATH = "edge.path", Seen, "2.16.2", 404 "NOT_FOUND"
        "请求的资源不存在", NUMBER_UNKNOWN,
        "no endpoint has this method and path";
    USER_AGENT = "edge.user_agent", Assumed, "5.1", 403 ""
        "", NUMBER_UNKNOWN,
        "a request has a User-Agent; the reading missing_user_agent asks for this answer";
    RATE = "edge.rate", Documented, "2.17", 429 "FREQUENCY_LIMIT_EXCEED"
        "接口限频", 268_461_336,
        "more calls of this endpoint than the documentation allows";
    FOREIGN_PUBLIC_KEY = "edge.wechatpay_serial", Assumed, "2.13", 400 "PARAM_ERROR"
        "请求头中的Wechatpay-Serial有误", NUMBER_UNKNOWN,
        "Wechatpay-Serial names a public key that is not this platform's";
    SYSTEM_ERROR = "edge.system_error", Documented, "2.16.2", 500 "SYSTEM_ERROR"
        "系统错误", 272_888_874,
        "the mirror could not read or write its storage; whether the call took effect is unknown";
    TOO_LARGE = "edge.body_size", Assumed, "5.1", 400 "PARAM_ERROR"
        "请求内容过大", NUMBER_UNKNOWN,
        "the request body is larger than any endpoint takes";
    BODY_BROKEN = "edge.body_broken", Assumed, "2.3", 400 "PARAM_ERROR"
        "请求内容不完整", NUMBER_UNKNOWN,
        "the request body ended early or was not framed as HTTP wants it";
    TOO_SLOW = "edge.body_time", Assumed, "2.1", 408 "PARAM_ERROR"
        "请求超时", NUMBER_UNKNOWN,
        "the request body did not arrive in time";
}

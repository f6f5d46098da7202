//! Who is calling. All of these are answered with 401 and are not signed.

use super::{NUMBER_UNKNOWN, rules};

rules! {
    HEADER = "authentication.header", Seen, "2.6", 401 "SIGN_ERROR"
        "Authorization不合法", NUMBER_UNKNOWN,
        "the Authorization header is missing, malformed, lacks an item or names an unknown scheme";
    MERCHANT = "authentication.merchant", Assumed, "2.6", 401 "SIGN_ERROR"
        "商户号不存在", 269_546_538,
        "the mchid of the header is not known";
    NO_CERTIFICATE = "authentication.no_certificate", Seen, "2.6", 401 "SIGN_ERROR"
        "商户未申请过证书", NUMBER_UNKNOWN,
        "the merchant has no API certificate";
    SERIAL = "authentication.serial", Seen, "2.6", 401 "SIGN_ERROR"
        "商户证书序列号有误", 269_546_507,
        "serial_no names no certificate of this merchant";
    EXPIRED = "authentication.expired", Assumed, "2.6", 401 "SIGN_ERROR"
        "商户证书已过期", 269_546_505,
        "the merchant's API certificate has ended";
    TIMESTAMP = "authentication.timestamp", Seen, "2.5", 401 "SIGN_ERROR"
        "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", 268_573_590,
        "the timestamp is 300 seconds or more away from the server's clock";
    NONCE = "authentication.nonce", Assumed, "2.5", 401 "SIGN_ERROR"
        "Http头Authorization中的nonce_str重复", NUMBER_UNKNOWN,
        "a nonce_str is used once; the reading reused_nonce asks for this answer";
    SIGNATURE = "authentication.signature", Documented, "2.6", 401 "SIGN_ERROR"
        "错误的签名，验签失败", 269_546_525,
        "the signature does not fit the message that the server built";
}

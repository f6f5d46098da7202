//! Platform certificates.

use super::{NUMBER_UNKNOWN, rules};

rules! {
    NO_CERTIFICATES = "certificates.none", Seen, "2.12", 404 "RESOURCE_NOT_EXISTS"
        "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥", NUMBER_UNKNOWN,
        "the merchant works with the public key only, or its certificates have been declared void";
    ALGORITHM = "certificates.algorithm_type", Documented, "2.12", 400 "PARAM_ERROR"
        "参数“算法类型”取值有误", NUMBER_UNKNOWN,
        "algorithm_type is RSA, SM2 or ALL";
}

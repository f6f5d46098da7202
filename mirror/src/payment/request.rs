//! What a control call may say about a payment or a refund.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A payment with a coupon. What is not given has a default.
///
/// ```
/// use favor_mirror::Redeem;
///
/// let payment = Redeem { total_amount: Some(3_850), device_no: Some("POS-7".into()), ..Redeem::default() };
/// # assert!(payment.transaction_id.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redeem {
    /// Order total in fen. Default: the coupon's threshold.
    pub total_amount: Option<i64>,
    /// Where it is paid. Default: the stock's first available merchant.
    pub consume_mchid: Option<String>,
    /// Number of the payment, 1 to 32 letters, digits or `_ - | *`. Default: one made from date and count.
    pub transaction_id: Option<String>,
    /// What is bought. Default: nothing, and for a single-item coupon one piece of the stock's first goods.
    pub goods_detail: Option<Vec<GoodsDetail>>,
    /// Number of the device, for flow files. In JSON a text, or `{"base64":"…"}` for bytes that are no text.
    #[serde(deserialize_with = "text_or_base64")]
    pub device_no: Option<Vec<u8>>,
    /// Number the bank gave, for flow files.
    pub bank_serial: Option<String>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoodsDetail {
    /// The merchant's own code.
    pub goods_id: String,
    /// Pieces.
    pub quantity: i64,
    /// Price of a piece in fen.
    pub price: i64,
    /// What the coupon took off, in fen.
    pub discount_amount: i64,
}

/// The refund of an order that was paid with a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refund {
    /// How much of the order total, in fen. Default: all that is left.
    pub amount: Option<i64>,
}

fn text_or_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Bytes { base64: String },
    }
    Ok(match Option::<Form>::deserialize(deserializer)? {
        Some(Form::Text(text)) => Some(text.into_bytes()),
        Some(Form::Bytes { base64 }) => Some(STANDARD.decode(base64).map_err(de::Error::custom)?),
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_number_is_text_or_bytes() {
        let read = |text: &str| serde_json::from_str::<Redeem>(text).map(|payment| payment.device_no);
        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(read(r#"{"device_no":"POS"}"#).unwrap(), Some(b"POS".to_vec()));
        assert_eq!(read(r#"{"device_no":{"base64":"/w=="}}"#).unwrap(), Some(vec![0xFF]));
        assert!(read(r#"{"device_no":{"base64":"?"}}"#).is_err());
        assert!(read(r#"{"device":"POS"}"#).is_err());
    }
}

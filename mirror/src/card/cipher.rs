//! Signatures and encryption of pushed messages.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::random;

/// Size that a message is padded to, of which the cipher itself knows nothing.
const BLOCK: usize = 32;
/// The cipher's own block.
const CIPHER_BLOCK: usize = 16;

/// SHA-1 over the texts, sorted by their bytes and joined, as 40 lower-case digits.
pub(crate) fn sorted_sha1(texts: &[String]) -> String {
    let mut sorted: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    sorted.sort_unstable();
    random::encode_hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &sorted.concat()).as_ref()).to_lowercase()
}

/// The 32 bytes of an EncodingAESKey; its last character may have spare bits.
pub(crate) fn key(encoded: &str) -> Option<[u8; 32]> {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    if encoded.len() != 43 {
        return None;
    }
    engine.decode(format!("{encoded}=")).ok()?.try_into().ok()
}

/// `<Encrypt>`: 16 random characters, length, message and appid, by AES-256-CBC, in base64.
pub(crate) fn encrypt(key: [u8; 32], start: [u8; 16], xml: &str, appid: &str) -> Option<String> {
    let length = u32::try_from(xml.len()).ok()?;
    let mut text = start.to_vec();
    text.extend(length.to_be_bytes());
    text.extend(xml.as_bytes());
    text.extend(appid.as_bytes());
    let padding = BLOCK - text.len() % BLOCK;
    text.resize(text.len() + padding, u8::try_from(padding).ok()?);
    let whole = text.len();
    let mut iv = [0; CIPHER_BLOCK];
    iv.copy_from_slice(&key[..CIPHER_BLOCK]);
    let cipher = UnboundCipherKey::new(&AES_256, &key).ok()?;
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).ok()?;
    cipher.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    // The library adds a block of padding of its own, which nothing before it depends on.
    text.truncate(whole);
    Some(STANDARD.encode(text))
}

/// What is in an `<Encrypt>`: the message and the appid. `None` when it was not sealed with this key.
pub(crate) fn decrypt(key: [u8; 32], sealed: &str) -> Option<(String, String)> {
    let mut text = STANDARD.decode(sealed).ok().filter(|text| text.len() % CIPHER_BLOCK == 0)?;
    let mut iv = [0; CIPHER_BLOCK];
    iv.copy_from_slice(&key[..CIPHER_BLOCK]);
    let cipher = DecryptingKey::cbc(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
    let text = cipher.decrypt(&mut text, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    let padding = usize::from(*text.last()?);
    let text = text.get(..text.len().checked_sub(padding)?).filter(|_| (1..=BLOCK).contains(&padding))?;
    // After 16 random characters.
    let (length, rest) = text.get(CIPHER_BLOCK..)?.split_first_chunk()?;
    let (xml, appid) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((String::from_utf8(xml.to_vec()).ok()?, String::from_utf8(appid.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn signatures_of_known_texts() {
        let token = sorted_sha1(&texts(&["merchantToken01", "1700000000", "1320562132"]));
        assert_eq!(token, "3f63ed522022c0fcd53178a32d070e19e3c906b2");
        let ext = [
            "1434008071",
            "1404896688",
            "pjZ8Yt1XGILfi-FUsewpnnolGgZk",
            "ojZ8YtyVyr30HheH3CM73y7h4jJE",
            "123",
        ];
        assert_eq!(sorted_sha1(&texts(&ext)), "f137ab68b7f8112d20ee528ab6074564e2796250");
    }

    #[test]
    fn a_known_message_is_encrypted_the_same() {
        let key = key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap();
        let hex = random::encode_hex(&key).to_lowercase();
        assert_eq!(hex, "69b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3d0010831051");
        let xml = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oTESTopenid00000000000000001]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[card_pass_check]]></Event><CardId><![CDATA[pTESTcard0000000000000000001]]></CardId></xml>";
        let sealed = encrypt(key, *b"0123456789abcdef", xml, "wx1234567890abcdef").unwrap();
        assert!(sealed.starts_with("Q3stYC6hdFzMh9T8HCvyDHtjeImVXrSOvlstxeNvL5relTfoE0fNhl3Llt4vpT0GVvY0"));
        let parts = texts(&["merchantToken01", "1700000000", "1320562132", &sealed]);
        assert_eq!(sorted_sha1(&parts), "0891d836b50c987207e35df1e7f98ffafd58587e");
    }

    #[test]
    fn messages_are_padded_to_32_bytes() {
        for length in 0..64 {
            let sealed = encrypt([7; 32], [b'0'; 16], &"x".repeat(length), "wx").unwrap();
            assert_eq!(STANDARD.decode(sealed).unwrap().len(), (22 + length) / 32 * 32 + 32, "{length}");
        }
    }

    #[test]
    fn keys_have_43_characters() {
        assert!(key("short").is_none() && key(&"!".repeat(43)).is_none());
    }
}

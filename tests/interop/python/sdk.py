"""A wechatpayv3 client of the mirror's merchant, made as its users make theirs."""
import pathlib

from wechatpayv3 import WeChatPay, WeChatPayType


def client(mirror, public_key=False, **options):
    """With WeChat's public key given, or else with certificates, which it downloads."""
    if public_key:
        options["public_key"] = pathlib.Path(mirror.public_key_file).read_text()
        options["public_key_id"] = mirror.public_key_id
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=mirror.mchid,
        private_key=pathlib.Path(mirror.private_key_file).read_text(),
        cert_serial_no=mirror.serial_no,
        apiv3_key=mirror.api_v3_key,
        appid=mirror.appid,
        notify_url="https://shop.example.com/pay",
        **options,
    )

"""wechatpayv3, unmodified, against the mirror: every cash-coupon operation it has. It verifies each 2xx answer by itself.

Its host is fixed in its code, so it goes through the mirror's proxy, by the environment that `favor mirror` prints.
"""
import hashlib
import json
import os
import pathlib
import tempfile
import unittest
import unittest.mock
import urllib.parse

import requests

from mirror import Mirror
from sdk import client
from stock import create_stock

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PERSON = "oPython0001"


class CashCoupons(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mirror = Mirror()
        cls.addClassCleanup(lambda: cls.mirror.stop())
        environment = unittest.mock.patch.dict(os.environ, cls.mirror.environment())
        environment.start()
        cls.addClassCleanup(environment.stop)
        cls.sdk = client(cls.mirror)
        cls.stock = cls.create("python_1")
        cls.mirror.control("clock", {"advance_seconds": 61})
        cls.ok(cls.sdk.marketing_favor_stock_start(cls.mirror.mchid, cls.stock))
        sent = cls.sdk.marketing_favor_stock_send(cls.stock, PERSON, "python_send_1", cls.mirror.mchid)
        cls.coupon = cls.ok(sent)["coupon_id"]

    @staticmethod
    def ok(answer):
        code, text = answer
        assert code == 200, (code, text)
        return json.loads(text)

    @classmethod
    def create(cls, number):
        return cls.ok(create_stock(cls.mirror, cls.sdk, number))["stock_id"]

    def test_stock_is_queried_and_listed(self):
        stock = self.ok(self.sdk.marketing_favor_stock_detail(self.mirror.mchid, self.stock))
        self.assertEqual(stock["stock_id"], self.stock)
        listed = self.ok(self.sdk.marketing_favor_stock_list(stock_creator_mchid=self.mirror.mchid, limit=10))
        self.assertIn(self.stock, [one["stock_id"] for one in listed["data"]])
        code, text = self.sdk.marketing_favor_stock_list(stock_creator_mchid=self.mirror.mchid, limit=11)
        self.assertEqual((code, json.loads(text)["code"]), (400, "PARAM_ERROR"))

    def test_a_raw_plus_in_a_time_is_a_blank(self):
        code, text = self.sdk.marketing_favor_stock_list(
            stock_creator_mchid=self.mirror.mchid, limit=10, create_start_time="2026-01-01T00:00:00+08:00"
        )
        self.assertEqual((code, json.loads(text)["code"]), (400, "PARAM_ERROR"))

    def test_pause_and_restart(self):
        stock = self.create("python_2")
        self.mirror.control("clock", {"advance_seconds": 61})
        self.ok(self.sdk.marketing_favor_stock_start(self.mirror.mchid, stock))
        self.assertIn("pause_time", self.ok(self.sdk.marketing_favor_stock_pause(self.mirror.mchid, stock)))
        code, _ = self.sdk.marketing_favor_stock_send(stock, PERSON, "python_paused", self.mirror.mchid)
        self.assertEqual(code, 403)
        self.assertIn("restart_time", self.ok(self.sdk.marketing_favor_stock_restart(self.mirror.mchid, stock)))

    def test_merchants_and_items(self):
        merchants = self.ok(self.sdk.marketing_favor_stock_merchant(self.mirror.mchid, self.stock))
        self.assertEqual(merchants["data"], [self.mirror.mchid])
        items = self.ok(self.sdk.marketing_favor_stock_item(self.mirror.mchid, self.stock))
        self.assertEqual(items["data"], ["tea-1", "tea-2"])

    def test_coupon_is_queried_and_listed(self):
        coupon = self.ok(self.sdk.marketing_favor_coupon_detail(self.coupon, PERSON))
        self.assertEqual(coupon["coupon_id"], self.coupon)
        listed = self.ok(self.sdk.marketing_favor_user_coupon(PERSON, creator_mchid=self.mirror.mchid))
        self.assertIn(self.coupon, [one["coupon_id"] for one in listed["data"]])

    def test_the_same_number_is_the_same_coupon(self):
        again = self.sdk.marketing_favor_stock_send(self.stock, PERSON, "python_send_1", self.mirror.mchid)
        self.assertEqual(self.ok(again)["coupon_id"], self.coupon)

    def test_callback_address(self):
        url = "https://shop.example.com/coupons"
        self.assertIn("update_time", self.ok(self.sdk.marketing_favor_callback_update(notify_url=url)))

    def test_image_upload(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "logo.png"
            path.write_bytes(PNG)
            uploaded = self.ok(self.sdk.marketing_image_upload(str(path)))
        self.assertTrue(uploaded["media_url"].startswith("https://api.mch.weixin.qq.com/"), uploaded)
        self.assertEqual(requests.get(uploaded["media_url"]).content, PNG)

    def test_use_and_refund_flow(self):
        stock = self.create("python_3")
        self.mirror.control("clock", {"advance_seconds": 61})
        self.ok(self.sdk.marketing_favor_stock_start(self.mirror.mchid, stock))
        coupon = self.ok(self.sdk.marketing_favor_stock_send(stock, PERSON, "python_flow", self.mirror.mchid))["coupon_id"]
        code, text = self.sdk.marketing_favor_use_flow(stock)
        self.assertEqual((code, json.loads(text)["code"]), (404, "RESOURCE_NOT_EXISTS"))
        redeemed = self.mirror.control(f"coupons/{coupon}/redeem", {"total_amount": 3000})
        self.assertEqual(redeemed["status"], "USED")
        self.mirror.control(f"coupons/{coupon}/refund", {})
        self.mirror.control("clock", {"advance_seconds": 32 * 86400})
        for ask in (self.sdk.marketing_favor_use_flow, self.sdk.marketing_favor_refund_flow):
            link = self.ok(ask(stock))
            parts = urllib.parse.urlsplit(link["url"])
            # The file is not signed, so the SDK is told not to verify it.
            code, content = self.sdk._core.request(f"{parts.path}?{parts.query}", skip_verify=True)
            content = content if isinstance(content, bytes) else content.encode()
            self.assertEqual(code, 200)
            self.assertEqual(hashlib.sha1(content).hexdigest(), link["hash_value"].lower())
            self.assertIn(f"`{coupon}".encode(), content)
            self.assertTrue(content.endswith("总条数\r\n`1\r\n".encode()), content[-40:])

    def test_a_spoilt_answer_is_rejected(self):
        self.mirror.control("faults", [{"operation": "stock.get", "kind": "corrupt_signature"}])
        with self.assertRaisesRegex(Exception, "failed to verify the signature"):
            self.sdk.marketing_favor_stock_detail(self.mirror.mchid, self.stock)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""The mirror's notifications in the hands of wechatpayv3, unmodified: its `callback()` verifies and opens them in each
mode of WeChat's keys, and refuses what it must."""
import json
import os
import unittest
import unittest.mock
import urllib.error
import urllib.request

from mirror import Mirror
from receiver import Receiver
from sdk import client
from stock import create_stock

# The mirror's ids begin with its date, and decide in the grey week: so a run is like any other.
START = "2027-03-01T10:00:00+08:00"
DAY = 86400


class Callbacks(unittest.TestCase):
    def setUp(self):
        self.mirror = Mirror()
        self.addCleanup(lambda: self.assertEqual(self.mirror.stop(), 0))
        environment = unittest.mock.patch.dict(os.environ, self.mirror.environment())
        environment.start()
        self.addCleanup(environment.stop)
        self.mirror.control("clock", {"set": START})
        self.mirror.control("clock", {"freeze": True})
        self.given = 0

    def listen(self, certificates=True, public_key=False):
        """A client of that mode, a receiver of the notifications, and a stock that is given out."""
        if not certificates:
            self.mirror.control("keys/public-key", {"phase": "on"})
        self.sdk = client(self.mirror, public_key)
        self.receiver = Receiver(self.sdk)
        self.addCleanup(self.receiver.stop)
        self.ok(self.sdk.marketing_favor_callback_update(notify_url=self.receiver.url))
        self.stock = self.ok(create_stock(self.mirror, self.sdk, "told_1", coupons=100))["stock_id"]
        self.advance(61)
        self.ok(self.sdk.marketing_favor_stock_start(self.mirror.mchid, self.stock))

    def ok(self, answer):
        code, text = answer
        self.assertEqual(code, 200, text)
        return json.loads(text)

    def advance(self, seconds):
        self.mirror.control("clock", {"advance_seconds": seconds})

    def give(self):
        self.given += 1
        person = f"oPythonTold{self.given:04}"
        sent = self.sdk.marketing_favor_stock_send(self.stock, person, f"told_{self.given}", self.mirror.mchid)
        return person, self.ok(sent)["coupon_id"]

    def pay(self, given=None):
        """Pays with a coupon; answers how the API shows it then."""
        person, coupon = given or self.give()
        payment = {"total_amount": 3850, "transaction_id": f"T-{coupon}"}
        self.mirror.control(f"coupons/{coupon}/redeem", payment)
        return self.ok(self.sdk.marketing_favor_coupon_detail(coupon, person))

    def log(self):
        return self.mirror.control("callbacks?limit=1")["callbacks"][0]

    def assert_told(self, arrival, coupon):
        """What was opened is the coupon as the API shows it, field by field."""
        self.assertNotIn("error", arrival)
        opened = arrival["opened"]
        self.assertEqual((opened["event_type"], opened["resource_type"]), ("COUPON.USE", "encrypt-resource"))
        self.assertRegex(opened["id"], r"^EV-\d{1,33}$")
        resource = dict(opened["resource"])
        # A single-item coupon tells its discount under another name than the API.
        self.assertEqual(resource.pop("singleitem_discount_off"), {"single_price_max": 500})
        for field, value in resource.items():
            self.assertEqual(value, coupon[field], field)
        for field in (
            "stock_creator_mchid", "stock_id", "coupon_id", "coupon_name", "description", "create_time", "coupon_type",
            "no_cash", "available_begin_time", "available_end_time", "singleitem",
        ):
            self.assertIn(field, resource)
        self.assertEqual((resource["status"], resource["singleitem"]), ("USED", True))
        consumed = resource["consume_information"]
        self.assertEqual(consumed["transaction_id"], f"T-{coupon['coupon_id']}")
        self.assertEqual(consumed["goods_detail"][0]["goods_id"], "tea-1")
        self.assertFalse({"openid", "out_request_no"} & set(resource))

    def one(self):
        arrivals = self.receiver.take()
        self.assertEqual(len(arrivals), 1, "told once, before the payment is answered")
        return arrivals[0]

    def test_with_certificates_through_two_rotations(self):
        self.listen()
        serials = []
        for payment, given in enumerate([self.give() for _ in range(9)]):
            # The first that hears of the new certificate is the receiver.
            if payment in (3, 6):
                self.mirror.control("keys/rotate", {})
            coupon = self.pay(given)
            arrival = self.one()
            self.assert_told(arrival, coupon)
            serials.append(arrival["serial"])
        self.assertEqual(set(serials), set(self.mirror.control("keys")["serials"]))
        self.assertEqual([len(set(serials[at : at + 3])) for at in (0, 3, 6)], [1, 1, 1], serials)

    def test_with_the_public_key_alone_whatever_rotates(self):
        self.listen(certificates=False, public_key=True)
        for payment in range(4):
            if payment == 2:
                self.mirror.control("keys/rotate", {})
            coupon = self.pay()
            arrival = self.one()
            self.assert_told(arrival, coupon)
            self.assertEqual(arrival["serial"], self.mirror.public_key_id)

    def test_the_grey_week_with_both_kinds_and_a_rotation_in_it(self):
        self.listen(public_key=True)
        self.mirror.control("keys/public-key", {"phase": "grey"})
        by_day = []
        for day in range(7):
            if day == 3:
                self.mirror.control("keys/rotate", {})
            moved = 0
            for _ in range(10):
                coupon = self.pay()
                arrival = self.one()
                self.assert_told(arrival, coupon)
                moved += arrival["serial"] == self.mirror.public_key_id
            by_day.append(moved)
            self.advance(DAY)
        self.assertEqual(by_day[0], 0, by_day)
        self.assertIn(by_day[5], range(1, 10), by_day)
        self.assertEqual(by_day[6], 10, by_day)

    def test_what_is_spoilt_is_refused_and_the_true_one_follows(self):
        for certificates in (True, False):
            with self.subTest(certificates=certificates):
                self.given = 0
                self.mirror.control("reset", {})
                self.mirror.control("clock", {"set": START})
                self.mirror.control("clock", {"freeze": True})
                self.listen(certificates, public_key=not certificates)
                for kind in ("probe", "corrupt_signature", "corrupt_body", "wrong_serial", "missing_signature"):
                    self.spoilt(kind)

    def spoilt(self, kind):
        self.mirror.control("faults", [{"operation": "callback.notify", "kind": kind}])
        coupon = self.pay()
        spoilt = self.one()
        self.assertIsNone(spoilt["opened"], kind)
        if kind == "probe":
            self.assertTrue(spoilt["headers"]["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/"))
        self.assertEqual(self.log()["state"], "pending")
        self.advance(15)
        good = self.one()
        self.assert_told(good, coupon)
        log = self.log()
        self.assertEqual((log["state"], log["notification_id"]), ("delivered", good["opened"]["id"]))
        seen = [(delivery["status"], delivery["faults"]) for delivery in log["deliveries"]]
        self.assertEqual(seen, [(401, [kind]), (200, [])])

    def test_a_body_changed_on_the_way_is_refused_wherever_it_is_changed(self):
        self.listen(certificates=False, public_key=True)
        self.pay()
        arrival = self.one()
        headers = {name: value for name, value in arrival["headers"].items() if name.startswith("Wechatpay-")}

        def post(body):
            request = urllib.request.Request(self.receiver.url, body, headers)
            try:
                with urllib.request.urlopen(request) as response:
                    return response.status
            except urllib.error.HTTPError as error:
                error.close()
                return error.code

        body = arrival["body"]
        self.assertEqual(post(body), 200, "as it came it is taken again")
        for at in range(0, len(body), 41):
            changed = bytearray(body)
            changed[at] ^= 1
            self.assertEqual(post(bytes(changed)), 401, at)
        self.assertEqual(post(body + b" "), 401)

    def test_a_duplicate_and_a_replay_have_the_same_id_and_are_sealed_anew(self):
        self.listen()
        self.mirror.control("faults", [{"operation": "callback.notify", "kind": "duplicate", "copies": 3}])
        coupon = self.pay()
        self.mirror.control(f"callbacks/{self.log()['id']}/replay", {})
        arrivals = self.receiver.take()
        self.assertEqual(len(arrivals), 4)
        for arrival in arrivals:
            self.assert_told(arrival, coupon)
        self.assertEqual(len({arrival["opened"]["id"] for arrival in arrivals}), 1)
        self.assertEqual(len({json.loads(arrival["body"])["resource"]["nonce"] for arrival in arrivals}), 4)
        self.assertEqual(len({arrival["headers"]["Wechatpay-Nonce"] for arrival in arrivals}), 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)

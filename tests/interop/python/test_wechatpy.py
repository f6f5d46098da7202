"""wechatpy, unmodified, against the mirror: every call its card client has, its tokens, its signatures.

Its host is fixed in its code, so it goes through the mirror's proxy, by the environment that `favor mirror` prints.
"""
import inspect
import io
import os
import unittest
import unittest.mock
import urllib.parse

from wechatpy import WeChatClient
from wechatpy.client.api import WeChatCard
from wechatpy.exceptions import WeChatClientException
from wechatpy.session.memorystorage import MemoryStorage
from wechatpy.utils import WeChatSigner

from card_world import ANNA, BELA, PICTURE, base, card, claim, control, coupon, member_card, of_type
from mirror import Mirror

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)

# Retired long before the card API that the mirror is made after: stores moved to `/cgi-bin/poi`. No source describes
# these two any more, so the mirror has no such paths.
RETIRED = {
    "batch_add_locations": lambda cards: cards.batch_add_locations({"location_list": []}),
    "batch_get_locations": lambda cards: cards.batch_get_locations(0, 10),
}


def refused(call, *arguments, **named):
    """The errcode with which a call is refused; 0 if it is not."""
    try:
        call(*arguments, **named)
    except WeChatClientException as error:
        return error.errcode
    return 0


class Card(unittest.TestCase):
    """One test for each call or for calls that belong together; the last one counts them."""

    @classmethod
    def setUpClass(cls):
        cls.mirror = Mirror()
        cls.addClassCleanup(lambda: cls.mirror.stop())
        environment = unittest.mock.patch.dict(os.environ, cls.mirror.environment())
        environment.start()
        cls.addClassCleanup(environment.stop)
        cls.called = set()
        cls.addClassCleanup(cls.all_were_called)
        cls.client = WeChatClient(cls.mirror.appid, cls.mirror.app_secret)

    @classmethod
    def all_were_called(cls):
        """Every method of the SDK's card client was called by a test, or is retired."""
        methods = {name for name, _ in inspect.getmembers(WeChatCard, inspect.isfunction) if name[0] != "_"}
        missing, unknown = methods - cls.called, cls.called - methods
        assert not missing and not unknown, f"not called: {sorted(missing)}; not there: {sorted(unknown)}"

    def setUp(self):
        outer = self

        class Recorded:
            """The SDK's card client, and which of its methods were used."""

            def __getattr__(self, name):
                outer.called.add(name)
                return getattr(outer.client.card, name)

        self.cards = Recorded()

    def new(self, body, pass_review=True):
        """A card made by the SDK, and reviewed."""
        card_id = self.cards.create(body)
        if pass_review:
            control(self.mirror, f"cards/{card_id}/review")
        return card_id

    def held(self, body, **more):
        """A card and a code of it in Anna's hands."""
        card_id = self.new(body)
        return card_id, claim(self.mirror, card_id, **more)["code"]

    def state(self, code, card_id=None):
        return self.cards.get_code(code, card_id)["user_card_status"]

    def test_a_card_is_made_shown_listed_and_deleted(self):
        card_id = self.new(coupon(), pass_review=False)
        shown = self.cards.get(card_id)
        self.assertEqual((shown["card_type"], shown["groupon"]["deal_detail"]), ("GROUPON", "两壶茶"))
        self.assertEqual(shown["groupon"]["base_info"]["status"], "CARD_STATUS_NOT_VERIFY")
        listed = self.cards.batch_get(0, 50, ["CARD_STATUS_NOT_VERIFY"])
        self.assertIn(card_id, listed["card_id_list"])
        self.assertEqual(self.cards.delete(card_id)["errcode"], 0)
        self.assertEqual(refused(self.cards.get, "p" * 28), 40073)

    def test_a_card_is_changed(self):
        card_id = self.new(coupon())
        changes = {"card_id": card_id, "groupon": {"base_info": {"notice": "出示此券"}}}
        self.assertIs(self.cards.update(changes)["send_check"], True)
        self.assertEqual(self.cards.get(card_id)["groupon"]["base_info"]["notice"], "出示此券")

    def test_stock_goes_up_and_down(self):
        card_id = self.new(coupon())
        self.cards.modify_stock(card_id, 7)
        self.cards.modify_stock(card_id, -2)
        self.assertIsNone(self.cards.modify_stock(card_id, 0))
        sku = self.cards.get(card_id)["groupon"]["base_info"]["sku"]
        self.assertEqual(sku, {"quantity": 10, "total_quantity": 10})
        self.assertEqual(refused(self.cards.modify_stock, card_id, -11), 45031)

    def test_colors(self):
        colors = self.cards.get_colors()
        self.assertEqual((len(colors), colors[0]["name"], colors[0]["value"].lower()), (14, "Color010", "#63b359"))

    def test_a_pay_cell(self):
        card_id = self.new(coupon())
        self.assertEqual(self.cards.set_paycell(card_id, True)["errcode"], 0)

    def test_a_qr_code_a_shelf_and_an_article(self):
        card_id = self.new(coupon())
        info = {"card": {"card_id": card_id, "outer_str": "poster-7"}}
        ticket = self.cards.create_qrcode({"action_name": "QR_CARD", "action_info": info})
        taken = control(self.mirror, "claim", ticket=ticket, openid=ANNA)
        self.assertEqual((taken["card_id"], taken["outer_str"]), (card_id, "poster-7"))
        shelf = self.cards.create_landingpage({
            "banner": PICTURE, "page_title": "茶", "can_share": True, "scene": "SCENE_NEAR_BY",
            "card_list": [{"card_id": card_id, "thumb_url": PICTURE}],
        })
        self.assertTrue(shelf["url"].startswith("https://mp.weixin.qq.com/"), shelf)
        self.assertIn(card_id, self.cards.get_html(card_id))

    def test_testers_take_what_is_not_reviewed(self):
        card_id = self.new(coupon(), pass_review=False)
        self.cards.set_test_whitelist([BELA], ["tester_li"])
        self.assertEqual(claim(self.mirror, card_id, BELA)["card_id"], card_id)

    def test_a_code_is_looked_at_decrypted_and_redeemed(self):
        card_id = self.new(coupon())
        taken = claim(self.mirror, card_id)
        code = taken["code"]
        self.assertEqual(self.cards.decrypt_code(taken["encrypt_code"]), code)
        shown = self.cards.get_code(code, check_consume=False)
        self.assertEqual((shown["openid"], shown["can_consume"]), (ANNA, True))
        listed = self.cards.get_card_list(ANNA, card_id)
        self.assertEqual([one["code"] for one in listed["card_list"]], [code])
        self.assertEqual(self.cards.consume_code(code)["openid"], ANNA)
        self.assertEqual(refused(self.cards.consume_code, code), 40099)
        self.assertEqual(self.state(code), "CONSUMED")

    def test_a_code_is_replaced_and_made_invalid(self):
        card_id, code = self.held(coupon(use_custom_code=True), code="AB-000123")
        self.cards.update_code(card_id, code, "AB-900123")
        self.assertEqual(refused(self.cards.get_code, code, card_id), 40056)
        self.cards.invalid_code("AB-900123", card_id)
        self.assertEqual(self.state("AB-900123", card_id), "UNAVAILABLE")

    def test_codes_are_deposited_counted_and_checked(self):
        mode = "GET_CUSTOM_CODE_MODE_DEPOSIT"
        body = coupon(use_custom_code=True, get_custom_code_mode=mode, sku={"quantity": 0})
        card_id = self.new(body)
        self.assertEqual(self.cards.deposit_code(card_id, ["AB-1", "AB-2"])["succ_code"], ["AB-1", "AB-2"])
        self.assertEqual(self.cards.get_deposit_count(card_id)["count"], 2)
        checked = self.cards.check_code(card_id, ["AB-1", "AB-9"])
        self.assertEqual((checked["exist_code"], checked["not_exist_code"]), (["AB-1"], ["AB-9"]))

    def test_a_member_joins_by_form_and_gains_points(self):
        page = "https://shop.example/joined"
        body = member_card(wx_activate_after_submit=True, wx_activate_after_submit_url=page)
        card_id, code = self.held(body)
        self.cards.set_activate_user_form(
            card_id, required_form={"common_field_id_list": ["USER_FORM_INFO_FLAG_MOBILE"]}
        )
        url = self.cards.get_activate_url(card_id, "poster-7")
        self.assertIn("&outer_str=poster%2D7&", url)
        fields = [{"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "13800000000"}]
        ticket = control(self.mirror, "submit-form", code=code, common_field_list=fields)["activate_ticket"]
        self.assertEqual(self.cards.get_activate_info(ticket)["common_field_list"], fields)
        self.cards.activate_membercard("VIP00000042", code, card_id=card_id, init_bonus=100)
        updated = self.cards.update_membercard(code, card_id, add_bonus=3, record_bonus="消费30元")
        self.assertEqual((updated["result_bonus"], updated["openid"]), (103, ANNA))
        member = self.cards.get_membercard_user_info(card_id, code)
        self.assertEqual((member["membership_number"], member["bonus"]), ("VIP00000042", 103))

    def test_who_pays_is_given_a_member_card(self):
        card_id = self.new(member_card())
        times = {"begin_time": 1_893_456_000, "end_time": 1_896_134_399}
        rule = {"card_id": card_id, "least_cost": 200, "max_cost": 2_000_000}
        added = self.cards.add_pay_giftcard({"mchid_list": [self.mirror.mchid], **times}, rule, True)
        self.assertEqual(added["succ_mchid_list"], [self.mirror.mchid])
        shown = self.cards.get_pay_giftcard(added["rule_id"])
        self.assertEqual(shown["member_rule"]["card_id"], card_id)
        self.assertEqual(self.cards.batch_get_pay_giftcard()["total_count"], 1)
        self.cards.del_pay_giftcard(added["rule_id"])
        self.assertEqual(refused(self.cards.get_pay_giftcard, added["rule_id"]), 72034)

    def test_tickets_and_red_packets(self):
        _, film = self.held(of_type("MOVIE_TICKET", detail="120 min"))
        self.cards.update_movie_ticket(film, "3D", 1_893_456_000, 120, "5号厅", ["5排14号"])
        flight = of_type("BOARDING_PASS", **{"from": "成都", "to": "广州", "flight": "TN1"})
        _, flight = self.held(flight)
        self.cards.checkin_boardingpass(flight, "李雷", "Eco", "78412345678901", seat="32A", gate="7")
        _, packet = self.held(of_type("LUCKY_MONEY"))
        self.cards.update_luckymoney_balance(packet, 500)
        self.assertEqual(self.cards.get_code(packet)["balance"], 500)

    def test_the_link_of_a_cell(self):
        card_id = self.new(coupon())
        taken = claim(self.mirror, card_id)
        link = self.cards.get_redirect_url("https://shop.example/cell", taken["encrypt_code"], card_id)
        # It leaves the encrypted code unencoded, as it has a `+` in it.
        query = urllib.parse.parse_qs(link.partition("?")[2].replace("+", "%2B"))
        self.assertEqual(query["encrypt_code"], [taken["encrypt_code"]])
        signer = WeChatSigner()
        signer.add_data(self.mirror.app_secret, taken["code"], card_id)
        self.assertEqual(query["signature"], [signer.signature])

    def test_what_is_retired_has_no_path_here(self):
        for name, call in RETIRED.items():
            with self.subTest(name):
                self.assertEqual(refused(call, self.cards), 40066)

    def test_pictures(self):
        url = self.client.media.upload_image(("logo.png", io.BytesIO(PNG), "image/png"))
        self.assertTrue(url.startswith("http://mmbiz.qpic.cn/"), url)
        self.new(coupon(logo_url=url))
        self.assertIn("media_id", self.client.media.upload("image", ("paper.png", io.BytesIO(PNG), "image/png")))


class Tokens(unittest.TestCase):
    """The SDK's caches, counted by the mirror."""

    def setUp(self):
        self.mirror = Mirror()
        self.addCleanup(lambda: self.assertEqual(self.mirror.stop(), 0))
        environment = unittest.mock.patch.dict(os.environ, self.mirror.environment())
        environment.start()
        self.addCleanup(environment.stop)
        self.session = MemoryStorage()
        self.client = self.connect()

    def connect(self, **options):
        return WeChatClient(self.mirror.appid, self.mirror.app_secret, session=self.session, **options)

    def issued(self):
        """How many plain tokens the mirror gave the account."""
        accounts = {one["appid"]: one for one in self.mirror.control("card/accounts")["accounts"]}
        return accounts[self.mirror.appid]["tokens"]["plain"]

    def asked_for(self, operation):
        return len(self.mirror.control(f"requests?limit=1000&operation={operation}")["requests"])

    def test_one_token_until_it_is_stale_and_then_another(self):
        for _ in range(5):
            self.client.card.get_colors()
        self.assertEqual((self.issued(), self.asked_for("card.token")), (1, 1))
        first = self.client.access_token
        control(self.mirror, "tokens/stale")
        self.assertEqual(len(self.client.card.get_colors()), 14, "it fetches another and asks again")
        self.assertNotEqual(self.client.access_token, first)
        self.assertEqual(self.issued(), 2)
        control(self.mirror, "tokens/stale")
        careless = self.connect(auto_retry=False)
        self.assertEqual(refused(careless.card.get_colors), 40001)

    def test_a_wrong_secret_and_a_wrong_appid_are_told_apart(self):
        wrong = WeChatClient(self.mirror.appid, "0" * 32)
        self.assertEqual(refused(wrong.card.get_colors), 40125)
        unknown = WeChatClient("wx0000000000000000", self.mirror.app_secret)
        self.assertEqual(refused(unknown.card.get_colors), 40013)

    def test_each_ticket_is_fetched_once(self):
        tickets = {(self.client.jsapi.get_jsapi_ticket(), self.client.jsapi.get_jsapi_card_ticket()) for _ in range(3)}
        self.assertEqual(len(tickets), 1)
        self.assertNotEqual(*tickets.pop())
        self.assertEqual(self.asked_for("card.ticket"), 2)

    def test_the_mirror_believes_a_page_signed_with_the_ticket(self):
        card_id = card(self.mirror, self.client, coupon())
        ticket = self.client.jsapi.get_jsapi_card_ticket()

        def ext(ticket, nonce):
            values = {"timestamp": "1700000000", "nonce_str": nonce}
            signer = WeChatSigner()
            signer.add_data(ticket, card_id, *values.values())
            return {**values, "signature": signer.signature, "outer_str": "page-1"}

        taken = control(self.mirror, "claim", card_id=card_id, openid=ANNA, card_ext=ext(ticket, "n1"))
        self.assertEqual(taken["outer_str"], "page-1")
        forged = self.mirror.refusal("card/claim", card_id=card_id, openid=ANNA, card_ext=ext(ticket + "x", "n2"))
        self.assertIn("errcode 40080", forged)

    def test_its_signatures_are_those_of_the_reference(self):
        # Vectors of the vendor, and of the reference.
        ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
        page = self.client.jsapi.get_jsapi_signature(
            "Wm3WZYTPz0wzccnW", ticket, "1414587457", "http://mp.weixin.qq.com?params=value"
        )
        self.assertEqual(page, "0f9de62fce790f9a083d5c99e95740ceb90c27ed")
        choice = WeChatClient("wx1234567890abcdef", "x").jsapi.get_jsapi_card_params(
            "kQx7TESTapiTicket0001", "", timestamp="1700000000", noncestr="Nn9aZ"
        )
        self.assertEqual(choice["sign"], "6a25eee9ad14640daf185fc3fd52501640c545bb")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""The mirror's pushed events in the hands of wechatpy, unmodified: its signature check, its `WeChatCrypto`, its parser and
its replies, in each mode."""
import http.server
import os
import threading
import unittest
import unittest.mock
import urllib.parse

from wechatpy import WeChatClient, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import create_reply
from wechatpy.utils import check_signature

from card_world import ANNA, BELA, card, claim, control, coupon, member_card
from mirror import Mirror

TOKEN = "merchantToken01"
# Its last character has bits to spare, as those of most keys.
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


class Server:
    """An account's message URL, made of what the SDK has."""

    def __init__(self, appid, encrypted):
        self.crypto = WeChatCrypto(TOKEN, KEY, appid) if encrypted else None
        self.arrivals = []
        self.reply = lambda message: create_reply(None, message).render()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def query(self):
                return dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))

            def do_GET(self):
                query = self.query()
                check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
                server.arrivals.append(("echostr", query))
                self.answer(query["echostr"])

            def do_POST(self):
                query, body = self.query(), self.rfile.read(int(self.headers["Content-Length"])).decode()
                server.arrivals.append((query, body))
                self.answer(server.reply(server.open(query, body)))

            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/wechat"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self):
        taken, self.arrivals = self.arrivals, []
        return taken

    def open(self, query, body):
        """The event in an arrival, as the SDK reads it."""
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        if self.crypto:
            body = self.crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        return parse_message(body)

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Events(unittest.TestCase):
    def setUp(self):
        self.mirror = Mirror()
        self.addCleanup(lambda: self.assertEqual(self.mirror.stop(), 0))
        environment = unittest.mock.patch.dict(os.environ, self.mirror.environment())
        environment.start()
        self.addCleanup(environment.stop)
        self.client = WeChatClient(self.mirror.appid, self.mirror.app_secret)

    def listen(self, mode):
        self.server = Server(self.mirror.appid, mode != "plain")
        self.addCleanup(self.server.stop)
        told = control(self.mirror, "accounts", url=self.server.url, token=TOKEN, encoding_aes_key=KEY, mode=mode)
        self.assertEqual((told["url"], told["mode"]), (self.server.url, mode))
        ((kind, query),) = self.server.take()
        self.assertEqual(kind, "echostr")
        # Plain for Official Accounts, also where messages are encrypted.
        self.assertTrue(query["echostr"].isalnum())

    def events(self):
        """What was pushed since the last time. Moving the clock waits until everything due was tried."""
        self.mirror.control("clock", {"advance_seconds": 1})
        return [self.server.open(*arrival) for arrival in self.server.take()]

    def event(self):
        (event,) = self.events()
        return event

    def by_kind(self):
        """The same where several come, in whatever order."""
        return {event.event: event for event in self.events()}

    def life(self):
        """Every event that users and the API bring about, and wechatpy knows."""
        card_id = card(self.mirror, self.client, coupon(get_limit=9))
        passed = self.event()
        self.assertEqual((passed.event, passed.card_id), ("card_pass_check", card_id))
        refused = self.client.card.create(coupon())
        control(self.mirror, f"cards/{refused}/review", refused="标志不清")
        event = self.event()
        self.assertEqual((event.event, event.refuse_reason), ("card_not_pass_check", "标志不清"))

        code = claim(self.mirror, card_id, outer_str="poster-7")["code"]
        got = self.event()
        self.assertEqual((got.event, got.source, got.code), ("user_get_card", ANNA, code))
        self.assertEqual((got.outer_str, got.is_given_by_friend, got.is_restore_member_card), ("poster-7", 0, 0))
        control(self.mirror, "gift", code=code, openid=BELA)
        gift = self.event()
        self.assertEqual((gift.event, gift.friend, gift.is_return_back), ("user_gifting_card", BELA, 0))
        new = control(self.mirror, "accept", code=code, openid=BELA)["code"]
        taken = self.event()
        self.assertEqual((taken.source, taken.friend, taken.old_code, taken.code), (BELA, ANNA, code, new))
        self.assertEqual(taken.is_given_by_friend, 1)
        self.client.card.consume_code(new)
        used = self.event()
        self.assertEqual((used.event, used.consume_source, used.code), ("user_consume_card", "FROM_API", new))

        self.client.card.set_paycell(card_id, True)
        code = claim(self.mirror, card_id)["code"]
        control(self.mirror, "pay", code=code, fee=8500, original_fee=10000, location_id=300001)
        control(self.mirror, "remove", code=code)
        kinds = self.by_kind()
        paid = kinds["user_pay_from_pay_cell"]
        self.assertEqual((paid.fee, paid.original_fee, paid.location_id), (8500, 10000, 300001))
        self.assertEqual(kinds["user_del_card"].code, code)

        members = card(self.mirror, self.client, member_card())
        code = claim(self.mirror, members)["code"]
        control(self.mirror, "submit-form", code=code)
        control(self.mirror, "view", code=code)
        control(self.mirror, "enter-session", code=code)
        self.client.card.update_membercard(code, members, add_bonus=3)
        kinds = self.by_kind()
        self.assertEqual(kinds["user_view_card"].code, code)
        self.assertEqual(kinds["user_enter_session_from_card"].code, code)
        self.assertEqual(kinds["update_member_card"].modify_bonus, 3)
        self.assertEqual(kinds["submit_membercard_user_info"].card_id, members)

        many = card(self.mirror, self.client, coupon(sku={"quantity": 201}, get_limit=200))
        for _ in range(101):
            claim(self.mirror, many)
        low = [event for event in self.events() if event.event == "card_sku_remind"]
        self.assertEqual([(event.card_id, "100" in event.detail) for event in low], [(many, True)])
        states = {event["state"] for event in self.mirror.control("card/events")["events"]}
        self.assertEqual(states, {"delivered"})

    def test_plain(self):
        self.listen("plain")
        self.life()

    def test_compatible(self):
        self.listen("compatible")
        self.life()

    def test_secure(self):
        self.listen("secure")
        self.life()

    def test_its_replies_are_taken_in_clear_and_sealed(self):
        def said(message):
            return create_reply("谢谢", message).render()

        def sealed(message):
            return self.server.crypto.encrypt_message(create_reply("谢谢", message), "n0nce", "1700000000")

        for mode, reply, state in (
            ("plain", said, "delivered"), ("compatible", said, "delivered"), ("compatible", sealed, "delivered"),
            ("secure", sealed, "delivered"), ("secure", said, "pending"),
        ):
            with self.subTest(mode=mode, reply=reply.__name__):
                self.listen(mode)
                self.server.reply = reply
                card(self.mirror, self.client, coupon())
                self.assertEqual(self.event().event, "card_pass_check")
                told = self.mirror.control("card/events?limit=1")["events"][0]
                self.assertEqual((told["state"], told["error"] is None), (state, state == "delivered"), told)

    def test_what_was_changed_on_the_way_is_not_opened(self):
        self.listen("secure")
        card(self.mirror, self.client, coupon())
        self.mirror.control("clock", {"advance_seconds": 1})
        ((query, body),) = self.server.take()
        self.assertNotIn("card_pass_check", body)
        self.assertEqual(self.server.open(query, body).event, "card_pass_check")
        with self.assertRaises(InvalidSignatureException):
            self.server.open({**query, "nonce": query["nonce"] + "x"}, body)
        with self.assertRaises(InvalidSignatureException):
            self.server.open(query, body.replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[A"))
        self.server.crypto = WeChatCrypto(TOKEN, KEY, "wx0000000000000000")
        with self.assertRaises(InvalidAppIdException):
            self.server.open(query, body)


if __name__ == "__main__":
    unittest.main(verbosity=2)

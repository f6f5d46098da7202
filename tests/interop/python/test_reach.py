"""wechatpayv3, unmodified, with WeChat's keys in each mode, and by each way to the mirror that it can take."""
import collections
import concurrent.futures
import json
import os
import socket
import threading
import unittest
import unittest.mock
import urllib.parse

import requests

from mirror import Mirror
from sdk import client
from stock import create_stock

HOST = "api.mch.weixin.qq.com"
CALLS = 2000
WORKERS = 4


class Counting:
    """A logger that counts which key signed the answers the SDK took."""

    def __init__(self):
        self.serials = collections.Counter()

    def debug(self, text):
        if text.startswith("Response headers: "):
            self.serials[text.split("'Wechatpay-Serial': '")[1].split("'")[0]] += 1


class Reach(unittest.TestCase):
    def setUp(self):
        self.mirror = Mirror()
        self.addCleanup(lambda: self.assertEqual(self.mirror.stop(), 0))
        self.log = Counting()
        # Whatever the machine's own settings are.
        self.clean = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}

    def environment(self, **more):
        return unittest.mock.patch.dict(os.environ, {**self.clean, **more}, clear=True)

    def sdk(self, public_key=False, **options):
        return client(self.mirror, public_key, logger=self.log, **options)

    def prepare(self, sdk):
        code, text = create_stock(self.mirror, sdk, "reach_1")
        self.assertEqual(code, 200, text)
        self.stock = json.loads(text)["stock_id"]

    def ask(self, sdk):
        """A signed read. The SDK raises when the answer does not verify."""
        code, text = sdk.marketing_favor_stock_detail(self.mirror.mchid, self.stock)
        self.assertEqual(code, 200, text)

    def run_calls(self, sdks, calls, turning_points):
        """Spreads calls over workers with an SDK each, and does something at certain counts."""
        done, lock = 0, threading.Lock()

        def work(sdk):
            nonlocal done
            while True:
                with lock:
                    if done == calls:
                        return
                    done += 1
                    # Nothing is in flight with the lock held but what the others have begun.
                    turning_points.get(done, lambda: None)()
                self.ask(sdk)

        with concurrent.futures.ThreadPoolExecutor(len(sdks)) as pool:
            for future in [pool.submit(work, sdk) for sdk in sdks]:
                future.result()

    def rotate(self):
        self.mirror.control("keys/rotate", {})

    def phase(self, phase):
        self.mirror.control("keys/public-key", {"phase": phase})

    def test_certificates_and_two_rotations_in_2000_calls(self):
        with self.environment(**self.mirror.environment()):
            sdks = [self.sdk() for _ in range(WORKERS)]
            self.prepare(sdks[0])
            self.run_calls(sdks, CALLS, {CALLS // 4: self.rotate, CALLS // 2: self.rotate})
        served = self.mirror.control("keys")["serials"]
        self.assertEqual(len(served), 3)
        self.assertEqual(set(self.log.serials), set(served))

    def test_public_key_only(self):
        self.phase("on")
        proxy = {"https": self.mirror.proxy_url}
        with self.environment(REQUESTS_CA_BUNDLE=self.mirror.ca_file):
            sdks = [self.sdk(public_key=True, proxy=proxy) for _ in range(WORKERS)]
            self.prepare(sdks[0])
            self.run_calls(sdks, 200, {100: self.rotate})
        self.assertEqual(set(self.log.serials), {self.mirror.public_key_id})

    def test_the_switch_from_certificates_to_the_public_key(self):
        with self.environment(**self.mirror.environment()):
            # Some know certificates only as yet, the others both: each verifies what it gets at every stage.
            both = [self.sdk(public_key=True) for _ in range(WORKERS // 2)]
            old = [self.sdk() for _ in range(WORKERS // 2)]
            self.prepare(both[0])
            self.run_calls(
                both + old,
                CALLS // 2,
                {
                    100: lambda: self.phase("grey"),
                    300: self.rotate,
                },
            )
            self.run_calls(both, 200, {100: lambda: self.phase("on")})
        served = set(self.mirror.control("keys")["serials"])
        self.assertEqual(set(self.log.serials), served | {self.mirror.public_key_id})

    def test_by_a_hosts_entry(self):
        here = urllib.parse.urlsplit(self.mirror.base_url)
        resolve = socket.getaddrinfo

        def entry(host, port, *rest, **options):
            if host == HOST:
                host, port = here.hostname, here.port
            return resolve(host, port, *rest, **options)

        with self.environment(REQUESTS_CA_BUNDLE=self.mirror.ca_file):
            with unittest.mock.patch("socket.getaddrinfo", entry):
                sdk = self.sdk()
                self.prepare(sdk)
                self.ask(sdk)

    def test_nothing_else_is_reached_through_the_proxy(self):
        with self.environment(**self.mirror.environment()):
            with self.assertRaisesRegex(requests.exceptions.ProxyError, "403"):
                requests.get("https://example.com/")
        refused = self.mirror.control("requests?limit=1")["requests"][0]
        self.assertEqual((refused["method"], refused["path"], refused["status"]), ("CONNECT", "example.com:443", 403))
        self.assertIn("NO_PROXY", refused["notes"][0])

    def test_without_the_authority_nothing_is_believed(self):
        with self.environment(HTTPS_PROXY=self.mirror.proxy_url):
            with self.assertRaises(requests.exceptions.SSLError):
                self.sdk()


if __name__ == "__main__":
    unittest.main(verbosity=2)

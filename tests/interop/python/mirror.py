"""Starts `favor mirror` and reads its ready line."""
import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

FAVOR = os.environ.get("FAVOR_BIN") or str(pathlib.Path(__file__).parents[3] / "target/debug/favor")


class Mirror:
    def __init__(self):
        if not pathlib.Path(FAVOR).exists():
            raise RuntimeError(f'{FAVOR} is missing: run "cargo build" first, or use "make judges"')
        self.process = subprocess.Popen(
            [FAVOR, "mirror", "--output", "json", "--quiet"], stdout=subprocess.PIPE, text=True
        )
        self.ready = json.loads(self.process.stdout.readline())

    def __getattr__(self, name):
        return self.ready[name]

    def control(self, path, body=None):
        request = urllib.request.Request(
            f"{self.ready['base_url']}/_mirror/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def refusal(self, path, **body):
        """Why a control call is refused."""
        try:
            told = self.control(path, body)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)["message"]
        raise AssertionError(f"{path} is not refused: {told}")

    def environment(self):
        """What `favor mirror` prints for programs with WeChat's host fixed in their code."""
        trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        return {
            "HTTPS_PROXY": self.proxy_url,
            "NO_PROXY": "localhost,127.0.0.1,::1",
            **{name: self.ca_file for name in trust},
        }

    def stop(self):
        self.process.terminate()
        code = self.process.wait()
        self.process.stdout.close()
        return code

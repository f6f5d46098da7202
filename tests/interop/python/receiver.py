"""A merchant's server that takes notifications with wechatpayv3's `callback()`."""
import http.server
import json
import threading


class Receiver:
    """Takes what comes to `url` with the SDK, and keeps each arrival: what came, and what became of it."""

    def __init__(self, sdk):
        self.arrivals = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                # The SDK looks headers up in one spelling or another, as frameworks hand them over.
                headers = {name.title(): value for name, value in self.headers.items()}
                arrival = {"headers": headers, "serial": headers.get("Wechatpay-Serial"), "body": body}
                try:
                    arrival["opened"] = sdk.callback(headers, body)
                except Exception as error:
                    # Some of what it refuses it answers with None, some it raises.
                    arrival["opened"], arrival["error"] = None, error
                receiver.arrivals.append(arrival)
                answer = b"" if arrival["opened"] else json.dumps({"code": "FAIL", "message": "refused"}).encode()
                self.send_response(200 if arrival["opened"] else 401)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/notify"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self):
        """What came since the last time."""
        taken, self.arrivals = self.arrivals, []
        return taken

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

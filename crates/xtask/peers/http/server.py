"""A web server that knows of no platform at all: the port is in PORT, and that is it."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if body == b"break":
            return self.answer(500, "text/plain", b"it broke")
        if body == b"teapot":
            return self.answer(418, "text/plain", b"short and stout")
        if self.headers.get("content-type") == "application/octet-stream":
            return self.answer(200, "image/x-reversed", body[::-1])
        text = json.dumps({"path": self.path, "length": len(body), "unit": os.environ["UNIT"]})
        return self.answer(200, "application/json", text.encode())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form, *args):
        print("web:", form % args, flush=True)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()

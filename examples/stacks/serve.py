"""Answers each request with what `increment` returns, in a thread of its own."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def serve(increment):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            increment()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()

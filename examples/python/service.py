"""A shop in Python with one thread and one connection for each request."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg


def buy(item):
    """Checks the stock, and then takes an item: two customers can get the last one."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as db:
        left = db.execute("select left_over from stock where item = %s", [item]).fetchone()[0]
        if left == 0:
            return 409, {"error": "sold out"}
        db.execute("update stock set left_over = left_over - 1 where item = %s", [item])
        db.execute("insert into sold (item) values (%s)", [item])
        return 200, {"sold": item}


class Shop(BaseHTTPRequestHandler):
    def do_POST(self):
        status, answer = buy(self.path.removeprefix("/buy/"))
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()

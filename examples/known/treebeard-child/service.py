import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import django
from django.conf import settings
from django.db import connection, models

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "NAME": os.environ["PGDATABASE"],
        }
    },
)
django.setup()

from treebeard.mp_tree import MP_Node  # noqa: E402 (it needs the settings)


class Category(MP_Node):
    name = models.TextField()

    class Meta:
        app_label = "looms"
        db_table = "category"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        name = self.rfile.read(int(self.headers["content-length"])).decode()
        try:
            Category.objects.get(path="0001").add_child(name=name)
            self.send_response(204)
        except Exception as error:
            self.send_response(500, type(error).__name__)
        finally:
            connection.close()
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()

import os

import django
from django.conf import settings
from django.db import connection, models

from serve import serve

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


class Counter(models.Model):
    value = models.IntegerField()

    class Meta:
        app_label = "looms"
        db_table = "counter"


def increment():
    try:
        counter = Counter.objects.get(pk=1)
        counter.value += 1
        counter.save()
    finally:
        connection.close()


serve(increment)

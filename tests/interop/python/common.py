"""What the clients in Python have in common: arguments, cases, the file of one megabyte."""
import os
import sys
from datetime import datetime, timezone

base, tls, certs, version, password, digest_secret = sys.argv[1:7]
NAME = "Grüße & <Öl> 🎉"
FILE = b"sku\n" + b"".join(b"BINARY-%08d\n" % number for number in range(65536))


def cert(name):
    return os.path.join(certs, name)


def utc(time):
    """A time as all clients print it."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no zone")
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def case(name):
    """Runs a function as a case, and prints what it gives."""

    def run(function):
        try:
            result = function()
        except Exception as error:  # what a client cannot do is a result
            result = f"{type(error).__name__}: {error}"
        print(f"{name}\t{result}", flush=True)

    return run


def told(code, message, wanted):
    local = code.split(":")[-1]
    local = {"Sender": "Client"}.get(local, local) if version == "1.2" else local
    return f"{local} {'told' if wanted in message else message}"

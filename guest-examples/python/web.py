"""Lets `urllib` send its requests through the host: `import web` once, and `urlopen` works.

There are no sockets here. A request goes to the host whole, which judges it, sends it, and answers;
what it refuses is an ordinary `HTTPError`, with the reason in the body.
"""

import io
import urllib.request
from email.message import Message
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.response import addinfourl

from componentize_py_types import Err
from wit_world.imports import outgoing_handler
from wit_world.imports import wasi_http_types as http

# Bytes that a stream of the host takes, and gives, at once.
PIECE = 4096

METHODS = {
    name.upper(): getattr(http, f"Method_{name}")()
    for name in ("Get", "Head", "Post", "Put", "Delete", "Options", "Patch")
}


class Web(urllib.request.BaseHandler):
    """The way out, in the place of the handlers that open sockets."""

    handler_order = 100

    def http_open(self, request):
        try:
            return send(request)
        except Err as error:
            raise URLError(type(error.value).__name__) from error

    https_open = http_open


def send(request):
    url = urlsplit(request.full_url)
    body = request.data or b""
    headers = {name.lower(): value for name, value in request.header_items()}
    if body:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        headers["content-length"] = str(len(body))
    headers.pop("host", None)
    entries = [(name, value.encode()) for name, value in headers.items()]
    asked = http.OutgoingRequest(http.Fields.from_list(entries))
    name = request.get_method()
    asked.set_method(METHODS.get(name) or http.Method_Other(name))
    asked.set_scheme(http.Scheme_Https() if url.scheme == "https" else http.Scheme_Http())
    asked.set_authority(url.netloc)
    asked.set_path_with_query(request.selector or "/")
    outgoing = asked.body()
    with outgoing.write() as stream:
        for at in range(0, len(body), PIECE):
            stream.blocking_write_and_flush(body[at : at + PIECE])
    coming = outgoing_handler.handle(asked, None)
    http.OutgoingBody.finish(outgoing, None)
    return answer(request, coming)


def answer(request, coming):
    with coming.subscribe() as ready:
        ready.block()
    came = coming.get().value
    if isinstance(came, Err):
        raise came
    response = came.value
    headers = Message()
    for name, value in response.headers().entries():
        headers[name] = value.decode("latin-1")
    page = addinfourl(io.BytesIO(read(response)), headers, request.full_url, response.status())
    page.msg = ""
    return page


def read(response):
    pieces = []
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(PIECE))
            except Err as error:
                if type(error.value).__name__ == "StreamError_Closed":
                    return b"".join(pieces)
                raise


urllib.request.install_opener(urllib.request.build_opener(Web()))

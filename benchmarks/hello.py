"""A Flask view that says hello, on the server and with the settings of `authz serve`."""

from __future__ import annotations

import dataclasses
import gc
import sys
from typing import TYPE_CHECKING

from flask import Flask

from authz_service.cli.serve import build_server
from authz_service.settings import Settings
from authz_service.web.front import EVALUATION

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def load_hello() -> WSGIApplication:
    """Build the application; it looks at nothing that it is sent."""
    app = Flask("hello")

    @app.post(EVALUATION)
    def hello() -> str:
        return "hello"

    gc.collect()
    gc.freeze()
    return app.wsgi_app


if __name__ == "__main__":
    port, workers, threads = map(int, sys.argv[1:])
    chosen = dataclasses.replace(Settings(), port=port, workers=workers, threads=threads)
    build_server(chosen).serve(target_loader=load_hello, wrap_loader=False)

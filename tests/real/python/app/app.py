"""Serves one page, made with a dependency, a hidden file of the source and a variable of the build."""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import harbour

TITLE = Path(__file__).with_name(".config").joinpath("title").read_text().strip()


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # Written beside the source, as applications do, by whoever the container runs as.
        Path("visits").open("a").write("visit\n")
        page = f"{TITLE}: {harbour.greet(os.environ.get('WHOM', 'nobody'))}, uid {os.getuid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


ThreadingHTTPServer(("", 8080), Page).serve_forever()

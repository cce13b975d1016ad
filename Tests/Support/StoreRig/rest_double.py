#!/usr/bin/env python3
# purpose: a small server of restic's REST protocol that keeps everything in memory, and misbehaves on demand
# use:     rest_double.py [old] [append-only] [locked] [/path/of/a/socket]     prints its port and serves on 127.0.0.1, or the socket, until its standard input ends
# needs:   python3
"""`old` speaks the first protocol; `append-only` removes locks alone; `locked` wants the user me with the password "se:cr@t".

POST /-/faults takes a list of rules: {"on": verb or "ANY", "calls": [numbers] or absent, "do": fault}. Faults: status (with "status"),
ghost (200, nothing kept), late (acts, then answers 500), reset (no answer), silent, whole (200 instead of 206), cut (half a listing),
elsewhere (302). GET /-/counts answers requests by verb.
"""
import base64, json, os, socket, socketserver, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = set(sys.argv[1:])
SOCKET = next((word for word in sys.argv[1:] if word.startswith("/")), None)
KINDS = ("keys", "locks", "snapshots", "index", "data")
guard = threading.Lock()
roots, rules, hits, counts = {}, [], [], {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = SOCKET is None  # the body follows the headers at once, and not 40 ms later
    rule = {}

    def log_message(self, *_):
        pass

    def address_string(self):
        return "rig"

    def answer(self, status, body=b"", **headers):
        fault = self.rule.get("do")
        if fault == "late":
            status, body, headers = 500, b"", {}
        if fault == "reset":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault == "cut":
            body = body[: len(body) // 2]
        (self.send_response_only if "Server" in headers else self.send_response)(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def strike(self):
        with guard:
            counts[self.command] = counts.get(self.command, 0) + 1
            for number, rule in enumerate(rules):
                if rule.get("on", "ANY") in (self.command, "ANY"):
                    hits[number] += 1
                    if "calls" not in rule or hits[number] - 1 in rule["calls"]:
                        return rule
        return {}

    def handle_any(self):
        global rules, hits
        url = urllib.parse.urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path.startswith("/-/"):
            with guard:
                if url.path == "/-/faults":
                    rules = json.loads(data)
                    hits = [0] * len(rules)
                    counts.clear()
            self.rule = {}
            return self.answer(200, json.dumps(counts).encode())
        self.rule = self.strike()
        fault = self.rule.get("do")
        if fault == "status":
            return self.answer(self.rule["status"], self.rule.get("text", "").encode(), **self.rule.get("headers", {}))
        if fault == "elsewhere":
            return self.answer(302, b"", Location="http://127.0.0.1:1/stolen/")
        if fault == "silent":
            time.sleep(600)
        if "locked" in WORDS and self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:se:cr@t").decode():
            return self.answer(401, b"Unauthorized\n")
        parts = url.path.split("/")
        kind = next((k for k in KINDS if k in parts[-2:]), None)
        root = "/".join(parts[: -2 if kind and parts[-1] else -2 if kind else -1])
        if self.command == "POST" and url.query == "create=true":
            roots.setdefault(root, {})
            return self.answer(200)
        objects = roots.get(root, {})
        if kind and not parts[-1]:
            return self.listing(objects, kind)
        self.object(objects, "/".join(parts[-2:]) if kind else parts[-1], data, kind)

    def listing(self, objects, kind):
        with guard:
            found = sorted((name.split("/")[1], len(bytes)) for name, bytes in objects.items() if name.startswith(kind + "/"))
        if not found and "old" in WORDS:
            return self.answer(404)
        if "old" in WORDS or "v2" not in self.headers.get("Accept", ""):
            return self.answer(200, json.dumps([name for name, _ in found]).encode(), Content_Type="application/vnd.x.restic.rest.v1")
        rows = [{"name": name, "size": size} for name, size in found]
        self.answer(200, json.dumps(rows or None).encode(), Content_Type="application/vnd.x.restic.rest.v2")

    def object(self, objects, name, data, kind):
        if self.command == "POST":
            with guard:
                present = name in objects
                if not present and self.rule.get("do") != "ghost":
                    objects[name] = data
            return self.answer(403 if present else 200, b"Forbidden\n" if present else b"")
        if self.command == "DELETE":
            if "append-only" in WORDS and kind != "locks":
                return self.answer(403, b"Forbidden\n")
            with guard:
                present = objects.pop(name, None) is not None
            return self.answer(200 if present else 404)
        with guard:
            data = objects.get(name)
        if data is None:
            return self.answer(404, b"Not Found\n")
        if self.command == "HEAD":
            return self.answer(200, Content_Length=len(data))
        asked = self.headers.get("Range", "")
        if not asked or self.rule.get("do") == "whole":
            return self.answer(200, data)
        first, _, last = asked[6:].partition("-")
        start, end = int(first), min(int(last), len(data) - 1)
        if start >= len(data):
            return self.answer(416)
        self.answer(206, data[start : end + 1], Content_Range=f"bytes {start}-{end}/{len(data)}")

    do_GET = do_HEAD = do_POST = do_DELETE = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    address_family = socket.AF_UNIX if SOCKET else socket.AF_INET

    def server_bind(self):
        if not SOCKET:
            return super().server_bind()
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "rig", 1

    def handle_error(self, *_):
        pass


server = Server(SOCKET or ("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.buffer.read()

#!/usr/bin/env python3
# purpose: a small object store of Amazon's kind that keeps everything in memory, checks every signature, and misbehaves on demand
# use:     s3_double.py [CERTIFICATE KEY]     prints its port and serves on 127.0.0.1 until its standard input ends
# needs:   python3
"""POST /-/faults takes a list of rules and forgets what was counted; GET /-/counts answers requests by verb; GET /-/objects the keys.

A rule is {"on": "PUT|GET|HEAD|DELETE|LIST|POST|ANY", "key": a part of the key, "calls": [numbers of matching calls, from 0] or absent for
always, "do": fault, ...}. Faults: status (with code, headers, message), ghost (200, nothing kept), truncate (keeps half), other (keeps other
bytes), late (acts, then answers 500), reset (closes before the answer; "at": after so many bytes of the request's body), shorten (half of
the body of an answer, then closes), lie (a body of other length than asked for, well formed), whole (200 instead of 206), wrongrange,
elsewhere (301 to another host), loop (the same token again), notoken (truncated without one), cut (half an XML), silent (no answer),
drip (a byte in ten seconds), huge (an endless refusal), html (a proxy's page), bomb (entities), skew (the clock), region (NAME), expired.
"""
import base64, hashlib, hmac, json, socket, ssl, sys, threading, time, urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

KEYS = {"rig-key": "rig-secret", "temporary-key": "temporary-secret"}
TOKENS = {"temporary-key": "temporary-token"}
PAGE = 1000
guard = threading.Lock()
buckets, uploads, rules, counts, hits = {}, {}, [], {}, []


def quote(text, safe="-_.~"):
    return urllib.parse.quote(text, safe=safe)


def strike(label, key):
    with guard:
        counts[label] = counts.get(label, 0) + 1
        for number, rule in enumerate(rules):
            if rule.get("on", "ANY") not in (label, "ANY") or rule.get("key", "") not in key:
                continue
            turn = hits[number]
            hits[number] += 1
            if "calls" not in rule or turn in rule["calls"]:
                return rule
    return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body follows the headers at once, and not 40 ms later
    rule = {}

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        fault = self.rule.get("do")
        if fault == "late":
            status, body, headers = 500, b"", {}
        if fault == "reset":
            return self.hang_up()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault == "shorten" and body:
            self.wfile.write(body[: len(body) // 2])
            return self.hang_up()
        if fault == "drip" and body:
            self.wfile.write(body[:1])
            self.wfile.flush()
            time.sleep(600)
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def refuse(self, status, code, message="", extra="", **headers):
        body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}</Error>'
        self.rule = {} if self.rule.get("do") == "late" else self.rule
        self.answer(status, body.encode(), Content_Type="application/xml", **headers)

    def signature_trouble(self, path, query, data):
        header = self.headers.get("Authorization", "")
        if not header.startswith("AWS4-HMAC-SHA256 "):
            return 403, "AccessDenied", "anonymous access is not allowed"
        parts = dict(p.strip().split("=", 1) for p in header[17:].split(","))
        access, date, region, service, tail = parts["Credential"].rsplit("/", 4)
        if access not in KEYS:
            return 403, "InvalidAccessKeyId", "no such key"
        if self.headers.get("x-amz-security-token", "") != TOKENS.get(access, ""):
            return 400, "InvalidToken", "the token is wrong"
        names = parts["SignedHeaders"].split(";")
        sent = {n.lower() for n in self.headers.keys() if n.lower().startswith("x-amz-")} | {"host"}
        if not sent <= set(names) or names != sorted(names):
            return 403, "SignatureDoesNotMatch", "not everything is signed"
        pairs = sorted((quote(k), quote(v)) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = "\n".join([self.command, quote(path, "/-_.~"), "&".join(f"{k}={v}" for k, v in pairs)]
                              + [f"{n}:{' '.join(self.headers.get(n, '').split())}" for n in names]
                              + ["", ";".join(names), self.headers.get("x-amz-content-sha256", "")])
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], f"{date}/{region}/{service}/{tail}", hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + KEYS[access].encode()
        for word in (date, region, service, tail):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), parts["Signature"]):
            return 403, "SignatureDoesNotMatch", "the signature is wrong"
        if self.headers.get("x-amz-content-sha256") != hashlib.sha256(data).hexdigest():
            return 400, "XAmzContentSHA256Mismatch", "the body is another"
        return None

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(url.path), url.query
        if path.startswith("/-/"):
            return self.control(path)
        arguments = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        bucket, _, key = path.lstrip("/").partition("/")
        label = "LIST" if self.command == "GET" and not key and "location" not in arguments else self.command
        self.rule = strike(label, key)
        fault = self.rule.get("do")
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "reset" and "at" in self.rule:
            self.rfile.read(min(length, self.rule["at"]))
            return self.hang_up()
        data = self.rfile.read(length)
        if fault in INSTEAD:
            return INSTEAD[fault](self)
        trouble = self.signature_trouble(path, query, data)
        if trouble:
            return self.refuse(*trouble)
        digest = self.headers.get("Content-MD5")
        if digest and base64.b64decode(digest) != hashlib.md5(data).digest():
            return self.refuse(400, "BadDigest")
        if not key:
            return self.bucket(bucket, arguments, data)
        if bucket not in buckets:
            return self.refuse(404, "NoSuchBucket", "no such bucket", f"<BucketName>{bucket}</BucketName>")
        self.object(buckets[bucket], key, arguments, data)

    def object(self, objects, key, arguments, data):
        fault = self.rule.get("do")
        if self.command == "POST" and "uploads" in arguments:
            name = f"upload-{len(uploads)}"
            uploads[name] = {}
            return self.answer(200, f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>".encode())
        if "uploadId" in arguments:
            return self.parts(objects, key, arguments, data)
        if self.command == "PUT":
            with guard:
                if self.headers.get("If-None-Match") == "*" and key in objects and "ignore" not in self.headers.get("X-Rig", ""):
                    present = True
                else:
                    present = False
                    kept = {"ghost": None, "truncate": data[: len(data) // 2], "other": bytes(len(data))}.get(fault, data)
                    if kept is not None:
                        objects[key] = kept
            if present:
                return self.refuse(412, "PreconditionFailed", "it is there")
            tag = hashlib.md5(data if fault != "other" else bytes(len(data))).hexdigest()
            return self.answer(200, ETag=f'"{tag}"')
        if self.command == "DELETE":
            with guard:
                objects.pop(key, None)
            return self.answer(204)
        with guard:
            data = objects.get(key)
        if data is None:
            return self.refuse(404, "NoSuchKey", "no such key")
        facts = {"ETag": f'"{hashlib.md5(data).hexdigest()}"', "Accept_Ranges": "bytes"}
        if self.command == "HEAD":
            return self.answer(200, Content_Length=len(data), **facts)
        asked = self.headers.get("Range", "")
        if fault == "lie":
            data = data + b"more" if not asked else data
        if not asked.startswith("bytes=") or fault == "whole":
            return self.answer(200, data, **facts)
        first, _, last = asked[6:].partition("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        if start >= len(data):
            return self.refuse(416, "InvalidRange")
        shift = 1 if fault == "wrongrange" else 0
        body = data[start + shift : end + 1 + shift]
        if fault == "lie":
            body, end = body[: len(body) // 2], start + len(body) // 2 - 1
        self.answer(206, body, Content_Range=f"bytes {start + shift}-{end + shift}/{len(data)}", **facts)

    def parts(self, objects, key, arguments, data):
        upload = uploads.get(arguments["uploadId"])
        if upload is None:
            return self.refuse(404, "NoSuchUpload")
        if self.command == "PUT":
            upload[int(arguments["partNumber"])] = data
            return self.answer(200, ETag=f'"{hashlib.md5(data).hexdigest()}"')
        if self.command == "DELETE":
            del uploads[arguments["uploadId"]]
            return self.answer(204)
        if self.rule.get("do") == "inside":
            return self.answer(200, b"<Error><Code>InternalError</Code><Message>try again</Message></Error>")
        objects[key] = b"".join(part for _, part in sorted(upload.items()))
        del uploads[arguments["uploadId"]]
        self.answer(200, b'<CompleteMultipartUploadResult><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>')

    def bucket(self, name, arguments, data):
        if self.command == "PUT":
            buckets.setdefault(name, {})
            return self.answer(200)
        if name not in buckets:
            return self.refuse(404, "NoSuchBucket", "no such bucket", f"<BucketName>{name}</BucketName>")
        if self.command == "HEAD":
            return self.answer(200)
        if "location" in arguments:
            return self.answer(200, b"<LocationConstraint>eu-rig-1</LocationConstraint>")
        fault, prefix = self.rule.get("do"), arguments.get("prefix", "")
        after = arguments.get("continuation-token") or arguments.get("marker") or ""
        with guard:
            found = sorted((k, len(v)) for k, v in buckets[name].items() if k.startswith(prefix) and k > after)
        page, more = found[:PAGE], len(found) > PAGE
        rows = "".join(f"<Contents><Key>{escape(quote(k, '/-_.~'))}</Key><ETag>&quot;0&quot;</ETag><Size>{size}</Size></Contents>" for k, size in page)
        if fault == "repeat":
            rows = "".join(reversed(rows.replace("</Contents>", "</Contents>\0").split("\0"))) + rows
        token = "" if fault == "notoken" else "always" if fault == "loop" else page[-1][0] if more else ""
        if fault in ("loop", "notoken"):
            more = True
        told = f"<NextContinuationToken>{escape(token)}</NextContinuationToken><NextMarker>{escape(token)}</NextMarker>" if token else ""
        body = (f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>'
                f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{told}{rows}</ListBucketResult>").encode()
        if fault == "cut":
            body = body[: len(body) // 2]
        self.answer(200, body, Content_Type="application/xml")

    def control(self, path):
        global rules, hits
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with guard:
            if path == "/-/faults":
                rules = json.loads(data)
                hits = [0] * len(rules)
                counts.clear()
                body = b"{}"
            elif path == "/-/fill":
                for key, size in json.loads(data).items():
                    bucket, _, key = key.partition("/")
                    buckets.setdefault(bucket, {})[key] = bytes(size)
                body = b"{}"
            elif path == "/-/counts":
                body = json.dumps(counts).encode()
            else:
                body = json.dumps({"objects": {b: sorted(o) for b, o in buckets.items()}, "uploads": len(uploads)}).encode()
        self.rule = {}
        self.answer(200, body)

    def say_status(self):
        extra = "".join(f"<{name}>{value}</{name}>" for name, value in self.rule.get("fields", {}).items())
        self.refuse(self.rule["status"], self.rule.get("code", "InternalError"), self.rule.get("message", ""), extra,
                    **{name.replace("-", "_"): value for name, value in self.rule.get("headers", {}).items()})

    def send_elsewhere(self):
        self.answer(301, b"<Error><Code>PermanentRedirect</Code></Error>", Location=self.rule.get("to", "http://127.0.0.1:1/stolen"))

    def say_nothing(self):
        time.sleep(600)

    def say_too_much(self):
        self.send_response(self.rule.get("status", 403))
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"<Error>" * 10_000)
        except OSError:
            self.close_connection = True

    def say_html(self):
        self.answer(self.rule.get("status", 502), b"<html><body><h1>Bad & gateway</h1></body>", Content_Type="text/html")

    def say_bomb(self):
        bomb = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaa">' + b"".join(b'<!ENTITY a%d "&a;&a;&a;">' % n for n in range(50)) + b"]><Error><Code>&a9;</Code></Error>"
        self.answer(self.rule.get("status", 400), bomb)

    def skew(self):
        self.date_time_string = lambda timestamp=None: formatdate(time.time() - 1200, usegmt=True)
        self.refuse(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any


INSTEAD = {"status": Handler.say_status, "elsewhere": Handler.send_elsewhere, "silent": Handler.say_nothing, "huge": Handler.say_too_much,
           "html": Handler.say_html, "bomb": Handler.say_bomb, "skew": Handler.skew}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) == 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.buffer.read()

#!/usr/bin/env python3
# purpose: takes messages as ntfy, a webhook, healthchecks or a mail server does, well or badly: what the sender of messages is tested against
# use:     message_rig.py LOG KIND [CERTIFICATE KEY]     prints its port and serves on 127.0.0.1 until its standard input ends
# needs:   python3
"""KIND is web, smtp, smtps, mute (never greets) or busy (greets with 421). With a certificate, web speaks TLS and smtp offers STARTTLS.
Each request and each mail is one line of JSON in LOG, written before it is answered; mails are read by Python's own parser.

Web: the first part of a path names the behaviour and, behind a dash, a room: /ok-7/topic.
NNN            that status; 503 with Retry-After in seconds, 429 with it as a date
redirect, back to another host; to another place here
slow, stall    no head; a head and no body, each for ten minutes
huge, down     100 MiB of blanks; closes without an answer
garbage        does not speak HTTP
unknown, often what a check's server says with status 200

Mail: the sender's local part: slow (no answer to it), spam (554 behind the message), rude (no answer to QUIT), tangled (451 for it).
The recipient's: nobody (550), later (450). Who logs in is user with the password sesame; late gets 454.
"""
import base64, json, socketserver, ssl, sys, threading, time
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOG, KIND = sys.argv[1:3]
CONTEXT = None
if len(sys.argv) == 5:
    CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CONTEXT.load_cert_chain(sys.argv[3], sys.argv[4])
LOCK = threading.Lock()


def log(entry):
    with LOCK, open(LOG, "a") as sink:
        sink.write(json.dumps(entry) + "\n")


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"OK", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        log({"method": self.command, "path": self.path, "headers": self.headers.items(), "bytes": len(body), "body": body.decode()})
        mode = self.path.split("/")[1].split("-")[0]
        if mode == "slow":
            time.sleep(600)
        elif mode == "stall":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.flush()
            time.sleep(600)
        elif mode == "huge":
            self.answer(200, b" " * (100 << 20))
        elif mode == "down":
            self.close_connection = True
        elif mode == "garbage":
            self.wfile.write(b"220 mail.example ESMTP\r\n" * 10)
            self.close_connection = True
        elif mode == "redirect":
            self.answer(302, Location="https://other.example/canary-path?canary-query")
        elif mode == "back":
            self.answer(307, Location="http://%s/canary-path" % self.headers["Host"])
        elif mode == "unknown":
            self.answer(200, b"OK (not found)")
        elif mode == "often":
            self.answer(200, b"OK (rate limited)")
        elif mode == "503":
            self.answer(503, Retry_After="120")
        elif mode == "429":
            self.answer(429, Retry_After=self.date_time_string(int(time.time()) + 90))
        elif mode.isdigit():
            self.answer(int(mode), b"canary-answer")
        else:
            self.answer(200)

    do_PUT = do_POST


class Mail(socketserver.StreamRequestHandler):
    def setup(self):
        self.is_tls = KIND == "smtps"
        if self.is_tls:
            self.request = CONTEXT.wrap_socket(self.request, server_side=True)
        super().setup()

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def line(self):
        return self.rfile.readline().decode("latin-1").rstrip("\r\n")

    def handle(self):
        if KIND == "mute":
            time.sleep(600)
        if KIND == "busy":
            return self.say("421 too many connections")
        self.say("220 rig ESMTP")
        self.user, self.sender, self.people = None, None, []
        while True:
            line = self.line()
            if not line:
                return
            verb = line.split(" ")[0].upper()
            handler = getattr(self, "on_" + verb.lower(), None)
            if handler is None:
                self.say("502 not known")
            elif handler(line) is False:
                return

    def on_ehlo(self, line):
        offers = ["rig", "AUTH PLAIN LOGIN", "8BITMIME", "SIZE 1000000"]
        if KIND == "smtp" and CONTEXT and not self.is_tls:
            offers.append("STARTTLS")
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])

    def on_starttls(self, line):
        self.say("220 go on")
        self.request = CONTEXT.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        self.is_tls = True

    def on_auth(self, line):
        words = line.split(" ")
        ask = lambda prompt: (self.say("334 " + prompt), base64.b64decode(self.line()).decode())[1]
        if words[1].upper() == "PLAIN":
            text = base64.b64decode(words[2]).decode() if len(words) > 2 else ask("")
            _, user, password = text.split("\0")
        else:
            user = base64.b64decode(words[2]).decode() if len(words) > 2 else ask("VXNlcm5hbWU6")
            password = ask("UGFzc3dvcmQ6")
        if user == "late":
            return self.say("454 not now, canary-reply")
        if (user, password) != ("user", "sesame"):
            return self.say("535 wrong, canary-reply")
        self.user = user
        self.say("235 welcome")

    def on_mail(self, line):
        self.sender = line[line.index("<") + 1:line.rindex(">")]
        self.mode = self.sender.split("@")[0]
        if self.mode == "slow":
            log({"waiting": self.sender})
            time.sleep(600)
        self.say("451 tangled" if self.mode == "tangled" else "250 fine")

    def on_rcpt(self, line):
        person = line[line.index("<") + 1:line.rindex(">")]
        if person.startswith("nobody"):
            return self.say("550 no such user, canary-reply")
        if person.startswith("later"):
            return self.say("450 not now, canary-reply")
        self.people.append(person)
        self.say("250 fine")

    def on_data(self, line):
        self.say("354 go on")
        lines = []
        while True:
            line = self.rfile.readline()
            if line in (b".\r\n", b""):
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.mode == "spam":
            return self.say("554 unwanted, canary-reply")
        raw = b"".join(lines)
        mail = BytesParser(policy=policy.default).parsebytes(raw)
        log({
            "sender": self.sender, "people": self.people, "user": self.user, "tls": self.is_tls, "raw": raw.decode("latin-1"),
            "headers": list(mail.keys()), "subject": mail["Subject"], "from": mail["From"], "to": mail["To"], "date": mail["Date"].datetime.isoformat(),
            "event": mail["X-Holdfast-Event"], "lab": mail["X-Holdfast-Lab"], "host": mail["X-Holdfast-Host"], "type": mail.get_content_type(),
            "defects": [str(d) for d in mail.defects] + [str(d) for h in mail.values() for d in h.defects],
            "longest": max(len(l) for l in lines) - 2, "bare": any(not l.endswith(b"\r\n") for l in lines), "body": mail.get_content().replace("\r\n", "\n"),
        })
        self.say("250 taken")

    def on_quit(self, line):
        if getattr(self, "mode", "") == "rude":
            time.sleep(600)
        self.say("221 bye")
        return False


class Threads(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class WebServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    server = WebServer(("127.0.0.1", 0), Web) if KIND == "web" else Threads(("127.0.0.1", 0), Mail)
    if KIND == "web" and CONTEXT:
        server.socket = CONTEXT.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()

#!/usr/bin/env python3
# purpose: answers as a Vaultwarden does, from Tests/Vectors/vaultwarden, well or badly: what the vault reader is tested against
# use:     vault_rig.py VECTORS [CERTIFICATE KEY]     prints its port and serves on 127.0.0.1 until its standard input ends
# needs:   python3
"""The first part of a path names the behaviour and, behind a dash, a room of its own: /right-7/identity/connect/token.
Rooms keep what was written in them, count logins and what a change dropped, and can be changed while they live: POST /ROOM/rig {"mode": "down"}.

right          as the fixtures have it
argon          the account derives by Argon2id, 3 passes, 64 MiB, 4 lanes
apikey         logs in by client id and secret alone
weak, dear     asks for 5000, 90 000 000 iterations
lowered        asks for 100 000 iterations, fewer than the fixtures have
factor         wants a second factor
echo           refuses with the form as it came, as an error for people
slow, drip     answers after ten minutes; one byte each 200 ms
broken         HTTP 500
often          HTTP 429
huge           300 MiB of blanks
redirect       to another host
html           a proxy's page
proxy          a proxy's page that says 403
nonsense       JSON that is none
badmac         one bit of every item's name is another
badkey         one bit of the user's key is another
twice          two items have the first one's name
expired        tokens end at once, and a 401 comes before the first answer
lost, gone     writes are stored and then the connection is cut; gone stays down after that
forgetful      writes are answered and not stored
hidden         the account may not see passwords
"""
import copy, json, os, socketserver, ssl, sys, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

VECTORS = sys.argv[1]
CLIENT = ("user.9f1c2d34-aaaa-4bbb-8ccc-000000000001", "canary-client-secret")


def load(name):
    return json.load(open(os.path.join(VECTORS, name)))


SYNC, TOKEN, PRELOGIN, ERRORS = load("sync-response.json"), load("token-response.json"), load("prelogin-response.json"), load("errors.json")
KDF = {v["name"]: v for v in load("kdf-vectors.json")["vectors"]}
RIGHT, ARGON = KDF["pbkdf2-600k"], KDF["argon2id-defaults"]


class Room:
    def __init__(self, mode):
        self.mode, self.sync, self.logins, self.refreshes, self.refused = mode, copy.deepcopy(SYNC), 0, 0, 0
        self.writes, self.dropped, self.tokens, self.lock = 0, 0, set(), threading.Lock()
        if mode == "badmac":
            for item in self.sync["ciphers"]:
                item["name"] = flip(item["name"])
        if mode == "twice":
            self.sync["ciphers"].append(dict(copy.deepcopy(self.sync["ciphers"][0]), id=str(uuid.UUID(int=7))))
        if mode == "hidden":
            for item in self.sync["ciphers"]:
                item["viewPassword"] = False

    def token(self):
        token = "token-" + uuid.uuid4().hex
        self.tokens.add(token)
        return token


def flip(text):
    head, _, mac = text.rpartition("|")
    return head + "|" + ("A" if mac[0] != "A" else "B") + mac[1:]


ROOMS, ROOMS_LOCK = {}, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def room(self):
        name = self.path.split("/")[1]
        with ROOMS_LOCK:
            return ROOMS.setdefault(name, Room(name.split("-")[0]))

    def answer(self, status, document, headers=()):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self, mode, body):
        """True when the mode has an answer of its own for everything"""
        if mode == "slow":
            time.sleep(600)
            self.close_connection = True
        elif mode == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            for _ in range(3000):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.2)
            self.close_connection = True
        elif mode == "broken":
            self.answer(500, {"message": "canary-message"})
        elif mode == "often":
            self.answer(429, ERRORS["badPassword"]["body"])
        elif mode == "huge":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            for _ in range(300):
                self.wfile.write(b" " * (1 << 20))
        elif mode == "redirect":
            self.answer(302, b"", [("Location", "http://elsewhere.example/" + self.path)])
        elif mode == "html":
            self.answer(200, b"<html><title>Sign in</title></html>", [("Content-Type", "text/html")])
        elif mode == "proxy":
            self.answer(403, b"\n<!DOCTYPE html><h1>Forbidden</h1>", [("Content-Type", "text/html")])
        elif mode == "nonsense":
            self.answer(200, b'{"kdf":0,"kdf":0}')
        elif mode == "down":
            self.close_connection = True
        else:
            return False
        return True

    def handle_all(self):
        room, path = self.room(), "/" + "/".join(self.path.split("?")[0].split("/")[2:])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/rig":
            if self.command == "POST":
                room.mode = json.loads(body)["mode"]
            return self.answer(200, {k: getattr(room, k) for k in ("mode", "logins", "refreshes", "refused", "writes", "dropped")})
        try:
            if self.misbehave(room.mode, body):
                return
            if path == "/identity/accounts/prelogin":
                return self.prelogin(room, json.loads(body))
            if path == "/identity/connect/token":
                return self.login(room, {k: v[0] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()})
            self.vault(room, path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = handle_all

    def prelogin(self, room, question):
        answer = dict(PRELOGIN)
        if question["email"] == ARGON["email"] and room.mode == "argon":
            answer.update(ARGON["kdf"])
        cost = {"weak": 5000, "dear": 90_000_000, "lowered": 100_000}.get(room.mode)
        if cost:
            answer["kdfIterations"] = cost
        self.answer(200, answer)

    def login(self, room, form):
        room.logins += form["grant_type"] != "refresh_token"
        room.refreshes += form["grant_type"] == "refresh_token"
        if form["grant_type"] == "refresh_token":
            if not form["refresh_token"].startswith("refresh-"):
                return self.answer(400, {"error": "invalid_grant"})
            return self.answer(200, {"access_token": room.token(), "expires_in": 7200, "token_type": "Bearer"})
        if room.mode == "factor":
            return self.answer(400, ERRORS["twoFactorRequired"]["body"])
        if room.mode == "echo":
            return self.answer(400, {"error": "invalid_grant", "errorModel": {"message": "bad form: " + json.dumps(form)}})
        account = ARGON if room.mode == "argon" else RIGHT
        if form["grant_type"] == "client_credentials":
            right = (form["client_id"], form["client_secret"], form["scope"]) == CLIENT + ("api",)
        else:
            right = (form["username"], form["password"], form["scope"], form["client_id"]) == (
                account["email"], account["serverPasswordHashB64"], "api offline_access", "cli") and room.mode != "apikey"
        if not right or len(form["deviceIdentifier"]) != 36 or form["deviceType"] != "8":
            room.refused += 1
            return self.answer(400, ERRORS["badPassword"]["body"])
        answer = dict(TOKEN, access_token=room.token(), refresh_token="refresh-" + uuid.uuid4().hex, Key=account["protectedUserKey"])
        if room.mode == "expired":
            answer.update(expires_in=1)
        if form["grant_type"] == "client_credentials":
            del answer["refresh_token"]
        if room.mode == "badkey":
            answer["Key"] = flip(answer["Key"])
        self.answer(200, answer)

    def vault(self, room, path, body):
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in room.tokens or self.headers.get("Bitwarden-Client-Version", "") < "2024.12.0":
            return self.answer(401, {"error": "invalid_token"})
        if room.mode == "unauthorised":
            return self.answer(401, {"error": "invalid_token"})
        if room.mode == "once":
            room.mode = "right"
            return self.answer(401, {"error": "invalid_token"})
        if path == "/api/sync":
            return self.answer(200, room.sync)
        with room.lock:
            room.writes += 1
            self.write(room, path, json.loads(body))

    def write(self, room, path, item):
        stamp = "2026-11-22T03:00:00.%06dZ" % room.writes
        if self.command == "POST" and path == "/api/ciphers":
            stored = dict(item, id=str(uuid.uuid4()), object="cipherDetails", revisionDate=stamp, creationDate=stamp, deletedDate=None)
            if room.mode != "forgetful":
                room.sync["ciphers"].append(stored)
        else:
            places = [i for i, c in enumerate(room.sync["ciphers"]) if path == "/api/ciphers/" + c["id"]]
            if self.command != "PUT" or not places:
                return self.answer(400, {"message": "Cipher doesn't exist"})
            old = room.sync["ciphers"][places[0]]
            if item.get("lastKnownRevisionDate") != old["revisionDate"]:
                return self.answer(400, ERRORS["staleRevision"]["body"])
            room.dropped += len(set(old) - set(item)) + sum(old[k] != item[k] for k in ("name", "fields", "notes", "key") if k in item)
            stored = dict(item, id=old["id"], revisionDate=stamp)
            if room.mode != "forgetful":
                room.sync["ciphers"][places[0]] = stored
        if room.mode in ("lost", "gone"):
            room.mode = "right" if room.mode == "lost" else "down"
            self.close_connection = True
            return
        self.answer(200, stored)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) == 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()

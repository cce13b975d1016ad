# purpose: reads, writes and forges files of a restic repository without any code of ours or of restic: key files, locks, packs, indexes, snapshots
# use:     key = open_master(REPO, PASSWORD); forge(REPO, key, "locks", b"{…}"); cheapen(REPO, PASSWORD)
# needs:   python3 with hashlib.scrypt; AES in plain Python, so only for small files
import base64, hashlib, json, os, struct, subprocess


def _substitution():
    table, p, q = [0] * 256, 1, 1
    while True:
        p = (p ^ p << 1 ^ (0x11b if p & 0x80 else 0)) & 0xff
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xff
        if q & 0x80:
            q ^= 0x09
        turn = lambda n: (q << n | q >> 8 - n) & 0xff
        table[p] = q ^ turn(1) ^ turn(2) ^ turn(3) ^ turn(4) ^ 0x63
        if p == 1:
            table[0] = 0x63
            return table


SUBSTITUTION = _substitution()
DOUBLE = [(b << 1) ^ (0x11b if b & 0x80 else 0) for b in range(256)]


def expand(key):
    """AES round keys of 16 bytes each"""
    words, size, rcon = [list(key[i:i + 4]) for i in range(0, len(key), 4)], len(key) // 4, 1
    for i in range(size, 4 * (size + 7)):
        word = list(words[-1])
        if i % size == 0:
            word = [SUBSTITUTION[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = DOUBLE[rcon]
        elif size > 6 and i % size == 4:
            word = [SUBSTITUTION[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - size], word)])
    return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def encrypt_block(rounds, block):
    state = [a ^ b for a, b in zip(block, rounds[0])]
    for number, key in enumerate(rounds[1:], 1):
        state = [SUBSTITUTION[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < len(rounds) - 1:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c:c + 4]
                total = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ total ^ DOUBLE[a[i] ^ a[(i + 1) % 4]] for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def keystream(key, iv, data):
    rounds, counter, out = expand(key), int.from_bytes(iv, "big"), bytearray()
    for i in range(0, len(data), 16):
        pad = encrypt_block(rounds, ((counter + i // 16) % (1 << 128)).to_bytes(16, "big"))
        out += bytes(a ^ b for a, b in zip(data[i:i + 16], pad))
    return bytes(out)


def authenticate(k, r, iv, data):
    return poly1305(r, encrypt_block(expand(k), iv), data)


def poly1305(r, pad, data):
    pad = int.from_bytes(pad, "little")
    r, total = int.from_bytes(r, "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff, 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + pad) % (1 << 128)).to_bytes(16, "little")


def unseal(key, sealed):
    iv, body, tag = sealed[:16], sealed[16:-16], sealed[-16:]
    if len(sealed) < 32 or authenticate(key["k"], key["r"], iv, body) != tag:
        raise ValueError("authentication failed")
    return keystream(key["encrypt"], iv, body)


def seal(key, plain):
    iv = os.urandom(16)
    body = keystream(key["encrypt"], iv, plain)
    return iv + body + authenticate(key["k"], key["r"], iv, body)


def derive(document, password):
    raw = hashlib.scrypt(password.encode(), salt=base64.b64decode(document["salt"]), n=document["N"], r=document["r"], p=document["p"], maxmem=1 << 28, dklen=64)
    return {"encrypt": raw[:32], "k": raw[32:48], "r": raw[48:]}


def open_key(repository, password):
    """(file name, document, master key) of the first key file that opens"""
    folder = os.path.join(repository, "keys")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as source:
            document = json.loads(source.read())
        try:
            inner = json.loads(unseal(derive(document, password), base64.b64decode(document["data"])))
        except ValueError:
            continue
        decode = base64.b64decode
        return name, document, {"encrypt": decode(inner["encrypt"]), "k": decode(inner["mac"]["k"]), "r": decode(inner["mac"]["r"]), "inner": inner}
    raise ValueError("no key opens with this password")


def open_master(repository, password):
    return open_key(repository, password)[2]


def write(path, data, mode=0o400):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as sink:
        sink.write(data)
    os.chmod(path, mode)
    return path


def write_key(repository, password, master, document, **changes):
    """a key file with other parameters for the same master key; returns its path"""
    document = dict(document, **changes)
    document["salt"] = base64.b64encode(os.urandom(64)).decode()
    plain = json.dumps(master["inner"], separators=(",", ":")).encode()
    cheap = {} if 128 * document["N"] * document["r"] <= 1 << 27 else {"N": 1024, "r": 1, "p": 1}
    document["data"] = base64.b64encode(seal(derive(dict(document, **cheap), password), plain)).decode()
    stored = json.dumps(document, separators=(",", ":")).encode()
    return write(os.path.join(repository, "keys", hashlib.sha256(stored).hexdigest()), stored)


def cheapen(repository, password):
    """wraps the master key with light scrypt parameters: hundreds of commands then measure the program, not scrypt"""
    name, document, master = open_key(repository, password)
    if document["N"] != 1024:
        write_key(repository, password, master, document, N=1024, r=1, p=1)
        os.unlink(os.path.join(repository, "keys", name))


def read(repository, key, kind, name):
    """the JSON behind a snapshot, lock or config; None when it is compressed (we read no zstd here)"""
    path = os.path.join(repository, "config") if kind == "config" else os.path.join(repository, kind, name)
    with open(path, "rb") as source:
        plain = unseal(key, source.read())
    return json.loads(plain) if plain[:1] in b"{[" else None


def forge(repository, key, kind, plain):
    """stores sealed bytes under their right name, as someone with the key would; returns the name"""
    sealed = seal(key, plain)
    name = hashlib.sha256(sealed).hexdigest()
    write(os.path.join(repository, kind, name), sealed)
    return name


def forge_many(repository, key, kind, plains, blocks=256):
    """the same for thousands of files of up to `blocks` × 16 bytes: one stream of AES-CTR is cut into their keystreams, so that openssl is asked twice only"""
    openssl = lambda *arguments, data: subprocess.run(["openssl", "enc", *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout
    first = int.from_bytes(os.urandom(15), "big")       # below 2^120, so that the counter does not wrap
    ivs = [(first + number * blocks).to_bytes(16, "big") for number in range(len(plains))]
    stream = openssl("-aes-256-ctr", "-K", key["encrypt"].hex(), "-iv", ivs[0].hex(), data=bytes(16 * blocks * len(plains)))
    pads = openssl("-aes-128-ecb", "-nopad", "-K", key["k"].hex(), data=b"".join(ivs))
    for number, plain in enumerate(plains):
        if len(plain) > 16 * blocks:
            raise ValueError(f"{len(plain)} bytes are too many for one of many")
        start = 16 * blocks * number
        body = (int.from_bytes(plain, "big") ^ int.from_bytes(stream[start:start + len(plain)], "big")).to_bytes(len(plain), "big")
        sealed = ivs[number] + body + poly1305(key["r"], pads[16 * number:16 * number + 16], body)
        write(os.path.join(repository, kind, hashlib.sha256(sealed).hexdigest()), sealed)


def forge_pack(repository, key, blobs):
    """a pack of uncompressed (type, bytes) blobs with its header, and an index that names it; returns the blob IDs in order"""
    body, header, entries, names = b"", b"", [], []
    for kind, plain in blobs:
        sealed, name = seal(key, plain), hashlib.sha256(plain).digest()
        header += struct.pack("<BI", {"data": 0, "tree": 1}[kind], len(sealed)) + name
        entries.append({"id": name.hex(), "type": kind, "offset": len(body), "length": len(sealed)})
        body += sealed
        names.append(name.hex())
    sealed = seal(key, header)
    pack = body + sealed + struct.pack("<I", len(sealed))
    name = hashlib.sha256(pack).hexdigest()
    write(os.path.join(repository, "data", name[:2], name), pack)
    forge(repository, key, "index", json.dumps({"packs": [{"id": name, "blobs": entries}]}, separators=(",", ":")).encode())
    return names


def forge_snapshot(repository, key, tree, **changes):
    """a snapshot of that tree; returns its ID"""
    document = {"time": "2026-01-02T03:04:05.000000006Z", "tree": tree, "paths": ["/forged"], "hostname": "forge", "username": "root"}
    document.update(changes)
    return forge(repository, key, "snapshots", json.dumps(document, separators=(",", ":")).encode())


def node(name, kind="file", **changes):
    """a tree node with the fields restic writes"""
    facts = {"name": name, "type": kind, "mode": {"dir": 0x800001ed, "symlink": 0x80001ff}.get(kind, 0o644), "mtime": "2026-01-02T03:04:05Z",
             "atime": "2026-01-02T03:04:05Z", "ctime": "2026-01-02T03:04:05Z", "uid": 0, "gid": 0, "content": None}
    if kind == "file":
        facts.update(content=[], size=0)
    elif kind == "dir":
        facts.pop("content")
    facts.update(changes)
    return facts


def tree(*nodes):
    """the bytes of a tree blob"""
    return json.dumps({"nodes": list(nodes)}, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"

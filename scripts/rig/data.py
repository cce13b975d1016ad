# purpose: small deterministic trees for the rigs: ordinary files, and an awkward one; the large generator of ../shared is used when it is there
# use:     small(DIR, seed=1, files=200); awkward(DIR); change(DIR, seed=2)
# needs:   python3 on Linux
import os, random, socket, stat, subprocess

from . import process

BASE = 1_700_000_000_000_000_000
GENERATOR = os.path.join(process.ROOT, "..", "shared", "acceptance", "make-data")


def put(path, content, when, mode=0o644):
    with open(path, "wb") as sink:
        sink.write(content)
    os.chmod(path, mode)
    os.utime(path, ns=(when, when))


def words(generator, size):
    letters = b"etaoin shrdlu\ncmfwyp vbgkqjxz 0123456789"
    return bytes(generator.choices(letters, k=size))


def small(root, seed=1, files=200, largest=60_000, big=1):
    """text and random files in folders, and `big` files of several chunks"""
    generator = random.Random(f"small/{seed}")
    os.makedirs(root, exist_ok=True)
    for number in range(files):
        folder = os.path.join(root, f"folder-{number // 40:02d}")
        os.makedirs(folder, exist_ok=True)
        size = 0 if number % 37 == 0 else generator.randrange(1, largest)
        content = generator.randbytes(size) if number % 3 == 0 else words(generator, size)
        put(os.path.join(folder, f"file-{number:04d}"), content, BASE + generator.randrange(10 ** 15))
    for number in range(big):
        put(os.path.join(root, f"big-{number}"), generator.randbytes(5 << 20), BASE + number)
    for base, _, _ in os.walk(root, topdown=False):
        os.utime(base, ns=(BASE, BASE + 7))


def change(root, seed=2, count=8):
    """appends to some files, replaces some, adds and removes one"""
    generator = random.Random(f"change/{seed}")
    paths = sorted(os.path.join(b, n) for b, _, names in os.walk(root) for n in names if stat.S_ISREG(os.lstat(os.path.join(b, n)).st_mode))
    for number, path in enumerate(generator.sample(paths, min(count, len(paths)))):
        with open(path, "ab" if number % 2 else "wb") as sink:
            sink.write(generator.randbytes(generator.randrange(1, 20_000)))
    with open(os.path.join(root, "new-" + str(seed).replace("/", "-")), "wb") as sink:
        sink.write(generator.randbytes(3000))


def awkward(root, seed="7"):
    """every kind of entry that a source can hold; by the generator of ../shared when it is there, by ours otherwise"""
    os.makedirs(root, exist_ok=True)
    if os.access(GENERATOR, os.X_OK):
        subprocess.run([GENERATOR, root, seed, "awkward"], check=True, stderr=subprocess.DEVNULL)
        return os.path.join(root, "tree")
    return own_awkward(os.path.join(root, "tree"))


def own_awkward(root):
    root = os.fsencode(root)
    os.makedirs(root)
    here = lambda *parts: b"/".join((root,) + parts)
    for number, name in enumerate([b"new\nline", b"esc\x1b[31m", b"quote\"'", b"back\\slash", b"-dash", b" space ", b"\xff\xfe", b"cut-\xe2\x82", "é".encode(),
                                   "e\u0301".encode(), "漢字".encode(), b"n" * 255, b"...", b"<>&", "rtl\u202e".encode()]):
        put(here(name), b"content of " + name, BASE + number)
    path = here(b"deep")
    os.mkdir(path)
    for _ in range(15):
        path += b"/" + b"d" * 120
        os.mkdir(path)
    put(path + b"/bottom", b"deep", BASE)
    put(here(b"one"), b"linked\n" * 99, BASE)
    os.link(here(b"one"), here(b"two"))
    for name, target in [(b"dangling", b"no/such"), (b"absolute", b"/etc/hostname"), (b"loop", b"loop"), (b"bad-target", b"\xff\n")]:
        os.symlink(target, here(name))
    os.mkfifo(here(b"fifo"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(os.fsdecode(here(b"socket"))))
    listener.close()
    if os.geteuid() == 0:
        os.mknod(here(b"null"), 0o660 | stat.S_IFCHR, os.makedev(1, 3))
    with open(here(b"sparse"), "wb") as sink:
        sink.truncate(20 << 20)
        sink.seek(9 << 20)
        sink.write(b"island")
    put(here(b"modes"), b"", BASE, 0o6711)
    try:
        os.setxattr(here(b"modes"), "user.empty", b"")
        os.setxattr(here(b"modes"), "user.binary", bytes(range(256)))
    except OSError:
        pass
    for name, when in [(b"epoch", 0), (b"before", -1), (b"2106", 2 ** 32 * 10 ** 9 + 5)]:
        put(here(b"time-" + name), b"t", when)
    os.mkdir(here(b"empty"))
    generator = random.Random("awkward")
    for size in (1, 524287, 524288, 524289, 8 << 20, (8 << 20) + 1):
        put(here(b"zero-%d" % size), bytes(size), BASE)
        put(here(b"random-%d" % size), generator.randbytes(size), BASE)
    return os.fsdecode(root)

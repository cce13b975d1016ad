# purpose: the data sets of scripts/bench: same seed, class and scale give the same names, bytes and times
# use:     make(DIR, "small", scale=1.0); change(DIR, percent=1); size(DIR); read(DIR) brings it into the page cache
# needs:   python3 on Linux; 2 GiB for `large`, 4 GiB for `photos`, 4 GiB and a million inodes for `million`
import os, random

BASE = 1_700_000_000_000_000_000
SEED = 1
REGION = 32 << 20        # bytes of one part of `large`


def corpus(generator, size=4 << 20):
    """text-like bytes: words by a Zipf-like distribution, numbers, punctuation, lines"""
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(generator.choices(letters, weights=range(26, 0, -1), k=generator.randint(2, 11))) for _ in range(6000)]
    weights = [1 / (rank + 2) for rank in range(len(words))]
    lines, have = [], 0
    while have < size:
        line, shape = " ".join(generator.choices(words, weights=weights, k=generator.randint(4, 14))), generator.random()
        if shape < 0.2:
            line = f"{generator.randint(0, 99999):05d}: {line} = 0x{generator.getrandbits(32):08x}"
        elif shape < 0.3:
            line = f'  "{line[:20]}": {generator.random():.6f},'
        lines.append(line + "\n")
        have += len(line) + 1
    return "".join(lines).encode()


def text(generator, source, size):
    pieces, have, limit = [], 0, len(source) - 512
    while have < size:
        length = generator.randint(60, 500)
        start = int(generator.random() * limit)
        pieces.append(source[start:start + length])
        have += length
    return b"".join(pieces)[:size]


def date(path, generator):
    when = BASE + generator.randrange(10 ** 16)
    os.utime(path, ns=(when, when))


def write(path, content, generator):
    with open(path, "wb") as sink:
        sink.write(content)
    date(path, generator)


def small(root, generator, scale):
    """20,000 files of up to 64 KiB, 418 MiB; one in eight incompressible, one in 200 empty; 25 in a folder"""
    source = corpus(generator)
    for number in range(max(20, int(20_000 * scale))):
        folder = os.path.join(root, f"project-{number // 500:03d}", f"module-{number // 25 % 20:02d}")
        os.makedirs(folder, exist_ok=True)
        length = 0 if number % 200 == 0 else int(65_536 * generator.random() ** 2)
        is_dense = number % 8 == 7
        content = generator.randbytes(length) if is_dense else text(generator, source, length)
        write(os.path.join(folder, f"{'blob' if is_dense else 'source'}-{number:06d}"), content, generator)


def many(root, generator, scale):
    """200,000 files of about 1 KiB, 50 in a folder"""
    source = corpus(generator)
    for number in range(max(200, int(200_000 * scale))):
        folder = os.path.join(root, f"{number // 5000:03d}", f"{number // 50 % 100:02d}")
        os.makedirs(folder, exist_ok=True)
        start = int(generator.random() * (len(source) - 2048))
        write(os.path.join(folder, f"note-{number:07d}"), source[start:start + int(2000 * generator.random())] + b"%d" % number, generator)


def million(root, generator, scale):
    """1,000,000 files of about 60 bytes, 100 in a folder, 100 folders in one"""
    for number in range(max(1000, int(1_000_000 * scale))):
        folder = os.path.join(root, f"{number // 10_000:03d}", f"{number // 100 % 100:02d}")
        if number % 100 == 0:
            os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"entry-{number:07d}"), "wb") as sink:
            sink.write(b"%d %064x" % (number, generator.getrandbits(256)))


def large(root, generator, scale):
    """2 GiB in four files, 1.6 GiB of it distinct: parts of 32 MiB, even ones incompressible, odd ones text, some in two files at odd offsets"""
    source, region, seed = corpus(generator), max(1 << 16, int(REGION * scale)), generator.getrandbits(64)

    def part(number):
        own = random.Random(seed * 1000 + number)
        return own.randbytes(region) if number % 2 == 0 else text(own, source, region)

    plan = {"disk-a.img": (b"", range(0, 32)), "disk-b.img": (generator.randbytes(12_345), [*range(4, 12), *range(32, 40)]),
            "archive-c.tar": (b"", range(40, 52)), "disk-a.old": (generator.randbytes(777), range(0, 4))}
    for name, (prefix, parts) in plan.items():
        with open(os.path.join(root, name), "wb") as sink:
            sink.write(prefix)
            for number in parts:
                sink.write(part(number))
        date(os.path.join(root, name), generator)


def photos(root, generator, scale):
    """1,500 incompressible files of 1 to 4 MiB, 3.7 GiB"""
    for number in range(max(5, int(1500 * scale))):
        folder = os.path.join(root, f"{2015 + number // 150}", f"{number // 15 % 10 + 1:02d}")
        os.makedirs(folder, exist_ok=True)
        write(os.path.join(folder, f"IMG_{number:05d}.JPG"), b"\xff\xd8\xff\xe1" + generator.randbytes(generator.randint(1 << 20, 4 << 20)), generator)


def files(root):
    return sorted(os.path.join(base, name) for base, _, names in os.walk(root) for name in names)


def make(root, kind, scale):
    """fills the folder `root` unless it is there already"""
    if os.path.exists(root):
        return root
    partial, generator = root + ".partial", random.Random(f"{SEED}/{kind}")
    os.makedirs(partial)
    {"small": small, "many": many, "million": million, "large": large, "photos": photos}[kind](partial, generator, scale)
    for base, _, _ in os.walk(partial, topdown=False):
        date(base, generator)
    os.rename(partial, root)
    return root


def change(root, percent, seed=SEED):
    """edits that share of the files in place, a third each: append, overwrite in the middle, replace; adds a tenth of it, removes a tenth"""
    generator, paths = random.Random(f"{seed}/change"), files(root)
    for number, path in enumerate(generator.sample(paths, max(1, int(len(paths) * percent / 100)))):
        length = os.path.getsize(path)
        with open(path, "r+b") as sink:
            if number % 3 == 0:
                sink.seek(0, 2)
                sink.write(b"appended %d %d\n" % (seed, number))
            elif number % 3 == 1:
                sink.seek(length // 2)
                sink.write(b"edited %d %d\n" % (seed, number))
            else:
                sink.truncate(0)
                sink.write(generator.randbytes(min(length, 20_000) + 1))
        if number % 10 == 0:
            write(f"{path}.new-{seed}", generator.randbytes(3000), generator)
        if number % 10 == 5:
            os.unlink(path)


def size(root):
    """(files, bytes)"""
    sizes = [os.lstat(path).st_size for path in files(root)]
    return len(sizes), sum(sizes)


def read(root):
    """reads every file once, so that the page cache holds it"""
    for path in files(root):
        with open(path, "rb", buffering=0) as source:
            while source.read(1 << 20):
                pass

# purpose: an independent walker: facts of every entry by descriptor (any depth), one canonical digest, and named differences
# use:     digest(PATH); differences(walk(A), walk(B)); python3 scripts/rig/trees.py DIR prints one line per entry
# needs:   python3 on Linux
import hashlib, os, stat, sys

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFCHR: "chardev", stat.S_IFBLK: "dev"}


def attributes(folder, name):
    found, path = {}, b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        for key in os.listxattr(path, follow_symlinks=False):
            found[key] = os.getxattr(path, key, follow_symlinks=False).hex()
    except OSError:
        pass
    return found


def content(folder, name):
    digest = hashlib.sha256()
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb", buffering=0) as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def facts(folder, name):
    """what must come back of one entry, and the (device, inode) that ties hard links"""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    kind = KINDS.get(stat.S_IFMT(status.st_mode), "irregular")
    entry = {"type": kind, "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid, "gid": status.st_gid, "mtime": status.st_mtime_ns,
             "xattr": attributes(folder, name)}
    if kind == "file":
        entry["size"], entry["sha256"] = status.st_size, content(folder, name)
    elif kind == "symlink":
        entry["target"] = os.readlink(name, dir_fd=folder)
    elif kind in ("chardev", "dev"):
        entry["rdev"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
    inode = (status.st_dev, status.st_ino) if kind != "dir" and status.st_nlink > 1 else None
    return entry, inode


def walk(root):
    """{path below root as bytes: facts}; links are not followed; iterative, so depth is no matter"""
    root, found, linked = os.fsencode(root), {}, {}
    pending = [(os.open(root, os.O_RDONLY | os.O_DIRECTORY), b"")]
    while pending:
        folder, prefix = pending.pop()
        try:
            for name in sorted(os.listdir(b"/proc/self/fd/%d" % folder)):
                path = prefix + b"/" + name if prefix else name
                entry, inode = facts(folder, name)
                found[path] = entry
                if inode:
                    linked.setdefault(inode, []).append(path)
                if entry["type"] == "dir":
                    pending.append((os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder), path))
        finally:
            os.close(folder)
    for paths in linked.values():
        if len(paths) > 1:
            for path in paths:
                found[path]["link"] = min(paths)
    return found


def listing(entries, skip=("socket",)):
    """canonical bytes: one line per entry, sorted by path bytes, every fact in a fixed order"""
    lines = []
    for path in sorted(entries):
        entry = entries[path]
        if entry["type"] not in skip:
            lines.append(repr((path, sorted((k, v if k != "xattr" else sorted(v.items())) for k, v in entry.items()))))
    return "\n".join(lines).encode()


def digest(root):
    return hashlib.sha256(listing(walk(root))).hexdigest()


def differences(wanted, have, ignore=(), skip=("socket",), limit=6):
    """named differences, none when equal"""
    found = []
    for path in sorted(set(wanted) | set(have)):
        left, right = wanted.get(path), have.get(path)
        if (left or right)["type"] in skip:
            continue
        if left is None or right is None:
            found.append(f"{'extra' if left is None else 'missing'} {path!r}")
            continue
        for key in sorted(set(left) | set(right)):
            if key not in ignore and left.get(key) != right.get(key):
                found.append(f"{path!r}: {key}: wanted {str(left.get(key))[:60]}, is {str(right.get(key))[:60]}")
    return found[:limit] + ([f"and {len(found) - limit} more"] if len(found) > limit else [])


if __name__ == "__main__":
    for where, what in sorted(walk(sys.argv[1]).items()):
        print(where, what)

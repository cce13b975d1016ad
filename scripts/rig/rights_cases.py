# purpose: H-06: what only root may set, restored by root and by an ordinary user; files of the target that cannot be changed
# use:     by scripts/faults
# needs:   root, setpriv, setcap, chattr (otherwise named as skipped); stock restic to compare with
import os, shutil, stat, struct, subprocess

from . import data, process, trees

USER = 65534                                       # nobody, who is everywhere


def privileged(root):
    """a tree of what an ordinary user cannot make"""
    os.makedirs(root)
    for name, mode in (("plain", 0o644), ("suid", 0o4755), ("sgid", 0o2755), ("foreign", 0o640), ("capable", 0o755), ("trusted", 0o644), ("listed", 0o640)):
        data.put(os.path.join(root, name), name.encode(), data.BASE, mode)
    os.chown(os.path.join(root, "foreign"), 1234, 4321)
    os.setxattr(os.path.join(root, "trusted"), "trusted.rig", b"value")
    os.setxattr(os.path.join(root, "trusted"), "user.rig", b"value")
    entries = [(0x01, 6, 0xffffffff), (0x02, 6, USER), (0x04, 4, 0xffffffff), (0x10, 6, 0xffffffff), (0x20, 0, 0xffffffff)]
    os.setxattr(os.path.join(root, "listed"), "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))
    subprocess.run(["setcap", "cap_net_bind_service+ep", os.path.join(root, "capable")], check=True)
    os.mknod(os.path.join(root, "null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(os.path.join(root, "block"), 0o660 | stat.S_IFBLK, os.makedev(7, 200))
    os.mkfifo(os.path.join(root, "pipe"))
    os.mkdir(os.path.join(root, "sticky"))
    os.chmod(os.path.join(root, "sticky"), 0o1777)
    os.symlink("nowhere", os.path.join(root, "link"))
    os.chown(os.path.join(root, "link"), 1234, 4321, follow_symlinks=False)


def restored(case, tool, repository, owner):
    """(result, what came back) of a restore by one tool as one user"""
    home = os.path.join(case.folder("H-06"), f"{tool.name}-{owner}")
    process.remove_tree(home)
    os.makedirs(home)
    os.chown(home, owner, owner)
    wrap = ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--clear-groups"] if owner else []
    result = tool.run(repository, "restore", "latest", "--target", os.path.join(home, "target"), "--no-lock", "--no-cache", wrap=wrap, HOME=home)
    return result, trees.walk(os.path.join(home, "target")) if os.path.isdir(os.path.join(home, "target")) else {}


def privileges(case):
    """H-06: by root everything comes back; by a user what stock restic brings back, with words for whatever is lost"""
    board, scratch = case.board, case.folder("H-06")
    if os.geteuid() != 0 or not all(map(shutil.which, ("setpriv", "setcap", "chattr"))):
        return board.skip("H-06", "needs root, setpriv, setcap and chattr")
    for folder in (case.scratch, scratch):
        os.chmod(folder, 0o755)
    repository, source = os.path.join(scratch, "repository"), os.path.join(scratch, "source")
    try:
        privileged(source)
    except (OSError, subprocess.CalledProcessError) as error:
        return board.skip("H-06", f"devices, capabilities or attributes are not permitted here: {error}")
    case.subject.create(repository)
    case.subject.run(repository, "backup", ".", cwd=source)
    wanted = trees.walk(source)
    result, have = restored(case, case.subject, repository, 0)
    left = trees.differences(wanted, have)
    board.survive("backend-faults", result.code == 0 and not left, f"H-06 restore by root ended in {result.code}: {left} {result.text[-200:] if result.code else ''}")
    subprocess.run(["chown", "-R", f"{USER}:{USER}", repository], check=True)
    by_user(case, repository, wanted)
    subprocess.run(["chown", "-R", "0:0", repository], check=True)
    immutable(case, repository, wanted)
    return board.skip("H-06", "devices and setuid only when asked for: restic's restore has no such option, and restores both")


def by_user(case, repository, wanted):
    """what an ordinary user cannot have is named; all else is there, as by stock restic"""
    board = case.board
    result, have = restored(case, case.subject, repository, USER)
    if result.code == 127 or (result.code != 0 and not have):
        return board.skip("H-06", f"the binary cannot be run by another user here: {result.text[-200:]}")
    if case.judge:
        theirs, like = restored(case, case.judge, repository, USER)
        # Of a file with one attribute that is refused, stock restic leaves out others; ours may have more.
        left = trees.differences(like, have, ignore=("xattr",)) + [p for p in like if p in have and not like[p]["xattr"].items() <= have[p]["xattr"].items()]
        board.survive("backend-faults", result.code == theirs.code and not left, f"H-06 restore by a user ended in {result.code}, {case.judge.name} in {theirs.code}: {left}")
    text = result.text.lower()
    missing = [os.fsdecode(p) for p in wanted if p not in have]
    board.survive("backend-faults", sorted(missing) == ["block", "null"] and all(f"/{m}:" in text for m in missing), f"H-06 devices a user cannot make are named: {missing}: {result.text[-300:]}")
    if case.is_stock:
        return board.skip("H-06", "stock restic says nothing of owners, capabilities and attributes that a user cannot set")
    for what, word, lost in (("owner", "owner", have[b"foreign"]["uid"] != 1234), ("capability", "capab", "security.capability" not in have[b"capable"]["xattr"]),
                             ("attribute", "trusted.rig", "trusted.rig" not in have[b"trusted"]["xattr"])):
        board.survive("backend-faults", not lost or word in text, f"H-06 a user is told of the {what} that is lost: {result.text[-400:]}")
    return None


def immutable(case, repository, wanted):
    """a file and a folder of the target that even root cannot change: named, not 0, all else comes back; without the flag the rest, too"""
    board, target = case.board, os.path.join(case.folder("H-06"), "immutable")
    os.makedirs(os.path.join(target, "sticky"))
    data.put(os.path.join(target, "plain"), b"other", data.BASE - 10 ** 9)
    fixed = [os.path.join(target, name) for name in ("plain", "sticky")]
    if subprocess.run(["chattr", "+i", *fixed], capture_output=True).returncode != 0:
        return board.skip("H-06", "the file system knows no immutable files")
    try:
        result = case.subject.run(repository, "restore", "latest", "--target", target)
        have = trees.walk(target)
    finally:
        subprocess.run(["chattr", "-i", *fixed], check=False)
    wrong = [p for p in wanted if p not in (b"plain", b"sticky") and have.get(p) != wanted[p]]
    named = all(f"/{name}" in result.text for name in ("plain", "sticky"))
    board.survive("backend-faults", result.code == 1 and named and not wrong and have[b"plain"]["size"] == 5, f"H-06 an immutable file and folder: ended in {result.code}, beside them wrong: {wrong[:3]}: {result.text[-300:]}")
    again = case.subject.run(repository, "restore", "latest", "--target", target)
    left = trees.differences(wanted, trees.walk(target))
    return board.survive("backend-faults", again.code == 0 and not left, f"H-06 no longer immutable: ended in {again.code}: {left}")

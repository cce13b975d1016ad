# purpose: a declared lab for measurements: workloads, repositories on media of their own, and a history of snapshots
# use:     lab = Lab(DIR, COMMAND, repositories=3, workloads=50); lab.create(); lab.run("run"); lab.age(5000); measure.cost(lab, None, ["status"], lab.folder)
# needs:   python3, openssl
import datetime, json, os

from . import process, resticfile


class Lab:
    """A folder with a declaration, its sources, its media and its state; a tool for `measure`, too."""

    name = "holdfast"

    def __init__(self, folder, command, repositories, workloads, source=None):
        self.folder, self.command, self.workloads, self.source = folder, command, workloads, source
        self.repositories = [f"copy-{number}" for number in range(repositories)]

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def declaration(self):
        names = ", ".join(self.repositories)
        media = "".join(f"  disk-{name}: {{ kind: internal, path: media/{name} }}\n" for name in self.repositories)
        stores = "".join(f'  {name}: {{ medium: disk-{name}, password: "file:secrets/{name}" }}\n' for name in self.repositories)
        role = 'roles:\n  standard: { backup: { schedule: "02:00", keep: { last: 1000 } } }\n'
        protect = "".join(f"  - {{ name: workload-{number}, host: {{ paths: [{self.source_of(number)}] }}, to: [{names}], role: standard }}\n" for number in range(self.workloads))
        return f"lab: bench\ntime-zone: UTC\nstate: state\nmedia:\n{media}repositories:\n{stores}{role}protect:\n{protect}"

    def source_of(self, number):
        return self.source or self.path("source", str(number))

    def create(self):
        """the declaration and its folders"""
        process.remove_tree(self.folder)
        for name in self.repositories:
            os.makedirs(self.path("media", name))
        for number in range(0 if self.source else self.workloads):
            os.makedirs(self.source_of(number))
            with open(os.path.join(self.source_of(number), "file"), "w") as sink:
                sink.write(f"content {number}\n")
        with open(self.path("holdfast.yaml"), "w") as sink:
            sink.write(self.declaration())

    def create_repositories(self):
        """by a backup of next to nothing, so that a measured run has no keys to make"""
        source, self.source = self.source, self.path("nothing")
        self.create()
        os.makedirs(self.source)
        self.run("run")
        self.source = source
        with open(self.path("holdfast.yaml"), "w") as sink:
            sink.write(self.declaration())

    def run(self, *arguments):
        result = process.run([*self.command, *arguments], self.environment(), timeout=3600, cwd=self.folder)
        if result.code != 0:
            raise SystemExit(f"bench: holdfast {' '.join(arguments)} ended in {result.code}: {result.text[-800:]}")
        return result

    def environment(self, _=None):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.folder, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOLDFAST_CONFIG": self.path("holdfast.yaml")}

    def repository(self, name):
        return self.path("media", name, name)

    # MARK: a history

    def age(self, snapshots):
        """adds snapshots until all repositories together have that many: twins of those that a run made, each a day older than the one before"""
        for number, name in enumerate(self.repositories):
            wanted = snapshots // len(self.repositories) + (number < snapshots % len(self.repositories))
            self.age_one(name, wanted - len(os.listdir(os.path.join(self.repository(name), "snapshots"))))

    def age_one(self, name, count):
        with open(self.path("secrets", name)) as source:
            password = source.read().strip()
        command = [*self.command, "restic", "-r", self.repository(name), "--no-lock", "--no-cache", "snapshots", "--json"]
        listed = json.loads(process.run(command, dict(self.environment(), RESTIC_PASSWORD=password)).out)
        made = [snapshot for snapshot in listed if any(tag.startswith("workload:") for tag in snapshot.get("tags", []))]
        plains = [json.dumps(twin(made[number % len(made)], number // len(made) + 1), separators=(",", ":")).encode() for number in range(count)]
        resticfile.forge_many(self.repository(name), resticfile.open_master(self.repository(name), password), "snapshots", plains)


def twin(snapshot, days):
    """the same document, dated that many days before"""
    document = {key: value for key, value in snapshot.items() if key not in ("id", "short_id", "original")}
    day = datetime.date.fromisoformat(document["time"][:10]) - datetime.timedelta(days=days)
    document["time"] = day.isoformat() + document["time"][10:]
    return document

#!/usr/bin/env python3
# purpose: moto's object store, which shares no code with ours, as a peer of the store's tests
# use:     moto_rig.py [locks]     prints its port, or 0 where moto is not installed, and serves on 127.0.0.1 until its standard input
#          ends; with "locks" the locks of versions hold as at Amazon, which moto leaves out: nobody shortens one or passes it by
# needs:   python3, moto[server]
import logging, sys

try:
    from moto.server import ThreadedMotoServer
except ImportError:
    print(0, flush=True)
    sys.exit(0)
if "locks" in sys.argv[1:]:
    from moto.s3.exceptions import AccessDeniedByLock
    from moto.s3.models import FakeKey, S3Backend

    is_locked, put_retention = FakeKey.is_locked, S3Backend.put_object_retention

    def put_object_retention(self, bucket_name, key_name, version_id, retention):
        key = self.get_object(bucket_name, key_name, version_id=version_id)
        mode, until = retention
        if key.lock_mode and key.is_locked(False) and (mode != key.lock_mode or until[:19] < key.lock_until[:19]):
            raise AccessDeniedByLock
        put_retention(self, bucket_name, key_name, version_id, retention)

    FakeKey.is_locked = lambda self, governance_bypass: is_locked(self, False)
    S3Backend.put_object_retention = put_object_retention
logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.buffer.read()

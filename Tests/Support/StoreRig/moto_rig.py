#!/usr/bin/env python3
# purpose: moto's object store, which shares no code with ours, as a peer of the store's tests
# use:     moto_rig.py     prints its port, or 0 where moto is not installed, and serves on 127.0.0.1 until its standard input ends
# needs:   python3, moto[server]
import logging, sys

try:
    from moto.server import ThreadedMotoServer
except ImportError:
    print(0, flush=True)
    sys.exit(0)
logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.buffer.read()

"""Stands for systemd: binds the socket that is named, and prints each datagram as a line of JSON."""

import array
import json
import os
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(4096))
    for level, kind, payload in ancillary:
        if kind == socket.SCM_RIGHTS:  # a barrier: systemd-notify waits until its descriptor is closed
            for descriptor in array.array("i", payload):
                os.close(descriptor)
    print(json.dumps(data.decode()), flush=True)

"""Send the HL7 v2 message on standard input over MLLP to the port given, and print the answer."""

import socket
import sys

message = sys.stdin.buffer.read().strip().replace(b"\n", b"\r") + b"\r"
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as gateway:
    gateway.sendall(b"\x0b" + message + b"\x1c\r")
    answer = b""
    while not answer.endswith(b"\x1c\r"):
        answer += gateway.recv(4096)
print(answer.strip(b"\x0b\x1c\r").replace(b"\r", b"\n").decode())

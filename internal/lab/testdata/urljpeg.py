"""Fetch one URL over a bare socket and say what every recv returned.

    python3 urljpeg.py URL FILE [SECONDS]

SECONDS is how long to sleep after each recv. The body goes into FILE.
"""
import socket
import sys
import time
from urllib.parse import urlsplit

url, file = sys.argv[1], sys.argv[2]
delay = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
where = urlsplit(url)

client = socket.create_connection((where.hostname, where.port or 80))
client.sendall(f"GET {url} HTTP/1.0\r\n\r\n".encode("ascii"))

answer = bytearray()
while True:
    piece = client.recv(5120)
    if not piece:
        break
    answer += piece
    print(len(piece), len(answer))
    if delay:
        time.sleep(delay)
client.close()

end = answer.find(b"\r\n\r\n")
if end < 0:
    sys.exit("no end of the header")
print("Header length", end)
print(answer[:end].decode("latin-1"))
with open(file, "wb") as out:
    out.write(answer[end + 4:])

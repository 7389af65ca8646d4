#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Records what a real kernel and a real nginx say, as seed inputs of the fuzz targets.

    scripts/lib/on-kernel -r build/results/record python3 tests/fuzz/record.py

writes TARGET/NAME below the directory for results. It needs a network namespace of its own, which
on-kernel gives. The interface's key is made here and thrown away.
"""

import os
import socket
import struct
import subprocess
import time
from pathlib import Path

NETLINK_ROUTE, NETLINK_GENERIC = 0, 16
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_GETADDR = 22
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
WG_CMD_GET_DEVICE, WGDEVICE_A_IFNAME = 0, 2
# Smaller than the installer's, so that a split peer fits into a small input.
BUFFER_BYTES = 4096
SEQUENCE = 7

DIRECTORY = Path(os.environ["PULLGATE_RESULTS"])

NGINX = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 16; }}
http {{
  access_log off; root {directory}; default_type application/json;
  client_body_temp_path {directory}/t; proxy_temp_path {directory}/t;
  fastcgi_temp_path {directory}/t; uwsgi_temp_path {directory}/t; scgi_temp_path {directory}/t;
  server {{
    listen 127.0.0.1:8080;
    location /peer/ {{ expires 5m; }}
    location /private/ {{ alias {directory}/peer/; add_header Cache-Control "private, max-age=60";
                          add_header Cache-Control no-transform; add_header Age 7; }}
    location /chunked/ {{ alias {directory}/peer/; gzip on; gzip_types *; gzip_min_length 1; }}
    location /gone {{ return 410; }}
    location /busy {{ add_header Retry-After 120 always; return 503; }}
    location /moved {{ return 302 /peer/a; }}
  }}
}}
"""

BODY = ('{"public_key": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",\n'
        ' "allowed_ips": ["10.64.0.7/32", "fd64::7/128"], "persistent_keepalive": 25}\n')


def save(target, name, data):
    path = DIRECTORY / target
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def pieces(packets):
    return b"".join(struct.pack("<H", len(packet)) + packet for packet in packets)


def attribute(number, value):
    data = struct.pack("=HH", 4 + len(value), number) + value
    return data + bytes(-len(data) % 4)


def request(kind, flags, body):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, SEQUENCE, 0) + body


def ask(protocol, message):
    """The packets that answer the request, to the one that ends it."""
    packets = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as link:
        link.settimeout(10)
        link.send(message)
        while True:
            packet = link.recv(BUFFER_BYTES)
            packets.append(packet)
            at = 0
            while at + 16 <= len(packet):
                length, kind = struct.unpack_from("=IH", packet, at)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return packets
                at += (length + 3) & ~3
            if not message[7]:  # not a dump: one packet is all
                return packets


def wireguard_family():
    body = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0)
    body += attribute(CTRL_ATTR_FAMILY_NAME, b"wireguard\0")
    packet = ask(NETLINK_GENERIC, request(GENL_ID_CTRL, NLM_F_REQUEST, body))[0]
    at = 20
    while at < len(packet):
        length, number = struct.unpack_from("=HH", packet, at)
        if number == CTRL_ATTR_FAMILY_ID:
            return struct.unpack_from("=H", packet, at + 4)[0]
        at += (length + 3) & ~3
    raise RuntimeError("no family wireguard")


def record_device(family, name):
    body = struct.pack("=BBH", WG_CMD_GET_DEVICE, 1, 0) + attribute(WGDEVICE_A_IFNAME, b"wg0\0")
    packets = ask(NETLINK_GENERIC, request(family, NLM_F_REQUEST | NLM_F_DUMP, body))
    save("device", name, b"\0" + pieces(packets))
    print(f"device/{name}: {len(packets)} packets, {sum(map(len, packets))} bytes")


def record_addresses(name):
    body = struct.pack("=BBBBI", socket.AF_UNSPEC, 0, 0, 0, 0)
    packets = ask(NETLINK_ROUTE, request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, body))
    save("addresses", name, pieces(packets))
    print(f"addresses/{name}: {len(packets)} packets, {sum(map(len, packets))} bytes")


def run(*words, stdin=None):
    return subprocess.run(words, check=True, input=stdin, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def wg_key():
    return run("wg", "genkey")


def record_netlink():
    run("ip", "link", "add", "wg0", "type", "wireguard")
    family = wireguard_family()
    record_device(family, "no-key")
    run("wg", "set", "wg0", "private-key", "/dev/stdin", "listen-port", "51820", stdin=wg_key())
    record_device(family, "no-peers")
    keys = [run("wg", "pubkey", stdin=wg_key()) for _ in range(3)]
    run("wg", "set", "wg0", "peer", keys[0], "endpoint", "192.0.2.7:4000", "allowed-ips",
        "10.64.0.1/32,fd64::1/128", "persistent-keepalive", "25", "preshared-key", "/dev/stdin",
        stdin=wg_key())
    run("wg", "set", "wg0", "peer", keys[1], "endpoint", "[2001:db8::7]:4000", "allowed-ips", "")
    record_device(family, "two-peers")
    many = ",".join(f"10.65.{i // 256}.{i % 256}/32" for i in range(300))
    run("wg", "set", "wg0", "peer", keys[2], "allowed-ips", many)
    record_device(family, "split-peer")
    record_addresses("loopback")
    run("ip", "address", "add", "10.64.0.1/10", "dev", "wg0")
    run("ip", "address", "add", "192.0.2.1", "peer", "192.0.2.2", "dev", "wg0")
    run("ip", "address", "add", "fd64::1/32", "dev", "wg0")
    run("ip", "link", "set", "wg0", "up")
    record_addresses("gateway")


def get(path):
    with socket.create_connection(("127.0.0.1", 8080), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: origin.example\r\n"
                           "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while part := connection.recv(65536):
            data += part
    return data


def record_nginx():
    directory = Path("/run/record")
    (directory / "peer").mkdir(parents=True)
    directory.chmod(0o755)
    (directory / "peer" / "a").write_text(BODY)
    (directory / "nginx.conf").write_text(NGINX.format(directory=directory))
    server = subprocess.Popen(["nginx", "-c", f"{directory}/nginx.conf"])
    try:
        for _ in range(200):
            try:
                get("/peer/a")
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        for name, path in (("found", "/peer/a"), ("private", "/private/a"), ("chunked", "/chunked/a"),
                           ("absent", "/peer/b"), ("revoked", "/gone"), ("busy", "/busy"),
                           ("moved", "/moved")):
            data = get(path)
            save("http", name, data)
            print(f"http/{name}: {len(data)} bytes")
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    record_netlink()
    record_nginx()

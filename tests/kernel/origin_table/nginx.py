# SPDX-License-Identifier: ISC
"""Real nginx: files, a cache, limits, pages where no peer is, mutual TLS, HTTP/2."""

import http.client
import time

from cryptography.x509.oid import ExtendedKeyUsageOID

from gatelab import addresses
from gatelab.origin import HTTP_PORT, HTTPS_PORT

from .certificates import Maker
from .exchange import Exchange, Http1Origin
from .row import ABSENT, FAILED, FOUND, REVOKED, Row
from .stage import Stage

PATHS_PORT, MUTUAL_PORT, FEW_PORT, OLD_PORT, BEHIND_PORT = 8101, 8102, 8103, 8104, 8105

# What is to be done for a peer whose name is in docroot/<word>, word by word.
BEHAVIOURS = {
    "folder": "root {directory}/docroot/folders;",
    "portal": "default_type text/html; return 200 '<html><form action=/login>Log in</form></html>';",
    "login": "return 302 https://login.example.net/;",
    "hangup": "return 444;",
    "basic": "auth_basic peers; auth_basic_user_file {directory}/nobody;",
    "denied": "deny all;",
    "application": "try_files /nothing /index.html;",
    "soft": "error_page 404 =200 /index.html; try_files /nothing =404;",
    "dead": "proxy_pass http://{address}:9;",
    "slow": "proxy_pass http://{address}:{behind}/peer/$name; proxy_read_timeout 200ms;",
    "relayed": "proxy_pass http://{address}:{behind}/peer/$name;",
    "cached": "proxy_pass http://{address}:{behind}/peer/$name; proxy_cache peers; proxy_cache_lock on;"
              " proxy_cache_valid 200 1h;",
    "stale": "proxy_pass http://{address}:{behind}/peer/$name; proxy_cache peers;"
             " proxy_cache_valid 200 1s; proxy_cache_use_stale error timeout invalid_header;",
    "limited": "limit_req zone=all; limit_req_status 429; try_files /peer/$name =404;",
    "gzip": "gzip on; gzip_types application/json; gzip_min_length 1; try_files /peer/$name =404;",
    "chunked": "ssi on; ssi_types application/json; try_files /peer/$name =404;",
    "crawling": "limit_rate 10; try_files /peer/$name =404;",
}

HTTP_LINES = """
limit_req_zone $server_port zone=all:1m rate=1r/m;
proxy_cache_path {directory}/cache keys_zone=peers:1m;
server {{
    listen {address}:{paths};
    root {directory}/docroot;
    location ~ ^/peer/(?<name>[A-Za-z0-9_-]+)$ {{
        if (-f $document_root/revoked/$name) {{ return 410; }}
        {choices}
        try_files /peer/$name =404;
    }}
    {locations}
}}
server {{
    listen {address}:{mutual} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {client_ca};
    ssl_verify_client on;
    root {directory}/docroot;
}}
server {{
    listen {address}:{few} ssl http2;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    keepalive_requests 2;
    root {directory}/docroot;
}}
server {{
    listen {address}:{old} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1 TLSv1.1;
    ssl_ciphers ALL:@SECLEVEL=0;
    root {directory}/docroot;
}}
"""
CHOICE = "if (-f $document_root/{word}/$name) {{ rewrite ^/peer/(.*)$ /{word}/$1 last; }}"
LOCATION = "location ~ ^/{word}/(?<name>[A-Za-z0-9_-]+)$ {{ {lines} }}"


def http_lines(origin, client_ca):
    """What of nginx' configuration is for these rows."""
    names = {"directory": origin.directory, "address": addresses.ORIGIN[4], "paths": PATHS_PORT,
             "mutual": MUTUAL_PORT, "few": FEW_PORT, "old": OLD_PORT, "behind": BEHIND_PORT,
             "certificate": origin.certificate, "key": origin.key, "client_ca": client_ca}
    return HTTP_LINES.format(
        choices="\n".join(CHOICE.format(word=word) for word in BEHAVIOURS),
        locations="\n".join(LOCATION.format(word=word, lines=lines.format(**names))
                            for word, lines in BEHAVIOURS.items()), **names)


class Behind(Http1Origin):
    """The origin that nginx asks."""

    PORT = BEHIND_PORT


class Nginx:
    """nginx, started once for all stages; `port` is the server of this one."""

    def __init__(self, lab, port=PATHS_PORT, scheme="http", **settings):
        self.url = f"{scheme}://{addresses.ORIGIN[4]}:{port}/peer/{{key}}"
        self.settings = settings
        self.lab = lab
        self.nginx = lab.origin
        self.client_maker = Maker(lab.directory / "clients")
        self.behind = Behind(lab)
        for word in BEHAVIOURS:
            (self.nginx.docroot / word).mkdir(exist_ok=True)
        (self.nginx.docroot / "index.html").write_text("<html>Welcome</html>", encoding="ascii")
        (self.nginx.directory / "nobody").touch()
        self.restart()

    def restart(self):
        """Ends nginx, with all its connections, and starts it again."""
        self.nginx.stop()
        self.nginx.start(http_lines=http_lines(self.nginx, self.client_maker.ca_file))

    def behave(self, word, peer):
        """The peer is known, and asking for it comes to BEHAVIOURS[word]."""
        self.welcome(peer)
        (self.nginx.docroot / word / peer.name).touch()

    def fetch(self, peer):
        """Asks nginx as pullgate would."""
        with self.lab.gateway.namespace.inside():
            connection = http.client.HTTPConnection(addresses.ORIGIN[4], PATHS_PORT, timeout=30)
            connection.connect()
        connection.request("GET", f"/peer/{peer.name}")
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def begin(self, row, peer):
        """The row prepares what is asked for."""
        row.does(self, peer)

    def end(self, row, peer):
        """What was prepared stays."""

    def welcome(self, peer):
        """The peer has a file."""
        self.nginx.add_peer(peer.public_key, peer.allowed_ips)

    def asked(self, peer):
        """nginx' log tells."""
        return len(self.nginx.requests(peer.public_key))

    def strays(self):
        """What was asked of the origin behind nginx that nobody told it."""
        return self.behind.strays()

    def close(self):
        """The lab's nginx stays."""
        self.behind.close()


def _behaves(what, word, outcome, reason=""):
    return Row(what, lambda it, peer: it.behave(word, peer), outcome, reason)


def _known(it, peer):
    it.welcome(peer)


def _revoked(it, peer):
    it.welcome(peer)
    it.nginx.revoke_peer(peer.public_key)


def _behind(word, does):
    """The origin behind nginx does that."""
    def prepare(it, peer):
        it.behave(word, peer)
        it.behind.begin(Row("", does, ""), peer)
    return prepare


def _slowly(it):
    time.sleep(0.3)
    it.answer()


def _kept(it, peer):
    """nginx has it from before; the origin behind it would not say it again."""
    said = []

    def once(exchange):
        if said:
            exchange.close()
        else:
            said.append(True)
            _slowly(exchange)
    _behind("cached", once)(it, peer)
    assert it.fetch(peer) == peer.body


def _kept_too_long(it, peer):
    """nginx has it, but no longer fresh, and the origin behind it is out of order."""
    it.behave("stale", peer)
    it.behind.begin(Row("", Exchange.answer, ""), peer)
    assert it.fetch(peer) == peer.body
    it.behind.begin(Row("", Exchange.close, ""), peer)
    time.sleep(1.5)


def _folder(it, peer):
    it.behave("folder", peer)
    (it.nginx.docroot / "folders" / "folder" / peer.name).mkdir(parents=True)


def _reloaded(it, peer):
    it.welcome(peer)
    it.nginx.reload()


def _restarted(it, peer):
    it.welcome(peer)
    it.restart()


PATHS = (
    Row("has a file", _known, FOUND),
    Row("has no file", lambda it, peer: None, ABSENT),
    Row("has a file that is empty", lambda it, peer: it.nginx.add_body(peer.public_key, ""), FAILED,
        "JSON"),
    Row("has a file and a mark of revocation", _revoked, REVOKED),
    Row("has a folder in the place of a file", _folder, FAILED, "301"),
    _behaves("shows a captive portal", "portal", FAILED, "JSON"),
    _behaves("sends to a login page", "login", FAILED, "302"),
    _behaves("hangs up (444)", "hangup", FAILED, "reply|reset|closed|Recv"),
    _behaves("asks for a password", "basic", FAILED, "401"),
    _behaves("denies the gateway", "denied", FAILED, "403"),
    _behaves("answers an application's page for what it has not", "application", FAILED, "JSON"),
    _behaves("answers 200 for what it has not", "soft", FAILED, "JSON"),
    _behaves("has nobody behind it", "dead", FAILED, "502"),
    Row("has an origin behind it that says nothing", _behind("slow", Exchange.wait), FAILED, "504"),
    Row("has an origin behind it that closes", _behind("relayed", Exchange.close), FAILED, "502"),
    Row("has an origin behind it that answers nonsense",
        _behind("relayed", lambda it: (it.send("nonsense\r\n\r\n"), it.close())), FAILED, "502|JSON|0.9"),
    Row("has a slow origin behind it", _behind("relayed", _slowly), FOUND),
    Row("has a slow origin and a cache", _behind("cached", _slowly), FOUND),
    Row("has kept the answer in its cache", _kept, FOUND),
    Row("has kept the answer too long, and nobody else has it", _kept_too_long, FOUND),
    _behaves("would compress", "gzip", FOUND),
    _behaves("sends in chunks", "chunked", FOUND),
)
LIMITED = (
    _behaves("limits requests: the first", "limited", FOUND),
    _behaves("limits requests: the second", "limited", FAILED, "429"),
    _behaves("limits requests: the third", "limited", FAILED, "429"),
    Row("is reloaded while connections are kept", _reloaded, FOUND),
    Row("is restarted while connections are kept", _restarted, FOUND),
)
HTTP_2 = tuple(Row(f"speaks HTTP/2, {what}", does, outcome) for what, does, outcome in (
    ("has a file", _known, FOUND), ("has no file", lambda it, peer: None, ABSENT),
    ("has revoked it", _revoked, REVOKED)))
FEW = tuple(Row(f"takes two requests a connection, over HTTP/2: number {number}", _known, FOUND)
            for number in range(1, 7))
OLD = (Row("is as old as TLS 1.1", _known, FAILED, "SSL|TLS|alert"),)
CRAWLS = (_behaves("sends ten bytes a second", "crawling", FAILED, "[Tt]ime"),)
MIXED_UP = (Row("speaks TLS where HTTP is asked for", _known, FAILED, "400"),)
PLAIN = (Row("speaks HTTP where TLS is asked for", _known, FAILED, "SSL|version"),)


def _with_certificate(name):
    """Opens nginx for a pullgate that has this certificate."""
    def opens(lab):
        origin = Nginx(lab, MUTUAL_PORT, "https")
        maker, stranger = origin.client_maker, origin.client_maker.make("stranger", is_authority=True)
        usage = {"usage": ExtendedKeyUsageOID.CLIENT_AUTH}
        one = {"right": lambda: maker.make("right", maker.authority, **usage),
               "expired": lambda: maker.make("expired", maker.authority, days=(-9, -1), **usage),
               "unknown": lambda: maker.make("unknown", stranger, **usage)}[name]()
        origin.settings = {"client_cert_file": one.chain_file, "client_key_file": one.key_file}
        return origin
    return opens


def _opens(*arguments):
    return lambda lab: Nginx(lab, *arguments)


STAGES = (
    Stage("nginx", PATHS, _opens(), at_once=4),
    Stage("nginx", LIMITED, _opens(), settings={"timeout": "8s"}),
    Stage("nginx", CRAWLS, _opens(), settings={"timeout": "1s"}, honest=False),
    Stage("nginx HTTP/2", HTTP_2, _opens(HTTPS_PORT, "https"), at_once=4),
    Stage("nginx HTTP/2", FEW, _opens(FEW_PORT, "https")),
    Stage("nginx", OLD, _opens(OLD_PORT, "https"), honest=False),
    Stage("nginx", MIXED_UP, _opens(HTTPS_PORT, "http"), honest=False),
    Stage("nginx", PLAIN, _opens(HTTP_PORT, "https"), honest=False),
    Stage("mutual TLS", (Row("wants a client certificate, and gets it", _known, FOUND),),
          _with_certificate("right")),
    Stage("mutual TLS", (Row("wants a client certificate, and gets none", _known, FAILED, "400"),),
          _opens(MUTUAL_PORT, "https"), honest=False),
    Stage("mutual TLS",
          (Row("wants a client certificate, and gets another authority's", _known, FAILED, "400"),),
          _with_certificate("unknown"), honest=False),
    Stage("mutual TLS", (Row("wants a client certificate, and gets an expired one", _known, FAILED,
                              "400"),), _with_certificate("expired"), honest=False),
)

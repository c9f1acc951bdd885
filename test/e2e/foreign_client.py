"""A client written from docs/protocol.md alone, on Debian's python3-socketio: no code is shared with ours.

    foreign_client.py URL ROOM caller|callee|prober|ruler|guest|visitor|traveller [OTHER_URL]

The environment may hold a TOKEN for the handshake. Every request with its answer, and every event, is one JSON line on stdout. Ends by itself: 0 once its part is
played, 1 where an answer was not what it had to be, 2 where the server refused the connection, 3 where the other
side did not do its part in time.
"""

import json
import os
import queue
import sys
import threading
import traceback

import engineio
import socketio

TIMEOUT_S = 20
AUTH = {"token": os.environ["TOKEN"]} if "TOKEN" in os.environ else None

SDP = (
    "v=0\r\no=python 20518 0 IN IP4 203.0.113.1\r\ns=烽火 🔥 naïve\r\nt=0 0\r\n"
    "a=tool:\"quotes\" \\ and a tab\there\r\n"
    + "m=audio 54400 UDP/TLS/RTP/SAVPF 0 96\r\na=rtpmap:96 opus/48000\r\na=ice-ufrag:8hhY\r\n" * 20
)
CANDIDATES = [
    {
        "candidate": "candidate:%d 1 udp 2122260223 192.0.2.7 %d typ host" % (n, 50000 + n),
        "sdpMid": "0",
        "sdpMLineIndex": 0,
        "usernameFragment": "8hhY" if n % 2 == 0 else None,
    }
    for n in range(12)
]


SAYING = threading.Lock()


def say(**line):
    # Each connection has a thread of its own, and print writes a line in two parts.
    with SAYING:
        print(json.dumps(line), flush=True)


class InOrderEngine(engineio.Client):
    """The library starts a thread for each frame, which loses their order: handle them where they are read."""

    def _trigger_event(self, event, *args, **kwargs):
        kwargs.pop("run_async", None)
        return super()._trigger_event(event, *args, **kwargs)


class Peer(socketio.Client):
    """One connection and its session. Events wait in a queue until the one thread of this client takes them."""

    def __init__(self):
        super().__init__(reconnection=False, handle_sigint=False)
        self.events = queue.Queue()
        self.last_id = 0
        self.on("*", self.arrived)
        # Whether the node took the handshake. The library's own wait does not end at a refusal.
        self.admitted = queue.Queue()
        self.on("connect", lambda: self.admitted.put(True))
        self.on("connect_error", self.refused)
        self.closed = queue.Queue()
        self.on("disconnect", lambda: self.closed.put(True))

    def _engineio_client_class(self):
        return InOrderEngine

    def refused(self, data=None):
        say(refused=data)
        self.admitted.put(False)

    def arrived(self, name, payload):
        say(event=name, payload=payload)
        self.events.put((name, payload))

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def ask(self, name, payload):
        """Sends a payload as it is, and waits for the acknowledgement."""
        reply = self.call(name, payload, timeout=TIMEOUT_S)
        say(request=name, payload=None if has_bytes(payload) else payload, reply=reply)
        return reply

    def request(self, request, /, **members):
        return self.ask(request, {"id": self.next_id(), **members})

    def join_room(self, room):
        return self.request(
            "join", room=room, name="赵灵 🔥", metadata={"城市": "上海", "lantern": "🏮", "list": [], "none": None}
        )

    def next(self, name, matches=lambda payload: True):
        while True:
            found, payload = self.events.get(timeout=TIMEOUT_S)
            if found == name and matches(payload):
                return payload

    def trickle(self, to):
        """All candidates and their end, without waiting for one answer before the next request."""
        answered = queue.Queue()
        for candidate in [*CANDIDATES, None]:
            payload = {"id": self.next_id(), "to": to, "candidate": candidate}
            self.emit("signal", payload, callback=lambda reply, sent=payload: answered.put((sent, reply)))
        for _ in range(len(CANDIDATES) + 1):
            sent, reply = answered.get(timeout=TIMEOUT_S)
            say(request="signal", payload=sent, reply=reply)


def has_bytes(payload):  # JSON lines cannot show them
    return isinstance(payload, dict) and any(isinstance(value, bytes) for value in payload.values())


def call_someone(peer, room):
    joined = peer.join_room(room)
    other = joined["peers"][0]
    say(polite=joined["self"]["joined_seq"] > other["joined_seq"])
    peer.request("signal", to=other["id"], description={"type": "offer", "sdp": SDP})
    peer.next("signal", lambda signal: signal.get("description", {}).get("type") == "answer")
    converse(peer, other)


def be_called(peer, room):
    joined = peer.join_room(room)
    other = peer.next("peer_joined")["peer"]
    say(polite=joined["self"]["joined_seq"] > other["joined_seq"])
    peer.next("signal", lambda signal: signal.get("description", {}).get("type") == "offer")
    peer.request("signal", to=other["id"], description={"type": "answer", "sdp": SDP})
    converse(peer, other)


def converse(peer, other):
    peer.trickle(other["id"])
    peer.next("signal", lambda signal: "candidate" in signal and signal["candidate"] is None)
    peer.request("leave")


def probe(peer, room):
    """Mistakes and repeats, in the order in which the test reads the answers."""
    peer.ask("signal", {"id": 1, "to": "nobody", "candidate": None})
    peer.ask("join", {"id": 2, "room": room})
    other = peer.join_room(room)["peers"][0]["id"]
    peer.ask("join", {"id": 1, "room": room})
    peer.ask("signal", {"id": 2, "to": other})
    peer.ask("signal", "not an object")
    peer.ask("message", {"id": 2, "topic": "bytes", "data": b"binary"})
    peer.ask("message", {"id": 2, "topic": "large", "data": "烽" * 25_000})
    peer.ask("wave", {"id": 2})
    lost = {"id": peer.next_id(), "to": "nobody", "candidate": None}
    peer.ask("signal", lost)
    peer.emit("message", {"id": peer.next_id(), "topic": "unacknowledged", "data": "烽火 🔥"})
    twice = {"id": peer.next_id(), "topic": "twice", "data": {"n": [1, None, "é"]}}
    peer.ask("message", twice)
    peer.ask("message", twice)
    peer.ask("signal", lost)
    peer.request("message", topic="end", data=None)


def rule(peer, room):
    """Is host: mutes one, locks the door, shows him out, and closes the room."""
    joined = peer.join_room(room)
    bob = peer.next("peer_joined")["peer"]
    peer.next("peer_joined")
    peer.request("moderate", action="mute", peer=bob["id"], kinds=["audio", "video"])
    peer.next("peer_updated", lambda event: event["peer"]["id"] == bob["id"] and "audio" in event["peer"]["muted"])
    peer.request("moderate", action="lock")
    peer.next("room_updated", lambda event: event["room"]["locked"])
    peer.request("moderate", action="kick", peer=joined["self"]["id"])
    peer.request("moderate", action="kick", peer=bob["id"])
    peer.next("peer_left", lambda event: event["peer"] == bob["id"])
    peer.request("moderate", action="close")
    peer.next("removed")
    peer.closed.get(timeout=TIMEOUT_S)


def be_ruled(peer, room):
    """Is muted and shown out, which it does not take for an answer."""
    joined = peer.join_room(room)
    host = joined["peers"][0]
    peer.request("moderate", action="lock")
    peer.next("peer_updated", lambda event: "audio" in event["peer"]["muted"])
    peer.request("signal", to=host["id"], description={"type": "offer", "sdp": SDP})
    peer.request("message", topic="chat", data="still here")
    peer.next("removed")
    peer.closed.get(timeout=TIMEOUT_S)
    again = Peer()
    again.connect(peer.connection_url, transports=["websocket"], wait=False)
    if not again.admitted.get(timeout=TIMEOUT_S):
        raise RuntimeError("refused")
    position = {"seq": joined["seq"], "epoch": joined["epoch"]}
    again.ask("resume", {"resume_token": joined["resume_token"], "attempt": 1, **position})
    again.join_room(room)
    again.disconnect()


def travel(peer, room, other_url):
    """Loses its connection, and goes on through another node."""
    joined = peer.join_room(room)
    before = {"id": peer.next_id(), "topic": "diary", "data": "before"}
    peer.ask("message", before)
    position = {"seq": joined["seq"], "epoch": joined["epoch"]}
    peer.eio.disconnect(abort=True)
    sys.stdin.readline()  # The others have something to say meanwhile.
    again = Peer()
    again.connect(other_url, transports=["websocket"], auth=AUTH, wait=False)
    if not again.admitted.get(timeout=TIMEOUT_S):
        raise RuntimeError("refused")
    resumed = again.ask("resume", {"resume_token": joined["resume_token"], "attempt": 1, **position})
    seqs = []
    for _ in range(resumed["missed"]):
        while True:
            name, payload = again.events.get(timeout=TIMEOUT_S)
            if name != "welcome":
                break
        seqs.append(payload["seq"])
    if seqs != sorted(set(seqs)) or (seqs and seqs[0] <= position["seq"]):
        raise RuntimeError("out of order: %s" % seqs)
    again.last_id = resumed["last_id"]
    again.ask("message", before)
    again.request("message", topic="diary", data="after")
    again.request("leave")
    again.disconnect()


def visit(peer, room):
    peer.join_room(room)


ROLES = {
    "caller": call_someone,
    "callee": be_called,
    "prober": probe,
    "ruler": rule,
    "guest": be_ruled,
    "visitor": visit,
}


def main(url, room, role, other_url=""):
    # Whatever hangs, this process does not.
    watchdog = threading.Timer(2 * TIMEOUT_S, lambda: os._exit(3))
    watchdog.daemon = True
    watchdog.start()
    peer = Peer()
    try:
        peer.connect(url, transports=["websocket"], auth=AUTH, wait=False)
        if not peer.admitted.get(timeout=TIMEOUT_S):
            return 2
        if role == "traveller":
            travel(peer, room, other_url)
        else:
            ROLES[role](peer, room)
            peer.disconnect()
    except (queue.Empty, socketio.exceptions.TimeoutError):
        traceback.print_exc()
        return 3
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # The library's threads would keep a failed process alive.
    os._exit(code)

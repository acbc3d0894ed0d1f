"""An IMAP client that shares nothing with Wissel: Python's imaplib.

Reads one request as JSON from standard input, writes one answer as JSON to standard output. It only reads:
folders are opened read-only and messages fetched with BODY.PEEK.

Request: port, user, password or token, optional: tls ("implicit", "starttls"; none when left out), ca (file),
mechanism (LOGIN, PLAIN, XOAUTH2, OAUTHBEARER), action:
  sign-in               -> {"ok": true} or {"ok": false, "error": text}
  find, pattern         -> {folder: {match: number of messages that contain it}}
  dump, folder, into    -> writes <uid>.eml files into a directory; {uid: size}
"""

import base64
import collections
import imaplib
import json
import os
import re
import ssl
import sys

imaplib._MAXLINE = 100_000_000
BATCH = 200


def connect(request):
    tls = request.get("tls")
    context = ssl.create_default_context(cafile=request["ca"]) if tls else None
    if tls == "implicit":
        return imaplib.IMAP4_SSL("localhost", request["port"], ssl_context=context)
    client = imaplib.IMAP4("127.0.0.1" if not tls else "localhost", request["port"])
    if tls == "starttls":
        client.starttls(context)
    return client


def sign_in(client, request):
    user, mechanism = request["user"], request.get("mechanism", "LOGIN")
    if mechanism == "LOGIN":
        client.login(user, request["password"])
        return
    answers = {
        "PLAIN": lambda: f"\0{user}\0{request['password']}",
        "XOAUTH2": lambda: f"user={user}\1auth=Bearer {request['token']}\1\1",
        "OAUTHBEARER": lambda: f"n,a={user},\1host=localhost\1auth=Bearer {request['token']}\1\1",
    }
    # After a refusal the server sends its reasons as a challenge, which has to be answered too.
    pending = [answers[mechanism]().encode()]
    client.authenticate(mechanism, lambda _: pending.pop() if pending else b"\1")


def folders(client):
    """The names of folders that can be opened, as the server writes them."""
    for line in client.list()[1]:
        literal = None
        if isinstance(line, tuple):
            line, literal = line
        if line is None or rb"\Noselect" in line or rb"\NonExistent" in line:
            continue
        name = re.match(rb'\([^)]*\) (?:"[^"]*(?:\\.)?"|NIL) (.*)', line).group(1)
        if literal is not None:
            name = b'"' + literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        yield name.decode() if name.startswith(b'"') else '"' + name.decode() + '"'


def messages(client, folder):
    """Pairs of UID and bytes for every message of a folder."""
    status, answer = client.select(folder, readonly=True)
    if status != "OK":
        raise RuntimeError(f"cannot open {folder}: {answer}")
    uids = client.uid("SEARCH", "ALL")[1][0].split()
    for start in range(0, len(uids), BATCH):
        chosen = b",".join(uids[start : start + BATCH]).decode()
        for part in client.uid("FETCH", chosen, "(UID BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                yield int(re.search(rb"UID (\d+)", part[0]).group(1)), part[1]


def shown(name):
    """A quoted name in modified UTF-7 as people read it."""
    def decode(match):
        if not match.group(1):
            return "&"
        coded = match.group(1).replace(",", "/")
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")

    return re.sub(r"&([^-]*)-", decode, re.sub(r"\\(.)", r"\1", name[1:-1]))


def written(name):
    """A name as a command writes it: modified UTF-7, quoted."""
    def encode(match):
        coded = base64.b64encode(match.group(0).encode("utf-16-be")).decode().rstrip("=")
        return "&" + coded.replace("/", ",") + "-"

    coded = re.sub(r"[^\x20-\x7e]+", encode, name.replace("&", "&-"))
    return '"' + coded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def find(client, request):
    pattern = re.compile(request["pattern"].encode())
    found = {}
    for folder in folders(client):
        counts = collections.Counter()
        for _, body in messages(client, folder):
            counts.update(set(pattern.findall(body)))
        found[shown(folder)] = {match.decode(): count for match, count in counts.items()}
    return found


def dump(client, request):
    sizes = {}
    for uid, body in messages(client, written(request["folder"])):
        with open(os.path.join(request["into"], f"{uid}.eml"), "wb") as file:
            file.write(body)
        sizes[uid] = len(body)
    return sizes


def main():
    request = json.load(sys.stdin)
    try:
        client = connect(request)
        sign_in(client, request)
    except (imaplib.IMAP4.error, OSError) as error:
        if request["action"] != "sign-in":
            raise
        return {"ok": False, "error": str(error)}
    action = {"sign-in": lambda *_: {"ok": True}, "find": find, "dump": dump}[request["action"]]
    answer = action(client, request)
    client.logout()
    return answer


json.dump(main(), sys.stdout)

"""The IMAP face as seen by Python's imaplib. Arguments: the bed as JSON. Each check fails with an assertion."""

import imaplib
import json
import re
import ssl
import sys

bed = json.loads(sys.argv[1])
user, password, token = bed["user"], bed["password"], bed["token"]
context = ssl.create_default_context(cafile=bed["ca_file"])


def ok(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


def tls():
    return imaplib.IMAP4_SSL("localhost", bed["imaps"], ssl_context=context, timeout=20)


def xoauth2(_challenge, token=token):
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def oauthbearer(_challenge):
    return f"n,a={user},\x01host=localhost\x01port=993\x01auth=Bearer {token}\x01\x01".encode()


def refused(act):
    try:
        act()
    except imaplib.IMAP4.error:
        return
    raise AssertionError("was not refused")


# Signing in, each way; the capabilities change with it.
client = tls()
assert "AUTH=XOAUTH2" in client.capabilities and "MOVE" not in client.capabilities
refused(lambda: client.login(user, "wrong"))
refused(lambda: client.authenticate("XOAUTH2", lambda c: xoauth2(c, "wrong") if not c else b""))
ok(client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode()))
ok(client.capability())
client.logout()
for mechanism, answer in [("XOAUTH2", xoauth2), ("OAUTHBEARER", oauthbearer)]:
    client = tls()
    ok(client.authenticate(mechanism, answer))
    client.logout()
client = tls()
ok(client.authenticate("LOGIN", lambda c: user.encode() if c == b"Username:" else password.encode()))
client.logout()

# STARTTLS: nobody gets in before it.
client = imaplib.IMAP4("localhost", bed["starttls"], timeout=20)
assert "LOGINDISABLED" in client.capabilities
refused(lambda: client.login(user, password))
client.starttls(ssl_context=context)
assert "LOGINDISABLED" not in client.capabilities
ok(client.login(user, password))
client.logout()

# Without TLS.
client = imaplib.IMAP4("localhost", bed["plain"], timeout=20)
ok(client.login(user, password))

# LIST: names in modified UTF-7, roles.
names = [line.decode() for line in ok(client.list())]
for wanted in [
    '(\\HasNoChildren) "/" INBOX',
    '(\\Noselect \\HasChildren) "/" "Postvak IN"',
    '(\\HasChildren) "/" "Postvak IN/Algemeen"',
    '"Postvak IN/R&-D inkoop"',
    '"Postvak IN/Kosten\\\\Reizen"',
    '"Postvak IN/Ge&AO8-mporteerd"',
    '(\\HasNoChildren \\Sent) "/" "Verzonden items"',
]:
    assert any(wanted in name for name in names), (wanted, names)
assert len(ok(client.list('""', '"Postvak IN/%"'))) == 5
assert b"MESSAGES 24" in ok(client.status('"Postvak IN/Algemeen"', "(MESSAGES UNSEEN UIDVALIDITY UIDNEXT)"))[0]

# SELECT, SEARCH, FETCH.
assert ok(client.select('"Postvak IN/Algemeen"')) == [b"24"]
uids = ok(client.uid("SEARCH", "ALL"))[0].split()
assert len(uids) == 24
assert len(ok(client.uid("SEARCH", "UNSEEN", "UNDELETED", "SINCE", "01-Jan-2020"))[0].split()) == 16
assert ok(client.uid("SEARCH", "UID", "2:3"))[0] == b"2 3"
found = ok(client.uid("FETCH", "1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"))
assert b"Message-ID: <" in found[0][1] and b"Subject" not in found[0][1], found
message_id = found[0][1].split(b":", 1)[1].strip().decode()
assert ok(client.uid("SEARCH", "HEADER", "Message-ID", message_id))[0] == b"1"
envelope = ok(client.uid("FETCH", "1", "(ENVELOPE)"))[0]
assert b'"Factuur 2026-0101"' in envelope and b'"facturen" "voorbeeld.example"' in envelope, envelope
for uid in uids:
    ok(client.uid("FETCH", uid.decode(), "(ENVELOPE BODY.PEEK[HEADER])"))
whole = ok(client.uid("FETCH", "1", "(RFC822.SIZE BODY.PEEK[])"))[0]
size = int(re.search(rb"RFC822.SIZE (\d+)", whole[0]).group(1))
assert size == len(whole[1]) and b"%PDF" not in whole[1] and b"JVBERi" in whole[1]
assert ok(client.uid("FETCH", "1", "(BODY.PEEK[]<10.20>)"))[0][1] == whole[1][10:30]
text = ok(client.uid("FETCH", "1", "(BODY.PEEK[TEXT])"))[0][1]
assert whole[1].endswith(text) and not text.startswith(b"From:")

# CREATE, STORE, COPY, MOVE with COPYUID, UID EXPUNGE.
ok(client.create('"Postvak IN/Nieuw/Diep"'))
typ, data = client.uid("MOVE", "1,3", '"Postvak IN/Nieuw/Diep"')
assert typ == "OK" and re.match(rb"\d+ 1,3 1:2$", client.response("COPYUID")[1][0])
assert len(ok(client.uid("SEARCH", "ALL"))[0].split()) == 22
ok(client.uid("COPY", "4", '"Postvak IN/Nieuw"'))
assert b"\\Deleted" in ok(client.uid("STORE", "4", "+FLAGS", "(\\Deleted)"))[0]
assert b"\\Flagged" in ok(client.uid("STORE", "5", "+FLAGS", "(\\Deleted \\Flagged)"))[0]
ok(client.uid("EXPUNGE", "4"))
assert ok(client.uid("SEARCH", "DELETED"))[0] == b"5"

# APPEND with APPENDUID, byte for byte.
mail = b"Subject: proef\r\n\r\ncaf\xc3\xa9 {12}\r\n"
ok(client.append('"Postvak IN/Nieuw"', "(\\Seen)", '"02-Nov-2026 10:00:00 +0000"', mail))
assert re.match(rb"\d+ 2$", client.response("APPENDUID")[1][0])
ok(client.select('"Postvak IN/Nieuw"', readonly=True))
back = ok(client.uid("FETCH", "2", "(FLAGS INTERNALDATE BODY.PEEK[])"))[0]
assert back[1] == mail and b"\\Seen" in back[0] and b"02-Nov-2026 10:00:00 +0000" in back[0], back

# RENAME, DELETE; a closed connection is no error.
ok(client.rename('"Postvak IN/Nieuw/Diep"', '"Verplaatst"'))
assert ok(client.select('"Verplaatst"')) == [b"2"]
ok(client.delete('"Postvak IN/Nieuw"'))
assert client.select('"Postvak IN/Nieuw"')[0] == "NO"
client.logout()
print("done")

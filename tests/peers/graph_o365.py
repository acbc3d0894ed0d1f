"""O365 against the Graph face: folders by name, messages with attachments, moves, marks, drafts, a large upload.

The argument is JSON: graph, ca_file, token, subjects, pdf (the first attachment's SHA-256), large (a file).
"""

import hashlib
import json
import sys

from O365 import Account
from O365.connection import MSGraphProtocol

given = json.loads(sys.argv[1])


class Protocol(MSGraphProtocol):
    _protocol_url = given["graph"] + "/"


account = Account(("client", "secret"), protocol=Protocol())
account.con.verify_ssl = given["ca_file"]
account.con.session = account.con.get_session()
account.con.update_session_auth_header(given["token"])
account.con.raise_http_errors = True
mailbox = account.mailbox()

inbox = mailbox.inbox_folder()
children = {folder.name: folder for folder in inbox.get_folders(limit=None, batch=5)}
assert {"Algemeen", "Facturen", "R&D inkoop"} <= set(children) and len(children) > 10, sorted(children)
algemeen = inbox.get_folder(folder_name="Algemeen")
assert algemeen.folder_id == children["Algemeen"].folder_id
assert algemeen.total_items_count == len(given["subjects"])

messages = list(algemeen.get_messages(limit=100, batch=10, order_by="receivedDateTime asc"))
assert [message.subject for message in messages] == given["subjects"]

first = algemeen.get_message(messages[0].object_id, download_attachments=True)
attachment = first.attachments[0]
import base64

content = base64.b64decode(attachment.content)
assert hashlib.sha256(content).hexdigest() == given["pdf"], attachment.name
mime = first.get_mime_content()
assert b"%PDF" not in mime and b"X-MS-Exchange-Organization" in mime

unread = algemeen.get_messages(limit=100, query="isRead eq false")
unread = list(unread)
assert unread and not any(message.is_read for message in unread)
assert unread[0].mark_as_read() and algemeen.get_message(unread[0].object_id).is_read

before = messages[1].object_id
assert messages[1].move(children["Facturen"])
assert messages[1].object_id != before
assert messages[1].folder_id == children["Facturen"].folder_id
assert children["Facturen"].get_message(messages[1].object_id).subject == given["subjects"][1]

copy = messages[2].copy(children["Facturen"])
assert copy.object_id != messages[2].object_id and copy.subject == messages[2].subject

assert messages[3].delete()
trash = list(mailbox.deleted_folder().get_messages())
assert [message.subject for message in trash] == [given["subjects"][3]]
assert trash[0].delete() and not list(mailbox.deleted_folder().get_messages())

made = inbox.create_child_folder("Nieuw van O365")
assert made.name == "Nieuw van O365" and made.update_folder_name("Hernoemd")
assert inbox.get_folder(folder_name="Hernoemd").delete()

# A draft with a large file: the session's URL gets no token, or it would refuse the file.
draft = mailbox.new_message()
draft.to.add("leverancier@elders.example")
draft.subject = "Scans"
draft.body = "Bijgaand de scans."
assert draft.save_draft()
draft.attachments.add(given["large"])
assert draft.save_draft() is not False
draft.attachments._update_attachments_to_cloud()
stored = mailbox.drafts_folder().get_message(draft.object_id, download_attachments=True)
large = base64.b64decode(stored.attachments[0].content)
with open(given["large"], "rb") as file:
    assert hashlib.sha256(large).digest() == hashlib.sha256(file.read()).digest()
assert stored.send()
sent = list(mailbox.sent_folder().get_messages())
assert [message.subject for message in sent] == ["Scans"] and sent[0].has_attachments

mail = mailbox.new_message()
mail.to.add("leverancier@elders.example")
mail.subject = "Kort bericht"
mail.body = "Dank u."
assert mail.send()
assert sorted(message.subject for message in mailbox.sent_folder().get_messages()) == ["Kort bericht", "Scans"]
print("done")

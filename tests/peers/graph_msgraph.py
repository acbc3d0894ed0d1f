"""msgraph-sdk against the Graph face: what it reads is what was seeded, and refusals say what Graph's say.

The argument is JSON: graph, upload, ca_file, token, folders, subjects, raw (a message in base64) and pdf (its attachment).
"""

import asyncio
import base64
import email
import email.policy
import hashlib
import json
import sys

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.exchange_id_format import ExchangeIdFormat
from msgraph.generated.models.followup_flag import FollowupFlag
from msgraph.generated.models.followup_flag_status import FollowupFlagStatus
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.mail_folder import MailFolder
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import (
    MessagesRequestBuilder,
)
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph.generated.users.item.translate_exchange_ids.translate_exchange_ids_post_request_body import (
    TranslateExchangeIdsPostRequestBody,
)
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory

given = json.loads(sys.argv[1])


class Token(AccessTokenProvider):
    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return given["token"]

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["localhost"])


def prefer(*values, **options):
    configuration = RequestConfiguration(**options)
    for value in values:
        configuration.headers.add("Prefer", value)
    return configuration


async def refused(awaitable, status, code):
    try:
        await awaitable
    except ODataError as error:
        assert error.response_status_code == status, error
        assert error.error.code == code, error.error
        assert error.error.inner_error.request_id, error.error
        return
    raise AssertionError(f"not refused with {status} {code}")


async def main():
    http = httpx.AsyncClient(verify=given["ca_file"], timeout=120)
    adapter = GraphRequestAdapter(
        BaseBearerTokenAuthenticationProvider(Token()),
        GraphClientFactory.create_with_default_middleware(client=http, options=options),
    )
    adapter.base_url = given["graph"] + "/v1.0"
    me = GraphServiceClient(request_adapter=adapter).me

    user = await me.get()
    assert (user.mail, user.display_name) == ("facturen@voorbeeld.example", "Facturen"), user

    # Folders, page by page, under a well-known name.
    inbox = await me.mail_folders.by_mail_folder_id("inbox").get()
    assert inbox.display_name == "Postvak IN" and inbox.child_folder_count > 10
    page = await me.mail_folders.by_mail_folder_id("inbox").child_folders.get()
    names, pages = {}, 0
    while True:
        pages += 1
        assert len(page.value) <= 10
        names.update({folder.display_name: folder for folder in page.value})
        if not page.odata_next_link:
            break
        page = await me.mail_folders.by_mail_folder_id("inbox").child_folders.with_url(page.odata_next_link).get()
    assert sorted(names) == sorted(given["folders"]), sorted(names)
    assert pages == (len(names) + 9) // 10 and pages > 1
    assert all(folder.parent_folder_id == inbox.id for folder in names.values())
    algemeen = names["Algemeen"]
    assert algemeen.total_item_count == len(given["subjects"])

    # Messages: every subject, in whatever charset it was written.
    messages = me.mail_folders.by_mail_folder_id(algemeen.id).messages
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters
    immutable = 'IdType="ImmutableId"'
    paged = query(top=7, select=["subject", "receivedDateTime", "hasAttachments"], orderby=["receivedDateTime asc"], count=True)
    page = await messages.get(prefer(immutable, query_parameters=paged))
    assert page.odata_count == len(given["subjects"])
    found = list(page.value)
    while page.odata_next_link:
        page = await messages.with_url(page.odata_next_link).get(prefer(immutable))
        found += page.value
    assert [message.subject for message in found] == given["subjects"]
    assert all(message.id.startswith("AAkA") and message.body is None for message in found)

    # MIME: not the bytes that were delivered, but what they say.
    first = found[0]
    raw = base64.b64decode(given["raw"])
    mime = await me.messages.by_message_id(first.id).content.get()
    assert mime != raw
    mine, theirs = (email.message_from_bytes(one, policy=email.policy.default) for one in (mime, raw))
    for field in ("from", "subject", "date", "message-id"):
        assert mine[field] == theirs[field], field
    parts = [[part.get_content() for part in one.iter_attachments()] for one in (mine, theirs)]
    assert parts[0] == parts[1] and len(parts[0]) == 1
    text = [one.get_body().get_content().strip() for one in (mine, theirs)]
    assert text[0] == text[1], text

    attachments = (await me.messages.by_message_id(first.id).attachments.get()).value
    assert first.has_attachments and len(attachments) == 1
    assert attachments[0].odata_type == "#microsoft.graph.fileAttachment"
    pdf = attachments[0].content_bytes
    assert hashlib.sha256(pdf).hexdigest() == given["pdf"] and pdf.startswith(b"%PDF")
    nested = next(message for message in found if message.subject == given["nested"])
    item = (await me.messages.by_message_id(nested.id).attachments.get()).value[0]
    assert (item.odata_type, item.name) == ("#microsoft.graph.itemAttachment", "doorgestuurd.eml"), item

    # Marks.
    second = me.messages.by_message_id(found[1].id)
    flag = FollowupFlag(flag_status=FollowupFlagStatus.Flagged)
    patched = await second.patch(Message(is_read=True, flag=flag, categories=["Rood"]), prefer(immutable))
    assert patched.is_read and patched.flag.flag_status == FollowupFlagStatus.Flagged
    again = await second.get(prefer(immutable))
    assert (again.is_read, again.categories, again.id) == (True, ["Rood"], found[1].id)
    await refused(second.patch(Message(subject="anders")), 403, "ErrorAccessDenied")

    # Moves: an immutable id stays, another one does not.
    facturen = names["Facturen"]
    body = MovePostRequestBody(destination_id=facturen.id)
    moved = await second.move.post(body, prefer(immutable))
    assert (moved.id, moved.parent_folder_id) == (found[1].id, facturen.id)
    plain = (await messages.get(RequestConfiguration(query_parameters=query(top=1)))).value[0]
    assert plain.id.startswith("AAMk")
    moved = await me.messages.by_message_id(plain.id).move.post(body)
    assert moved.id != plain.id and moved.id.startswith("AAMk")
    await refused(me.messages.by_message_id(plain.id).get(), 404, "ErrorItemNotFound")
    await refused(me.messages.by_message_id(plain.id.lower()).get(), 400, "ErrorInvalidIdMalformed")

    # Ids of the two kinds name the same message.
    request = TranslateExchangeIdsPostRequestBody(
        input_ids=[moved.id],
        source_id_type=ExchangeIdFormat.RestId,
        target_id_type=ExchangeIdFormat.RestImmutableEntryId,
    )
    translated = (await me.translate_exchange_ids.post(request)).value[0]
    assert translated.source_id == moved.id and translated.target_id.startswith("AAkA")
    same = await me.messages.by_message_id(translated.target_id).get()
    assert same.subject == moved.subject

    # Delta: the whole folder, then what changed.
    delta = me.mail_folders.by_mail_folder_id(algemeen.id).messages.delta
    page = await delta.get(prefer(immutable, "odata.maxpagesize=5"))
    known = {message.id for message in page.value}
    assert len(page.value) == 5 and page.odata_next_link
    while page.odata_next_link:
        page = await delta.with_url(page.odata_next_link).get(prefer(immutable, "odata.maxpagesize=5"))
        known |= {message.id for message in page.value}
    assert len(known) == len(given["subjects"]) - 2
    await me.messages.by_message_id(found[12].id).patch(Message(is_read=True))
    await me.messages.by_message_id(found[3].id).delete()
    page = await delta.with_url(page.odata_delta_link).get(prefer(immutable))
    told = {message.id: message.additional_data.get("@removed") for message in page.value}
    assert set(told) == {found[12].id, found[3].id}, told
    assert told[found[12].id] is None and told[found[3].id]["reason"] == "changed", told
    broken = page.odata_delta_link.rsplit("=", 1)[0] + "=verlopen"
    await refused(delta.with_url(broken).get(), 410, "syncStateNotFound")
    gone = await me.messages.by_message_id(found[3].id).get(prefer(immutable))
    trash = await me.mail_folders.by_mail_folder_id("deleteditems").get()
    assert gone.parent_folder_id == trash.id

    # Folders are made once.
    made = await me.mail_folders.by_mail_folder_id("inbox").child_folders.post(MailFolder(display_name="In/uit"))
    assert made.display_name == "In/uit"
    again = me.mail_folders.by_mail_folder_id("inbox").child_folders.post(MailFolder(display_name="In/uit"))
    await refused(again, 409, "ErrorFolderExists")

    # Limits and filters.
    await refused(messages.get(RequestConfiguration(query_parameters=query(top=1001))), 400, "BadRequest")
    inefficient = query(filter="isRead eq false", orderby=["receivedDateTime desc"])
    await refused(messages.get(RequestConfiguration(query_parameters=inefficient)), 400, "InefficientFilter")
    unread = query(filter="isRead eq false", top=100)
    unread = (await messages.get(RequestConfiguration(query_parameters=unread))).value
    assert unread and not any(message.is_read for message in unread)

    # Sending, as oneself and as somebody who did not allow it.
    def mail(**more):
        return Message(
            subject="Betaling € 12,50",
            body=ItemBody(content_type=BodyType.Text, content="Voldaan – dank u."),
            to_recipients=[Recipient(email_address=EmailAddress(address="leverancier@elders.example"))],
            **more,
        )

    await me.send_mail.post(SendMailPostRequestBody(message=mail(), save_to_sent_items=True))
    sent = (await me.mail_folders.by_mail_folder_id("sentitems").messages.get()).value
    assert [message.subject for message in sent] == ["Betaling € 12,50"] and not sent[0].is_draft
    other = Recipient(email_address=EmailAddress(address="directie@voorbeeld.example"))
    await refused(
        me.send_mail.post(SendMailPostRequestBody(message=mail(from_=other))), 403, "ErrorSendAsDenied"
    )

    # A draft keeps its immutable id when it is sent.
    draft = await me.messages.post(mail(), prefer(immutable))
    assert draft.is_draft
    await me.messages.by_message_id(draft.id).send.post()
    copy = await me.messages.by_message_id(draft.id).get(prefer(immutable))
    assert (copy.id, copy.is_draft, copy.parent_folder_id) == (draft.id, False, sent[0].parent_folder_id)
    print("done")


asyncio.run(main())

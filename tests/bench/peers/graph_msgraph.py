"""Imports a folder with msgraph-sdk, as a careful script would: lists it, then takes each message as MIME, writes it, syncs
it, and moves it, so many messages at a time. It keeps no ledger and looks at nothing in the messages.

The argument is JSON: graph, token_url, client_id, client_secret, ca_file, user, folder and processed (paths below the
inbox), into, parallel. Prints how many messages it imported.
"""

import asyncio
import json
import os
import sys

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.users.item.mail_folders.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.messages.item.move.move_post_request_body import MovePostRequestBody
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory

given = json.loads(sys.argv[1])


class Token(AccessTokenProvider):
    """A token of the application, asked for once."""

    def __init__(self, token):
        self.token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["localhost"])


def prefer(**parameters):
    configuration = RequestConfiguration(**parameters)
    configuration.headers.add("Prefer", 'IdType="ImmutableId"')
    return configuration


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


async def find(user, name):
    page = await user.mail_folders.by_mail_folder_id("inbox").child_folders.get()
    while True:
        for folder in page.value:
            if folder.display_name == name:
                return folder.id
        page = await user.mail_folders.by_mail_folder_id("inbox").child_folders.with_url(page.odata_next_link).get()


async def main():
    http = httpx.AsyncClient(verify=given["ca_file"], timeout=120, http2=True)
    form = {
        "grant_type": "client_credentials",
        "client_id": given["client_id"],
        "client_secret": given["client_secret"],
        "scope": given["graph"] + "/.default",
    }
    answer = await http.post(given["token_url"], data=form)
    adapter = GraphRequestAdapter(
        BaseBearerTokenAuthenticationProvider(Token(answer.raise_for_status().json()["access_token"])),
        GraphClientFactory.create_with_default_middleware(client=http, options=options),
    )
    adapter.base_url = given["graph"] + "/v1.0"
    user = GraphServiceClient(request_adapter=adapter).users.by_user_id(given["user"])
    folder, processed = [await find(user, given[name].rpartition("/")[2]) for name in ("folder", "processed")]

    messages = user.mail_folders.by_mail_folder_id(folder).messages
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        top=500, select=["id"], orderby=["receivedDateTime"]
    )
    page = await messages.get(prefer(query_parameters=query))
    ids = [message.id for message in page.value]
    while page.odata_next_link:
        page = await messages.with_url(page.odata_next_link).get(prefer())
        ids += [message.id for message in page.value]

    slots = asyncio.Semaphore(given["parallel"])
    body = MovePostRequestBody(destination_id=processed)

    async def take(number, id):
        async with slots:
            message = user.messages.by_message_id(id)
            content = await message.content.get(prefer())
            await asyncio.to_thread(write, os.path.join(given["into"], f"{number}.eml"), content)
            await message.move.post(body, prefer())

    await asyncio.gather(*(take(number, id) for number, id in enumerate(ids)))
    print(len(ids))


asyncio.run(main())

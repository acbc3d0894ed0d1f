"""MSAL against the Entra face: each flow brings what it should, and refusals are understood.

The argument is JSON: entra, ca_file, tenant, client_id, public_client_id, secret, user, password, key and certificate (PEM).
On the way the script prints `revoke`, and goes on when a line comes back.
"""

import hashlib
import html
import json
import re
import ssl
import sys
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import msal
import requests

given = json.loads(sys.argv[1])
AUTHORITY = f"{given['entra']}/{given['tenant']}"
MAIL = ["https://graph.microsoft.com/Mail.ReadWrite.Shared"]
DEFAULT = ["https://graph.microsoft.com/.default"]
REDIRECT = "http://localhost:53682"


class Browser:
    """A person at the pages: fills in what is asked."""

    def __init__(self):
        self.session = requests.Session()
        self.session.verify = given["ca_file"]

    def submit(self, page, **fields):
        action = re.search(r'action="([^"]*)"', page.text).group(1)
        hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        data = {name: html.unescape(value) for name, value in hidden} | fields
        return self.session.post(given["entra"] + action, data=data, allow_redirects=False)

    def sign_in(self, page):
        assert page.status_code == 200 and 'name="passwd"' in page.text, page.text
        return self.submit(page, loginfmt=given["user"], passwd=given["password"])

    def authorise(self, uri):
        """What the app finds in the address that the browser is sent to, or in the form that it posts there."""
        page = self.session.get(uri, allow_redirects=False)
        page = self.sign_in(page) if 'name="passwd"' in page.text else page
        if page.is_redirect:
            assert page.headers["Location"].startswith(REDIRECT), page.headers
            return dict(parse_qsl(urlsplit(page.headers["Location"]).query))
        assert f'action="{REDIRECT}' in page.text, page.text
        return {name: html.unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', page.text)}


def confidential(credential, **options):
    return msal.ConfidentialClientApplication(
        given["client_id"],
        client_credential=credential,
        authority=AUTHORITY,
        instance_discovery=False,
        verify=given["ca_file"],
        **options,
    )


def public():
    return msal.PublicClientApplication(
        given["public_client_id"], authority=AUTHORITY, instance_discovery=False, verify=given["ca_file"]
    )


def refused(result, error, code):
    assert result.get("error") == error and result.get("error_codes") == [code], result
    assert result["error_description"].startswith(f"AADSTS{code}: "), result
    assert result["correlation_id"] and result["trace_id"], result


def granted(result):
    assert "access_token" in result, result
    return result


def code_flow(app, browser, **options):
    flow = app.initiate_auth_code_flow(MAIL, redirect_uri=REDIRECT, login_hint=given["user"], **options)
    assert "code_challenge_method=S256" in flow["auth_uri"]
    return flow, browser.authorise(flow["auth_uri"])


browser = Browser()

# Authorisation code, PKCE, nonce: MSAL checks state and the id token itself.
app = confidential(given["secret"], client_capabilities=["cp1"])
flow, answer = code_flow(app, browser)
result = granted(app.acquire_token_by_auth_code_flow(flow, answer))
assert result["id_token_claims"]["preferred_username"] == given["user"], result
assert result["expires_in"] > 27 * 3600, "a client with cp1 gets long tokens"
assert "https://graph.microsoft.com/User.Read" in result["scope"].split(), result
refused(app.acquire_token_by_auth_code_flow(flow, answer), "invalid_grant", 54005)

# The cache finds the account; a renewal brings another token, and another service its own.
(account,) = app.get_accounts()
assert account["username"] == given["user"]
assert app.acquire_token_silent(MAIL, account)["access_token"] == result["access_token"]
renewed = granted(app.acquire_token_silent(MAIL, account, force_refresh=True))
assert renewed["access_token"] != result["access_token"]
granted(app.acquire_token_silent(["https://outlook.office.com/IMAP.AccessAsUser.All"], account))
challenge = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
granted(app.acquire_token_silent(MAIL, account, claims_challenge=challenge))
wider = app.acquire_token_silent_with_error(["https://graph.microsoft.com/MailboxSettings.Read"], account)
refused(wider, "invalid_grant", 65001)

# A second sign-in with the wrong secret, and a public client.
wrong = confidential("verkeerd")
flow, answer = code_flow(wrong, browser)
refused(wrong.acquire_token_by_auth_code_flow(flow, answer), "invalid_client", 7000215)
native = public()
flow, answer = code_flow(native, browser, response_mode="form_post")
granted(native.acquire_token_by_auth_code_flow(flow, answer))

# The app by itself: secret, and certificate under either thumbprint.
granted(confidential(given["secret"]).acquire_token_for_client(DEFAULT))
refused(confidential("verkeerd").acquire_token_for_client(DEFAULT), "invalid_client", 7000215)
refused(
    confidential(given["secret"]).acquire_token_for_client(["https://graph.microsoft.com/Mail.Read"]),
    "invalid_scope",
    1002012,
)
der = ssl.PEM_cert_to_DER_cert(given["certificate"])
by_sha256 = {"private_key": given["key"], "public_certificate": given["certificate"]}
granted(confidential(by_sha256).acquire_token_for_client(DEFAULT))
by_sha1 = {"private_key": given["key"], "thumbprint": hashlib.sha1(der).hexdigest()}
granted(confidential(by_sha1).acquire_token_for_client(DEFAULT))
unknown = {"private_key": given["key"], "thumbprint": "00" * 20}
refused(confidential(unknown).acquire_token_for_client(DEFAULT), "invalid_client", 700027)

# Device code: MSAL asks until the person is done.
native = public()
flow = native.initiate_device_flow(MAIL)
assert flow["user_code"] in flow["message"], flow
refused(native.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True), "authorization_pending", 70016)


def person():
    time.sleep(1.5)
    somebody = Browser()
    page = somebody.session.get(flow["verification_uri"])
    done = somebody.sign_in(somebody.submit(page, otc=flow["user_code"]))
    assert "You have signed in" in done.text, done.text


typing = threading.Thread(target=person)
typing.start()
result = granted(native.acquire_token_by_device_flow(flow))
typing.join()
assert result["id_token_claims"]["preferred_username"] == given["user"]
assert native.get_accounts()[0]["username"] == given["user"]

# Revoked.
print("revoke", flush=True)
sys.stdin.readline()
refused(app.acquire_token_silent_with_error(MAIL, account, force_refresh=True), "invalid_grant", 50173)
print("done", flush=True)

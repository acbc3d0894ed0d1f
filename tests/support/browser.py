"""A browser without a person: opens a link, fills in the forms that come, and follows until an address is reached.

usage: browser.py REQUEST  (JSON: link, user, password, until, deny, code, ca, deliver)

Forms are filled by the names of their fields. `until` is the beginning of the address to end at, and by default the redirect
of the link; the address is printed, and also called when `deliver` is set. Standard library only.
"""

import html.parser
import http.cookiejar
import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request


class Forms(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "method": attributes.get("method", "get"), "fields": {}, "buttons": []})
        elif self.forms and tag in ("input", "button") and attributes.get("name"):
            form = self.forms[-1]
            if tag == "button" or attributes.get("type") == "submit":
                form["buttons"].append((attributes["name"], attributes.get("value", "")))
            elif attributes.get("type") not in ("checkbox", "radio"):
                form["fields"][attributes["name"]] = attributes.get("value", "")


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def main():
    request = json.loads(sys.argv[1])
    handlers = [urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), Stay(), urllib.request.ProxyHandler({})]
    if request.get("ca"):
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=request["ca"])))
    opener = urllib.request.build_opener(*handlers)
    address, body = request["link"], None
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
    until = request.get("until") or asked.get("redirect_uri", [None])[0]
    for _ in range(20):
        if until and address.startswith(until):
            if request.get("deliver"):
                with opener.open(address) as page:
                    page.read()
            print(address)
            return
        try:
            with opener.open(urllib.request.Request(address, data=body)) as page:
                text, location = page.read().decode(), None
        except urllib.error.HTTPError as error:
            text, location = error.read().decode(), error.headers.get("Location")
            if error.code >= 400:
                sys.exit(f"{error.code} {address}\n{text}")
        if location:
            address, body = urllib.parse.urljoin(address, location), None
            continue
        forms = Forms()
        forms.feed(text)
        if not forms.forms:
            print(address)
            return
        form = forms.forms[-1] if request.get("deny") and len(forms.forms) > 1 else forms.forms[0]
        fields = dict(form["fields"])
        for name in fields:
            lower = name.lower()
            if "password" in lower or "passwd" in lower:
                fields[name] = request.get("password", "")
            elif lower in ("login", "user", "username", "email", "loginfmt"):
                fields[name] = request["user"]
            elif lower in ("user_code", "otc") and not fields[name]:
                fields[name] = request.get("code", "")
        refusing = lambda button: any(word in " ".join(button).lower() for word in ("deny", "decline", "cancel", "abort"))
        buttons = [button for button in form["buttons"] if refusing(button) == bool(request.get("deny"))]
        if buttons:
            name, value = buttons[0]
            fields[name] = value
        address = urllib.parse.urljoin(address, form["action"])
        encoded = urllib.parse.urlencode(fields)
        if form["method"].lower() == "post":
            body = encoded.encode()
        else:
            address, body = f"{address}?{encoded}", None
    sys.exit("the pages do not end")


main()

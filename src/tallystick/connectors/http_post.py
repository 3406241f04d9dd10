"""One HTTP POST: signed so that who gets it can trust it, its answer judged, and when to try again."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tallystick.errors import TallystickError, UsageError

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

__all__ = [
    "SIGNATURE",
    "Answer",
    "NoAnswerError",
    "back_off",
    "checked",
    "post",
    "post_until_taken",
    "shown",
    "signature",
]

SIGNATURE = "Tallystick-Signature"
# Enough to say what came back; the rest is not waited for.
_KEPT = 1 << 16
_PASSING = frozenset((408, 425, 429))
# Longer than this a part of a path may be a token: it is shown by a few signs of its hash.
_TOKEN = 16


class NoAnswerError(TallystickError):
    """Nobody answered: no connection, no trust, or no answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the first bytes of the body, headers by their lower-case names."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300

    @property
    def passing(self) -> bool:
        """Whether the same request may be taken later: 408, 425, 429 and 5xx."""
        return self.status >= 500 or self.status in _PASSING

    def retry_after(self, now: float | None = None) -> float:
        """Give the seconds for which the receiver asks to be left alone, 0 if it does not; at most an hour.

        >>> Answer(503, headers={"retry-after": "7"}).retry_after()
        7.0
        """
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return float(min(int(asked[:9]), 3600))
        try:
            moment = parsedate_to_datetime(asked).timestamp()
        except (ValueError, TypeError, OverflowError):
            return 0.0
        return min(max(0.0, moment - (time.time() if now is None else now)), 3600.0)

    def said(self) -> str:
        """Say in a few words what came back.

        >>> Answer(400, b"no such key").said()
        'status 400, "no such key"'
        """
        text = " ".join(self.body[:400].decode("utf-8", "replace").split())
        text = "".join(sign if sign.isprintable() else "?" for sign in text)
        return f"status {self.status}" + (f', "{text[:160]}"' if text else "")


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """Sign a body at a time (seconds since 1970): HMAC-SHA256 over `TIMESTAMP.BODY`, as a header's value.

    >>> signature(b"key", 1700000000, b"[]")[:20]
    't=1700000000,v1=2afc'
    """
    digest = hmac.new(secret, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def shown(url: str) -> str:
    """Give a URL without what may be secret: user, query, and parts of the path that look like tokens.

    >>> shown("https://me:pw@hooks.example:8443/in/T0ab12cd34ef56gh78?key=1")
    'https://hooks.example:8443/in/…8fa508'
    """
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    path = "/".join(_veiled(part) for part in parts.path.split("/"))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"


def _veiled(part: str) -> str:
    if len(part) < _TOKEN or not any(sign.isdigit() for sign in part):
        return part
    return "…" + hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> Answer:
    """Send a body once and give the answer, whatever its status; redirects are not followed.

    timeout: seconds to wait for a connection, and for each further sign of life. User and password in the
    URL are sent as basic authentication; proxies are those of the environment. Raises NoAnswerError where
    nothing came back (it may have arrived all the same), UsageError for what is no URL.
    """
    from http.client import HTTPException
    from urllib.error import URLError
    from urllib.request import Request

    target, login = checked(url)
    try:
        sent = {"User-Agent": "tallystick", **login, **headers}
        request = Request(target, data=body, method="POST", headers=sent)  # noqa: S310 - http alone
        with _opener().open(request, timeout=timeout) as answer:
            ends = time.monotonic() + timeout
            parts, held = [], 0
            while held < _KEPT and time.monotonic() < ends and (part := answer.read1(_KEPT - held)):
                parts.append(part)
                held += len(part)
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(int(answer.status), b"".join(parts), found)
    except URLError as error:
        why = error.reason if isinstance(error.reason, str) else _words(error.reason)
    except (OSError, HTTPException) as error:
        why = _words(error)
    except ValueError:
        # The system's words may hold the header, and that a secret.
        raise UsageError(f"{shown(url)} cannot be posted to: a header or the address is malformed.") from None
    raise NoAnswerError(f"{shown(url)} gave no answer: {why}.", "Is it up, and its address right?")


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.rstrip(".")
    return type(error).__name__


def checked(url: str) -> tuple[str, dict[str, str]]:
    """Check an address, and give it without user and password, and those as a header; UsageError for no URL.

    >>> checked("https://me:pw@host/in?a=1")
    ('https://host/in?a=1', {'Authorization': 'Basic bWU6cHc='})
    """
    from base64 import b64encode
    from urllib.parse import unquote, urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(sign <= " " or sign == "\x7f" for sign in url):
        raise UsageError("A webhook's address is no http:// or https:// URL.", "Write https://HOST/PATH.")
    user, _, host = parts.netloc.rpartition("@")
    login = b64encode(unquote(user).encode()).decode()
    bare = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    return bare, {"Authorization": f"Basic {login}"} if user else {}


def _opener() -> OpenerDirector:
    """Build what opens: proxies and TLS as everywhere, but each status is an answer and none leads on."""
    from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler

    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def back_off(tries: int, *, least: float = 1.0, most: float = 600.0) -> float:
    """Give the seconds to wait after so many tries: doubling, up to `most`, half of it drawn by chance.

    >>> 2 <= back_off(3) <= 4, 300 <= back_off(50) <= 600
    (True, True)
    """
    whole = min(most, least * 2.0 ** min(tries - 1, 60))
    return whole * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def post_until_taken(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    secret: bytes | None = None,
    timeout: float = 10.0,
    patience: float = 60.0,
    least: float = 0.2,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Send a body until it is taken, signed anew each time; wait longer and longer between.

    patience: seconds after which no further try begins. Raises TallystickError that says what came back, at
    once for an answer that will not change (4xx, a redirect).
    """
    ends = time.monotonic() + patience
    tries = 0
    while True:
        tries += 1
        signed = dict(headers)
        if secret is not None:
            signed[SIGNATURE] = signature(secret, int(time.time()), body)
        asked = 0.0
        try:
            answer = post(url, body, signed, timeout=timeout)
        except NoAnswerError as error:
            last = error.message
        else:
            if answer.taken:
                return answer
            last = f"{shown(url)} answered with {answer.said()}."
            if not answer.passing:
                raise TallystickError(last, "It will not be taken by trying again: look at the receiver.")
            asked = answer.retry_after()
        pause = max(asked, back_off(tries, least=least, most=30.0))
        if time.monotonic() + pause > ends:
            raise TallystickError(last, f"Given up after {tries} tries; nothing is lost, start again later.")
        sleep(pause)

"""How is a public file fetched, whatever its server does? Whole, in bounded time and space, or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asset_gen.errors import DownloadError

REDIRECTS = 5
CHUNK = 2**16  # bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long and how much."""

    most_bytes: int = 2**30
    connect_seconds: float = 10.0
    stall_seconds: float = 30.0
    """Between two pieces."""
    whole_seconds: float = 1800.0


def fetch(url: str, folder: Path, name: str, patience: Patience | None = None, sha256: str | None = None) -> Path:
    """The file at ``url``, kept in ``folder`` as ``name``; where it lies there already, nothing is fetched.

    Without ``sha256``, what the file holds is for the caller to check: no more is promised than that it came whole.

    Raises:
        DownloadError: it couldn't be fetched; nothing is left behind. The message says why.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        known = f"sha256:{sha256}" if sha256 else None
        return Path(pooch.retrieve(url, known_hash=known, fname=name, path=folder, downloader=_downloader(patience)))
    except ValueError:  # pooch's for another hash
        raise _failed(url, "the file that came isn't the published one") from None
    except requests.TooManyRedirects:
        raise _failed(url, f"its server redirects more than {REDIRECTS} times") from None
    except requests.Timeout:
        raise _failed(url, "its server doesn't answer any more") from None
    except requests.RequestException as error:
        raise _failed(url, f"the connection failed ({error})") from None
    except OSError as error:
        raise DownloadError(
            f"{folder}: can't keep the download ({error.strerror or error}). Make room, or mend the permissions."
        ) from None


def _failed(url: str, reason: str) -> DownloadError:
    return DownloadError(f"{url}: {reason}. Try again later, or fetch it yourself and give its path.")


def _downloader(patience: Patience | None) -> Callable[[str, Any, Any], None]:
    """What pooch calls with the address and the temporary file."""
    import requests

    limits = patience or Patience()

    def download(url: str, output: Any, pooch: object) -> None:
        deadline = time.monotonic() + limits.whole_seconds
        with requests.Session() as session:
            session.max_redirects = REDIRECTS
            answer = session.get(
                url,
                stream=True,
                timeout=(limits.connect_seconds, limits.stall_seconds),
                headers={"Accept-Encoding": "identity"},
            )
            with answer:
                if urlsplit(url).scheme == "https" and any(
                    urlsplit(hop.url).scheme != "https" for hop in (*answer.history, answer)
                ):
                    raise _failed(url, "its server redirects to a connection that isn't encrypted")
                if answer.status_code != 200:
                    raise _failed(url, f"its server answers {answer.status_code} {answer.reason}")
                claimed = answer.headers.get("Content-Length", "")
                if claimed.isdecimal() and int(claimed) > limits.most_bytes:
                    raise _failed(url, f"{int(claimed):,} bytes are more than it can have")
                size = 0
                with Path(output).open("wb") as file:
                    for piece in answer.iter_content(CHUNK):
                        size += len(piece)
                        if size > limits.most_bytes:
                            raise _failed(url, f"it goes on after {limits.most_bytes:,} bytes")
                        if time.monotonic() > deadline:
                            raise _failed(url, f"it isn't there after {limits.whole_seconds:.0f} seconds")
                        file.write(piece)
                if claimed.isdecimal() and size != int(claimed):
                    raise _failed(url, f"{size:,} bytes came, and {claimed} were announced")

    return download

"""Checks of the machine: each gives one finding, none changes anything that lasts."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from data.files import link_new
from data.numerics import library_version, numerics_class
from data.store import Store
from generators import registry as generators
from pluralist.extras import cuda_devices, packages
from pluralist.finding import FAILED, GOOD, WARNING, Finding
from rewards import registry as rewards

LOW_DISK = 2e9
FASTAPI_LIMIT = (0, 151)


def examine(store: Store) -> list[Finding]:
    """All findings, in the order in which a newcomer would want them."""
    checks: list[Callable[[], list[Finding]]] = [
        _packages,
        _prefect_server,
        _plugins,
        packages,
        _device,
        cuda_devices,
        lambda: _disk(store),
        lambda: _create_only(store),
    ]
    return [finding for check in checks for finding in check()]


def _packages() -> list[Finding]:
    fastapi = library_version("fastapi")
    try:
        version = tuple(int(part) for part in fastapi.split(".")[:2])
    except ValueError:
        version = FASTAPI_LIMIT
    findings = [Finding(GOOD, "prefect", metadata.version("prefect"))]
    if version < FASTAPI_LIMIT:
        findings.append(Finding(GOOD, "fastapi", fastapi))
    else:
        findings.append(
            Finding(
                FAILED,
                "fastapi",
                f"{fastapi}, with which Prefect 3.8 cannot start its server",
                "pip install 'fastapi<0.151'",
            )
        )
    return findings


def _prefect_server() -> list[Finding]:
    from deploy.orphans import orphans
    from deploy.server_check import configured_url, is_loopback, is_open

    findings = []
    url = configured_url()
    if url is None:
        findings.append(
            Finding(GOOD, "Prefect server", "none configured: the embedded one is used")
        )
    else:
        answer = is_open(url)
        if answer is None:
            findings.append(
                Finding(
                    WARNING,
                    "Prefect server",
                    f"{url} does not answer",
                    "start it, or unset PREFECT_API_URL to use the embedded one",
                )
            )
        elif answer and not is_loopback(url):
            findings.append(
                Finding(
                    FAILED,
                    "Prefect server",
                    f"{url} answers anyone without a password, beyond this machine",
                    "set PREFECT_SERVER_API_AUTH_STRING on the server",
                )
            )
        else:
            findings.append(Finding(GOOD, "Prefect server", url))
    left = orphans()
    if left:
        pids = ", ".join(str(pid) for pid in left)
        findings.append(
            Finding(
                WARNING,
                "embedded servers",
                f"left over from killed runs: {pids}",
                "the next run with Prefect stops them",
            )
        )
    return findings


def _plugins() -> list[Finding]:
    return [
        Finding(GOOD, kind, ", ".join(f"{name} ({origin})" for name, origin in found.items()))
        for kind, found in (
            ("rewards", rewards.available()),
            ("generators", generators.available()),
        )
    ]


def _device() -> list[Finding]:
    numerics = numerics_class("cpu", 1, ())
    return [Finding(GOOD, "device", f"{numerics['device_model']}, {os.cpu_count()} threads")]


def _nearest(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _disk(store: Store) -> list[Finding]:
    place = _nearest(store.root)
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free at {place}"
    if not os.access(place, os.W_OK):
        return [Finding(FAILED, "disk", f"{place} is not writable", "choose another --store")]
    if free < LOW_DISK:
        return [Finding(WARNING, "disk", found, "free some space or choose another --store")]
    return [Finding(GOOD, "disk", found)]


def _create_only(store: Store) -> list[Finding]:
    """Race writers for one name: exactly one may win, or commits could overwrite each other."""
    place = _nearest(store.root)
    writers, winners = 8, []
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".pluralist-doctor-") as name:
            folder = Path(name)

            def write(number: int) -> None:
                source = folder / f"writer-{number}"
                source.write_text(str(number))
                if link_new(source, folder / "published"):
                    winners.append(number)

            threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    except OSError as error:
        return [Finding(FAILED, "create-only publishing", str(error), "choose another --store")]
    if len(winners) != 1:
        return [
            Finding(
                FAILED,
                "create-only publishing",
                f"{len(winners)} of {writers} racing writers won, expected exactly 1",
                "this file system cannot hold a store; choose another --store",
            )
        ]
    return [Finding(GOOD, "create-only publishing", f"1 of {writers} racing writers won")]

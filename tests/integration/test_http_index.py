"""The index as pip, uv and browsers see it: a real HTTP server before a real object store."""

import asyncio
import hashlib
import io
import json
import os
import socket
import sys
import zipfile
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from s3_server import juicefs_gateway
from story import RUN, edge, sha256_of
from story import Story as ToldStory
from wheelfleet_coordinator.adapters.http_index import index_app
from wheelfleet_coordinator.adapters.http_server import serve
from wheelfleet_coordinator.adapters.signed_links import SignedLinks
from wheelfleet_coordinator.core.index_pages import page_of
from wheelfleet_coordinator.core.outputs import run_outputs
from wheelfleet_coordinator.core.run_sources import run_sources
from wheelfleet_shared.adapters.clock import SystemClock
from wheelfleet_shared.adapters.s3_blobs import S3Blobs
from wheelfleet_shared.core import events as e
from wheelfleet_shared.core.keys import blob_key, metadata_key
from wheelfleet_shared.errors import InputError

OPERATOR = "operator-secret"
JSON = "application/vnd.pypi.simple.v1+json"
UV = Path(sys.executable).parent / "uv"


def wheel_of(name, version, requires=()):
    """A wheel with nothing in it but its metadata; (file name, bytes, METADATA)."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    info = f"{name}-{version}.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    parts = {f"{info}/METADATA": metadata, f"{info}/WHEEL": tags, f"{name}.py": "x = 1\n"}
    record = "".join(f"{path},,\n" for path in (*parts, f"{info}/RECORD"))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in (parts | {f"{info}/RECORD": record}).items():
            archive.writestr(path, text)
    return f"{name}-{version}-0-py3-none-any.whl", data.getvalue(), metadata.encode()


class Fleet:
    """A told run of demo, which installs leaf, with its wheels in a store, behind HTTP."""

    def __init__(self, story, blobs, http):
        self.story = story
        self.blobs = blobs
        self.url = http.url
        self.simple = f"{http.url}/main/cpu/simple/"


async def told(blobs):
    story = ToldStory()
    story.submit("demo==1.0")
    story.resolve("", "toplevel", edge("toplevel", "demo==1.0", "demo==1.0"))
    story.resolve("demo==1.0", "install", edge("install", "leaf", "leaf==2.0"))
    for name, version, requires in (("demo", "1.0", ["leaf"]), ("leaf", "2.0", ())):
        file_name, data, metadata = wheel_of(name, version, requires)
        wheel = e.FileRef(file_name, sha256_of(data), len(data))
        key = blob_key(wheel.sha256, file_name)
        await blobs.put(key, data, "application/octet-stream")
        await blobs.put(metadata_key(key), metadata, "text/plain")
        story.build(f"{name}=={version}", wheel, metadata_sha256=sha256_of(metadata), requires_python=">=3.8")
    return story


@asynccontextmanager
async def fleet(settings, token=None):
    clock = SystemClock()
    blobs = S3Blobs(settings, clock)
    await blobs.ensure_bucket()
    story = await told(blobs)
    app = index_app(
        lambda index, project, form: page_of(story.world, index, project, form),
        lambda run: run_outputs(story.world, run),
        lambda run: run_sources(story.world, run),
        blobs,
        SignedLinks(blobs, clock),
        token=token,
        operator_token=OPERATOR,
    )
    http = await serve(app, "127.0.0.1", 0)
    try:
        yield Fleet(story, blobs, http)
    finally:
        await http.stop()
        await blobs.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with juicefs_gateway(tmp_path_factory.mktemp("s3")) as settings:
        yield settings


def client(**options):
    return httpx.AsyncClient(trust_env=False, **options)


async def run(*command, home, check=True):
    """Exit code and output of a client whose whole configuration is its command line and ``home``."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=home,
    )
    output, _ = await process.communicate()
    assert not check or process.returncode == 0, output.decode()
    return process.returncode, output.decode()


def pip(verb, *options):
    return (sys.executable, "-m", "pip", verb, "--disable-pip-version-check", "--no-input", "--retries", "0", *options)


def uv_install(folder, *options):
    return (UV, "pip", "install", "--dry-run", "--target", folder, "--python", sys.executable, "--no-cache", *options)


def test_pip_downloads_wheels_with_what_they_install(store, tmp_path):
    async def scenario():
        async with fleet(store) as made:
            wheels = tmp_path / "wheels"
            await run(*pip("download", "demo", "-d", wheels, "-i", made.simple), home=tmp_path)
            return {file.name: sha256_of(file.read_bytes()) for file in wheels.iterdir()}, made.story.world

    found, world = asyncio.run(scenario())
    assert found == {file.accepted.file.file_name: file.accepted.file.sha256 for file in world.files.values()}


def test_pip_plans_from_the_pages_at_the_place_they_have_in_the_store(store, tmp_path):
    async def scenario():
        async with fleet(store) as made:
            options = ("--dry-run", "--ignore-installed", "--quiet", "--report", "-", "-i")
            url = f"{made.url}/indexes/main/cpu/simple/"
            return await run(*pip("install", *options, url, "demo"), home=tmp_path)

    _, output = asyncio.run(scenario())
    report = json.loads(output)
    assert {item["metadata"]["name"] for item in report["install"]} == {"demo", "leaf"}
    assert all("sha256" in item["download_info"]["archive_info"]["hashes"] for item in report["install"])


def test_uv_installs_and_sees_when_files_were_uploaded(store, tmp_path):
    async def scenario():
        async with fleet(store) as made:
            options = ("--index-url", made.simple, "demo")
            good = await run(*uv_install(tmp_path / "a", *options), home=tmp_path)
            after = await run(*uv_install(tmp_path / "b", *options, "--exclude-newer", "2023-11-16"), home=tmp_path)
            early = (*options, "--exclude-newer", "2023-11-13")
            return good, after, await run(*uv_install(tmp_path / "c", *early), home=tmp_path, check=False)

    good, after, before = asyncio.run(scenario())
    assert "demo==1.0" in good[1]
    assert "leaf==2.0" in after[1]
    assert before[0] != 0


def test_a_token_is_asked_for_and_taken_from_netrc_or_the_url(store, tmp_path):
    async def scenario():
        async with fleet(store, token="reader-secret") as made:
            bare = await run(*pip("download", "demo", "-d", "w1", "-i", made.simple), home=tmp_path, check=False)
            named = made.simple.replace("//", "//me:reader-secret@")
            await run(*pip("download", "demo", "-d", "w2", "-i", named), home=tmp_path)
            netrc = tmp_path / ".netrc"
            netrc.write_text("machine 127.0.0.1 login me password reader-secret\n")
            netrc.chmod(0o600)
            await run(*pip("download", "demo", "-d", "w3", "-i", made.simple), home=tmp_path)
            planned = await run(*uv_install(tmp_path / "t", "--index-url", made.simple, "demo"), home=tmp_path)
            async with client() as http:
                blob = await http.get(f"{made.url}/blobs/00/{'0' * 64}/x.whl")
            return bare, planned, blob

    bare, planned, blob = asyncio.run(scenario())
    assert bare[0] != 0
    assert "demo==1.0" in planned[1]
    assert blob.status_code == 401
    assert "Basic" in blob.headers["www-authenticate"]


def test_pages_come_in_the_form_asked_for_and_only_when_they_changed(store):
    async def scenario():
        async with fleet(store) as made, client() as http:
            page = f"{made.simple}demo/"
            answers = [
                await http.get(page, headers={"Accept": JSON}),
                await http.get(page, headers={"Accept": "text/html"}),
                await http.get(page, headers={"Accept": "image/png"}),
                await http.get(f"{page}index.json"),
            ]
            again = {"Accept": JSON, "If-None-Match": f'W/{answers[0].headers["etag"]}, "x"'}
            return answers, await http.get(page, headers=again), made.story.world

    (as_json, as_html, neither, fixed), unchanged, world = asyncio.run(scenario())
    assert as_json.headers["content-type"] == JSON
    assert as_json.headers["vary"] == "Accept"
    assert as_json.headers["cache-control"] == "no-cache"
    index = next(iter(world.files.values())).accepted.index
    assert as_json.content == fixed.content == page_of(world, index, "demo", "json")
    assert as_html.content == page_of(world, index, "demo", "html")
    assert neither.status_code == 406
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_other_spellings_lead_to_the_page_and_unknown_ones_nowhere(store):
    async def scenario():
        async with fleet(store) as made, client(follow_redirects=True) as http:
            good = ("", "demo", "Demo/", "DEMO/index.json", "index.html")
            led = [await http.get(made.simple.rstrip("/"))] + [await http.get(made.simple + path) for path in good]
            bad = (
                made.simple + "other/",
                made.simple + "demo/x/",
                made.simple + "..%2F",
                f"{made.url}/no/cpu/simple/",
                f"{made.url}/NO/cpu/simple/",
                f"{made.url}/runs/",
            )
            return [answer.url.path for answer in led], [(await http.get(url)).status_code for url in bad]

    led, lost = asyncio.run(scenario())
    root = "/main/cpu/simple/"
    assert led == [root, root, f"{root}demo/", f"{root}demo/", f"{root}demo/index.json", f"{root}index.html"]
    assert lost == [404] * 6


def test_wheels_are_redirected_to_the_store_and_their_metadata_is_sent(store):
    async def scenario():
        async with fleet(store) as made, client() as http:
            page = f"{made.simple}leaf/"
            file = (await http.get(page, headers={"Accept": JSON})).json()["files"][0]
            url = httpx.URL(page).join(file["url"])
            first, second = await http.get(url), await http.get(url)
            wheel = await http.get(first.headers["location"], headers={"Range": "bytes=-22"})
            metadata = await http.get(f"{url}.metadata")
            wrong = str(url).replace("/blobs/", "/blobs/zz")
            absent = str(url).replace(file["filename"], "other.whl")
            lost = [
                await http.get(wrong),
                await http.head(absent),
                await http.get(f"{absent}.metadata"),
            ]
            return file, (first, second), wheel, metadata, await http.head(url), lost

    file, links, wheel, metadata, head, lost = asyncio.run(scenario())
    assert [link.status_code for link in links] == [302, 302]
    assert links[0].headers["location"] == links[1].headers["location"]
    assert wheel.status_code == 206
    assert hashlib.sha256(metadata.content).hexdigest() == file["core-metadata"]["sha256"]
    assert "immutable" in metadata.headers["cache-control"]
    assert int(head.headers["content-length"]) == file["size"]
    assert [answer.status_code for answer in lost] == [404] * 3


def test_the_output_folder_is_for_the_operator_alone(store):
    async def scenario():
        async with fleet(store, token="reader-secret") as made, client() as http:
            listing = f"{made.url}/runs/{RUN}/outputs"
            refused = [
                (await http.get(listing)).status_code,
                (await http.get(listing, auth=("me", "reader-secret"))).status_code,
            ]
            http.headers["Authorization"] = f"Bearer {OPERATOR}"
            found = (await http.get(listing)).json()
            wheel = next(file for file in found["files"] if file["path"].endswith(".whl"))
            async with client() as anybody:
                data = (await anybody.get(wheel["url"])).content
            graph = await http.get(f"{listing}/work-dir/graph.json")
            link = await http.get(f"{listing}/{wheel['path']}")
            lost = [await http.get(f"{listing}/no"), await http.get(f"{made.url}/runs/r9/outputs")]
            return refused, found, wheel, data, graph, link, lost

    refused, found, wheel, data, graph, link, lost = asyncio.run(scenario())
    assert refused == [401, 401]
    assert sha256_of(data) == wheel["sha256"]
    assert graph.text == found["texts"]["work-dir/graph.json"]
    assert link.headers["location"] == wheel["url"]
    assert [answer.status_code for answer in lost] == [404, 404]


def test_health_is_for_everybody_and_metrics_are_for_the_operator_alone():
    async def measured() -> bytes:
        return b"wheelfleet_leases 3.0\n"

    async def scenario():
        well = True
        app = index_app(*[None] * 5, token=None, operator_token=OPERATOR, metrics=measured, healthy=lambda: well)
        http = await serve(app, "127.0.0.1", 0)
        async with client() as asking:
            answers = [
                await asking.get(f"{http.url}/metrics"),
                await asking.get(f"{http.url}/metrics", auth=("me", "reader-secret")),
                await asking.get(f"{http.url}/metrics", auth=("me", OPERATOR)),
                await asking.get(f"{http.url}/healthz"),
            ]
            well = False
            answers.append(await asking.get(f"{http.url}/healthz"))
        await http.stop()
        return answers

    answers = asyncio.run(scenario())
    assert [answer.status_code for answer in answers] == [401, 401, 200, 200, 503]
    assert answers[2].text == "wheelfleet_leases 3.0\n"
    assert answers[2].headers["content-type"].startswith("text/plain; version=0.0.4")


def test_a_taken_port_is_the_users_to_change_and_a_stopped_server_frees_its_own():
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="cannot listen"):
            await serve(lambda *_: None, "127.0.0.1", taken.getsockname()[1])
        app = index_app(
            lambda *_: None, lambda _: None, lambda _: None, None, None, token=None, operator_token=OPERATOR
        )
        http = await serve(app, "127.0.0.1", 0)
        async with client() as browser:
            assert (await browser.get(f"{http.url}/healthz")).text == "ok\n"
        await http.stop()
        await http.stop()
        socket.create_server(("127.0.0.1", int(http.url.rpartition(":")[2]))).close()

    asyncio.run(scenario())


def test_a_store_that_refuses_us_is_no_missing_file(store):
    async def scenario():
        async with fleet(store) as made, client() as http:
            file = (await http.get(f"{made.simple}leaf/", headers={"Accept": JSON})).json()["files"][0]
            url = httpx.URL(f"{made.simple}leaf/").join(file["url"])
            gone = S3Blobs(msgspec.structs.replace(store, secret_key="wrong-secret"), SystemClock())
            app = index_app(
                lambda *_: None, lambda _: None, lambda _: None, gone, None, token=None, operator_token=OPERATOR
            )
            other = await serve(app, "127.0.0.1", 0)
            answer = await http.get(f"{other.url}{url.path}.metadata")
            await other.stop()
            await gone.close()
            return answer

    answer = asyncio.run(scenario())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

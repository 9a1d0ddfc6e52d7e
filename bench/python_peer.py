"""What people write in Python.

--variant aiohttp (with uvloop where there is one), requests (a thread pool), or stdlib (http.client in threads).

`python_peer.py --has VARIANT` tells by its exit code whether this interpreter has what the variant needs.
"""

import argparse
import asyncio
import concurrent.futures
import http.client
import importlib.util
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

ROUTE = "/maas/user-bench/greennode/idp/v1/ocr/ingest"
HEADERS = {"Authorization": "Bearer bench-key", "portal-user-id": "bench"}
FIELDS = {"flow": "single", "doc_type": "INVOICE", "file_type": "PDF"}
MODULES = {"aiohttp": ["aiohttp"], "requests": ["requests"], "stdlib": []}


def file_path(args, document):
    return os.path.join(args.files, "document-%06d.pdf" % (document % args.file_count))


def is_pending(result):
    progress = result["data"]["progress"]
    return progress["finished"] < progress["total_doc"]


class Results:
    """The JSONL file; the service's JSON stands in it as it came."""

    def __init__(self, path):
        self.file = open(path, "wb", buffering=256 * 1024)
        self.count = 0
        self.pending = 0
        self.lock = threading.Lock()

    def add(self, document, request_id, body):
        line = b'{"id":"%d","request_id":"%s","result":%s}\n' % (document, request_id.encode(), body)
        with self.lock:
            self.file.write(line)
            self.count += 1


def run_aiohttp(args, results):
    import aiohttp
    try:
        import uvloop
        uvloop.install()
    except ImportError:
        pass

    async def one(session, slots, document):
        form = aiohttp.FormData(FIELDS)
        with open(file_path(args, document), "rb") as f:
            form.add_field("file", f.read(), filename="document.pdf", content_type="application/pdf")
        async with slots, session.post(ROUTE, data=form) as answer:
            answer.raise_for_status()
            request_id = (await answer.json())["data"]["request_id"]
        delay = args.processing / 1000
        while True:
            if delay:
                await asyncio.sleep(delay)
            async with slots, session.get(f"{ROUTE}/{request_id}") as answer:
                answer.raise_for_status()
                body = await answer.read()
            if not is_pending(json.loads(body)):
                return results.add(document, request_id, body)
            results.pending += 1
            delay = 0.005

    async def everything():
        context = ssl.create_default_context(cafile=args.ca) if args.ca else None
        connector = aiohttp.TCPConnector(limit=args.connections, ssl=context, keepalive_timeout=3600)
        slots = asyncio.Semaphore(args.connections)
        async with aiohttp.ClientSession(args.url, connector=connector, headers=HEADERS) as session:
            under_way = set()
            # Waiting jobs hold no connection; a window keeps the number of tasks finite.
            window = max(4 * args.connections, args.documents if args.processing else 0)
            for document in range(args.documents):
                if len(under_way) >= window:
                    done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
                under_way.add(asyncio.ensure_future(one(session, slots, document)))
            for task in asyncio.as_completed(under_way):
                await task

    asyncio.run(everything())


def run_threads(args, results, make_exchange):
    """A thread a connection; each takes a document from submit to result, and sleeps while it is processed."""
    local = threading.local()

    def one(document):
        if not hasattr(local, "exchange"):
            local.exchange = make_exchange(args)
        submit, get = local.exchange
        request_id = submit(document)
        delay = args.processing / 1000
        while True:
            if delay:
                time.sleep(delay)
            body = get(request_id)
            if not is_pending(json.loads(body)):
                return results.add(document, request_id, body)
            results.pending += 1
            delay = 0.005

    with concurrent.futures.ThreadPoolExecutor(args.connections) as pool:
        for _ in pool.map(one, range(args.documents)):
            pass


def requests_exchange(args):
    import requests
    session = requests.Session()
    session.headers.update(HEADERS)
    session.trust_env = False
    session.verify = args.ca or True

    def submit(document):
        with open(file_path(args, document), "rb") as f:
            answer = session.post(args.url + ROUTE, data=FIELDS, files={"file": ("document.pdf", f, "application/pdf")})
        answer.raise_for_status()
        return answer.json()["data"]["request_id"]

    def get(request_id):
        answer = session.get(f"{args.url}{ROUTE}/{request_id}")
        answer.raise_for_status()
        return answer.content

    return submit, get


def stdlib_exchange(args):
    url = urllib.parse.urlsplit(args.url)
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(url.netloc, context=ssl.create_default_context(cafile=args.ca))
    else:
        connection = http.client.HTTPConnection(url.netloc)
    boundary = "bench-4f1c09a2d37be865"
    head = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in FIELDS.items())
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="document.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    tail = f"\r\n--{boundary}--\r\n".encode()
    form_headers = {**HEADERS, "Content-Type": f"multipart/form-data; boundary={boundary}"}

    def exchange(method, path, body, headers):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{answer.status}: {text[:200]}")
        return text

    def submit(document):
        with open(file_path(args, document), "rb") as f:
            body = b"".join((head.encode(), f.read(), tail))
        return json.loads(exchange("POST", ROUTE, body, form_headers))["data"]["request_id"]

    return submit, lambda request_id: exchange("GET", f"{ROUTE}/{request_id}", None, HEADERS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--files", required=True)
    parser.add_argument("--file-count", type=int, default=1)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--size", type=int)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--processing", type=int, default=0)
    parser.add_argument("--out", required=True)
    parser.add_argument("--ca", default="")
    parser.add_argument("--variant", choices=list(MODULES), default="stdlib")
    args = parser.parse_args()
    results = Results(args.out)
    if args.variant == "aiohttp":
        run_aiohttp(args, results)
    else:
        run_threads(args, results, requests_exchange if args.variant == "requests" else stdlib_exchange)
    results.file.close()
    print(json.dumps({"documents": results.count, "pending_answers": results.pending}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--has"]:
        sys.exit(any(importlib.util.find_spec(m) is None for m in MODULES[sys.argv[2]]))
    main()

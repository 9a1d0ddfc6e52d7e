"""Answers as other servers write them, on the real binary: bytes that Python's http.client and json read are read."""

import http.client
import json
import socket
import sys
import threading
import unittest

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case

FINISHED = b'{"data":{"status":"SUCCESS","documents":[{"ocr_data":[{"name":"total","value":["%s"]}]}]}}'
BODY = FINISHED % b"12.500"


def answer(body, head=b"HTTP/1.1 200 OK\r\n"):
    return head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunked(body):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def one_chunk(size, end):
    return size % len(BODY) + b"\r\n" + BODY + b"\r\n" + end


class ScriptedServer:
    """Answers every request with the same bytes and closes; keeps the heads of the requests."""

    def __init__(self, answer_bytes):
        self.answer = answer_bytes
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = peer.recv(65536)
                    if not piece:
                        break
                    head += piece
                else:
                    self.heads.append(head)
                    peer.sendall(self.answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Scripted(Case):
    def serve(self, answer_bytes):
        server = ScriptedServer(answer_bytes)
        self.addCleanup(server.close)
        self.url = f"http://127.0.0.1:{server.port}"
        return server


class Answers(Scripted):
    def test_http_that_http_client_reads_is_read(self):
        forms = {
            "a status line without a reason": answer(BODY, b"HTTP/1.1 200\r\n"),
            "any bytes as the reason": answer(BODY, b"HTTP/1.1 200 \x01\xff\r\n"),
            "HTTP/1.0": answer(BODY, b"HTTP/1.0 200 OK\r\n"),
            "another minor version": answer(BODY, b"HTTP/1.2 200 OK\r\n"),
            "line feeds alone": answer(BODY).replace(b"\r\n", b"\n"),
            "a blank before a colon": answer(BODY, b"HTTP/1.1 200 OK\r\nX : y\r\n"),
            "a folded field": answer(BODY, b"HTTP/1.1 200 OK\r\nX: y\r\n\tz\r\n"),
            "names and values of any bytes": answer(BODY, b"HTTP/1.1 200 OK\r\nX(\xe9): \x01\xff\r\n: y\r\n"),
            "a length twice": answer(BODY, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(BODY)),
            "a length with zeros and a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +00%d\r\n\r\n" % len(BODY) + BODY,
            "no length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + BODY,
            "a length beside chunks": chunked(one_chunk(b"%x", b"0\r\n\r\n")).replace(b"Transfer", b"Content-Length: 7\r\nTransfer"),
            "chunks with blanks, extensions and trailers": chunked(one_chunk(b"%X ; a", b"00;b\r\nX\r\n\r\n")),
            "no line after the last chunk": chunked(one_chunk(b"%x", b"0\r\n")),
            "an encoding that is none": answer(BODY, b"HTTP/1.1 200 OK\r\nContent-Encoding: utf-8\r\n"),
            "gzip that is plain": answer(BODY, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"),
            "bytes after the answer": answer(BODY) + b"\r\n",
        }
        for form, script in forms.items():
            with self.subTest(form):
                server = self.serve(script)
                peer = http.client.HTTPConnection("127.0.0.1", server.port, timeout=workbench.PATIENCE)
                peer.request("GET", "/")
                self.assertEqual(peer.getresponse().read(), BODY)
                peer.close()
                done = self.ocrpipe("result", "r-1")
                self.assert_exit(done, 0)
                self.assertEqual(json.loads(done.stdout), json.loads(BODY))

    def test_json_that_python_reads_is_read(self):
        forms = {
            "a byte order mark": b"\xef\xbb\xbf" + BODY,
            "halves of surrogate pairs": FINISHED % b"12.500\\ud800\\udc00\\ud800",
            "numbers that are none": BODY[:-1] + b',"x":[NaN,-Infinity]}',
            "nested 900 deep": BODY[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}",
            "a surrogate in UTF-8": FINISHED % b"12.500\xed\xa0\x80",
        }
        for form, body in forms.items():
            with self.subTest(form):
                json.loads(body)
                self.serve(answer(body))
                done = self.ocrpipe("result", "r-1", "--text")
                self.assert_exit(done, 0)
                self.assertIn("12.500", done.stdout)

    def test_json_that_javascript_reads_is_read(self):
        for what in (b"\xff12.500", b"12.500\xe1\xbb", b"\xc0\x8012.500"):
            with self.subTest(what):
                self.serve(answer(FINISHED % what))
                done = self.ocrpipe("result", "r-1", "--text")
                self.assert_exit(done, 0)
                self.assertIn("12.500", done.stdout)


class Proxies(Scripted):
    def result(self, **env):
        return self.ocrpipe("result", "r-1", env={"OCRPIPE_ALLOW_PLAIN_HTTP": "1", **env})

    def test_a_proxy_without_a_scheme_is_used(self):
        for variable in ("http_proxy", "ALL_PROXY", "all_proxy", "OCRPIPE_PROXY"):
            with self.subTest(variable):
                proxy = self.serve(answer(BODY))
                done = self.result(**{"OCRPIPE_BASE_URL": "http://ocr.invalid", variable: f"127.0.0.1:{proxy.port}"})
                self.assert_exit(done, 0)
                self.assertTrue(proxy.heads[0].startswith(b"GET http://ocr.invalid/maas/"), proxy.heads)

    def test_no_proxy_takes_networks_and_blanks(self):
        self.serve(answer(BODY))
        for no_proxy in ("127.0.0.0/8", "a.example 127.0.0.1/32", "::1,::ffff:127.0.0.1"):
            with self.subTest(no_proxy):
                self.assert_exit(self.result(http_proxy="127.0.0.1:9", NO_PROXY=no_proxy), 0)

    def test_a_failure_names_the_variables_that_lead_to_it(self):
        done = self.ocrpipe("doctor", env={"http_proxy": "127.0.0.1:9", "NO_PROXY": "10.0.0.0/8"})
        self.assert_exit(done, 4)
        self.assertIn("check OCRPIPE_BASE_URL, the network, the firewall and http_proxy", done.stdout)

    def test_a_wrong_proxy_is_named_by_its_variable_and_without_its_password(self):
        for variable in ("http_proxy", "ALL_PROXY", "OCRPIPE_PROXY"):
            with self.subTest(variable):
                done = self.result(**{variable: "socks5://me:sesame@127.0.0.1:9"})
                self.assert_exit(done, 2)
                self.assertIn(f"error: {variable}: SOCKS is not supported", done.stderr)
                self.assertNotIn("sesame", done.stderr)


if __name__ == "__main__":
    workbench.main()

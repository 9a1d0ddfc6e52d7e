"""The service as a script, for tests that decide what it answers and what happens meanwhile."""

import http.server
import json
import socket
import sqlite3
import struct
import threading

from workbench import Runs


def reset(connection):
    """Lets the end of a connection be a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Service:
    """The service as a script: what it answers to a submit and to each GET is the test's."""

    def __init__(self, result, on_submit=lambda number: None, part=None, length=True, refuse=lambda body: None):
        """`refuse`: what a submit is answered instead, (status, content) or None; `result` may return (status, content, headers)."""
        self.result = result if callable(result) else lambda request_id: result
        self.on_submit = on_submit
        self.refuse = refuse
        self.is_down = False
        self.is_resetting = False  # each connection is reset when it is accepted, or before its next request is read
        self.part = part
        self.requests = []
        self.lock = threading.Lock()
        self.fields = {}  # of the answers to GETs
        self.status = 201  # of the answers to submits
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle(self):
                try:
                    super().handle()
                except ConnectionError:  # the client has read enough
                    pass

            def handle_one_request(self):
                super().handle_one_request()
                self.close_connection |= service.is_down

            def parse_request(self):
                if service.is_resetting:
                    self.close_connection = True
                    reset(self.connection)
                    return False
                return super().parse_request()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if refusal := service.refuse(body):
                    service.requests.append("refused")
                    return self.answer(*refusal)
                with service.lock:  # each number once
                    service.requests.append("POST")
                    number = service.requests.count("POST")
                service.on_submit(number)
                self.answer(service.status, {"data": {"request_id": f"r-{number}"}} if service.status < 300 else {"message": "no"})

            def do_GET(self):
                words = self.path.split("/ocr/ingest/")[1].split("/")
                service.requests.append(self.path)
                if len(words) > 1:
                    return self.answer(*service.part(words))
                answer = service.result(words[0])
                self.answer(*(answer if isinstance(answer, tuple) else (200, answer)))

            def answer(self, status, content, headers=()):
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if body.startswith(b"<html>") else "application/json")
                for name, value in headers:
                    self.send_header(name, value)
                if service.is_down:  # or the next submit might be on its way already
                    self.send_header("Connection", "close")
                if self.command == "GET":
                    for name, value in service.fields.items():
                        self.send_header(name, value)
                if length or self.command == "POST":
                    self.send_header("Content-Length", str(len(body)))
                else:  # the end of the connection is the end of the answer
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.handler = Handler
        self.listen(0)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def listen(self, port):
        service = self

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                connection, address = super().get_request()
                if service.is_resetting:
                    reset(connection)
                    connection.close()
                    raise ConnectionResetError
                return connection, address

        self.server = Server(("127.0.0.1", port), self.handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def go_down(self):
        """Refuses connections from now on; the last answers announce the end of theirs. Not from the server's own thread."""
        self.is_down = True
        self.close()

    def come_back(self):
        self.is_down = False
        self.listen(self.server.server_port)


def finished(*fields, documents=None, status="SUCCESS"):
    """A finished answer with these (name, values) in its one document."""
    one = {"document_id": "d-1", "document_type": "invoice", "status": status,
           "ocr_data": [{"name": name, "value": list(values)} for name, *values in fields]}
    return {"data": {"status": status, "progress": {"total_doc": 1, "ignored": 0, "finished": 1}, "documents": documents or [one]}}


class Outputs(Runs):
    def script(self, *arguments, **more):
        service = Service(*arguments, **more)
        self.addCleanup(service.close)
        self.url = service.url
        return service

    def events(self, done, event):
        return [o for o in map(json.loads, done.stderr.splitlines()) if o["event"] == event]

    def export(self, *arguments, **more):
        return self.ocrpipe("export", self.out, *arguments, **more)

    def state_of(self, name):
        database = sqlite3.connect(self.out / "ledger.db")
        try:
            rows = database.execute("SELECT state FROM document WHERE coalesce(path, id) LIKE ?", (f"%{name}",)).fetchall()
        finally:
            database.close()
        return [state for state, in rows]

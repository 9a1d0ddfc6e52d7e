"""nginx with lua as the OCR service, on loopback ports of its own, pinned to one core."""

import ctypes
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

CONFIG = """
{modules}
user {user};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_timeout 1h;
    client_header_timeout 1h;
    client_max_body_size 0;
    # A body stays in memory, in one piece.
    client_body_buffer_size 64m;
    client_body_in_single_buffer on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    lua_shared_dict ocrpipe_bench 1m;
    lua_package_path "{scripts}/?.lua;;";
    server {{
        listen 127.0.0.1:{http_port} backlog=4096;
        listen 127.0.0.1:{https_port} ssl backlog=4096;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        location / {{ content_by_lua_block {{ require("service").serve() }} }}
        location = /bench/stats {{ content_by_lua_block {{ require("service").stats() }} }}
        location = /bench/reset {{ content_by_lua_block {{ require("service").reset() }} }}
        location = /bench/sample {{ content_by_lua_block {{ require("service").sample() }} }}
    }}
}}
"""

MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")


def missing_parts():
    """What this server needs and this machine lacks, as words for a person."""
    missing = []
    if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
        missing.append("nginx (package nginx-light)")
    if not module_path("ngx_http_lua_module.so"):
        missing.append("its lua module (package libnginx-mod-http-lua)")
    if not shutil.which("openssl"):
        missing.append("openssl")
    return missing


def module_path(name):
    return next((p for p in (os.path.join(f, name) for f in MODULE_FOLDERS) if os.path.exists(p)), None)


def free_ports(count):
    """Ports that were free a moment ago; all are held until the last is found, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def end_with_parent():
    """For a child between fork and exec: whatever happens to us, the server does not stay behind."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class BenchServer:
    """Started by `with`, ended with it."""

    def __init__(self, folder, core):
        self.folder = folder
        self.core = core
        self.ca_file = os.path.join(folder, "certificate.pem")
        self.process = None

    def __enter__(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", os.path.join(self.folder, "key.pem"), "-out", self.ca_file],
            check=True, capture_output=True)
        http_port, https_port = free_ports(2)
        self.urls = {"http": f"http://127.0.0.1:{http_port}", "https": f"https://127.0.0.1:{https_port}"}
        modules = [module_path(m) for m in ("ndk_http_module.so", "ngx_http_lua_module.so")]
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(modules="\n".join(f"load_module {m};" for m in modules if m), user=getpass.getuser(),
                                  folder=self.folder, scripts=os.path.dirname(os.path.abspath(__file__)),
                                  http_port=http_port, https_port=https_port))
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        log = os.path.join(self.folder, "error.log")
        with open(os.path.join(self.folder, "nginx.err"), "w") as err:
            self.process = subprocess.Popen(["taskset", "-c", str(self.core), nginx, "-c", config, "-p", self.folder, "-e", log],
                                            stdout=subprocess.DEVNULL, stderr=err, preexec_fn=end_with_parent)
        for _ in range(100):
            try:
                self.sample = json.loads(self.ask("/bench/sample"))
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.__exit__()
        with open(os.path.join(self.folder, "nginx.err")) as f:
            raise RuntimeError("nginx did not start: " + f.read()[-2000:])

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ask(self, path):
        with urllib.request.urlopen(self.urls["http"] + path, timeout=10) as answer:
            return answer.read().decode()

    def reset(self, processing_ms, verify=False):
        self.ask(f"/bench/reset?processing={processing_ms}&verify={int(verify)}")

    def stats(self):
        return json.loads(self.ask("/bench/stats"))

    def cpu_seconds(self):
        """User and system time that the worker has used so far."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children) as f:
            worker = f.read().split()[0]
        with open(f"/proc/{worker}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""What stands before the test server: certificates, TLS, and nginx, which speaks HTTP/2."""

import shutil
import socket
import ssl
import subprocess
import sys
import time


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_certificate(directory, name, *signing):
    key, cert = f"{directory}/{name}.key", f"{directory}/{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-keyout", key, "-out", cert, *signing)
    return cert, key


def make_certificates(directory):
    ca, ca_key = make_certificate(directory, "ca", "-subj", "/CN=Test CA")
    server = make_certificate(directory, "server", "-subj", "/CN=localhost", "-addext",
                              "subjectAltName=DNS:localhost", "-addext",
                              "basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", ca_key)
    stranger = make_certificate(directory, "stranger", "-subj", "/CN=localhost", "-addext",
                                "subjectAltName=DNS:localhost")
    return server, stranger


def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


NGINX = """daemon off; master_process off; pid {d}/nginx.pid; error_log {d}/nginx.log;
worker_rlimit_nofile 1024;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
  uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} ssl http2; server_name localhost;
    ssl_certificate {cert}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{http}; proxy_http_version 1.1; proxy_buffering off;
      proxy_request_buffering off; proxy_read_timeout 30s; proxy_ignore_client_abort off;
    }}
  }}
}}
"""


def start_nginx(directory, certificate, http):
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if nginx is None:
        return None, 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    config = f"{directory}/nginx.conf"
    with open(config, "w", encoding="utf-8") as file:
        file.write(NGINX.format(d=directory, port=port, cert=certificate[0], key=certificate[1],
                                http=http))
    child = subprocess.Popen([nginx, "-p", directory, "-c", config, "-e", f"{directory}/nginx.log"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return child, port
        except OSError:
            if child.poll() is not None:
                break
            time.sleep(0.02)
    child.kill()
    sys.exit("nginx is installed but doesn't start: " + open(f"{directory}/nginx.log").read())

"""`fairneuron app`: serve the dashboard on this machine."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from fairneuron_core.errors import SettingError
from fairneuron_core.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]


def add_app_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8501, help="port to serve on (default 8501)")
    parser.add_argument("--address", default="127.0.0.1", help="address to serve on (default: this machine only)")


def run_app(arguments: argparse.Namespace) -> None:
    """Serve until interrupted. A taken port is said, and the next free one is used."""
    script = ROOT / "app.py"
    if not script.is_file():
        raise SettingError(f"The dashboard's app.py is not in '{ROOT}': run `fairneuron app` from a source checkout.")
    port = free_port(arguments.port, address=arguments.address)
    if port != arguments.port:
        print(f"Port {arguments.port} is taken; serving on {port} instead.", file=sys.stderr)
    shown = "localhost" if arguments.address in ("127.0.0.1", "::1") else arguments.address
    print(f"FairNeuron Dashboard: http://{shown}:{port}  (stop with Ctrl-C)", file=sys.stderr)
    environment = os.environ | {"FAIRNEURON_HOME": str(open_workspace(arguments.workspace).home)}
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.address", arguments.address]
    os.chdir(ROOT)
    # This process becomes the server: whoever stops it (Ctrl-C, a service manager) reaches the server itself.
    os.execve(sys.executable, command, environment)


def free_port(wanted: int, *, address: str = "127.0.0.1", tries: int = 50) -> int:
    """Return `wanted`, or the next port that nothing listens on (SettingError when there is none)."""
    if not 1 <= wanted <= 65_535:
        raise SettingError(f"The port is {wanted}: choose one from 1 to 65535.")
    for port in range(wanted, min(wanted + tries, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise SettingError(f"No free port from {wanted} to {wanted + tries - 1} on {address}: name another with --port.")

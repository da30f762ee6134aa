"""A real server, from this project's tree, which a test may kill and start again."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import omendb

ROOT = Path(__file__).resolve().parents[4]


class Server:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.target = f"127.0.0.1:{probe.getsockname()[1]}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [ROOT / "omendb", "serve", "--data", self._directory / "data", "--listen", self.target],
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / "server.log").open("a"),
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while True:
            assert self._process.poll() is None, (self._directory / "server.log").read_text()
            try:
                with omendb.connect(self.target) as client:
                    client.stats(timeout=1)
                return
            except omendb.OmenDBError:
                assert time.monotonic() < deadline, (self._directory / "server.log").read_text()

    def kill(self) -> None:
        """As a power cut would, but for what the device has not."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
def db(server):
    with omendb.connect(server.target) as client:
        yield client
        for info in client.collections():
            client.drop_collection(info.config.name)

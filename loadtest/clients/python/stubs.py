"""Generates the stubs from the .proto files while the wheel is built, and puts them into it."""

import shutil
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PROTO = Path(__file__).resolve().parents[3] / "proto" / "src" / "main" / "proto"


class StubsHook(BuildHookInterface):
    def initialize(self, version, build_data):
        sources = sorted(_PROTO.glob("omendb/v1/*.proto"))
        if not sources:
            raise FileNotFoundError(f"no .proto files in {_PROTO}: build from the project's tree")
        self._out = Path(tempfile.mkdtemp())
        out = str(self._out)
        code = protoc.main(
            [
                "protoc",
                f"-I{_PROTO}",
                f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
                f"--python_out={out}",
                f"--pyi_out={out}",
                f"--grpc_python_out={out}",
                *map(str, sources),
            ]
        )
        if code != 0:
            raise RuntimeError(f"protoc ended with {code}")
        for stub in self._out.rglob("*.py*"):
            build_data["force_include"][str(stub)] = str(stub.relative_to(self._out))

    def finalize(self, version, build_data, artifact_path):
        shutil.rmtree(self._out)

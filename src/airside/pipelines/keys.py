"""The key of a step: one digest over all that its outputs depend on, and the parts beside it, for `explain`."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from blake3 import blake3

from airside.core.errors import Invalid
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.records import Node, Value

SECRET_BYTES = 32


class Keys:
    """Makes keys for the steps of one run.

    Args:
        root: the project's folder.
        environment: where declared variables are read.
        secret: 32 bytes with which their values are hashed, so that no key gives one away.
    """

    def __init__(self, root: Path, environment: Mapping[str, str], secret: bytes) -> None:
        self._root = root
        self._environment = environment
        self._secret = secret
        self._files: dict[str, str] = {}

    def key(self, node: Node, code: Code, arguments: Mapping[str, Value]) -> tuple[str, dict[str, str]]:
        """The key and its parts.

        Raises:
            Invalid: a declared file is not there, or not in the project.
        """
        parts = dict(code.parts)
        parts["function"] = node.function
        parts["outputs"] = ",".join(node.outputs)
        parts |= {f"argument:{name}": value.digest for name, value in arguments.items()}
        parts |= {f"environment:{name}": self._variable(name) for name in node.options.env}
        parts |= {f"file:{path}": self._file(path) for path in node.options.files}
        text = msgspec.json.encode(dict(sorted(parts.items())))
        return blake3(text).hexdigest(), parts

    def _variable(self, name: str) -> str:
        value = self._environment.get(name)
        return "" if value is None else blake3(value.encode(), key=self._secret).hexdigest(length=12)

    def _file(self, name: str) -> str:
        if name not in self._files:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root.resolve()) or not path.exists():
                raise Invalid(f"The step declares the file '{name}', which the project does not have.")
            hasher = blake3()
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    hasher.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
                    hasher.update(file.read_bytes())
            self._files[name] = hasher.hexdigest(length=12)
        return self._files[name]

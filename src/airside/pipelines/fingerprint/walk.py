"""From a function to everything that it can reach, each as a named digest."""

import ast
import builtins
import enum
import functools
import importlib
import importlib.util
import pickle
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import msgspec
from blake3 import blake3

from airside.pipelines.define import PipelineFunction, Step
from airside.pipelines.fingerprint import libraries
from airside.pipelines.fingerprint.code import Code
from airside.pipelines.fingerprint.sources import Definition, Module, Names, dump, module_of

_LENGTH = 12
_SIMPLE = (type(None), bool, int, float, complex, str, bytes, bytearray, type(Ellipsis), range, PurePath)


def fingerprint(function: Callable[..., Any], root: Path) -> Code:
    """The fingerprint of a function of the project below `root`."""
    walk = _Walk(root)
    walk.visit(function, "step")
    return walk.code()


def fingerprint_classes(classes: Iterable[type], root: Path) -> Code:
    """The fingerprint of the project's classes among some that a value is made of."""
    walk = _Walk(root, with_python=False)
    for cls in classes:
        if walk.is_project(cls.__module__):
            walk.visit(cls, cls.__qualname__)
    return walk.code()


def _short(data: bytes) -> str:
    return blake3(data).hexdigest(length=_LENGTH)


class _Walk:
    def __init__(self, root: Path, *, with_python: bool = True) -> None:
        self._root = str(root.resolve())
        self._parts: dict[str, str] = {"python": ".".join(map(str, sys.version_info[:3]))} if with_python else {}
        self._opaque: set[str] = set()
        self._seen: dict[int, Any] = {}
        self._modules: dict[str, Module | None] = {}

    def code(self) -> Code:
        return Code(parts=dict(sorted(self._parts.items())), opaque=tuple(sorted(self._opaque)))

    def is_project(self, module_name: str) -> bool:
        if module_name == "__main__":
            return True
        module = sys.modules.get(module_name)
        file = libraries.file_of(module) if module is not None else None
        return file is not None and file.startswith(self._root + "/") and not libraries.is_installed(file)

    # What is reached -----------------------------------------------------------------------------------------------

    def visit(self, thing: Any, label: str) -> None:
        """Reach a thing; `label` names it where it has no name of its own."""
        if id(thing) in self._seen and not isinstance(thing, _SIMPLE):
            return
        self._seen[id(thing)] = thing
        if isinstance(thing, Step | PipelineFunction):
            self.visit(thing.function, label)
        elif isinstance(thing, FunctionType):
            self._function(thing)
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, ModuleType):
            self._module(thing)
        elif isinstance(thing, BuiltinFunctionType) or not self._is_value(thing):
            self._foreign(thing)
        else:
            self._note(f"value:{label}", self._state(thing, label))

    def _is_value(self, thing: Any) -> bool:
        """Not a callable that some library made in native code."""
        return not (callable(thing) and type(thing).__module__ == "builtins" and not isinstance(thing, MethodType))

    def _note(self, name: str, text: str) -> None:
        digest = _short(text.encode("utf-8", "surrogatepass"))
        known = self._parts.get(name)
        self._parts[name] = digest if known in {None, digest} else _short(f"{known}+{digest}".encode())

    def _foreign(self, thing: Any) -> None:
        name = getattr(thing, "__module__", None)
        if name:
            self._library(name)

    def _library(self, module_name: str) -> None:
        top = module_name.partition(".")[0]
        module = sys.modules.get(top)
        file = libraries.file_of(module) if module is not None else None
        if top == libraries.OWN:
            self._parts[f"library:{top}"] = str(getattr(module, "__version__", ""))
        elif not libraries.is_standard(top, file):
            if file is not None and not libraries.is_installed(file):
                self._parts[f"files:{top}"] = libraries.tree_digest(file)
            else:
                self._parts.update(libraries.library_parts(top))

    # Code ----------------------------------------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> None:
        if not self.is_project(function.__module__ or ""):
            self._library(function.__module__ or "")
            self._captured(function, f"{function.__module__}.{function.__qualname__}")
            return
        label = f"{function.__module__}.{function.__qualname__}"
        tree = self._source(function.__code__)
        if tree is None:
            self._note(f"code:{label}", _byte_code(function.__code__))
            names = Names()
            names.chains = {(name,) for name in _global_names(function.__code__)}
        else:
            dropped = self._own_decorators(tree, function.__globals__)
            self._note(f"code:{label}", dump(tree, without_decorators=dropped))
            names = _names(tree, dropped)
        reached = _global_names(function.__code__) | _outer_names(tree)
        self._follow(names, function.__globals__, label, only=reached)
        self._captured(function, label)

    def _captured(self, function: FunctionType, label: str) -> None:
        """Defaults, closures, attributes: what a function carries with it."""
        for index, value in enumerate(function.__defaults__ or ()):
            self.visit(value, f"{label}.default{index}")
        for name, value in (function.__kwdefaults__ or {}).items():
            self.visit(value, f"{label}.{name}")
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            try:
                self.visit(cell.cell_contents, f"{label}<{name}>")
            except ValueError:  # not yet filled
                continue
        for name, value in vars(function).items():
            if not name.startswith("__"):
                self.visit(value, f"{label}.{name}")
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self.visit(wrapped, label)

    def _class(self, cls: type) -> None:
        if not self.is_project(cls.__module__):
            self._library(cls.__module__)
            return
        label = f"{cls.__module__}.{cls.__qualname__}"
        module = sys.modules.get(cls.__module__)
        file = getattr(module, "__file__", None)
        parsed = self._parsed(file) if file else None
        tree = parsed.class_definition(cls) if parsed else None
        if tree is not None:
            self._note(f"code:{label}", dump(tree))
            self._follow(_names(tree, frozenset()), vars(module), label, only=None)
        for name, value in vars(cls).items():
            self._member(value, name, f"{label}.{name}")
        for base in cls.__bases__:
            self.visit(base, label)
        if type(cls) is not type:
            self.visit(type(cls), label)

    def _member(self, value: Any, name: str, label: str) -> None:
        """A method, a property, or a class attribute, which may have been set after the class was made."""
        inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if isinstance(value, property):
            for accessor in (value.fget, value.fset, value.fdel):
                if accessor is not None:
                    self.visit(accessor, label)
        elif isinstance(inner, FunctionType):
            self.visit(inner, label)
        elif not name.startswith("__") and type(inner).__module__ == "builtins" and not callable(inner):
            self._constant(inner, label)

    def _constant(self, value: Any, label: str) -> None:
        if type(value).__name__ not in {"getset_descriptor", "member_descriptor", "mappingproxy"}:
            self.visit(value, label)

    def _module(self, module: ModuleType) -> None:
        """A module as a value: single attributes cannot be told apart, so its file counts, and all that it reaches."""
        if not self.is_project(module.__name__):
            self._library(module.__name__)
            return
        file = libraries.file_of(module)
        parsed = self._parsed(file) if file else None
        if parsed is None:
            self._opaque.add(f"module {module.__name__}")
            return
        self._note(f"file:{module.__name__}", dump(parsed.tree))
        self._follow(_names(parsed.tree, frozenset()), vars(module), module.__name__, only=None)

    def _source(self, code: CodeType) -> Definition | None:
        parsed = self._parsed(code.co_filename)
        return parsed.definition(code) if parsed else None

    def _parsed(self, filename: str) -> Module | None:
        if filename not in self._modules:
            self._modules[filename] = module_of(filename)
        return self._modules[filename]

    def _own_decorators(self, tree: Definition, names: Mapping[str, Any]) -> frozenset[int]:
        """The decorators of `define`: retries and time-outs do not change what a step returns."""
        if isinstance(tree, ast.Lambda):
            return frozenset()
        found = set()
        for decorator in tree.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            resolved = _resolve(ast.unparse(called).split("."), names)
            if getattr(resolved, "__module__", "") == "airside.pipelines.define":
                found.add(id(decorator))
        return frozenset(found)

    # Names ---------------------------------------------------------------------------------------------------------

    def _follow(self, names: Names, space: Mapping[str, Any], label: str, *, only: set[str] | None) -> None:
        for kind in sorted(names.dynamic):
            self._opaque.add(f"{kind}() in {label}")
        imported = {}
        for bound, module_name, attribute, level in names.imports:
            found = self._import(module_name, attribute, level, space)
            if found is not None:
                imported[bound] = found
        known = {**space, **imported}
        for chain in sorted(names.chains):
            if chain[0] in known and (only is None or chain[0] in only or chain[0] in imported):
                self._chain(known[chain[0]], chain, str(space.get("__name__", "")))
        for bound, found in imported.items():
            if not isinstance(found, ModuleType):
                self.visit(found, bound)
            elif not self.is_project(found.__name__):
                self._library(found.__name__)

    def _import(self, module_name: str, attribute: str, level: int, space: Mapping[str, Any]) -> Any:
        try:
            package = str(space.get("__package__") or "")
            name = importlib.util.resolve_name("." * level + module_name, package) if level else module_name
            module = importlib.import_module(name)
            if not attribute:
                return module if module_name == name and "." not in name else sys.modules[name.partition(".")[0]]
            if hasattr(module, attribute):
                return getattr(module, attribute)
            return importlib.import_module(f"{name}.{attribute}")
        except (ImportError, KeyError, ValueError):
            self._opaque.add(f"import of {module_name or attribute}")
            return None

    def _chain(self, thing: Any, chain: tuple[str, ...], module_name: str) -> None:
        """Follow `a.b.c` through modules and classes' attributes as far as it goes."""
        label = f"{module_name}.{chain[0]}"
        for name in chain[1:]:
            if not isinstance(thing, ModuleType):
                break
            self._library(thing.__name__) if not self.is_project(thing.__name__) else None
            following = getattr(thing, name, None)
            if following is None:
                return
            label = f"{thing.__name__}.{name}"
            thing = following
        if isinstance(thing, ModuleType) and len(chain) > 1 and not self.is_project(thing.__name__):
            self._library(thing.__name__)
        elif not _is_builtin(thing):
            self.visit(thing, label)

    # Values --------------------------------------------------------------------------------------------------------

    def _state(self, thing: Any, label: str, depth: int = 0) -> str:
        """A value as a text that is equal for equal values, whatever the order of sets."""
        if depth > 50:
            self._opaque.add(f"deep value {label}")
            return "…"
        if isinstance(thing, _SIMPLE):
            return f"{type(thing).__name__}:{thing!r}"
        if isinstance(thing, enum.Enum):
            self.visit(type(thing), label)
            return f"{type(thing).__qualname__}.{thing.name}"
        inner = functools.partial(self._state, label=label, depth=depth + 1)
        found = _contents(thing, inner)
        if found is None and isinstance(thing, FunctionType | type | ModuleType | Step | BuiltinFunctionType):
            self.visit(thing, label)
            name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', label)}"
            found = f"{type(thing).__name__}:{name}"
        return self._object(thing, label, depth) if found is None else found

    def _object(self, thing: Any, label: str, depth: int) -> str:
        self.visit(type(thing), label)
        name = f"{type(thing).__module__}.{type(thing).__qualname__}"
        if self.is_project(type(thing).__module__):
            slots = [slot for cls in type(thing).__mro__ for slot in getattr(cls, "__slots__", ())]
            state = {**getattr(thing, "__dict__", {}), **{slot: getattr(thing, slot, None) for slot in slots}}
            if id(thing) in self._seen and depth:
                return name
            self._seen[id(thing)] = thing
            return f"{name}({self._state(state, label, depth + 1)})"
        try:
            return f"{name}:{_short(pickle.dumps(thing, protocol=5))}"
        except Exception as error:  # noqa: BLE001 -- any object of any library: what cannot be read is said
            self._opaque.add(f"value {label} ({name}: {type(error).__name__})")
            return name


def _contents(thing: Any, inner: Callable[[Any], str]) -> str | None:
    """A container's text by the texts of what it holds; None when it is none that we know."""
    found: str | None = None
    if isinstance(thing, list | tuple):
        found = f"{type(thing).__name__}[{','.join(map(inner, thing))}]"
    elif isinstance(thing, set | frozenset):
        found = f"set{{{','.join(sorted(map(inner, thing)))}}}"
    elif isinstance(thing, Mapping) and type(thing).__module__ in {"builtins", "collections", "types"}:
        found = f"map{{{','.join(f'{inner(key)}={inner(value)}' for key, value in thing.items())}}}"
    elif isinstance(thing, functools.partial):
        found = f"partial({inner(thing.func)},{inner(thing.args)},{inner(thing.keywords)})"
    elif isinstance(thing, MethodType):
        found = f"method({inner(thing.__func__)},{inner(thing.__self__)})"
    elif isinstance(thing, re.Pattern):
        found = f"pattern:{thing.pattern!r}:{thing.flags}"
    return found


def _is_builtin(thing: Any) -> bool:
    return getattr(thing, "__module__", None) == builtins.__name__ and not isinstance(thing, FunctionType)


def _names(tree: ast.AST, dropped: frozenset[int]) -> Names:
    names = Names()
    if dropped and isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        for decorator in tree.decorator_list:
            if id(decorator) not in dropped:
                names.visit(decorator)
        for part in (tree.args, *tree.body):
            names.visit(part)
        return names
    names.visit(tree)
    return names


def _outer_names(tree: Definition | None) -> set[str]:
    """The names that decorators use: they are looked up outside the function's own code."""
    if tree is None or isinstance(tree, ast.Lambda):
        return set()
    names = Names()
    for decorator in tree.decorator_list:
        names.visit(decorator)
    return {chain[0] for chain in names.chains}


def _resolve(path: list[str], space: Mapping[str, Any]) -> Any:
    found = space.get(path[0])
    for name in path[1:]:
        found = getattr(found, name, None)
    return found


def _global_names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _global_names(constant)
    return names


def _byte_code(code: CodeType) -> str:
    """A function without source: its instructions and constants, without positions."""
    constants = [_constant_text(item) for item in code.co_consts]
    if code.co_consts and isinstance(code.co_consts[0], str) and code.co_name != "<lambda>":
        constants[0] = ""
    return msgspec.json.encode(
        [code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars]
    ).decode()


def _constant_text(constant: Any) -> str:
    if isinstance(constant, CodeType):
        return _byte_code(constant)
    if isinstance(constant, frozenset):
        return f"{{{','.join(sorted(map(repr, constant)))}}}"
    return repr(constant)

"""Source text as syntax trees: found by the code object, trusted only when it is what really runs."""

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


class Module:
    """A source file: its tree, its definitions by line, and the code objects that it compiles to."""

    def __init__(self, text: str, filename: str) -> None:
        self.tree = ast.parse(text)
        self.definitions: dict[tuple[str, int], list[Definition]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                self.definitions.setdefault((node.name, first), []).append(node)
            elif isinstance(node, ast.Lambda):
                self.definitions.setdefault(("<lambda>", node.lineno), []).append(node)
        self._codes = set(_codes(compile(text, filename, "exec", dont_inherit=True)))

    def definition(self, code: CodeType) -> Definition | None:
        """The tree of a function, if the text is what the function was compiled from."""
        found = self.definitions.get((code.co_name, code.co_firstlineno), [])
        return found[0] if len(found) == 1 and code in self._codes else None

    def class_definition(self, cls: type) -> ast.ClassDef | None:
        """The tree of a class, found by the dotted path of its name."""
        body: list[ast.stmt] = self.tree.body
        found: ast.ClassDef | None = None
        for name in cls.__qualname__.split("."):
            matching = [node for node in body if isinstance(node, ast.ClassDef) and node.name == name]
            if not matching:
                return None
            found = matching[-1]
            body = found.body
        return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def module_of(filename: str) -> Module | None:
    """The parsed file, or cell of a notebook; None where there is no readable text."""
    lines = linecache.getlines(filename)
    if not lines:
        return None
    try:
        return Module("".join(lines), filename)
    except (SyntaxError, ValueError):
        return None


def dump(node: ast.AST, *, without_decorators: frozenset[int] = frozenset()) -> str:
    r"""A tree as text, without positions and docstrings.

    Args:
        node: the tree.
        without_decorators: the decorators (by `id`) to leave out.

    >>> one = ast.parse("def f():\n    'Doc.'\n    return 1  # why")
    >>> two = ast.parse("\n\ndef f(): return (1)")
    >>> dump(one) == dump(two)
    True
    """
    return ast.dump(_bare(node, without_decorators))


def _bare(node: Any, without: frozenset[int]) -> Any:
    if isinstance(node, list):
        return [_bare(item, without) for item in node if id(item) not in without]
    if not isinstance(node, ast.AST):
        return node
    fields = {name: _bare(value, without) for name, value in ast.iter_fields(node)}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) and _has_docstring(node):
        fields["body"] = fields["body"][1:]
    return type(node)(**fields)


def _has_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


class Names(ast.NodeVisitor):
    """What a tree may reach: dotted names, imports inside it, and look-ups that cannot be followed."""

    def __init__(self) -> None:
        self.chains: set[tuple[str, ...]] = set()
        self.imports: set[tuple[str, str, str, int]] = set()
        """(the name that it binds, module, attribute or empty, level)"""
        self.dynamic: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        """A name."""
        self.chains.add((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A dotted name, if a name is at its root."""
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self.chains.add((inner.id, *reversed(parts)))
        else:
            self.visit(inner)

    def visit_Import(self, node: ast.Import) -> None:
        """An import inside a function."""
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.imports.add((alias.asname or top, alias.name, "", 0))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """An import of a name inside a function."""
        for alias in node.names:
            self.imports.add((alias.asname or alias.name, node.module or "", alias.name, node.level))

    def visit_Call(self, node: ast.Call) -> None:
        """A call that looks a name up while it runs."""
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        hidden = called in {"eval", "exec", "globals", "__import__", "vars"}
        looked_up = called == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant)
        imported = called == "import_module" and not (node.args and isinstance(node.args[0], ast.Constant))
        if hidden or looked_up or imported:
            self.dynamic.add(called)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        """What stands behind `if TYPE_CHECKING` is not reached."""
        if isinstance(node.test, ast.Name | ast.Attribute) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                self.visit(other)
            return
        self.generic_visit(node)

"""What the registry decides, without I/O. The texts are those of MLflow's wire where it has one."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from airside.core.errors import Invalid, quoted
from airside.core.ids import ModelName, is_blob_id
from airside.registry.records import (
    CHAMPION,
    AliasMove,
    Approval,
    ApprovalState,
    Requirement,
    Stage,
    Verdict,
)
from airside.tracking.rules import MAX_KEY, check_length, check_name, invalid_value

STAGES: tuple[Stage, ...] = ("None", "Staging", "Production", "Archived")
ACTIVE_STAGES: tuple[Stage, ...] = ("Staging", "Production")
PROMPT_TAG = "mlflow.prompt.is_prompt"
PROMPT_TEXT_TAG = "mlflow.prompt.text"

MAX_TAG_VALUE = 100_000
MAX_ALIAS = 255

_ALIAS = re.compile(r"[\w\-]+\Z")
_VERSION_ALIAS = re.compile(r"[vV]\d+\Z")


def check_model_name(name: str, parameter: str = "name") -> None:
    """Refuse what cannot be a model's name.

    >>> check_model_name("churn model")
    >>> check_model_name("a/b")
    Traceback (most recent call last):
    airside.core.errors.Invalid: Invalid model name 'a/b'. Names cannot contain '/' or ':'.

    Raises:
        Invalid: it is blank, or has a slash or colon, or is a name of a folder relative to itself.
    """
    if not name.strip():
        raise Invalid(f"Missing value for required parameter '{parameter}'.")
    if "/" in name or ":" in name:
        raise Invalid(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    if name in (".", ".."):
        raise invalid_value(
            name,
            parameter,
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as "
            f"such. This name would resolve to {name!r}",
        )


def check_tag(key: str, value: str) -> None:
    """Refuse a tag whose key or value is not allowed.

    >>> check_tag("team", "fraud")
    >>> check_tag("k" * 251, "")
    Traceback (most recent call last):
    airside.core.errors.Invalid: 'key' exceeds the maximum length of 250 characters

    Raises:
        Invalid: a character, the form or the length.
    """
    check_name(key, "key")
    check_length(key, "key", MAX_KEY)
    if key == PROMPT_TEXT_TAG and len(value) > MAX_TAG_VALUE:
        raise Invalid(f"Prompt text exceeds max length of {MAX_TAG_VALUE} characters.")
    check_length(value, "value", MAX_TAG_VALUE)


def check_alias(alias: str, *, reserved: bool = True) -> None:
    """Refuse what cannot be an alias. `reserved` ones may be read (`latest`), never set.

    >>> check_alias("champion", reserved=False)
    >>> check_alias("v1", reserved=False)
    Traceback (most recent call last):
    airside.core.errors.Invalid: Version alias name 'v1' is reserved.

    Raises:
        Invalid: a character, the length, or a reserved word.
    """
    if not alias:
        raise Invalid("Registered model alias name cannot be empty.")
    if not _ALIAS.match(alias):
        raise Invalid(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    check_length(alias, "Registered model alias name", MAX_ALIAS)
    if reserved:
        return
    if alias.lower() == "latest":
        raise Invalid("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.match(alias):
        raise Invalid(f"Version alias name '{alias}' is reserved.")


def check_files(files: Mapping[str, str], reference: str) -> None:
    """Refuse contents whose digests are none.

    Raises:
        Invalid: a digest is not `b3:` and 64 hexadecimal digits.
    """
    wrong = [path for path, digest in files.items() if not is_blob_id(digest)]
    if wrong:
        raise Invalid(
            f"The digests of these files are not blob ids (`b3:` and 64 hexadecimal digits): {quoted(wrong)}."
        )
    if reference and not is_blob_id(reference):
        raise Invalid(f"The reference '{reference[:80]}' is not a blob id (`b3:` and 64 hexadecimal digits).")


def stage_of(text: str) -> Stage:
    """The stage of a name in any case.

    >>> stage_of("production")
    'Production'

    Raises:
        Invalid: there is no such stage.
    """
    for stage in STAGES:
        if stage.lower() == text.lower():
            return stage
    raise Invalid(f"Invalid Model Version stage: {text}. Value must be one of {', '.join(STAGES)}.")


def check_archiving(stage: Stage, *, archive_existing: bool) -> None:
    """Refuse to archive the other versions of a stage that is not active.

    Raises:
        Invalid: the stage is `None` or `Archived`.
    """
    if archive_existing and stage not in ACTIVE_STAGES:
        raise Invalid(
            f"Model version transition cannot archive existing model versions because '{stage}' is not an Active "
            f"stage. Valid stages are {list(ACTIVE_STAGES)}"
        )


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether the tags say that it is a prompt of MLflow's prompt registry.

    >>> is_prompt({"mlflow.prompt.is_prompt": "True"}), is_prompt({})
    (True, False)
    """
    return tags.get(PROMPT_TAG, "").lower() == "true"


def name_taken(name: str, *, wanted_is_prompt: bool, is_prompt: bool) -> str:
    """The text that says by what a name is taken.

    >>> name_taken("churn", wanted_is_prompt=False, is_prompt=False)
    'Registered Model (name=churn) already exists.'
    """
    if wanted_is_prompt and is_prompt:
        return f"Prompt (name={name}) already exists."
    if wanted_is_prompt == is_prompt:
        return f"Registered Model (name={name}) already exists."
    wanted, there = ("prompt", "registered model") if wanted_is_prompt else ("registered model", "prompt")
    return (
        f"Tried to create a {wanted} with name {name!r}, but the name is already taken by a {there}. "
        "MLflow does not allow creating a model and a prompt with the same name."
    )


def requirement_text(requires: Requirement) -> str:
    """A requirement in words, for the history.

    >>> requirement_text(Requirement(gates=("quality",), approvers=("ana",)))
    'gates: quality; approvers: ana'
    """
    parts = [f"gates: {', '.join(requires.gates)}"] if requires.gates else []
    if requires.approvers:
        parts.append(f"approvers: {', '.join(requires.approvers)}")
    if parts and requires.aliases != (CHAMPION,):
        parts.append(f"for: {', '.join(requires.aliases)}")
    return "; ".join(parts) or "nothing"


def lacking(
    requires: Requirement, verdicts: Iterable[Verdict], approvals: Iterable[Approval], *, created_by: str
) -> tuple[str, ...]:
    """What a version lacks before it may become champion; empty when it lacks nothing.

    Who registered the version cannot be its only approver, unless without authentication everyone is `local`.

    >>> lacking(Requirement(gates=("quality",)), (), (), created_by="ana")
    ("the verdict of the gate 'quality'",)
    >>> lacking(Requirement(approvers=("bo",)), (), (), created_by="ana")
    ("the approval of 'bo'",)
    """
    by_gate = {verdict.gate: verdict for verdict in verdicts}
    missing = []
    for gate in requires.gates:
        verdict = by_gate.get(gate)
        if verdict is None:
            missing.append(f"the verdict of the gate '{gate}'")
        elif not verdict.passed:
            why = f" ({verdict.summary})" if verdict.summary else ""
            missing.append(f"a passing verdict of the gate '{gate}', which failed it{why}")
    newest = newest_decisions(approvals)
    approved = {who for who, approval in newest.items() if approval.state == "approved"}
    absent = (who for who in requires.approvers if who not in approved)
    missing += [f"the approval of '{who}'{_but(newest.get(who))}" for who in absent]
    if requires.approvers and approved == {created_by} and created_by != "local":
        missing.append(f"the approval of someone besides '{created_by}', who registered it")
    return tuple(missing)


def newest_decisions(approvals: Iterable[Approval]) -> dict[str, Approval]:
    """Who decided -> their newest decision."""
    decided_ones = (each for each in approvals if each.state != "waiting")
    return {each.decided_by: each for each in sorted(decided_ones, key=lambda each: each.decided_at or each.asked_at)}


def _but(decision: Approval | None) -> str:
    """What became of an approval that is missing, for the text."""
    if decision is None:
        return ""
    words = "revoked it" if decision.state == "revoked" else "refused"
    return f", who {words}" + (f" ({decision.comment})" if decision.comment else "")


def objections(requires: Requirement, verdicts: Iterable[Verdict], approvals: Iterable[Approval]) -> tuple[str, ...]:
    """What speaks against a version that was champion once: a failed gate, an approval refused or revoked since.

    >>> objections(Requirement(), (), ())
    ()
    """
    found = [
        f"the gate '{verdict.gate}' failed it"
        for verdict in verdicts
        if verdict.gate in requires.gates and not verdict.passed
    ]
    for who, decision in newest_decisions(approvals).items():
        if decision.state in {"refused", "revoked"}:
            found.append(f"'{who}' {decision.state} its approval")
    return tuple(found)


def still_to_approve(requires: Requirement, approvals: Iterable[Approval]) -> tuple[str, ...]:
    """Who must approve a version and has not.

    >>> still_to_approve(Requirement(approvers=("ana", "bo")), ())
    ('ana', 'bo')
    """
    newest = newest_decisions(approvals)
    return tuple(who for who in requires.approvers if who not in newest or newest[who].state != "approved")


def together(of_model: Requirement, of_version: Iterable[str]) -> Requirement:
    """What a version needs: what its model asks of each, and who must approve this one.

    >>> together(Requirement(approvers=("ana",)), ("bo", "ana")).approvers
    ('ana', 'bo')
    """
    return msgspec.structs.replace(of_model, approvers=tuple(dict.fromkeys((*of_model.approvers, *of_version))))


def version_before(moves: Iterable[tuple[str, str]], there: Collection[int]) -> int | None:
    """The version that an alias named before the one it names now.

    Args:
        moves: what happened to the alias, oldest first: (`alias` or `rollback`, the version it moved to or "").
        there: the versions that still exist.

    >>> version_before([("alias", "1"), ("alias", "2"), ("alias", "3")], {1, 2, 3})
    2
    >>> version_before([("alias", "1"), ("alias", "2"), ("alias", "3"), ("rollback", "2")], {1, 2, 3})
    1
    >>> version_before([("alias", "1")], {1}) is None
    True
    """
    stack, current = _named_before(moves)
    earlier = [version for version in stack if version in there]
    while earlier and earlier[-1] == current:
        earlier.pop()
    return earlier[-1] if earlier else None


def is_step_back(moves: Iterable[tuple[str, str]], target: int) -> bool:
    """Whether an alias goes back when it moves to a version; else it comes forward.

    >>> is_step_back([("alias", "1"), ("alias", "2")], 1), is_step_back([("alias", "1"), ("rollback", "1")], 2)
    (True, False)
    """
    stack, current = _named_before(moves)
    return target != current and target in stack


def _named_before(moves: Iterable[tuple[str, str]]) -> tuple[list[int], int | None]:
    """The versions that an alias came by, the way back taken off, and the one that it names now."""
    stack: list[int] = []
    current: int | None = None
    for what, after in moves:
        current = int(after) if after else None
        if current is None:
            continue
        if what == "rollback" and current in stack:
            while stack[-1] != current:
                stack.pop()
        elif not stack or stack[-1] != current:
            stack.append(current)
    return stack, current


def steps_back(moves: Iterable[tuple[str, str]]) -> int:
    """How many rollbacks of an alias follow each other at the end of its moves, oldest first.

    >>> steps_back([("alias", "1"), ("alias", "2"), ("alias", "3"), ("rollback", "2"), ("rollback", "1")])
    2
    """
    count = 0
    for what, _ in moves:
        count = count + 1 if what == "rollback" else 0
    return count


def rollback_text(move: AliasMove, *, skipped: Iterable[str], steps: int) -> str:
    """What a rollback did, in words; `steps` is 0 when it came forward.

    >>> rollback_text(AliasMove(name="churn", alias="champion", version=2, previous=3), skipped=(), steps=1)
    "'churn@champion' names version 2 again; it named 3. To come forward again: airside models rollback churn --to 3"
    >>> rollback_text(AliasMove(name="churn", alias="live", version=3, previous=2), skipped=(), steps=0)
    "'churn@live' names version 3; it named 2. To go back: airside models rollback churn --alias live"
    """
    if move.previous == move.version:
        return f"'{move.name}@{move.alias}' names version {move.version} already: nothing moved."
    again = " again" if steps else ""
    said = [f"'{move.name}@{move.alias}' names version {move.version}{again}; it named {move.previous or 'none'}."]
    said += [f"Passed over version {each}." for each in skipped]
    if steps > 1:
        said.append(f"That is {steps} steps back in a row.")
    option = "" if move.alias == CHAMPION else f" --alias {move.alias}"
    if steps and move.previous is not None:
        said.append(f"To come forward again: airside models rollback {move.name} --to {move.previous}{option}")
    elif not steps:
        said.append(f"To go back: airside models rollback {move.name}{option}")
    return " ".join(said)


def version_of_subject(subject: str) -> tuple[ModelName, int]:
    """The version that the subject of an approval names.

    >>> version_of_subject("churn@7")
    ('churn', 7)

    Raises:
        Invalid: it is not written `NAME@NUMBER`.
    """
    name, _, number = subject.rpartition("@")
    if not name or not (number.isascii() and number.isdigit()):
        raise Invalid(f"'{subject}' names no version. Write it as NAME@NUMBER, e.g. churn@7.")
    return ModelName(name), int(number)


def decided(waiting: Approval, state: ApprovalState, who: str, at: datetime, comment: str) -> Approval:
    """An approval, decided."""
    return msgspec.structs.replace(waiting, state=state, decided_by=who, decided_at=at, comment=comment)

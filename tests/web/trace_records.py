"""Traces, by hand."""

from typing import Any

from tests.web.moment import RUN, ms

from airside.tracking.traces.records import Assessment, Span, SpanEvent, Trace, TraceInfo

TRACE = "tr-" + "0a" * 16
ROOT = "a" * 16
BROKEN = "b" * 16


def span(number: str, name: str, start: int, end: int | None, **more: Any) -> Span:
    attributes = {"mlflow.spanType": more.pop("kind_of", "CHAIN"), **more.pop("told", {})}
    return Span(
        trace_id=TRACE[3:],
        span_id=number,
        name=name,
        start_ns=start * 1_000_000,
        end_ns=None if end is None else end * 1_000_000,
        attributes=attributes,
        **more,
    )


def trace_info(text: str, number: int = 0, state: str = "OK") -> TraceInfo:
    said = Assessment(
        assessment_id="a-1",
        trace_id=TRACE,
        name=text[:200],
        kind="feedback",
        value=False,
        source_type="HUMAN",
        source_id=text[:200],
        rationale=text,
        span_id=BROKEN,
        updated_ms=ms(minutes=2),
    )
    return TraceInfo(
        trace_id=TRACE if number == 0 else f"{TRACE[:-2]}{number:02x}",
        experiment_id="1",  # type: ignore[arg-type]  # an id by hand
        request_ms=ms(minutes=3 + number),
        duration_ms=214,
        state=state,  # type: ignore[arg-type]  # a state by hand
        request_preview=text,
        response_preview=text,
        metadata={
            "mlflow.trace.tokenUsage": '{"input_tokens": 1110, "output_tokens": 196, "total_tokens": 1306}',
            "mlflow.trace.cost": '{"total_cost": 0.00031}',
            "mlflow.trace.session": text[:200],
            "mlflow.trace.user": text[:200],
            "mlflow.sourceRun": RUN,
        },
        tags={"mlflow.traceName": text[:200], "channel": text},
        assessments=(said,),
    )


def trace(text: str) -> Trace:
    talk = {"messages": [{"role": text[:100], "content": text}]}
    found = [{"page_content": text, "metadata": {"doc_uri": text, "score": 0.9}}]
    failed = SpanEvent(
        name="exception",
        time_ns=120_000_000,
        attributes={"exception.type": "KeyError", "exception.message": text, "exception.stacktrace": text},
    )
    return Trace(
        info=trace_info(text),
        spans=(
            span(ROOT, text, 0, 214, kind_of="AGENT", told={"mlflow.spanInputs": {"q": text}}),
            span("c" * 16, "search", 10, 60, parent_id=ROOT, kind_of="RETRIEVER", told={"mlflow.spanOutputs": found}),
            span("d" * 16, "model", 60, 200, parent_id=ROOT, kind_of="LLM", told={"mlflow.spanInputs": talk}),
            span(BROKEN, text, 100, 130, parent_id="d" * 16, status="ERROR", events=(failed,)),
            span("e" * 16, "open", 150, None, parent_id=ROOT),
        ),
    )


def many_spans(count: int) -> Trace:
    """A long trace: a root with so many spans below it."""
    below = tuple(span(f"{n:016x}", f"step {n}", n, n + 1, parent_id=ROOT) for n in range(1, count))
    return Trace(info=trace_info("long"), spans=(span(ROOT, "root", 0, count), *below))

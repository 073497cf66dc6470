"""The commands of whoever operates Mien: their arguments and their help."""

from typing import Annotated

import typer

app = typer.Typer()

Fusion = Annotated[str, typer.Option(metavar="URL", envvar="FUSION_URL", help="Where the fusion service answers.")]


@app.command()
def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")] = False,
    fusion: Annotated[
        str | None, typer.Option(metavar="URL", envvar="FUSION_URL", help="Also ask the fusion service there.")
    ] = None,
    no_models: Annotated[bool, typer.Option("--no-models", help="Load no model.")] = False,
) -> None:
    """Check what Mien needs here: broker, rights, Redis, models, devices, clocks; and say what to mend.

    Give it the environment of the service that does not run: RabbitMQ is asked where AMQP_URL is set, Redis where
    REDIS_URL is. Exit code 1: something must be mended.
    """
    from services.cli.doctor import examine  # noqa: PLC0415  (--help must not load models)
    from services.cli.findings import show  # noqa: PLC0415

    findings = examine(fusion_url=fusion, with_models=not no_models)
    raise typer.Exit(show(findings, as_json=json))


@app.command()
def top(
    *,
    fusion: Fusion = "http://127.0.0.1:8000",
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look for one interval, print that, and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a look.")] = False,
) -> None:
    """Show queues, workers, rates and lag as they are now.

    All is asked of the fusion service; while that is away, RabbitMQ is asked for the queues where AMQP_URL is set.
    """
    from services.cli.top import watch  # noqa: PLC0415

    watch(fusion, interval, once=once, as_json=json)

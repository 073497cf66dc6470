"""``mien devices``: which microphones and cameras there are, by the names that the other commands take."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from services.capture.devices import Device, list_devices, missing_support


def show_devices(*, as_json: bool) -> None:
    """Print the devices of this machine, as a table or as one JSON array; what cannot be listed is said beside it."""
    devices = list_devices()
    hindrance = missing_support()
    if hindrance is not None:
        Console(stderr=True, highlight=False).print(hindrance, style="yellow", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([asdict(device) for device in devices]))
    else:
        Console().print(device_table(devices))


def device_table(devices: Sequence[Device]) -> RenderableType:
    """Return the devices as a table, or a sentence where there are none."""
    if not devices:
        return Text("No microphone and no camera can be found. Plug one in, or capture a --file, a --url or --stdin.")
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("kind")
    table.add_column("name", overflow="fold")
    table.add_column("used where none is named")
    for device in devices:
        table.add_row(device.kind, Text(device.name), "yes" if device.default else "")
    return table

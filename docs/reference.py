"""Writes docs/cli.md from ``--help``; with ``--check`` it fails when the file is stale."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asset_gen.cli import COMMANDS, cli

PATH = Path(__file__).parent / "cli.md"
WIDTH = 100


def help_of(command: click.Command, name: str) -> str:
    """What ``name --help`` prints at 100 columns."""
    context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context)


def section(command: click.Command, name: str) -> str:
    """A command's part of the document."""
    return f"## {name}\n\n```text\n{help_of(command, name)}\n```\n"


def reference() -> str:
    """The whole document."""
    parts = [
        "# Command line\n\nMade by `make docs` from `--help`. Every option can also be set as `ASSETGEN_<OPTION>`.\n"
    ]
    parts.append(f"```text\n{help_of(cli, 'assetgen')}\n```\n")
    root = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        parts.append(section(command, f"assetgen {name}"))
        if isinstance(command, click.Group):
            parts += [section(below, f"assetgen {name} {word}") for word, below in command.commands.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    text = reference()
    if "--check" in sys.argv[1:]:
        if PATH.read_text(encoding="utf-8") != text:
            sys.exit("docs/cli.md is stale: run make docs")
    else:
        PATH.write_text(text, encoding="utf-8")

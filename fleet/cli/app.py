"""The root command: global options, and commands that are imported when they are called."""

from __future__ import annotations

import importlib

import click

from fleet.cli.session import Globals

COMMANDS = {
    "up": ("fleet.cli.up", "Launch a fleet from a spec, or bring it to its spec."),
    "plan": ("fleet.cli.plan", "Show what `up` would do and cost; change nothing."),
    "status": ("fleet.cli.status", "Show a fleet's environments as they stand."),
    "urls": ("fleet.cli.urls", "Print each person's URLs."),
    "ca": ("fleet.cli.ca", "Print the certificate that makes browsers trust a fleet."),
    "images": ("fleet.cli.images", "List the Deep Learning AMIs of the region."),
    "ls": ("fleet.cli.ls", "List the fleets of the account and region."),
    "ssh": ("fleet.cli.ssh", "Log in to a member's environment."),
    "logs": ("fleet.cli.logs", "Show what a member's environment has logged."),
